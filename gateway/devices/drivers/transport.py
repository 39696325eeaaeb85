"""A byte stream to a device over TCP, with a limit on every wait."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

READ_BYTES = 4096


class UnreachableError(Exception):
    """Nothing was sent: the device does not take a connection."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the transport waits."""

    connect_s: float = 3.0
    close_s: float = 1.0


class Link:
    """One open connection. Sending never waits: a job is small, and what counts is the device's own answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Store the arguments."""
        self._reader = reader
        self._writer = writer

    @property
    def is_lost(self) -> bool:
        """Whether the other end is known to be gone."""
        return self._reader.at_eof() or self._reader.exception() is not None or self._writer.is_closing()

    def send(self, data: bytes) -> None:
        """Hand bytes to the connection."""
        self._writer.write(data)

    async def receive(self, wait_s: float) -> bytes | None:
        """What came; empty: the connection is lost; None: nothing came in time."""
        try:
            async with asyncio.timeout(max(wait_s, 0.0)):
                return await self._reader.read(READ_BYTES)
        except TimeoutError:
            return None
        except OSError:
            return b""

    async def close(self, limits: Limits) -> None:
        """Let go; what is not yet on the wire is given up after `close_s`."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(limits.close_s):
                await self._writer.wait_closed()
        self._writer.transport.abort()


@dataclass(frozen=True, slots=True)
class TcpTransport:
    """A device behind `tcp://host:port`."""

    host: str
    port: int
    limits: Limits = Limits()

    @classmethod
    def of(cls, address: str, limits: Limits = Limits()) -> "TcpTransport":
        """The transport of an address as the settings have it.

        Raises:
            ValueError: not `tcp://host:port`.
        """
        parts = urlsplit(address)
        if parts.scheme != "tcp" or not parts.hostname or parts.port is None:
            message = f"{address!r} is not tcp://host:port"
            raise ValueError(message)
        return cls(parts.hostname, parts.port, limits)

    async def connect(self) -> Link:
        """Open a connection.

        Raises:
            UnreachableError: refused, no route, no such name, or no answer in time.
        """
        try:
            async with asyncio.timeout(self.limits.connect_s):
                reader, writer = await asyncio.open_connection(self.host, self.port)
        except (OSError, TimeoutError) as error:
            raise UnreachableError(f"{self.host}:{self.port}: {error!s}") from error
        opened = writer.get_extra_info("socket")
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return Link(reader, writer)
