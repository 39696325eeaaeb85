"""A receipt printer on a TCP port: answers `DLE EOT` at once and `GS I` in order, as the ESC/POS reference says."""

import asyncio
import contextlib

STATUS = b"\x12"
BACK_STATUS = b"\x10\x00\x00\x0f"


class FakePrinter:
    """`maker` and `model` None: a printer that answers no `GS I`; `mute`: takes everything and answers nothing."""

    def __init__(self, maker="EPSON", model="TM-T20III", *, mute=False, back_status=False, piecemeal=False):
        self.maker, self.model = maker, model
        self.mute, self.back_status, self.piecemeal = mute, back_status, piecemeal
        self.heard = b""

    async def serve(self, reader, writer):
        """One connection; being switched off in the middle of one is part of a printer's life."""
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader, writer):
        if self.back_status:
            writer.write(BACK_STATUS)
        while data := await reader.read(100):
            self.heard += data
            if self.mute:
                continue
            for request, answer in (
                (b"\x10\x04\x01", STATUS),
                (b"\x1d\x49\x42", self.maker and b"\x5f" + self.maker.encode() + b"\x00"),
                (b"\x1d\x49\x43", self.model and b"\x5f" + self.model.encode() + b"\x00"),
            ):
                if request in data and answer:
                    for part in [bytes([byte]) for byte in answer] if self.piecemeal else [answer]:
                        writer.write(part)
                        await writer.drain()

    async def listen(self, host="127.0.0.1", port=0):
        return await asyncio.start_server(self.serve, host, port)
