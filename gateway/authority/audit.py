"""Verify: one verdict on books, wherever they lie (I1-I12), and on whether head office holds the same history."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from gateway.authority.opening import BOOKS_FILE
from gateway.ledger.facts import Row
from gateway.ledger.invariants import Breach, Tally, breaches
from gateway.storage import audit

BREACHES_SHOWN_MAX = 100
"""Enough to see what happened; a broken chain can breach at every row."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was looked at, what was counted, what is wrong."""

    subject: str
    tally: Tally
    found: tuple[Breach, ...]

    @property
    def is_sound(self) -> bool:
        """No promise is broken."""
        return not self.found

    def shown(self) -> dict[str, Any]:
        """The JSON verdict that `gateway verify` prints."""
        return {
            "subject": self.subject,
            "sound": self.is_sound,
            "rows": self.tally.rows,
            "documents": self.tally.documents,
            "voids": self.tally.voids,
            "last_numbers": self.tally.last_numbers,
            "head": self.tally.head.hex(),
            "breaches": [{"rule": each.rule, "seq": each.seq, "text": each.text} for each in self.found],
        }


def verify_books(path: Path, progress: Callable[[int], None] | None = None) -> Verdict:
    """Judge a data directory or a books file, running or not; `progress` hears how many rows were read.

    Raises:
        UnreadableError: there are no books there.
    """
    file = _file(path)
    connection = audit.open_to_read(file)
    tally = Tally()
    found: list[Breach] = []
    try:
        connection.execute("BEGIN")  # one moment of a file that may be in use
        found.extend(islice(audit.file_breaches(connection), BREACHES_SHOWN_MAX))
        found.extend(islice(breaches(_watched(audit.journal(connection), progress), tally), BREACHES_SHOWN_MAX))
        if not found:
            found.extend(islice(audit.projection_breaches(connection, tally), BREACHES_SHOWN_MAX))
    except audit.DamagedError as error:
        found.append(Breach("I3", tally.rows, f"the file is damaged: {error}"))
    finally:
        connection.close()
    return Verdict(str(file), tally, tuple(found))


def holds(path: Path, seq: int, head: bytes) -> bool:
    """Whether these books hold the history that ends with row `seq` of this hash; no row at all is in every history.

    Raises:
        UnreadableError: there are no books there.
    """
    if seq == 0:
        return True
    connection = audit.open_to_read(_file(path))
    try:
        return audit.has_row(connection, seq, head)
    except audit.DamagedError:
        return False
    finally:
        connection.close()


def verify_rows(subject: str, rows: Iterable[Row]) -> Verdict:
    """Judge a journal that came from elsewhere: head office, an outage file."""
    tally = Tally()
    found = tuple(islice(breaches(rows, tally), BREACHES_SHOWN_MAX))
    return Verdict(subject, tally, found)


def _file(path: Path) -> Path:
    return path / BOOKS_FILE if path.is_dir() else path


def _watched(rows: Iterable[Row], progress: Callable[[int], None] | None) -> Iterable[Row]:
    for count, row in enumerate(rows, 1):
        if progress is not None and count % 10_000 == 0:
            progress(count)
        yield row
