"""A device bus in a process of its own, to be killed: FOLDER BROKER_HOST BROKER_PORT PRINTER_ADDRESS.

Prints a line of JSON whenever it is up or has received something.
"""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import structlog

from tests.devices.store import make_bus, make_devices, opened, running


async def main(folder, host, port, printer):
    bus = make_bus((host, int(port)))
    async with opened(Path(folder)) as table:
        devices = make_devices(table, [(SimpleNamespace(address=printer), "epson-tm-t20iii")], bus)
        async with running(devices):
            said = None
            while True:
                now = {"up": bus.is_up, "taken": bus.taken}
                if now != said:
                    said = now
                    print(json.dumps(said), flush=True)
                await asyncio.sleep(0.005)


class Process:
    """The test's end of it."""

    def __init__(self, folder, address, printer):
        self._arguments = [str(folder), address[0], str(address[1]), printer.address]
        self._process = None

    async def __aenter__(self):
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.devices.gateway_process", *self._arguments, stdout=asyncio.subprocess.PIPE
        )
        await self.until(lambda said: said["up"])
        return self

    async def __aexit__(self, *_):
        await self.kill()

    async def until(self, true):
        async with asyncio.timeout(20):
            while not true(json.loads(await self._process.stdout.readline())):
                pass

    async def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(*sys.argv[1:]))
