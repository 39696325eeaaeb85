"""The only reader of time.

Wall time is integer milliseconds UTC; it can jump. Monotonic time is float seconds and is only ever subtracted.
"""

import time
from typing import Protocol

from gateway.instants import iso, local_date

__all__ = ["Clock", "HandClock", "SystemClock", "iso", "local_date"]


class Clock(Protocol):
    """What everybody who needs the time is given."""

    def now_ms(self) -> int:
        """Wall time in milliseconds since 1970, UTC."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> int:
        """Wall time in milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()


class HandClock:
    """A clock that a test or a simulation turns by hand."""

    def __init__(self, now_ms: int = 1_795_278_031_118) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        """Wall time in milliseconds since 1970, UTC."""
        return self.ms

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return self.ms / 1000

    def advance(self, ms: int) -> None:
        """Turn the clock; a negative figure turns it back, as a bad battery does."""
        self.ms += ms
