"""One printer and the jobs before it: takes the next row, lets the driver do it, writes down what became of it.

The queue is the table; `wake` only says "look now". One job at a time, by arrival, drawers first. What stands in
`sending` or `held` belongs to the connection that is open: when this process goes, it is `unknown`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import orjson
import structlog

from gateway.clock import Clock
from gateway.devices import jobs as life
from gateway.devices import receipt
from gateway.devices.drivers import escpos_bytes
from gateway.devices.drivers.escpos_dialogue import Task
from gateway.devices.drivers.escpos_printer import EscposPrinter
from gateway.devices.drivers.escpos_replies import Status
from gateway.devices.drivers.transport import UnreachableError
from gateway.devices.jobs import Happening, Kind
from gateway.devices.profiles import Profile
from gateway.health.warnings import Board
from gateway.storage import jobs
from gateway.storage.jobs import Connection, JobRow, Load
from gateway.storage.reader import Reader
from gateway.storage.writer import ClosedError, NotDurableError, OverloadedError, Writer

T = TypeVar("T")
Shown = tuple[Mapping[str, Any], Mapping[str, str], Sequence[str]]
"""A document, its issuer, and the lines the law wants on it."""
DocumentOf = Callable[[str], Awaitable[Shown | None]]
"""Fetches a document by id; None when there is none."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a station looks."""

    idle_s: float = 5.0
    """At a printer with nothing to do."""
    retry_s: float = 1.0
    """At a printer that could not print."""
    durable_retry_s: float = 0.5
    """At a disk that did not take what happened."""


@dataclass(slots=True)
class Books:
    """What all stations share: the table, the time, the warnings, the documents."""

    writer: Writer
    reader: Reader
    clock: Clock
    board: Board
    document_of: DocumentOf
    language: str
    changed: Callable[[], None]
    """Called whenever a row or a printer's state has changed."""


