"""The listening end: connections within limits, and an orderly stop.

`async with Server(app, parts) as server:` listens; leaving it stops accepting, ends the streams, and lets the requests
in hand be answered.
"""

import asyncio
import socket
import ssl
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import StreamReader, web
from aiohttp.http_parser import RawRequestMessage
from typing_extensions import override

from gateway.api import problems
from gateway.api.parts import Limits, Parts
from gateway.api.problems import MEDIA_TYPE, Problem
from gateway.api.tail import TAIL

BACKLOG = 1024
"""Every till of a large store may come back in the same second."""
HANDSHAKE_S_MAX = 10
LINGER_S_MAX = 2.0
"""A body that was refused is still read away for this long, or the asker would see a reset and not the answer."""


class Server:
    """One listening socket. The application is `routes.application`'s, with whatever else was added to it."""

    def __init__(self, app: web.Application, parts: Parts, *, tls: ssl.SSLContext | None = None) -> None:
        self._app = app
        self._settings = parts.settings.api
        self._limits = parts.limits
        self._tls = tls
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=parts.limits.stop_s_max)
        self._tasks = asyncio.TaskGroup()
        self._door: asyncio.Server | None = None
        self._tail: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that is listened on, also where the settings say 0."""
        assert self._door is not None, "the server is not listening"
        return int(self._door.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """Where the API is, as seen from this machine."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"{'http' if self._tls is None else 'https'}://{host}:{self.port}"

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            OSError: the address cannot be had.
        """
        await self._runner.setup()
        try:
            self._door = await asyncio.get_running_loop().create_server(
                Doorkeeper(self._runner, self._limits).connection,
                self._settings.host,
                self._settings.port,
                backlog=BACKLOG,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else HANDSHAKE_S_MAX,
            )
        except BaseException:
            await self._runner.cleanup()
            raise
        await self._tasks.__aenter__()
        self._tail = self._tasks.create_task(self._app[TAIL].run(), name="events tail")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop accepting, end the streams, finish what is in hand."""
        assert self._door is not None
        assert self._tail is not None
        self._door.close()
        self._app[TAIL].close()
        await self._runner.cleanup()
        self._tail.cancel()
        is_cancelled = isinstance(error, asyncio.CancelledError)
        await self._tasks.__aexit__(*((kind, error, trace) if is_cancelled else (None, None, None)))


class Doorkeeper:
    """Makes a connection's protocol while there is room, and says so when there is none."""

    def __init__(self, runner: web.AppRunner, limits: Limits) -> None:
        self._runner = runner
        self.limits = limits
        self.inside = 0

    def connection(self) -> asyncio.Protocol:
        """The protocol of the next connection."""
        if self.inside >= self.limits.connections_max:
            return _NoRoom(self.limits.connections_max)
        manager = self._runner.server
        assert manager is not None
        return _Connection(
            manager,
            self,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=self.limits.keepalive_s_max,
            lingering_time=LINGER_S_MAX,
            access_log=None,
            auto_decompress=False,
        )


class _Connection(web.RequestHandler):
    """aiohttp's protocol, with problems for what is not HTTP, and answers for those who half-close."""

    __slots__ = ("_body", "_doorkeeper", "_factory", "cut_off")

    def __init__(self, manager: web.Server, doorkeeper: Doorkeeper, **options: Any) -> None:
        super().__init__(manager, **options)
        self._doorkeeper = doorkeeper
        self._body: StreamReader | None = None
        self.cut_off: StreamReader | None = None
        """The body that ended before it was whole."""
        self._factory = manager.request_factory
        self._request_factory = self._make_request

    @override
    def close(self) -> None:
        """Take nothing new; a connection so new that nothing came over it yet ends, or it would wait until the last."""
        super().close()
        if not self._request_count:
            self.force_close()

    def _make_request(
        self, message: RawRequestMessage, body: StreamReader, protocol: Any, writer: Any, task: Any
    ) -> web.BaseRequest:
        self._body = body
        return self._factory(message, body, protocol, writer, task)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._doorkeeper.inside += 1
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            milliseconds = int(self._doorkeeper.limits.unread_s_max * 1000)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self._doorkeeper.inside -= 1
        task = None if self._request_in_progress else self._task_handler
        super().connection_lost(exc)
        if task is not None:
            task.cancel()  # it waits for another request, or reads a refused body away: neither will come

    @override
    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The asker has said all it will: a whole request is still answered, a cut one is told so (not over TLS)."""
        is_idle = self._waiter is not None and not self._messages
        if self.ssl_context is not None or self.transport is None or is_idle:
            return None
        for body in (self._body, *(body for _, body in self._messages)):
            if body is not None and not body.is_eof():
                self.cut_off = body
                body.feed_eof()
        if not self._messages:
            self.close()
        return True

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What was not HTTP gets a problem, too; the connection ends with it."""
        if request.writer.output_size > 0:
            broken = "an answer was cut off"
            raise ConnectionError(broken) from exc
        why = (message or "it does not follow RFC 9112").split("\n", 1)[0].strip(" :")[:200]
        answer = problems.answer(Problem("malformed_http", why=why), "en", "/")
        answer.force_close()
        return answer


class _NoRoom(asyncio.Protocol):
    """Answers 503 to one connection too many, whatever it asks."""

    def __init__(self, connections_max: int) -> None:
        problem = Problem("busy", limit=f"{connections_max} connections")
        self._problem = problem
        self._body = orjson.dumps(problems.body(problem, "en", "/"))

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        retry = self._problem.headers["Retry-After"]
        transport.write(
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: %b\r\nContent-Length: %d\r\nRetry-After: %b\r\n"
            b"Connection: close\r\n\r\n%b" % (MEDIA_TYPE.encode(), len(self._body), retry.encode(), self._body)
        )
        transport.close()
