"""How much goes into the next chunk: measured in time, not in rows.

A chunk should take `chunk_seconds` at the rate the line gives, so that nothing else waits long behind it and a cut
costs little. The rate is measured on acknowledged chunks; it starts small and at most doubles with each one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.ledger.facts import Row
from gateway.sync.codec import plain_size

RATE_START = 24_000.0
"""Bytes per second before anything was measured: fits half of a 384 kbit/s line."""
RATE_MIN = 2_000.0
"""Slower than any line that still carries a store; below it the measurement is not believed."""
RATE_MAX = 125_000_000.0
"""A gigabit."""
PLAIN_BYTES_MIN = 2_000
RHO_START = 0.25
"""Compressed bytes per plain byte of the first small chunks, before anything was measured."""
RHO_MIN = 0.01
ROW_BYTES_START = 1_500.0
"""Plain bytes of a row with an eight-line sale, before anything was measured."""
NET_SECONDS_MIN = 0.001
"""Less than this beside the round trip cannot be told from nothing."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the settings allow; `rate_max` is bytes per second, 0 for no limit."""

    chunk_bytes_max: int = 1_000_000
    chunk_rows_max: int = 2_000
    chunk_seconds: float = 1.0
    rate_max: float = 0.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of the line and of the rows; rates in bytes per second on the wire."""

    rate: float = RATE_START
    rho: float = RHO_START
    row_bytes: float = ROW_BYTES_START
    round_trip_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Sent:
    """One acknowledged chunk. `was_full`: more rows were waiting than it could take."""

    rows: int
    plain_bytes: int
    wire_bytes: int
    seconds: float
    was_full: bool


def plain_bytes_wanted(pace: Pace, bounds: Bounds) -> int:
    """The plain bytes of the next chunk."""
    wanted = int(_allowed(pace.rate, bounds) * bounds.chunk_seconds / pace.rho)
    return max(min(wanted, bounds.chunk_bytes_max), min(PLAIN_BYTES_MIN, bounds.chunk_bytes_max))


def rows_wanted(pace: Pace, bounds: Bounds) -> int:
    """How many rows to read for the next chunk: half as many again as are likely to fit."""
    likely = int(1.5 * plain_bytes_wanted(pace, bounds) / pace.row_bytes) + 4
    return min(likely, bounds.chunk_rows_max)


def rows_taken(rows: Sequence[Row], pace: Pace, bounds: Bounds) -> int:
    """How many of `rows` go into the next chunk: as many as fit, and the first one whatever its size."""
    left = plain_bytes_wanted(pace, bounds)
    taken = 0
    for row in rows[: bounds.chunk_rows_max]:
        left -= plain_size(row)
        if left < 0 and taken:
            break
        taken += 1
    return taken


def acknowledged(pace: Pace, sent: Sent, bounds: Bounds) -> Pace:
    """What an acknowledged chunk teaches; only a full one says anything about the rate."""
    rho = (pace.rho + max(sent.wire_bytes / max(sent.plain_bytes, 1), RHO_MIN)) / 2
    row_bytes = (pace.row_bytes + max(sent.plain_bytes / sent.rows, 1.0)) / 2
    rate = pace.rate
    if sent.was_full:
        measured = sent.wire_bytes / max(sent.seconds - pace.round_trip_s, NET_SECONDS_MIN)
        rate = min(max(measured, rate / 2, RATE_MIN), rate * 2, RATE_MAX)
    return replace(pace, rate=_allowed(rate, bounds), rho=min(rho, 1.0), row_bytes=row_bytes)


def answered(pace: Pace, seconds: float) -> Pace:
    """What a small question and its answer teach about the round trip: the least one stands until the next line."""
    least = seconds if pace.round_trip_s == 0 else min(seconds, pace.round_trip_s)
    return replace(pace, round_trip_s=max(least, 0.0))


def new_line(pace: Pace) -> Pace:
    """What is kept when the line comes back: the rate is taken carefully, the round trip is measured anew."""
    return replace(pace, rate=max(pace.rate / 2, RATE_MIN), round_trip_s=0.0)


def pause_s(wire_bytes: int, seconds: float, bounds: Bounds) -> float:
    """How long to wait after a chunk so that the settings' limit holds on average."""
    if bounds.rate_max <= 0:
        return 0.0
    return max(wire_bytes / bounds.rate_max - seconds, 0.0)


def eta_s(rows_waiting: int, pace: Pace, bounds: Bounds) -> int:
    """Seconds until `rows_waiting` rows are at head office, at the rate measured last, rounded up."""
    if rows_waiting <= 0:
        return 0
    wire_bytes = rows_waiting * pace.row_bytes * pace.rho
    chunks = wire_bytes / max(plain_bytes_wanted(pace, bounds) * pace.rho, 1.0)
    return int(wire_bytes / _allowed(pace.rate, bounds) + chunks * pace.round_trip_s) + 1


def _allowed(rate: float, bounds: Bounds) -> float:
    return min(rate, bounds.rate_max) if bounds.rate_max > 0 else rate
