"""A cable to cut: a TCP proxy on loopback that breaks connections after exactly so many bytes in one direction."""

import asyncio
import contextlib

UP, DOWN = "up", "down"


class CutProxy:
    """Forwards to `port`. `cut(direction, after)` breaks the line once, after that many more bytes that way.

    When the byte count is reached both ends are reset at once, bytes beyond it are gone. `down()` refuses everybody
    until `up()`.
    """

    def __init__(self, port, piece_bytes=65_536):
        self.target = port
        self.piece_bytes = piece_bytes
        self.passed = {UP: 0, DOWN: 0}
        self.cuts = 0
        self.is_down = False
        self._left = {UP: None, DOWN: None}
        self._open = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self._break()
        await self._server.wait_closed()
        while self._open:
            await asyncio.sleep(0)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def cut(self, direction, after):
        """Break the line, once, after `after` more bytes; 0 breaks it with the first byte."""
        self._left[direction] = after

    def heal(self):
        """No cut is planned any more."""
        self._left = {UP: None, DOWN: None}

    def down(self):
        """Pull the plug."""
        self.is_down = True
        self._break()

    def up(self):
        """Put it back."""
        self.is_down = False

    def _break(self):
        for writer in list(self._open):
            writer.transport.abort()

    async def _connected(self, reader, writer):
        if self.is_down:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer, UP))
                group.create_task(self._pump(far_reader, writer, DOWN))
        finally:
            self._open -= {writer, far_writer}
            for each in (writer, far_writer):
                each.transport.abort()

    async def _pump(self, reader, writer, direction):
        with contextlib.suppress(OSError):
            while piece := await reader.read(self.piece_bytes):
                left = self._left[direction]
                if left is not None and len(piece) > left:
                    writer.write(piece[:left])
                    await writer.drain()
                    self.passed[direction] += left
                    self._left[direction] = None
                    self.cuts += 1
                    self._break()
                    return
                if left is not None:
                    self._left[direction] = left - len(piece)
                self.passed[direction] += len(piece)
                writer.write(piece)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
