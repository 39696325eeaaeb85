"""A TCP line through this process that can be cut and restored: the cable between a store and its head office."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

PIECE_BYTES_MAX = 65_536
CONNECT_MS_MAX = 5_000


class Line:
    """Listens on a free port of the loopback and passes on to `host`:`port`; `async with` opens and closes it.

    A *loud* cut resets what is connected and whatever connects afterwards, like an unplugged modem. A *silent* one
    takes every byte and passes none on, like a dead radio link: both sides hear nothing until it is restored.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self.is_cut = False
        self._target = (host, port)
        self._is_silent = False
        self._up_left: int | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0, limit=PIECE_BYTES_MAX)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.is_cut, self._is_silent = True, False
        self._flows.set()
        self._reset_all()
        await self._server.wait_closed()
        while self._open:
            self._reset_all()
            await asyncio.sleep(0)

    @property
    def url(self) -> str:
        """The near end."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self, *, silent: bool = False) -> None:
        """Nothing gets through from here on."""
        self.is_cut, self._is_silent, self._up_left = True, silent, None
        self._flows.clear()
        if not silent:
            self._reset_all()

    def cut_after(self, bytes_up: int) -> None:
        """Cut loudly in the middle of an exchange: when this many more bytes have gone up."""
        self._up_left = bytes_up

    def restore(self) -> None:
        """The line is whole again; what a silent cut held back goes on."""
        self.is_cut, self._is_silent, self._up_left = False, False, None
        self._flows.set()

    def _reset_all(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _carry(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        self._open.add(near)
        far: asyncio.StreamWriter | None = None
        try:
            await self._passable()
            async with asyncio.timeout(CONNECT_MS_MAX / 1000):
                far_reader, far = await asyncio.open_connection(*self._target, limit=PIECE_BYTES_MAX)
            self._open.add(far)
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(near_reader, far, is_up=True), name="line up")
                pumps.create_task(self._pump(far_reader, near, is_up=False), name="line down")
        except (OSError, TimeoutError, ExceptionGroup):
            near.transport.abort()
        finally:
            for writer in (near, far):
                if writer is not None:
                    self._open.discard(writer)
                    writer.close()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_up: bool) -> None:
        while piece := await source.read(PIECE_BYTES_MAX):
            await self._passable()
            if is_up and self._up_left is not None:
                piece, self._up_left = piece[: self._up_left], self._up_left - len(piece)
            sink.write(piece)
            await sink.drain()
            if is_up:
                self.bytes_up += len(piece)
                if self._up_left is not None and self._up_left <= 0:
                    self.cut()
            else:
                self.bytes_down += len(piece)
        if sink.can_write_eof():
            sink.write_eof()

    async def _passable(self) -> None:
        if self.is_cut and not self._is_silent:
            raise ConnectionResetError
        await self._flows.wait()
