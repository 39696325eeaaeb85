"""What a run of tills came to: counted while it runs, summed up at its end."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

LATEST_MAX = 50


@dataclass(frozen=True, slots=True)
class Sale:
    """One sold basket: whose, under which id, which number, and how long the till waited for it."""

    basket: str
    till: str
    document: str
    series: str
    number: int
    formatted_number: str
    total: str
    waited_ms: float


@dataclass(slots=True)
class Tally:
    """Shared by all tills of one run."""

    sold: int = 0
    given_up: int = 0
    """Baskets of which nothing could be sold."""
    unknown: int = 0
    """Baskets without an answer when patience ended."""
    retries: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    waits_ms: list[float] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    latest: deque[Sale] = field(default_factory=lambda: deque(maxlen=LATEST_MAX))

    def add(self, sale: Sale) -> None:
        """Count one sold basket."""
        self.sold += 1
        self.waits_ms.append(sale.waited_ms)
        self.sales.append(sale)
        self.latest.append(sale)

    def summary(self) -> dict[str, Any]:
        """The JSON line at the end of a run; times in milliseconds from the first try to the answer."""
        return {
            "sold": self.sold,
            "given_up": self.given_up,
            "unknown": self.unknown,
            "refused": dict(sorted(self.refused.items())),
            "retries": self.retries,
            "p50_ms": percentile(self.waits_ms, 50),
            "p99_ms": percentile(self.waits_ms, 99),
        }


def percentile(values: Sequence[float], percent: int) -> float | None:
    """The smallest value that is not below `percent` of them all (nearest rank); None when there are none."""
    if not values:
        return None
    rank = -(-len(values) * percent // 100)
    return round(sorted(values)[max(rank, 1) - 1], 2)
