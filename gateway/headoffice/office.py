"""What every part of head office is given: the file, the settings, the time, and hints that something changed."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from gateway.clock import Clock
from gateway.headoffice.database import Database
from gateway.settings import HeadOfficeSettings


class Hints:
    """Wakes those who wait for a store's orders. Losing one costs a few seconds, never an order."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self.closing = False

    def wake(self, store: str) -> None:
        """Something changed for this store."""
        for event in self._waiting.get(store, ()):
            event.set()

    def close(self) -> None:
        """Nobody waits any longer: the server stops."""
        self.closing = True
        for store in list(self._waiting):
            self.wake(store)

    async def wait(self, store: str, timeout_s: float) -> None:
        """Come back when woken, or after `timeout_s`."""
        event = asyncio.Event()
        if self.closing:
            return
        self._waiting.setdefault(store, set()).add(event)
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            return
        finally:
            self._waiting[store].discard(event)
            if not self._waiting[store]:
                del self._waiting[store]


@dataclass(slots=True)
class Office:
    """One running head office."""

    settings: HeadOfficeSettings
    database: Database
    clock: Clock
    hints: Hints = field(default_factory=Hints)
    wrong_codes: list[float] = field(default_factory=list)
    """When wrong enrolment codes were tried lately, monotonic seconds."""


OFFICE: web.AppKey[Office] = web.AppKey("office", Office)
"""Where a request finds its head office."""
