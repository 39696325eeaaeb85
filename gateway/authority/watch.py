"""Watch over the books and say early what will stop the store: ranges, disk, clock, locks."""

import asyncio
import os
from datetime import date, timedelta
from typing import Any

from gateway.authority.desk import Desk
from gateway.clock import Clock
from gateway.health.warnings import Board
from gateway.instants import local_date
from gateway.ledger.commands import DocumentType
from gateway.ledger.numbers import CLOCK_BACK_MS_MAX
from gateway.settings import Settings
from gateway.storage import documents
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer

LOOK_S = 2.0
"""Between looks when nothing happens; a change of the books makes it look at once, at most this often."""


class Watch:
    """Puts warnings up and takes them down while `run` runs."""

    def __init__(  # noqa: PLR0917 - the parts of a store, in the order in which they are made
        self, settings: Settings, clock: Clock, board: Board, desk: Desk, writer: Writer, reader: Reader
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._board = board
        self._desk = desk
        self._writer = writer
        self._reader = reader

    async def run(self) -> None:
        """Look, wait, look again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """One look at everything."""
        self._look_at_disk()
        self._look_at_clock()
        tenure = await documents.tenure(self._reader)
        self._show("tenure_locked", "", bool(tenure.get("lock")), reason=tenure.get("lock") or "")
        series = await documents.series(self._reader)
        for each in series:
            locked = each["locked_by"] is not None
            self._show("series_locked", each["key"], locked, series=each["key"], seen=each["locked_by"],
                       last=each["high_number"])  # fmt: skip
        await self._look_at_ranges()

    def _look_at_disk(self) -> None:
        state = os.statvfs(self._settings.storage.path)
        free = state.f_bavail * state.f_frsize
        self._show("disk_low", "", free < self._settings.storage.free_bytes_min, free_mb=free // 2**20)
        self._show("disk_failed", "", self._writer.trouble is not None, detail=self._writer.trouble or "")

    def _look_at_clock(self) -> None:
        behind = self._desk.trusted_at - self._clock.now_ms()
        self._show("clock_behind", "", behind > CLOCK_BACK_MS_MAX, seconds=behind // 1000)

    async def _look_at_ranges(self) -> None:
        house, limits = self._desk.house, self._settings.fiscal
        today = local_date(self._clock.now_ms(), house.zone)
        loaded = await documents.ranges(self._reader)
        for series in house.series():
            mine = [each for each in loaded if each["series"] == series]
            live = [each for each in mine if _is_live(each, today)]
            left = sum(each["left"] for each in live)
            sells = series == house.series_of(DocumentType.INVOICE)
            needed = bool(mine) or (house.rules.RANGE_REQUIRED and sells)
            self._show("range_missing", series, needed and left == 0, series=series)
            few = bool(live) and 0 < left < limits.range_low_numbers
            self._show("range_low", series, few, series=series, left=left)
            ends = max((each["valid_until"] for each in live if each["valid_until"]), default="")
            soon = bool(ends) and left > 0 and ends <= (today + timedelta(days=limits.range_low_days)).isoformat()
            self._show("range_expiring", series, soon, series=series, valid_until=ends)

    def _show(self, code: str, subject: str, is_so: bool, **values: Any) -> None:
        if is_so:
            self._board.put_up(code, subject, **values)
        else:
            self._board.take_down(code, subject)


def _is_live(each: dict[str, Any], today: date) -> bool:
    usable = each["state"] in {"loaded", "active"} and each["left"] > 0
    return usable and (not each["valid_until"] or each["valid_until"] >= today.isoformat())
