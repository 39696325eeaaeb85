"""What head office has not acknowledged yet: how many rows, how old the oldest is."""

import asyncio
from collections.abc import Callable

from gateway.storage import cursors
from gateway.storage.documents import journal_after
from gateway.sync.store import Store

PUSHED = "push"
"""The cursor's name. It is a memory for the banner, never a reason to skip a row: head office is asked each time."""


class Backlog:
    """Rows above what head office has. `run` keeps the oldest one's age known while the line is down, too."""

    def __init__(self, store: Store, say_moved: Callable[[], None] | None = None) -> None:
        """`say_moved` is called whenever head office has acknowledged something else than before."""
        self.acknowledged = 0
        self._store = store
        self._say_moved = say_moved
        self._written = 0
        self._oldest_at: int | None = None
        self._moved = asyncio.Event()

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return max(self._store.desk.seq - self.acknowledged, 0)

    @property
    def oldest_ms(self) -> int:
        """How long the oldest of them has been waiting; 0 when none waits."""
        if self.rows == 0 or self._oldest_at is None:
            return 0
        return max(self._store.clock.now_ms() - self._oldest_at, 0)

    def move(self, acknowledged: int, oldest_at: int | None) -> None:
        """Head office holds everything up to `acknowledged`; `oldest_at` is the next row's instant, if it is known."""
        self.acknowledged = acknowledged
        self._oldest_at = oldest_at
        self._moved.set()
        if self._say_moved is not None:
            self._say_moved()

    async def load(self) -> None:
        """Begin where the last run left off."""
        self._written = (await cursors.read(self._store.reader, PUSHED)).value
        self.move(self._written, None)

    async def keep(self) -> None:
        """Write down how far head office is, if it changed.

        Raises:
            NotDurableError, OverloadedError, ClosedError: the disk or the writer; nothing is lost by that.
        """
        value = self.acknowledged
        if value != self._written:
            await self._store.writer.run(lambda connection: cursors.put(connection, PUSHED, value))
            self._written = value

    async def run(self) -> None:
        """Learn the oldest waiting row's instant whenever a first one begins to wait."""
        while True:
            await self._store.desk.wait_change(self.acknowledged)
            self._moved.clear()
            after = self.acknowledged
            if self._oldest_at is None:
                rows = await journal_after(self._store.reader, after, 1)
                if rows and after == self.acknowledged:
                    self._oldest_at = rows[0].at
            await self._moved.wait()
