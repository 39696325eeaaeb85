"""A running gateway: its parts in the order in which they are made, and stopped the other way round.

Inside out: the data directory is held, the books are opened, then everything that serves them. Leaving goes the other
way: no new requests, the decision in hand, the devices with their last word, mDNS, the books with a checkpoint.
"""

import asyncio
import contextlib
import random
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

from gateway.api.parts import Parts
from gateway.api.routes import application
from gateway.api.server import Server
from gateway.api.status import banner
from gateway.app import memory
from gateway.app.auditor import Auditor
from gateway.app.message_bus import message_bus
from gateway.app.reach import Reached
from gateway.app.tasks import tasks
from gateway.authority.desk import Desk
from gateway.authority.opening import books_path, open_desk
from gateway.authority.watch import Watch
from gateway.clock import Clock, SystemClock
from gateway.devices.dispatch import Devices
from gateway.health.log import start_log
from gateway.health.metrics import Metrics
from gateway.health.warnings import Board
from gateway.settings import Settings
from gateway.storage import books, documents, folder
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer
from gateway.sync.connection import Link
from gateway.sync.store import Store
from gateway.sync.uplink import Address, Uplink
from gateway.tills.addresses import local_addresses, server_addresses
from gateway.tills.certificates import Certificates
from gateway.tills.discovery import Announcement, Discovery
from gateway.tills.registry import Registry
from gateway.tills.tokens import admin_token

