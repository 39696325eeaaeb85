"""The desk: a bounded queue, one decision after the other, one transaction for all that waits, then the answers.

A request that goes away cancels only its wait: its command stays in the queue and is decided. A bug in one command is
its caller's alone. A disk that does not take the group is everybody's `NotDurableError`: *unknown*, ask again.
"""

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gateway.clock import Clock
from gateway.ledger.commands import Command, IssueDocument, MoveStock
from gateway.ledger.decide import decide, needs
from gateway.ledger.outcomes import Decided, Known
from gateway.ledger.page import Page
from gateway.ledger.refusals import Refusal
from gateway.ledger.rules import House
from gateway.storage import books
from gateway.storage.writer import ClosedError, Connection, OverloadedError, Writer, is_file_trouble

QUEUE_COMMANDS_MAX = 1024
"""Commands that may wait; at a store's worst that is well under a second of work."""
GROUP_COMMANDS_MAX = 64
"""Commands of one transaction: bounds how long the first waits for the last."""


class DiskLowError(Exception):
    """Less free space than `storage.free_bytes_min`: nothing new is accepted while the books can still be tidied."""

    def __init__(self, free_bytes: int) -> None:
        super().__init__(f"{free_bytes // 2**20} MB free")
        self.free_bytes = free_bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The command is durable. `body` is a document's answer, else the fact; `created` is False for a repetition."""

    seq: int
    created: bool
    body: Any


Outcome = Done | Refusal
_Ask = tuple[Command, "asyncio.Future[Outcome]"]
_Settled = tuple[list[Outcome | Exception], int, int]


