"""The device bus as the rest of the gateway sees it: `Devices`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import structlog

from gateway import settings
from gateway.clock import Clock
from gateway.devices import jobs, profiles, receipt
from gateway.devices.bus import Bus
from gateway.devices.drivers import escpos_bytes
from gateway.devices.drivers.escpos_dialogue import Patience
from gateway.devices.drivers.escpos_printer import EscposPrinter
from gateway.devices.drivers.transport import TcpTransport
from gateway.devices.intake import OPEN_JOBS_SHOWN_MAX, Asked, Intake, Outcome
from gateway.devices.jobs import Happening, Kind
from gateway.devices.mailbox import Mailbox, Rhythm
from gateway.devices.messages import Body, DeviceInfoMessage, DeviceStateMessage
from gateway.devices.refusals import JobRefusal
from gateway.devices.station import Books, DocumentOf, Pace, Station, lose
from gateway.devices.topics import Tree
from gateway.health.warnings import Board
from gateway.storage import jobs as rows
from gateway.storage.jobs import Connection, JobRow
from gateway.storage.reader import Reader
from gateway.storage.writer import ClosedError, Writer

LATE_BATCH = 100
PROFILE_WITHOUT_PRINTER = "generic-80mm"
TICK_S = 1.0
EVENT_MS_MAX = 7 * 86_400_000
"""An event that its till has not acknowledged by then is forgotten; the job itself can still be asked for."""
PRUNE_S = 3600.0
RESTART_S_MIN = 1.0
RESTART_S_MAX = 60.0
STOP_S_MAX = 3.0
"""For papers that are being printed when the gateway stops; what is not done by then is unknown."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long and how often, where the settings do not say it."""

    pace: Pace = field(default_factory=Pace)
    patience: Patience = field(default_factory=Patience)
    rhythm: Rhythm = field(default_factory=Rhythm)


class Order(Protocol):
    """A job as a till asks for it over HTTP; `deadline_ms` counts from now, None: whenever."""

    @property
    def id(self) -> str:
        """Made by the till; the key under which it is asked again."""

    @property
    def till(self) -> str:
        """Who asks."""

    @property
    def kind(self) -> Kind:
        """What to do."""

    @property
    def device(self) -> str:
        """Where."""

    @property
    def body(self) -> Body:
        """What exactly."""

    @property
    def deadline_ms(self) -> int | None:
        """How long it may wait."""


