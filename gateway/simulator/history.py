"""What the tills were told, written by the tills: one record for each try of each request.

The form is the one that `tests/rigs/gapless.py` reads, so that whoever does not trust our judge can bring another.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Told = Literal["ok", "fail", "unknown"]


@dataclass(frozen=True, slots=True)
class Record:
    """One try: `key` is the document id; times are monotonic seconds of one machine.

    `end` is None when no answer came. `fail` means certainly not done; `unknown` may be done or not.
    """

    client: str
    key: str
    start: float
    end: float | None
    status: Told
    series: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """What the store holds of one series when all is over: number by document id."""

    series: str
    numbers: Mapping[str, int]


class History:
    """Grows while the tills sell."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def add(self, record: Record) -> None:
        """Write down one try."""
        self.records.append(record)

    def by_series(self, finals: list[Held]) -> dict[str, list[Record]]:
        """The records of each series.

        A try that was never answered names no series: it belongs where another try, or the store, puts its id, and
        else where it can do no harm, the first series.
        """
        known = {key: held.series for held in finals for key in held.numbers}
        known.update({record.key: record.series for record in self.records if record.status == "ok"})
        fallback = min((held.series for held in finals), default="")
        sorted_out: dict[str, list[Record]] = {held.series: [] for held in finals}
        for record in self.records:
            sorted_out.setdefault(record.series or known.get(record.key, fallback), []).append(record)
        return sorted_out

    def write(self, path: Path, finals: list[Held]) -> None:
        """The history and, as last lines, what the store holds."""
        with path.open("w", encoding="utf-8") as file:
            for series, records in self.by_series(finals).items():
                for record in records:
                    file.write(json.dumps(_as_line(series, record)) + "\n")
            for held in finals:
                numbers = sorted(held.numbers.values())
                final = {"counter": held.series, "numbers": numbers, "keys": dict(held.numbers)}
                file.write(json.dumps({"final": final}) + "\n")


def _as_line(series: str, record: Record) -> dict[str, Any]:
    line: dict[str, Any] = {
        "client": record.client,
        "counter": series,
        "key": record.key,
        "start": record.start,
        "end": record.end,
        "status": record.status,
    }
    return {**line, "number": record.number} if record.status == "ok" else line