class Station:
    """One printer with its queue."""

    def __init__(self, name: str, profile: Profile, printer: EscposPrinter, books: Books, pace: Pace) -> None:
        """Store the arguments."""
        self.name = name
        self.profile = profile
        self.status: Status | None = None
        self.is_online: bool | None = None
        self.at_work: JobRow | None = None
        self.is_blocked = False
        self.load = Load()
        self._printer = printer
        self._books = books
        self._pace = pace
        self._wake = asyncio.Event()
        self._stopping = False
        self._failed: str | None = None
        """The job that was in hand when `run` last failed."""

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the job in hand, take no other."""
        self._stopping = True
        self._wake.set()

    @property
    def paper(self) -> Literal["ok", "near_end", "out", "unknown"]:
        """How much paper there is, as far as the printer says."""
        if self.status is None:
            return "unknown"
        if self.status.paper_out:
            return "out"
        return "near_end" if self.status.near_end else "ok"

    @property
    def cover(self) -> Literal["closed", "open", "unknown"]:
        """Whether the cover is open, as far as the printer says."""
        if self.status is None:
            return "unknown"
        return "open" if self.status.cover_open else "closed"

    @property
    def drawer(self) -> Literal["open", "closed", "unknown"]:
        """Whether the drawer is open, where its wiring is known."""
        level = self.profile.drawer.open_level
        if self.status is None or level == "unknown":
            return "unknown"
        return "open" if self.status.pin_high == (level == "high") else "closed"

    async def run(self) -> None:
        """Work until `stop`."""
        await self._look()
        await self.count()
        while not self._stopping:
            self._wake.clear()
            row = await jobs.next_queued(self._books.reader, self.name)
            if row is None:
                if not await self._rest(self._pace.idle_s):
                    await self._look()
                continue
            if not await self._do(row):
                await self._rest(self._pace.retry_s)

    async def forsake(self) -> None:
        """After a failure of `run`: what was being sent is unknown, and what failed twice before that is refused."""
        row, self.at_work, self.is_blocked = self.at_work, None, False
        clock = self._books.clock

        def work(connection: Connection) -> None:
            lose(connection, clock.now_ms(), "gateway_failed", device=self.name)

        await self._durably(work)
        failed, self._failed = self._failed, None if row is None else row.id
        if row is not None and row.id == failed:
            await self.turn(row, Happening.UNPRINTABLE, "gateway_failed")
        await self.count()

    async def turn(self, row: JobRow, happening: Happening, detail: str = "") -> JobRow | None:
        """Write what happened, and go on trying while the disk does not take it; None: the job stands elsewhere."""
        sources, state, clock = life.sources(happening), life.target(happening), self._books.clock

        def work(connection: Connection) -> JobRow | None:
            return jobs.turn(connection, row.id, sources, state, clock.now_ms(), detail=detail)

        turned = await self._durably(work)
        if turned is not None:
            log.info("job_turned", job=row.id, device=self.name, kind=row.kind, state=turned.state, detail=detail)
        self._books.changed()
        return turned

    async def _do(self, row: JobRow) -> bool:
        """One job as far as it gets; False when the printer could not take it now."""
        if life.is_late(self._books.clock.now_ms(), row.deadline):
            await self.turn(row, Happening.EXPIRED, "job_late")
            return True
        self.at_work = row
        task = await self._task(row)
        if isinstance(task, str):
            await self.turn(row, Happening.UNPRINTABLE, task)
            return True
        errand = _Errand(self, row)
        try:
            await self._printer.carry_out(task, errand)
        except UnreachableError:
            await errand.report(Happening.WAITS, "offline")
        self.at_work, self.is_blocked = None, False
        if errand.last is Happening.LOST:
            await self._look()
        elif errand.detail == "offline":
            self._saw(None, is_online=False)
        await self.count()
        return errand.last not in {Happening.WAITS, Happening.UNSENT}

    async def _task(self, row: JobRow) -> Task | str:
        """What to send for a job, or the code that says why it cannot be."""
        body = orjson.loads(row.body)
        urgent = b""
        if row.kind == Kind.KICK:
            payload = escpos_bytes.pulse_bytes(self.profile)
            urgent = self._urgent_pulse()
        elif row.kind == Kind.TEXT:
            blocks = receipt.text_lines(body["lines"], self.profile.text.columns)
            payload = escpos_bytes.receipt_bytes(blocks, self.profile, cut=body.get("cut", True))
        else:
            shown = await self._books.document_of(body["document"])
            if shown is None:
                return "document_unknown"
            copy = body.get("copy", False) or await jobs.is_reprint(self._books.reader, row)
            columns, language = self.profile.text.columns, self._books.language
            blocks = receipt.render(*shown, language, columns, copy=copy)
            payload = escpos_bytes.receipt_bytes(blocks, self.profile)
        letters = escpos_bytes.barrier_of(row.id)
        dialogue = self.profile.dialogue
        return Task(
            payload=payload,
            barrier=escpos_bytes.barrier_bytes(self.profile, letters),
            letters=letters if dialogue.barrier == "gs_paren_h" else b"",
            asks_status=dialogue.status == "dle_eot",
            urgent=urgent,
        )

    def _urgent_pulse(self) -> bytes:
        return escpos_bytes.urgent_pulse_bytes(self.profile) if self.profile.drawer.when_offline else b""

    async def claim(self, row: JobRow) -> bool:
        """Write `sending`, unless the job was cancelled, is late, or the disk does not take it."""
        clock = self._books.clock

        def work(connection: Connection) -> JobRow | None:
            now = clock.now_ms()
            happening = Happening.EXPIRED if life.is_late(now, row.deadline) else Happening.CLAIMED
            detail = "job_late" if happening is Happening.EXPIRED else ""
            sources, state = life.sources(happening), life.target(happening)
            return jobs.turn(connection, row.id, sources, state, now, detail=detail)

        try:
            turned = await self._books.writer.run(work)
        except (NotDurableError, OverloadedError, ClosedError):
            return False
        self._books.changed()
        return turned is not None and turned.state == life.State.SENDING

    async def next_kick(self) -> JobRow | None:
        """A drawer that somebody wants opened although the printer holds a job, if this printer can."""
        if not self.profile.drawer.when_offline:
            return None
        row = await jobs.next_queued(self._books.reader, self.name)
        return row if row is not None and row.kind == Kind.KICK and await self.claim(row) else None

    def seen(self, status: Status) -> None:
        """The printer answered."""
        self._saw(status, is_online=True)

    async def _look(self) -> None:
        if self.profile.dialogue.status == "none":
            self._saw(None, is_online=await self._printer.is_there())
            return
        status = await self._printer.look()
        self._saw(status, is_online=status is not None)

    def _saw(self, status: Status | None, *, is_online: bool) -> None:
        """Remember how the printer is, and say so where people look."""
        if (status, is_online) == (self.status, self.is_online):
            return
        self.status, self.is_online = status, is_online
        log.info("printer_seen", device=self.name, online=is_online, stops="" if status is None else status.stops)
        self._warn("printer_offline", up=not is_online)
        self._warn("printer_paper_out", up=status is not None and status.paper_out)
        self._warn("printer_cover_open", up=status is not None and status.cover_open)
        self._books.changed()

    async def count(self) -> None:
        """Look at the table again: how many jobs wait, and how many papers are unknown."""
        self.load = await jobs.load(self._books.reader, self.name)
        self._warn("print_unknown", up=self.load.unknown > 0, count=self.load.unknown)
        self._books.changed()

    def _warn(self, code: str, *, up: bool, **values: Any) -> None:
        if up:
            self._books.board.put_up(code, self.name, device=self.name, **values)
        else:
            self._books.board.take_down(code, self.name)

    async def _rest(self, wait_s: float) -> bool:
        """Wait until woken; False: time passed instead."""
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    async def _durably(self, work: Callable[[Connection], T]) -> T:
        """What has happened has happened: it is written as soon as the disk takes it."""
        while True:
            try:
                return await self._books.writer.run(work)
            except (NotDurableError, OverloadedError) as error:
                log.warning("job_not_written", device=self.name, error=str(error))
            await asyncio.sleep(self._pace.durable_retry_s)


def lose(connection: Connection, now: int, detail: str, *, device: str | None = None) -> None:
    """Call unknown whatever (of one device) was being sent by somebody who is gone."""
    sources, state = life.sources(Happening.LOST), life.target(Happening.LOST)
    for row in jobs.open_in(connection):
        if device in {None, row.device}:
            jobs.turn(connection, row.id, sources, state, now, detail=detail)


class _Errand:
    """One job on its way, as the driver sees it."""

    def __init__(self, station: Station, row: JobRow) -> None:
        self.last: Happening | None = None
        self.detail = ""
        self._station = station
        self._row = row
        self._kick: JobRow | None = None
        self._heard = False

    async def claim(self) -> bool:
        """As `Errand.claim`."""
        return await self._station.claim(self._row)

    async def report(self, happening: Happening, detail: str) -> None:
        """As `Errand.report`."""
        self.last, self.detail = happening, detail
        self._station.is_blocked = happening is Happening.STALLED
        if happening is Happening.WAITS and detail == self._row.detail:
            return  # it has waited for this before, and everybody knows
        await self._station.turn(self._row, happening, detail)
        if happening is not Happening.STALLED:
            await self._end_kick(happening)

    def seen(self, status: Status) -> None:
        """As `Errand.seen`."""
        self._heard = True
        self._station.seen(status)

    async def pulse(self) -> bytes:
        """As `Errand.pulse`: an answer that comes after a pulse proves that the printer was there to hear it."""
        if self._kick is not None:
            if not self._heard:
                return b""
            await self._end_kick(Happening.CONFIRMED)
        self._kick, self._heard = await self._station.next_kick(), False
        return b"" if self._kick is None else escpos_bytes.urgent_pulse_bytes(self._station.profile)

    async def _end_kick(self, happening: Happening) -> None:
        kick, self._kick = self._kick, None
        if kick is not None:
            await self._station.turn(kick, happening)