class Desk:
    """`await desk.submit(command)`: the only way into the books."""

    def __init__(
        self, writer: Writer, clock: Clock, house: House, epoch: str, *, folder: Path, free_bytes_min: int = 0
    ) -> None:
        self.house = house
        self.epoch = epoch
        self.seq = 0
        self.trusted_at = 0
        self._writer = writer
        self._clock = clock
        self._folder = folder
        self._free_bytes_min = free_bytes_min
        self._waiting: deque[_Ask] = deque()
        self._called = False
        self._has_space = False
        self._closed = False
        self._newest = (0, 0)
        self._shelf = books.Shelf()
        self._shelf_of: Connection | None = None
        self._waiters: set[asyncio.Future[None]] = set()

    async def submit(self, command: Command) -> Outcome:
        """Decide a command and answer when the answer is durable.

        Raises:
            NotDurableError: the disk failed; whether it happened is unknown, the same request again will tell.
            OverloadedError, ClosedError, DiskLowError: not done.
            Exception: a bug in this command; not done.
        """
        if self._closed:
            raise ClosedError
        if len(self._waiting) >= QUEUE_COMMANDS_MAX:
            raise OverloadedError
        if isinstance(command, IssueDocument | MoveStock):
            self._check_space()
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        self._call()
        return await answer

    async def wait_change(self, after_seq: int) -> int:
        """Wait until the books hold a row above `after_seq`; answers the newest one's seq (a hint)."""
        while self.seq <= after_seq:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
        return self.seq

    def resume(self, seq: int, at: int) -> None:
        """Say where the books stand when they were opened."""
        self._advance(seq, at)

    def close(self) -> None:
        """Refuse what comes from now on; what waits is still decided."""
        self._closed = True

    def settle(
        self, connection: Connection, commands: Sequence[Command], shelf: books.Shelf | None = None
    ) -> list[Outcome | Exception]:
        """Decide commands in turn inside the caller's transaction and store the facts; for the writer's thread.

        When storing them together fails (a bug: the database's own constraints are stricter than the decision), each
        is decided again by itself, so that only the guilty one hears of it.
        """
        connection.execute("SAVEPOINT settle")
        try:
            outcomes = self._settle_together(connection, commands, shelf)
        except Exception as error:  # a bug of one command is its caller's alone
            if is_file_trouble(error) or isinstance(error, books.StaleTenureError):
                raise
            connection.execute("ROLLBACK TO settle")
            if len(commands) == 1:
                outcomes = [error]
            else:
                outcomes = [outcome for command in commands for outcome in self.settle(connection, [command], shelf)]
        connection.execute("RELEASE settle")
        return outcomes

    def _check_space(self) -> None:
        """Look at the disk once for each group: a group is far smaller than what is left below the floor."""
        if self._free_bytes_min and not self._has_space:
            state = os.statvfs(self._folder)
            free_bytes = state.f_bavail * state.f_frsize
            if free_bytes < self._free_bytes_min:
                raise DiskLowError(free_bytes)
            self._has_space = True

    def _call(self) -> None:
        """Have the writer come for what waits, once everybody who is heard in this turn of the loop has asked.

        A writer that came at the first command would fight the loop for the interpreter, over a group of one.
        """
        if self._waiting and not self._called:
            self._called = True
            asyncio.get_running_loop().call_soon(self._post)

    def _post(self) -> None:
        """It takes all there is when it gets here."""
        asks: list[_Ask] = []
        try:
            future = self._writer.post(partial(self._settle_waiting, asks))
        except (OverloadedError, ClosedError) as error:
            self._called = False
            self._fail_all(error)
        else:
            future.add_done_callback(partial(self._answered, asks))

    def _settle_waiting(self, asks: list[_Ask], connection: Connection) -> _Settled:
        """On the writer's thread: take what waits into `asks` and settle it."""
        self._called = self._has_space = False
        asks.extend(self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_COMMANDS_MAX)))
        self._newest = (0, 0)
        if connection is not self._shelf_of:  # a new connection follows a failed COMMIT: believe nothing from before
            self._shelf_of, self._shelf = connection, books.Shelf()
        outcomes = self.settle(connection, [command for command, _ in asks], self._shelf)
        return outcomes, *self._newest

    def _settle_together(
        self, connection: Connection, commands: Sequence[Command], shelf: books.Shelf | None
    ) -> list[Outcome | Exception]:
        page = books.open_page(connection, [needs(command) for command in commands], shelf)
        if page.epoch != self.epoch:
            message = f"the books belong to epoch {page.epoch}"
            raise books.StaleTenureError(message)
        now = self._clock.now_ms()
        outcomes: list[Outcome | Exception] = [_answer(page, command, now, self.house) for command in commands]
        if page.rows:
            books.store_page(connection, page)
        self._newest = (page.seq, page.at)
        return outcomes

    def _answered(self, asks: list[_Ask], future: "asyncio.Future[_Settled]") -> None:
        """Back on the loop: everybody of the group hears what became of it."""
        error = future.exception()
        if error is not None:
            if not asks:  # the writer never came: nobody who waits can be served now
                self._called = False
                self._fail_all(error)
            _tell(asks, [error] * len(asks))
        else:
            outcomes, seq, at = future.result()
            _tell(asks, outcomes)
            self._advance(seq, at)
        self._call()

    def _advance(self, seq: int, at: int) -> None:
        if seq > self.seq:
            self.seq, self.trusted_at = seq, at
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def _fail_all(self, error: BaseException) -> None:
        asks = list(self._waiting)
        self._waiting.clear()
        _tell(asks, [error] * len(asks))


def _tell(asks: list[_Ask], outcomes: Sequence[Outcome | BaseException]) -> None:
    for (_, answer), outcome in zip(asks, outcomes, strict=True):
        if answer.done():
            continue
        if isinstance(outcome, BaseException):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)


def _answer(page: Page, command: Command, now: int, house: House) -> Outcome:
    """Decide one command and turn the page."""
    decision = decide(page, command, now, house)
    if isinstance(decision, Known):
        return Done(decision.seq, created=False, body=decision.answer)
    for fact in decision.facts:
        page.turn(fact, now)
    if isinstance(decision, Decided):
        return Done(page.seq, created=True, body=decision.answer)
    return decision.refusal
