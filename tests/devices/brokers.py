"""The two brokers of the wire tests, under one face: `address`, `kill`, `back`."""

import asyncio
import contextlib
import socket

from gateway.devices import mosquitto
from gateway.devices.broker import EmbeddedBroker
from gateway.tills.passwords import password_hash
from tests.components import component
from tests.devices.store import PASSWORDS, STORE, is_right


class Embedded:
    """The broker inside; a kill loses all it knew, and cuts every connection without a word."""

    def __init__(self):
        self._broker = EmbeddedBroker("127.0.0.1", 0, store=STORE, is_right=is_right)

    @property
    def address(self):
        return self._broker.address

    async def __aenter__(self):
        await self._broker.__aenter__()
        return self

    async def __aexit__(self, *_):
        await self.kill()

    async def kill(self):
        await self._broker.__aexit__()

    async def back(self):
        await self._broker.__aenter__()


class Mosquitto:
    """Debian's Mosquitto with our files."""

    def __init__(self, folder):
        self._program = component("mosquitto", "mosquitto")
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = free.getsockname()
        self._process = None

    async def __aenter__(self):
        hashes = {user: password_hash(password) for user, password in PASSWORDS.items()}
        (self._folder / "passwords").write_text(mosquitto.password_file(hashes))
        (self._folder / "acl").write_text(mosquitto.acl_file(STORE))
        text = mosquitto.configuration(*self.address, self._folder)
        (self._folder / "mosquitto.conf").write_text(text + "user root\n")
        await self.back()
        return self

    async def __aexit__(self, *_):
        await self.kill()

    async def kill(self):
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def back(self):
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            "-c",
            str(self._folder / "mosquitto.conf"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection(*self.address)
                    writer.close()
                    return
                await asyncio.sleep(0.01)
