"""What every part of head office is given: the file, the settings, the time, and hints that something changed."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web

from gateway.clock import Clock
from gateway.headoffice.database import Database
from gateway.settings import HeadOfficeSettings


class Hints:
    """Wakes those who wait for a store's orders. Losing one costs a few seconds, never an order."""

    def __init__(self) -> None:
        self._watching: dict[str, set[asyncio.Event]] = {}
        self.closing = False

    def wake(self, store: str) -> None:
        """Something changed for this store."""
        for event in self._watching.get(store, ()):
            event.set()

    def close(self) -> None:
        """Nobody waits any longer: the server stops."""
        self.closing = True
        for store in list(self._watching):
            self.wake(store)

    @contextlib.contextmanager
    def watch(self, store: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something changed; clear it, look, then wait."""
        event = asyncio.Event()
        self._watching.setdefault(store, set()).add(event)
        try:
            yield event
        finally:
            self._watching[store].discard(event)
            if not self._watching[store]:
                del self._watching[store]


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
