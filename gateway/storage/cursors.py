"""Tables `cursors`, `staged_parts` and `refused_orders`: how far each other side has come, and what it must still hear.

Writes are plain functions of the writer's connection; they decide nothing and commit nothing.
"""

import sqlite3
from dataclasses import dataclass

from gateway.storage.reader import Reader

Connection = sqlite3.Connection
"""What a work is given, for packages that compose these functions and know no SQL."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where something stands; `note` says what the number alone cannot."""

    value: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A head-office row that was not accepted."""

    seq: int
    code: str
    detail: str


def put(connection: Connection, name: str, value: int, note: str = "") -> None:
    """Set a cursor to where it is now."""
    connection.execute("INSERT OR REPLACE INTO cursors (name, value, note) VALUES (?, ?, ?)", (name, value, note))


def drop(connection: Connection, name: str) -> None:
    """Forget a cursor; it reads as 0 again."""
    connection.execute("DELETE FROM cursors WHERE name = ?", (name,))


def advance(connection: Connection, name: str, value: int) -> bool:
    """Move a cursor from `value - 1` to `value`; False, and nothing moved, when it stands anywhere else."""
    connection.execute("INSERT OR IGNORE INTO cursors (name, value) VALUES (?, 0)", (name,))
    changed = connection.execute("UPDATE cursors SET value = ? WHERE name = ? AND value = ?", (value, name, value - 1))
    return changed.rowcount == 1


def stage(connection: Connection, version: int, part: int, body: str) -> None:
    """Keep one part of a catalogue change until the others are here."""
    connection.execute("INSERT OR REPLACE INTO staged_parts VALUES (?, ?, ?)", (version, part, body))


def clear_staged(connection: Connection, version: int) -> None:
    """Throw away the parts of a change and of all before it."""
    connection.execute("DELETE FROM staged_parts WHERE version <= ?", (version,))


def skip(connection: Connection, skipped: Skipped) -> None:
    """Remember why a head-office row was not accepted, until head office has heard it."""
    connection.execute(
        "INSERT OR REPLACE INTO refused_orders (seq, code, detail) VALUES (?, ?, ?)",
        (skipped.seq, skipped.code, skipped.detail),
    )


def told(connection: Connection, skipped: tuple[int, ...]) -> None:
    """Head office has heard of these."""
    connection.executemany("DELETE FROM refused_orders WHERE seq = ?", [(seq,) for seq in skipped])


async def read(reader: Reader, name: str) -> Cursor:
    """Where a cursor stands; 0 and an empty note when it was never set."""
    row = await reader.row("SELECT value, note FROM cursors WHERE name = ?", name)
    return Cursor() if row is None else Cursor(int(row["value"]), str(row["note"]))


async def staged(reader: Reader, version: int) -> dict[int, str]:
    """The parts of a catalogue change that are here, by number."""
    rows = await reader.rows("SELECT part, body FROM staged_parts WHERE version = ? ORDER BY part", version)
    return {int(row["part"]): str(row["body"]) for row in rows}


async def untold(reader: Reader, limit: int) -> tuple[Skipped, ...]:
    """The oldest head-office rows that were skipped and of which head office has not heard."""
    rows = await reader.rows("SELECT seq, code, detail FROM refused_orders ORDER BY seq LIMIT ?", limit)
    return tuple(Skipped(int(row["seq"]), str(row["code"]), str(row["detail"])) for row in rows)