class Devices:
    """The store's printers and drawers. `run` works until `stop`; everything else may be called meanwhile."""

    def __init__(
        self,
        configured: settings.Devices,
        *,
        store: str,
        language: str,
        version: str,
        writer: Writer,
        reader: Reader,
        clock: Clock,
        board: Board,
        document_of: DocumentOf,
        bus: Bus | None = None,
        folder: Path = profiles.FOLDER,
        timing: Timing | None = None,
    ) -> None:
        """Read the profiles and store the arguments.

        Raises:
            ProfileError: a printer's profile is missing or wrong; the text says which.
        """
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._document_of = document_of
        self._language = language
        self._folder = folder
        self._stopping = asyncio.Event()
        self._printers = {printer.name: printer for printer in configured.printer}
        books = Books(writer, reader, clock, board, document_of, language, self._tell)
        timing = timing or Timing(patience=Patience(barrier_s=configured.job_wait_ms_max / 1000))
        self._stations = {
            printer.name: Station(
                printer.name,
                profiles.load(printer.profile, folder),
                EscposPrinter(TcpTransport.of(printer.address), timing.patience, clock),
                books,
                timing.pace,
            )
            for printer in configured.printer
        }
        self._intake = Intake(
            writer,
            reader,
            clock,
            devices={printer.name: printer.drawer for printer in configured.printer},
            document_of=document_of,
            kick_deadline_ms=configured.kick_deadline_ms,
            wake=self.wake,
        )
        self._mailbox: Mailbox | None = None
        if bus is not None:
            self._mailbox = Mailbox(
                bus,
                Tree(store),
                self._intake,
                writer=writer,
                reader=reader,
                clock=clock,
                board=board,
                infos=[self._info(station) for station in self._stations.values()],
                states=lambda: [self._state(station) for station in self._stations.values()],
                version=version,
                rhythm=timing.rhythm,
            )

    def names(self) -> tuple[str, ...]:
        """The devices' names."""
        return tuple(self._stations)

    def listing(self) -> list[dict[str, Any]]:
        """What the devices are and how they are."""
        left_out = {"v", "gw_epoch", "seq", "at", "dev"}
        return [
            {
                "name": station.name,
                "kind": "printer",
                "profile": station.profile.name,
                "title": station.profile.title,
                "address": self._printers[station.name].address,
                "jobs": list(self._kinds(station)),
                "state": self._state(station).model_dump(mode="json", exclude=left_out),
            }
            for station in self._stations.values()
        ]

    def wake(self) -> None:
        """Rows have changed: look now."""
        for station in self._stations.values():
            station.wake()
        self._tell()

    async def submit_job(self, order: Order) -> tuple[bool, JobRow] | JobRefusal:
        """Queue a job for a till: whether it is new, and its row; durable once this returns.

        Raises:
            what `Writer.run` raises: the outcome is unknown, the same request again settles it.
        """
        return await self._intake.submit(
            Asked(order.till, order.id, order.kind, order.device, order.body, allowed_ms=order.deadline_ms)
        )

    async def job(self, identity: str) -> JobRow | None:
        """How a job stands; None when there is none."""
        return await rows.job(self._reader, identity)

    async def open_jobs(self, till: str | None) -> list[JobRow]:
        """The jobs of a till (None: of all) that are not at their end."""
        return await rows.open_jobs(self._reader, till, OPEN_JOBS_SHOWN_MAX)

    async def cancel(self, till: str, identity: str) -> JobRow | JobRefusal:
        """Take a job back that has not been sent; answers how it stands."""
        outcome = await self._intake.cancel(till, identity)
        return outcome if isinstance(outcome, JobRefusal) else outcome[1]

    async def receipt(self, document: Mapping[str, Any], form: Literal["text", "escpos"]) -> bytes:
        """A document's paper, marked as a copy: UTF-8 text, or what the first printer is sent."""
        stations = list(self._stations.values())
        profile = stations[0].profile if stations else profiles.load(PROFILE_WITHOUT_PRINTER, self._folder)
        found = await self._document_of(document["id"])
        shown = found or (document, dict[str, str](), ())
        blocks = receipt.render(*shown, self._language, profile.text.columns, copy=True)
        if form == "text":
            return receipt.plain(blocks).encode()
        return await asyncio.to_thread(escpos_bytes.receipt_bytes, blocks, profile)

    async def resolve(self, identity: str, outcome: Outcome, by: str) -> JobRow | JobRefusal:
        """A person's word on an unknown job: `printed`, or `reprint` (queues a copy, `detail` says which job)."""
        settled = await self._intake.settle(identity, outcome, by)
        if isinstance(settled, JobRefusal):
            return settled
        station = self._stations.get(settled.device)
        if station is not None:
            await station.count()
        return settled

    async def run(self) -> None:
        """Settle what an earlier run left, then print until `stop`."""
        cursor = await rows.newest_event(self._reader)
        epoch = await self._writer.run(self._begin)
        async with asyncio.TaskGroup() as group:
            around = [group.create_task(asyncio.to_thread(escpos_bytes.warm_up), name="devices.warm_up")]
            around.append(group.create_task(self._kept("tick", self._tick), name="devices.tick"))
            if self._mailbox is not None:
                box = self._mailbox
                box.begin(epoch, cursor)
                around.append(group.create_task(box.connect(), name="devices.bus"))
                around.append(group.create_task(self._kept("hear", box.hear), name="devices.hear"))
                around.append(group.create_task(self._kept("tell", box.tell), name="devices.tell"))
            at_work = [
                group.create_task(self._kept(name, station.run, station.forsake), name=f"devices.{name}")
                for name, station in self._stations.items()
            ]
            await self._stopping.wait()
            await self._wind_down(at_work)
            for task in around:
                task.cancel()

    def stop(self) -> None:
        """Print what is in hand, tell the tills, say goodbye; `run` returns within a few seconds."""
        self._stopping.set()
        for station in self._stations.values():
            station.stop()

    async def _wind_down(self, at_work: Sequence[asyncio.Task[None]]) -> None:
        if at_work:
            _, late = await asyncio.wait(at_work, timeout=STOP_S_MAX)
            for task in late:
                task.cancel()
        if self._mailbox is not None:
            await self._mailbox.tell_once()

    def _begin(self, connection: Connection) -> int:
        """A start: count it, call unknown what the last run was sending, refuse what is for devices that are gone."""
        now = self._clock.now_ms()
        lose(connection, now, "gateway_restarted")
        sources, state = jobs.sources(Happening.UNPRINTABLE), jobs.target(Happening.UNPRINTABLE)
        for row in rows.open_in(connection):
            if row.device not in self._stations:
                rows.turn(connection, row.id, sources, state, now, detail="device_unknown")
        return rows.next_epoch(connection)

    async def _tick(self) -> None:
        """What only time brings about: jobs that are late behind a busy printer, events that nobody wants."""
        prune_at = self._clock.monotonic()
        while True:
            for row in await rows.late(self._reader, self._clock.now_ms(), LATE_BATCH):
                station = self._stations.get(row.device)
                if station is not None:
                    await station.turn(row, Happening.EXPIRED, "job_late")
            if self._clock.monotonic() >= prune_at:
                before = self._clock.now_ms() - EVENT_MS_MAX
                await self._writer.run(partial(rows.prune_events, before=before))
                prune_at = self._clock.monotonic() + PRUNE_S
            await asyncio.sleep(TICK_S)

    async def _kept(
        self, name: str, work: Callable[[], Awaitable[None]], mend: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Run and run again: trouble with a device must not stop the sale."""
        wait_s, has_failed = RESTART_S_MIN, False
        while True:
            began = self._clock.monotonic()
            try:
                if mend is not None and has_failed:
                    await mend()
                await work()
                return
            except ClosedError:
                return
            except Exception:
                log.exception("devices_failed", part=name)
            has_failed = True
            if self._clock.monotonic() - began > RESTART_S_MAX:
                wait_s = RESTART_S_MIN
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RESTART_S_MAX)

    def _tell(self) -> None:
        if self._mailbox is not None:
            self._mailbox.wake()

    def _info(self, station: Station) -> DeviceInfoMessage:
        profile = station.profile
        return DeviceInfoMessage(
            dev=station.name,
            profile=profile.name,
            name=profile.title,
            columns=profile.text.columns,
            jobs=self._kinds(station),
        )

    def _kinds(self, station: Station) -> tuple[str, ...]:
        has_drawer = self._printers[station.name].drawer
        return tuple(kind.value for kind in Kind if kind is not Kind.KICK or has_drawer)

    def _state(self, station: Station) -> DeviceStateMessage:
        at_work = station.at_work
        return DeviceStateMessage(
            dev=station.name,
            online=station.is_online,
            paper=station.paper,
            cover=station.cover,
            drawer=station.drawer if self._printers[station.name].drawer else "unknown",
            busy=at_work is not None,
            blocked_by=at_work.id if at_work is not None and station.is_blocked else None,
            waiting=station.load.waiting,
            unknown=station.load.unknown,
            gw_epoch=0,
            seq=0,
            at=0,
        )
