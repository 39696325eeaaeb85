"""The one reader of the journal's end for all streams, and what they tell of the present.

It works only while somebody listens. Its wake-ups are hints: a stream that missed one, or fell out of the ring, finds
every row in the journal.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog
from aiohttp import web

from gateway.api import status
from gateway.api.parts import Parts
from gateway.clock import iso
from gateway.ledger import amounts, chain
from gateway.ledger.facts import Row
from gateway.storage import documents as books
from gateway.storage import jobs

RING_ROWS_MAX = 1024
"""Newest rows kept ready for all streams: some seconds of the busiest store."""
BANNER_MS = 1_000
"""As long as one status is good for all streams that want it."""
READ_ROWS_MAX = 200
"""Rows of one read, and of one write to a stream."""
JOBS_MAX = 500
"""Job events kept ready; a stream looks at least once a pulse."""
PULSE_S = 0.5
"""How often what has no wake-up of its own (link, warnings, catalogue, jobs, revoked tills) is looked at."""
REFRESH_PULSES = 10
"""While head office lacks something, the banner's figures are told anew after this many pulses."""
QUANTITY_EXPONENT = 3

_NAMES = {
    "document_issued": "document",
    "document_voided": "document",
    "stock_moved": "stock",
    "books_opened": "store",
    "issuer_declared": "store",
}
_SUMMARY = ("id", "type", "status", "series", "number", "formatted_number", "fiscal_date", "till", "total")
_log = structlog.get_logger("gateway.api.events")


class Tail:
    """What streams are fed from. `run` must run while anybody listens."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.listeners = 0
        self.pulses = 0
        self.status_number = 0
        """Grows whenever the banner says something new."""
        self.catalogue_version = 0
        self.last_job = 0
        self.is_closing = False
        self.news = asyncio.Event()
        """Set, and replaced by a new one, whenever there is something to look at."""
        self._wanted = asyncio.Event()
        self._ring: deque[tuple[int, bytes]] = deque(maxlen=RING_ROWS_MAX)
        self._end = 0
        self._jobs: deque[tuple[int, str, bytes]] = deque(maxlen=JOBS_MAX)
        self._fingerprint: Any = None
        self._banners: dict[str, tuple[tuple[int, int, int], bytes]] = {}

    async def run(self) -> None:
        """Follow the journal and the present until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat(self._read_journal), name="events journal")
            group.create_task(self._repeat(self._pulse), name="events pulse")

    async def join(self) -> None:
        """One more listens; must be paired with `leave`."""
        self.listeners += 1
        if self.listeners > 1:
            return
        try:
            self._ring.clear()
            self._jobs.clear()
            self._end = self._parts.desk.seq
            self.last_job = await jobs.newest_event(self._parts.reader)
            await self._look_around()
            self._wanted.set()
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """One listens no more."""
        self.listeners -= 1
        if not self.listeners:
            self._wanted.clear()

    def close(self) -> None:
        """Tell every stream to end."""
        self.is_closing = True
        self._tell()

    async def rows_after(self, seq: int) -> list[tuple[int, bytes]]:
        """The next journal rows as events, at most `READ_ROWS_MAX`; empty at the end."""
        if self._ring and self._ring[0][0] <= seq + 1:
            start = seq + 1 - self._ring[0][0]
            return [self._ring[index] for index in range(start, min(start + READ_ROWS_MAX, len(self._ring)))]
        if seq >= self._parts.desk.seq:
            return []
        found = await books.journal_after(self._parts.reader, seq, READ_ROWS_MAX)
        return [(row.seq, journal_frame(row)) for row in found]

    def jobs_after(self, ev_seq: int, till: str | None) -> list[bytes]:
        """Job events of one till (None: of all) after a number."""
        return [frame for number, owner, frame in self._jobs if number > ev_seq and till in {None, owner}]

    async def banner(self, language: str) -> bytes:
        """The event `status` as it is now."""
        moment = (self.status_number, self._parts.desk.seq, self._parts.clock.now_ms() // BANNER_MS)
        kept = self._banners.get(language)
        if kept is None or kept[0] != moment:
            kept = moment, frame("status", await status.banner(self._parts, language))
            self._banners[language] = kept
        return kept[1]

    async def _repeat(self, step: Callable[[], Awaitable[None]]) -> None:
        """A hint that cannot be had now is had later: the streams are never worth the gateway."""
        while True:
            await self._wanted.wait()
            try:
                await step()
            except Exception as error:  # noqa: BLE001 - see above; what failed is said
                _log.warning("events_unavailable", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(PULSE_S)

    async def _read_journal(self) -> None:
        await self._parts.desk.wait_change(self._end)
        if not self._wanted.is_set():
            return
        found = await books.journal_after(self._parts.reader, self._end, READ_ROWS_MAX)
        if found and found[0].seq == self._end + 1:
            self._ring.extend((row.seq, journal_frame(row)) for row in found)
            self._end = found[-1].seq
            self._tell()

    async def _pulse(self) -> None:
        await asyncio.sleep(PULSE_S)
        self.pulses += 1
        await self._look_around()
        self._tell()

    async def _look_around(self) -> None:
        for event in await jobs.events_after(self._parts.reader, self.last_job, JOBS_MAX):
            shown = {
                "id": event.job,
                "kind": event.kind,
                "device": event.device,
                "till": event.till,
                "state": event.state,
                "detail": event.detail,
                "at": iso(event.at),
            }
            self._jobs.append((event.ev_seq, event.till, frame("job", shown)))
            self.last_job = event.ev_seq
        now = await status.banner(self._parts, "en")
        self.catalogue_version = now["catalogue_version"]
        fingerprint = self._essence(now)
        if fingerprint != self._fingerprint:
            self._fingerprint = fingerprint
            self.status_number += 1

    def _essence(self, banner: dict[str, Any]) -> Any:
        """What is worth an event: not the figures that change with every sale."""
        link = banner["link"]
        return (
            link["state"],
            None if link["state"] in {"online", "none"} else self.pulses // REFRESH_PULSES,
            banner["lock"],
            banner["catalogue_version"],
            [(each["series"], each["state"], each["last"], each["reserve"]) for each in banner["ranges"]],
            banner["warnings"],
        )

    def _tell(self) -> None:
        told, self.news = self.news, asyncio.Event()
        told.set()


TAIL = web.AppKey("the journal's tail", Tail)


def frame(name: str, data: Any, seq: int | None = None) -> bytes:
    """One event on the wire."""
    head = f"event: {name}\n" if seq is None else f"event: {name}\nid: {seq}\n"
    return head.encode() + b"data: " + orjson.dumps(data) + b"\n\n"


def journal_frame(row: Row) -> bytes:
    """The event of one journal row."""
    fact = chain.body_of(row)
    shown = {"seq": row.seq, "at": iso(row.at), "kind": row.kind}
    match row.kind:
        case "document_issued":
            shown["document"] = {name: fact["document"][name] for name in _SUMMARY}
        case "document_voided":
            shown["document"] = {
                "id": fact["document"],
                "status": "void",
                "formatted_number": fact["formatted_number"],
                "till": fact["till"],
            }
        case "stock_moved":
            shown["movement"] = {name: fact[name] for name in ("id", "kind", "by", "reason")}
        case _:
            shown["fact"] = fact
    if "movements" in fact:
        shown["stock"] = [
            {"sku": sku, "change": amounts.text(quantity, QUANTITY_EXPONENT)} for sku, quantity in fact["movements"]
        ]
    return frame(_NAMES.get(row.kind, "numbering"), shown, row.seq)
