"""The link as the rest of the gateway sees it: one object that keeps store and head office in step.

A line is: hello, compare histories, say how the store is, and only then the backlog up and orders down, side by side,
until something breaks; then a pause that grows, and hello again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any, Literal

import structlog

from gateway.clock import iso
from gateway.settings import Link as LinkSettings
from gateway.storage import cursors
from gateway.sync import link, plan
from gateway.sync.backlog import Backlog
from gateway.sync.link import Event, Line, Lost, Reached, State, SwitchedOff, SwitchedOn
from gateway.sync.plan import Bounds
from gateway.sync.protocol import HEARTBEAT_S, Heartbeat, RefusedOrder
from gateway.sync.pull import PULLED, Pull
from gateway.sync.push import ForkError, Push
from gateway.sync.store import BOOKS_FAULTS, Store
from gateway.sync.uplink import LinkError, OfficeRefusedError, Uplink

Mode = Literal["automatic", "offline"]
Summary = Callable[[], Awaitable[dict[str, Any]]]

MODE = "mode"
"""The cursor under which working offline by hand outlives a restart."""
UNTOLD_MAX = 100
CLOCK_LOOK_S = 5.0
"""How often wall time is compared with the end of working offline; wall time can jump."""

USEFUL_S = 2.0 * HEARTBEAT_S
"""A line that stood this long was one, whatever came over it."""

_log = structlog.get_logger("sync")


class NoConnectionError(Exception):
    """There is no line to head office now; the text says why."""


class Link:
    """In step with head office. Without an uplink there is none, and `state` says so."""

    def __init__(self, store: Store, uplink: Uplink | None, settings: LinkSettings, summary: Summary) -> None:
        """`summary` answers what `GET /v1/status` does; it goes ahead of any backlog."""
        self._store = store
        self._uplink = uplink
        self._settings = settings
        self._summary = summary
        self._line = link.begin(store.clock.now_ms(), has_office=uplink is not None)
        self._backlog = Backlog(store, self._turn)
        self._bounds = Bounds(
            settings.chunk_bytes_max,
            settings.chunk_rows_max,
            settings.chunk_seconds,
            settings.rate_kbit_max * 1000 / 8,
        )
        self._push: Push | None = None
        self._pull: Pull | None = None
        self._why = "no attempt was made yet"
        self._fork: str | None = None
        self._is_hopeless = False
        self._wake = asyncio.Event()
        self._asking: list[asyncio.Future[None]] = []
        self._waiters: list[asyncio.Future[None]] = []
        self.turns = 0

    def state(self) -> dict[str, Any]:
        """The banner's figures; `eta_s` is null while nothing moves."""
        line, rows = self._current(), self._backlog.rows
        moves = line.state in {State.ONLINE, State.CATCHING_UP} and self._push is not None
        return {
            "state": line.state.value,
            "since": iso(line.since_ms),
            "waiting": 0 if line.state is State.NONE else rows,
            "oldest_ms": 0 if line.state is State.NONE else self._backlog.oldest_ms,
            "eta_s": plan.eta_s(rows, self._push.pace, self._bounds) if moves and self._push else None,
        }

    async def wait_change(self, after_turns: int) -> int:
        """Wait until the line changed, or head office acknowledged something, more than `turns` then said. A hint.

        What the desk writes makes `waiting` grow and is the desk's to tell.
        """
        while self.turns <= after_turns:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        return self.turns

    async def sync_now(self) -> dict[str, Any]:
        """Try the line at once, without waiting for the next attempt; answers `state()` when head office answered.

        Raises:
            NoConnectionError: there is none, it is switched off, or it did not answer.
        """
        if self._line.state in {State.NONE, State.WORKING_OFFLINE}:
            raise NoConnectionError("no head office is set up" if self._uplink is None else "working offline by hand")
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asking.append(answer)
        self._wake.set()
        if self._pull is not None:
            self._pull.settled.set()
        try:
            async with asyncio.timeout(self._settings.reply_wait_ms_max / 1000):
                await answer
        except TimeoutError:
            raise NoConnectionError(self._why) from None
        return self.state()

    async def set_mode(self, mode: Mode, until_ms: int | None = None) -> None:
        """Work offline by hand, until an instant or until it is switched back; also after a restart.

        Raises:
            NotDurableError, OverloadedError, ClosedError: it was not noted, and nothing changed.
        """
        if mode == "offline":
            await self._store.writer.run(lambda connection: cursors.put(connection, MODE, until_ms or 0, "offline"))
            self._step(SwitchedOff(self._store.clock.now_ms(), until_ms))
        else:
            await self._store.writer.run(lambda connection: cursors.drop(connection, MODE))
            self._step(SwitchedOn(self._store.clock.now_ms()))
        self._wake.set()

    async def run(self) -> None:
        """Keep the line until cancelled."""
        await self._backlog.load()
        mode = await cursors.read(self._store.reader, MODE)
        if mode.note:
            self._step(SwitchedOff(self._store.clock.now_ms(), mode.value or None))
        if self._uplink is None:
            return
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            group.create_task(self._backlog.run(), name="link-backlog")
            uplink = await self._opened(self._uplink, stack)
            self._push = Push(self._store, uplink, self._backlog, self._bounds)
            self._pull = Pull(self._store, uplink)
            group.create_task(self._keep_line(uplink, self._push, self._pull), name="link")

    async def _opened(self, uplink: Uplink, stack: AsyncExitStack) -> Uplink:
        """The uplink, once it can be opened: a CA file that cannot be used must not keep the store from selling."""
        while True:
            self._wake.clear()
            try:
                return await stack.enter_async_context(uplink)
            except OSError as error:
                self._why = f"headoffice.ca_file: {error}"
            self._step(Lost(self._store.clock.now_ms()))
            self._store.board.put_up("link_refused", detail=self._why)
            self._answer(NoConnectionError(self._why))
            await self._pause(self._settings.retry_ms_max / 1000)

    async def _keep_line(self, uplink: Uplink, push: Push, pull: Pull) -> None:
        while True:
            self._wake.clear()
            if self._current().state is State.WORKING_OFFLINE:
                self._answer(NoConnectionError("working offline by hand"))
                await self._pause(CLOCK_LOOK_S)
                continue
            await self._one_line(uplink, push, pull)
            if self._line.state is not State.WORKING_OFFLINE:
                await self._pause(self._retry_s())

    async def _one_line(self, uplink: Uplink, push: Push, pull: Pull) -> None:
        """One line from hello to its end; never raises what the world does to it."""
        began, before = self._store.clock.monotonic(), self._backlog.acknowledged
        async with asyncio.TaskGroup() as group:
            line = group.create_task(self._until_broken(uplink, push, pull), name="link-line")
            # Not `await line`: a group that is cancelled while it ends with an error forgets that it was cancelled.
            await asyncio.wait({line})
        with suppress(*BOOKS_FAULTS):
            await self._backlog.keep()
        push.pace = plan.new_line(push.pace)
        stood_s = self._store.clock.monotonic() - began
        was_useful = self._backlog.acknowledged > before or stood_s > USEFUL_S
        await self._ended(line.result(), uplink, was_useful=was_useful)

    async def _until_broken(self, uplink: Uplink, push: Push, pull: Pull) -> BaseException:
        """What ended the line."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._stay_in_step(uplink, push, pull), name="link-in-step")
                group.create_task(self._until_switched_off(), name="link-switch")
        except* (LinkError, _SwitchedOffError, *BOOKS_FAULTS) as broken:
            ended = _first(broken)
        else:
            message = "a line never ends by itself"
            raise AssertionError(message)
        return ended

    async def _stay_in_step(self, uplink: Uplink, push: Push, pull: Pull) -> None:
        standing = await push.meet()
        self._fork = None
        self._store.board.take_down("link_fork")
        await self._report(uplink)
        self._reached()
        self._store.board.take_down("link_refused")
        async with asyncio.TaskGroup() as group:
            group.create_task(push.run(standing), name="link-push")
            group.create_task(pull.run(), name="link-pull")
            group.create_task(self._keep_reporting(uplink, pull), name="link-report")

    async def _keep_reporting(self, uplink: Uplink, pull: Pull) -> None:
        """A heartbeat when it is time, when there is something to tell, and when somebody asks for the line."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await pull.settled.wait()
            pull.settled.clear()
            await self._report(uplink)
            self._reached()
            with suppress(*BOOKS_FAULTS):
                await self._backlog.keep()

    async def _report(self, uplink: Uplink) -> None:
        untold = await cursors.untold(self._store.reader, UNTOLD_MAX)
        heartbeat = Heartbeat(
            sent_at=self._store.clock.now_ms(),
            seq=self._store.desk.seq,
            orders_applied=(await cursors.read(self._store.reader, PULLED)).value,
            refused=tuple(RefusedOrder(seq=each.seq, code=each.code, detail=each.detail) for each in untold),
            fork=self._fork,
            status={**await self._summary(), "link": self.state()},
        )
        await uplink.report(heartbeat)
        if untold:
            told = tuple(each.seq for each in untold)
            with suppress(*BOOKS_FAULTS):  # then it is told again, which changes nothing
                await self._store.writer.run(lambda connection: cursors.told(connection, told))

    async def _ended(self, ended: BaseException, uplink: Uplink, *, was_useful: bool) -> None:
        """Say what became of the line; a fork is told to head office, too."""
        if isinstance(ended, _SwitchedOffError):
            self._answer(NoConnectionError("working offline by hand"))
            self._store.board.take_down("link_offline")
            return
        self._why = str(ended)[:300]
        self._step(Lost(self._store.clock.now_ms(), was_useful))
        self._is_hopeless = isinstance(ended, ForkError | OfficeRefusedError)
        self._answer(NoConnectionError(self._why))
        board = self._store.board
        if isinstance(ended, ForkError):
            self._fork = self._why
            board.put_up("link_fork")
            with suppress(LinkError, *BOOKS_FAULTS):
                await self._report(uplink)
        elif isinstance(ended, OfficeRefusedError):
            board.put_up("link_refused", detail=ended.detail.rstrip("."))
        if self._is_hopeless:
            board.take_down("link_offline")
        else:
            board.put_up("link_offline")

    def _reached(self) -> None:
        self._step(Reached(self._store.clock.now_ms(), self._backlog.rows, self._backlog.oldest_ms))
        self._store.board.take_down("link_offline")
        self._answer(None)

    def _current(self) -> Line:
        """The line now: what waits can turn an online line into one that catches up, and time ends working offline."""
        now = self._store.clock.now_ms()
        if link.is_due(self._line, now):
            self._step(SwitchedOn(now))
        elif self._line.state in {State.ONLINE, State.CATCHING_UP}:
            self._step(Reached(now, self._backlog.rows, self._backlog.oldest_ms))
        return self._line

    def _step(self, event: Event) -> None:
        before, self._line = self._line, link.step(self._line, event)
        if before.state is not self._line.state:
            self._turn()
            _log.info("link_state_changed", state=self._line.state.value, waiting=self._backlog.rows, why=self._why)

    def _turn(self) -> None:
        self.turns += 1
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _answer(self, error: NoConnectionError | None) -> None:
        asking, self._asking = self._asking, []
        for answer in asking:
            if answer.done():
                continue
            if error is None:
                answer.set_result(None)
            else:
                answer.set_exception(error)

    async def _until_switched_off(self) -> None:
        while True:
            self._wake.clear()
            if self._current().state is State.WORKING_OFFLINE:
                raise _SwitchedOffError
            await self._wake.wait()

    def _retry_s(self) -> float:
        settings = self._settings
        if self._is_hopeless:
            return settings.retry_ms_max / 1000
        chance = self._store.chance.random()
        return link.retry_ms(self._line.failures, settings.retry_ms_min, settings.retry_ms_max, chance) / 1000

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()


class _SwitchedOffError(Exception):
    """Somebody wants to work offline."""


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The innermost first error; a fork before everything else."""
    found = [_first(error) if isinstance(error, BaseExceptionGroup) else error for error in group.exceptions]
    return next((error for error in found if isinstance(error, ForkError)), found[0])