VERSION = version("store-gateway")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway, as seen from outside."""

    url: str
    mqtt: str
    data: Path

    @property
    def ready(self) -> dict[str, Any]:
        """The ready line."""
        return {"api": self.url, "mqtt": self.mqtt, "data": str(self.data)}


async def run(settings: Settings, ready: Callable[[dict[str, Any]], None]) -> int:
    """Serve until SIGTERM or SIGINT; answers the exit status. Raises what keeps it from starting."""
    start_log(settings.log.level, settings.log.form)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with opened(settings) as gateway:
        memory.settle()
        ready(gateway.ready)
        _log.info("gateway_ready", **gateway.ready)
        await stop.wait()
        _log.info("gateway_stopping")
    _log.info("gateway_stopped")
    return 0


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, for_a_visit: bool = False) -> AsyncIterator[Gateway]:
    """A gateway that runs until the block is left, and then stops in order.

    `for_a_visit` opens it for one command only: on loopback and any port, with nobody announced, printed or synced.

    Raises:
        FolderInUseError, ForeignBooksError, ForeignFileError, ProfileError, CertificateError, OSError: it cannot start.
    """
    clock = SystemClock()
    if for_a_visit:
        settings = _quiet(settings)
    with folder.held(settings.storage.path):
        async with _books(settings, clock) as (writer, reader, desk):
            store = _Store(settings, clock, Board(clock), writer, reader, desk)
            async with _serving(store, is_at_work=not for_a_visit) as gateway:
                if not for_a_visit:
                    folder.say_ready(settings.storage.path, gateway.ready)
                yield gateway
            desk.close()


def _quiet(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "api": settings.api.model_copy(update={"host": "127.0.0.1", "port": 0, "tls": "off"}),
            "mqtt": settings.mqtt.model_copy(update={"broker": "off"}),
            "discovery": settings.discovery.model_copy(update={"enabled": False}),
        }
    )


@dataclass(frozen=True, slots=True)
class _Store:
    """What every part is built on."""

    settings: Settings
    clock: Clock
    board: Board
    writer: Writer
    reader: Reader
    desk: Desk

    async def document_of(self, identity: str) -> tuple[dict[str, Any], dict[str, str], tuple[str, ...]] | None:
        """A document, who issued it, and what the law wants printed: all that a receipt shows."""
        found = await documents.document(self.reader, identity)
        if found is None:
            return None
        issuer = await documents.issuer_of(self.reader, found["seq"])
        return found, issuer, self.desk.house.rules.legend(found)


@contextlib.asynccontextmanager
async def _books(settings: Settings, clock: Clock) -> AsyncIterator[tuple[Writer, Reader, Desk]]:
    """The writer and its thread, the desk, a reader; a checkpoint at the end."""
    writer = Writer(books_path(settings), check=books.check_books)
    await asyncio.to_thread(writer.open)
    try:
        desk = await open_desk(settings, writer, clock)
        reader = Reader(books_path(settings))
        await reader.open()
        try:
            yield writer, reader, desk
        finally:
            await reader.close()
    finally:
        await asyncio.to_thread(writer.close)


@contextlib.asynccontextmanager
async def _serving(store: _Store, *, is_at_work: bool) -> AsyncIterator[Gateway]:
    """Everything that serves the books; what fails for good takes the gateway down, and systemd starts it again."""
    settings = store.settings
    data = settings.storage.path
    certificates = Certificates(
        data, settings.store.id, store.clock, host_names=(socket.gethostname(),), addresses=server_addresses
    )
    await asyncio.to_thread(certificates.open)
    reached = Reached(settings, certificates)
    token = await asyncio.to_thread(admin_token, data)
    registry = Registry(
        store.writer, store.reader, store.clock, settings.tills, admin_token=token, reach=reached.told_to_tills
    )
    await registry.load()
    async with contextlib.AsyncExitStack() as stack:
        broker, bus = await stack.enter_async_context(message_bus(settings, registry, certificates))
        reached.mqtt = broker
        devices = Devices(
            settings.devices,
            store=settings.store.id,
            language=settings.store.language,
            version=VERSION,
            writer=store.writer,
            reader=store.reader,
            clock=store.clock,
            board=store.board,
            document_of=store.document_of,
            bus=bus,
        )
        parts = _parts(store, registry, devices)
        running = await stack.enter_async_context(tasks())
        watch = Watch(settings, store.clock, store.board, store.desk, store.writer, store.reader)
        await watch.look()
        running.create_task(watch.run(), name="watch")
        if is_at_work:
            working = running.create_task(devices.run(), name="devices")
            stack.push_async_callback(_finished, devices, working)
            running.create_task(parts.link.run(), name="link")
            running.create_task(Auditor(data, store.board).run(), name="auditor")
            running.create_task(_wake_devices(store.desk, devices), name="wake devices")
        tls = certificates.server_context if settings.api.uses_tls else None
        server = await stack.enter_async_context(Server(application(parts), parts, tls=tls))
        reached.api_port = server.port
        if settings.discovery.enabled:
            discovery = Discovery(
                store.clock,
                lambda: _announcement(settings, reached, store.desk),
                addresses=lambda: local_addresses(settings.discovery.interfaces),
                known_printers=lambda: frozenset(each.address for each in settings.devices.printer),
            )
            running.create_task(discovery.run(), name="discovery")
        if settings.api.uses_tls or settings.mqtt.uses_tls:
            running.create_task(certificates.run(), name="certificates")
        yield Gateway(reached.from_here(), reached.mqtt, data)


def _parts(store: _Store, registry: Registry, devices: Devices) -> Parts:
    """What the API works with, the link among it."""
    settings = store.settings
    link_store = Store(store.desk, store.reader, store.writer, store.board, store.clock, random.SystemRandom())
    uplink = None
    if settings.headoffice.url:
        address = Address(
            url=settings.headoffice.url,
            token=settings.headoffice.token,
            store=settings.store.id,
            epoch=store.desk.epoch,
            ca_file=settings.headoffice.ca_file,
            reply_wait_ms_max=settings.link.reply_wait_ms_max,
        )
        uplink = Uplink(address)

    async def summary() -> dict[str, Any]:
        return await banner(parts, settings.store.language)

    metrics = Metrics()
    metrics.watch("gateway_books_rows", "Newest journal row", lambda: store.desk.seq)
    metrics.watch("gateway_health_warnings", "Warnings that are up", lambda: len(store.board.up()))
    parts = Parts(
        settings=settings,
        clock=store.clock,
        board=store.board,
        desk=store.desk,
        reader=store.reader,
        writer=store.writer,
        registry=registry,
        devices=devices,
        link=Link(link_store, uplink, settings.link, summary),
        metrics=metrics,
        version=VERSION,
    )
    metrics.watch("gateway_sync_rows_waiting", "Rows head office lacks", lambda: float(parts.link.state()["waiting"]))
    return parts


def _announcement(settings: Settings, reached: Reached, desk: Desk) -> Announcement:
    return Announcement(
        store=settings.store.id,
        api=reached.from_tills(),
        port=reached.api_port,
        version=VERSION,
        ca=reached.ca_fingerprint(),
        epoch=desk.epoch,
    )


async def _wake_devices(desk: Desk, devices: Devices) -> None:
    """A document may have brought a print job: a hint, the rows are there either way."""
    seen = desk.seq
    while True:
        seen = await desk.wait_change(seen)
        devices.wake()


async def _finished(devices: Devices, working: "asyncio.Task[None]") -> None:
    """Papers in hand are finished, tills are told, the bus hears goodbye."""
    devices.stop()
    with contextlib.suppress(asyncio.CancelledError):
        await working
