"""Head office as a server: open the file, listen, say so on standard output, stop in order."""

import asyncio
import signal
import ssl
import sys
from types import TracebackType
from typing import Self

import orjson
from aiohttp import web

from gateway.clock import Clock, SystemClock
from gateway.headoffice import gate, grants, line, reads
from gateway.headoffice.database import Database, ForeignFileError, NotDurableError
from gateway.headoffice.office import OFFICE, Office
from gateway.settings import HeadOfficeSettings

STOP_S = 5.0
"""How long requests in hand may take when the server stops."""
KEEP_ALIVE_S = 75.0
"""A silent connection's life: several heartbeats."""
LINGER_S = 1.0
"""How long the rest of a body that was refused is still read, so that the answer is not lost in a reset."""


def run(settings: HeadOfficeSettings) -> None:
    """Serve until SIGTERM or SIGINT; the ready line on standard output says where.

    Raises:
        OSError: the file or the port cannot be had.
    """
    try:
        asyncio.run(_serve(settings))
    except (ForeignFileError, NotDurableError) as error:
        message = f"{settings.path}: {error}"
        raise OSError(message) from error


class HeadOffice:
    """One running head office: `async with HeadOffice(settings) as office: office.url`."""

    def __init__(self, settings: HeadOfficeSettings, clock: Clock | None = None) -> None:
        self.url = ""
        self._settings = settings
        self._office = Office(settings, Database(settings.path), clock or SystemClock())
        self._runner = web.AppRunner(
            _application(self._office),
            access_log=None,
            auto_decompress=False,
            shutdown_timeout=STOP_S,
            keepalive_timeout=KEEP_ALIVE_S,
            lingering_time=LINGER_S,
        )

    async def __aenter__(self) -> Self:
        await self._office.database.open()
        try:
            await self._runner.setup()
            site = web.TCPSite(self._runner, self._settings.host, self._settings.port, ssl_context=self._tls())
            await site.start()
        except BaseException:
            await self._close()
            raise
        host, port = self._runner.addresses[0][:2]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if self._settings.tls_cert_file else 'http'}://{shown}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        self._office.hints.close()
        await self._runner.cleanup()
        await self._office.database.close()

    def _tls(self) -> ssl.SSLContext | None:
        if self._settings.tls_cert_file is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._settings.tls_cert_file, self._settings.tls_key_file)
        return context


def _application(office: Office) -> web.Application:
    application = web.Application(middlewares=[gate.answer_problems], client_max_size=office.settings.body_bytes_max)
    application[OFFICE] = office
    application.add_routes([*line.routes(), *reads.routes(), *grants.routes()])
    return application


async def _serve(settings: HeadOfficeSettings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with HeadOffice(settings) as office:
        sys.stdout.write(orjson.dumps({"event": "ready", "url": office.url}).decode() + "\n")
        sys.stdout.flush()
        await stopped.wait()
