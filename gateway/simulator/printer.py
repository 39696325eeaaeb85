"""A receipt printer that is not there: ESC/POS over TCP, paper as text, and faults that can be set.

It behaves as Epson's reference says: real-time commands are obeyed as they arrive, even without paper; everything else
waits in its buffer and is worked off in order; one connection has the paper, others wait.

    python -m gateway.simulator.printer --port 0 [--out FOLDER]

prints its address as one line of JSON, and each receipt as one more.
"""

import asyncio
import json
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gateway.simulator.escpos import Command, Paper, Parser, Receipt, split_real_time

READ_BYTES = 4096


@dataclass(slots=True)
class Faults:
    """What is wrong with the printer; set and unset at will, then call `SimulatedPrinter.changed`."""

    paper_out: bool = False
    cover_open: bool = False
    offline: bool = False
    swallow_barrier: bool = False
    silent: bool = False
    """Takes everything and answers nothing."""
    drop_after_bytes: int | None = None
    """Breaks the connection when so many bytes have come, once."""
    seconds_per_command: float = 0.0

    @property
    def stops(self) -> bool:
        """Whether it prints nothing now."""
        return self.paper_out or self.cover_open or self.offline


class SimulatedPrinter:
    """`async with` it: it is switched on from here to there. What came out is in `paper`."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Store the arguments; port 0 takes a free one."""
        self.host = host
        self.port = port
        self.faults = Faults()
        self.paper = Paper()
        self.bytes_received = 0
        """To be printed; real-time commands not counted."""
        self.connections = 0
        self._buffer: deque[tuple[Command, asyncio.StreamWriter]] = deque()
        self._server: asyncio.Server | None = None
        self._turn = asyncio.Lock()
        self._look = asyncio.Condition()
        self._open: set[asyncio.StreamWriter] = set()
        self._group = asyncio.TaskGroup()
        self._motor: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """As the gateway's settings want it."""
        return f"tcp://{self.host}:{self.port}"

    @property
    def receipts(self) -> list[Receipt]:
        """The papers that were cut."""
        return self.paper.receipts

    async def __aenter__(self) -> Self:
        """Switch on."""
        await self._group.__aenter__()
        await self.power_on()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Switch off."""
        await self.power_off()
        await self._group.__aexit__(None, None, None)

    async def power_on(self) -> None:
        """Listen, with an empty buffer."""
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._motor = self._group.create_task(self._work_off(), name="printer.motor")

    async def power_off(self) -> None:
        """Drop every connection and all that was not printed; what hangs out of the slot stays."""
        server, self._server = self._server, None
        motor, self._motor = self._motor, None
        if server is not None:
            server.close()
        for writer in list(self._open):
            writer.transport.abort()
        if motor is not None:
            motor.cancel()
        self._buffer.clear()
        if server is not None:
            await server.wait_closed()

    async def power_cycle(self) -> None:
        """Off and on again, at the same address."""
        await self.power_off()
        await self.power_on()

    async def changed(self) -> None:
        """Something is different: faults, bytes, papers, pulses. Everybody who waits looks again."""
        async with self._look:
            self._look.notify_all()

    async def wait_for(self, true: Callable[[], bool], limit_s: float = 10.0) -> None:
        """Wait until something holds that this printer can see happen.

        Raises:
            TimeoutError: it does not hold in time.
        """
        async with asyncio.timeout(limit_s), self._look:
            await self._look.wait_for(true)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            async with self._turn:
                self.connections += 1
                await self._receive(reader, writer)
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()
        await self.changed()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parser, unfinished = Parser(), b""
        while data := await reader.read(READ_BYTES):
            limit = self.faults.drop_after_bytes
            is_last = limit is not None and len(data) >= limit
            if limit is not None:
                self.faults.drop_after_bytes = None if is_last else limit - len(data)
                data = data[:limit]
            now, later, unfinished = split_real_time(unfinished + data)
            for command in now:
                self._answer(writer, self._obey_now(command))
            self._buffer.extend((command, writer) for command in parser.feed(later))
            self.paper.errors += parser.errors
            parser.errors.clear()
            self.bytes_received += len(later)
            await self.changed()
            if is_last:
                return

    async def _work_off(self) -> None:
        """Print what is in the buffer while nothing stops it, whether or not its sender is still there."""
        while True:
            async with self._look:
                await self._look.wait_for(lambda: bool(self._buffer) and not self.faults.stops)
            await asyncio.sleep(self.faults.seconds_per_command)
            if self.faults.stops:
                continue
            command, writer = self._buffer.popleft()
            answer = self.paper.obey(command)
            if not (command.is_barrier and self.faults.swallow_barrier):
                self._answer(writer, answer)
            await self.changed()

    def _obey_now(self, command: bytes) -> bytes:
        """Do one real-time command."""
        faults = self.faults
        if command[1] == 0x14:
            if command[2] == 1 and command[3] in {0, 1} and 1 <= command[4] <= 8:
                self.paper.pulse()
            else:
                self.paper.errors.append(f"unknown real-time command {command.hex(' ')}")
            return b""
        answers = {
            1: 0x12 | 0x08 * faults.stops,
            2: 0x12 | 0x04 * faults.cover_open | 0x20 * faults.paper_out,
            3: 0x12,
            4: 0x12 | 0x6C * faults.paper_out,
        }
        if command[2] in answers:
            return bytes([answers[command[2]]])
        self.paper.errors.append(f"unknown real-time command {command.hex(' ')}")
        return b""

    def _answer(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if data and not self.faults.silent and not writer.is_closing():
            writer.write(data)


async def serve(port: int, out: Path | None) -> None:
    """Print until interrupted; receipts go to standard output, and to numbered files in `out`."""
    async with SimulatedPrinter(port) as printer:
        print(json.dumps({"address": printer.address}), flush=True)
        shown = 0
        while True:
            async with printer._look:  # noqa: SLF001 - its own module
                await printer._look.wait_for(lambda: len(printer.receipts) > shown)  # noqa: B023, SLF001
            receipt, shown = printer.receipts[shown], shown + 1
            if out is not None:
                text = receipt.text + "\n"
                await asyncio.to_thread((out / f"receipt-{shown:06d}.txt").write_text, text, encoding="utf-8")
            line = {"receipt": shown, "text": receipt.text, "codes": receipt.codes, "pulses": receipt.pulses}
            print(json.dumps(line, ensure_ascii=False), flush=True)


def main(arguments: list[str]) -> None:
    """`--port N` (0: a free one), `--out FOLDER`."""
    import typer  # noqa: PLC0415 - only when run by hand

    def run(port: int = 0, out: Path | None = None) -> None:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        asyncio.run(serve(port, out))

    program = typer.Typer(add_completion=False)
    program.command()(run)
    program(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
