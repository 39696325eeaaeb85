"""Instants as integers (milliseconds UTC) and how they are written; pure, so that the books may use it."""

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

INSTANTS_KEPT = 64
"""All documents of one group have one instant."""


@lru_cache(maxsize=INSTANTS_KEPT)
def iso(at_ms: int) -> str:
    """An instant as the wire shows it: `2026-11-21T16:20:31.118Z`."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()[:19]}.{at_ms % 1000:03d}Z"


@lru_cache(maxsize=INSTANTS_KEPT)
def local_date(at_ms: int, zone: ZoneInfo) -> date:
    """The calendar day of an instant in a store's fiscal time zone."""
    return datetime.fromtimestamp(at_ms / 1000, zone).date()
