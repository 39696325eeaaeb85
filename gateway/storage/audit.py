"""Read a whole journal, wherever it lies, and compare the projections beside it with what it says."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from gateway.ledger.facts import Row
from gateway.ledger.invariants import Breach, Tally
from gateway.storage import migrate

HEADER_BYTES = 100
READ_ROWS = 1000
"""Rows fetched at once: the journal of years is read in constant memory."""


DamagedError = (sqlite3.DatabaseError, UnicodeDecodeError)
"""The file is a database, and broken; the message of SQLite itself may be made of broken bytes."""


class UnreadableError(Exception):
    """There is no journal there that can be read."""


def open_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection to somebody's books, running or not.

    Raises:
        UnreadableError: no such file, not a database, or not one of ours.
    """
    if not path.is_file():
        message = f"{path}: no such file"
        raise UnreadableError(message)
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        message = f"{path}: {error}"
        raise UnreadableError(message) from error
    try:
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
    except sqlite3.Error as error:
        owner = _owner_on_disk(path)  # ours and damaged is for the verdict to say
        if owner != migrate.APPLICATION_ID:
            connection.close()
            message = f"{path}: {error}"
            raise UnreadableError(message) from error
    if owner != migrate.APPLICATION_ID:
        connection.close()
        message = f"{path}: not the books of a store gateway"
        raise UnreadableError(message)
    return connection


def _owner_on_disk(path: Path) -> int:
    """Whose file it is by its first page alone (SQLite's file format, 1.3.15). 0: nobody's."""
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or not header.startswith(b"SQLite format 3\0"):
        return 0
    return int.from_bytes(header[68:72], "big")


def journal(connection: sqlite3.Connection) -> Iterator[Row]:
    """Every row, in order.

    Raises:
        sqlite3.DatabaseError: the file is damaged (a truncated file, a broken page).
    """
    cursor = connection.execute("SELECT seq, at, kind, body, prev_hash, hash FROM journal ORDER BY seq")
    while found := cursor.fetchmany(READ_ROWS):
        yield from (Row(*each) for each in found)


def has_row(connection: sqlite3.Connection, seq: int, row_hash: bytes) -> bool:
    """Whether the journal's row `seq` is the one with this hash."""
    found = connection.execute("SELECT hash FROM journal WHERE seq = ?", (seq,)).fetchone()
    return found is not None and found[0] == row_hash


def projection_breaches(connection: sqlite3.Connection, tally: Tally) -> Iterator[Breach]:
    """Where the tables beside the journal say something else than the journal (`tally` of a whole pass)."""
    seq = connection.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0]
    for what, table, counted in (
        ("documents", "documents", tally.documents),
        ("void documents", "documents WHERE status = 'void'", tally.voids),
        ("movements", "movements", tally.movements),
        ("ranges", "ranges", len(tally.ranges)),
    ):
        listed = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - from the lines above
        if listed != counted:
            yield Breach("I10", seq, f"{listed} {what} are listed, the journal holds {counted}")
    yield from _documents_apart(connection)
    yield from _rows_apart(connection)
    for rule, what, table_sums, journal_sums in _sums(connection, tally):
        for key in sorted(table_sums.keys() | journal_sums.keys()):
            listed, exact = table_sums.get(key), journal_sums.get(key)
            if listed != exact and not (_is_nothing(listed) and _is_nothing(exact)):
                yield Breach(rule, seq, f"{what} {key} is {listed}, the journal adds up to {exact}")


def _documents_apart(connection: sqlite3.Connection) -> Iterator[Breach]:
    for seq, identity, digest, series, wrap, number, kind, status, void_digest, text, void_text in connection.execute(
        "SELECT d.seq, d.id, d.digest, d.series, d.wrap, d.number, d.type, d.status, d.void_digest, j.body, v.body"
        " FROM documents AS d LEFT JOIN journal AS j ON j.seq = d.seq AND j.kind = 'document_issued'"
        " LEFT JOIN journal AS v ON v.seq = d.void_seq AND v.kind = 'document_voided'"
    ):
        body = orjson.loads(text or "{}")
        document = body.get("document", {})
        said = document.get("id"), document.get("series"), document.get("number"), document.get("type")
        if (*said, body.get("wrap"), body.get("digest")) != (identity, series, number, kind, wrap, digest.hex()):
            yield Breach("I10", seq, f"document {identity} is not what the journal says")
        void = orjson.loads(void_text or "{}")
        is_void = void.get("document") == identity and void_digest is not None and void["digest"] == void_digest.hex()
        if status != ("void" if is_void else "issued") or is_void is (void_text is None):
            yield Breach("I9", seq, f"document {identity} is {status}, the journal says otherwise")


def _rows_apart(connection: sqlite3.Connection) -> Iterator[Breach]:
    names = ("id", "series", "wrap", "authority_kind", "authority_ref", "first", "last", "valid_from", "valid_until")
    for position, text, *values in connection.execute(
        "SELECT r.position, j.body, r.id, r.series, r.wrap, r.authority_kind, r.authority_ref, r.first, r.last,"
        " r.valid_from, r.valid_until FROM ranges AS r"
        " LEFT JOIN journal AS j ON j.seq = r.position AND j.kind = 'range_loaded'"
    ):
        body = orjson.loads(text or "{}")
        if [body.get(name) for name in names] != values:
            yield Breach("I7", position, f"range {values[0]} is not what the journal says")
    for seq, identity, digest, text in connection.execute(
        "SELECT m.seq, m.id, m.digest, j.body FROM movements AS m"
        " LEFT JOIN journal AS j ON j.seq = m.seq AND j.kind = 'stock_moved'"
    ):
        body = orjson.loads(text or "{}")
        if (body.get("id"), body.get("digest")) != (identity, digest.hex()):
            yield Breach("I4", seq, f"movement {identity} is not what the journal says")


_Sums = dict[Any, Any]


def _sums(connection: sqlite3.Connection, tally: Tally) -> Iterator[tuple[str, str, _Sums, _Sums]]:
    """(Promise, what, as the table says, as the journal adds up); nothing and nought are the same."""
    stands = tally.series.items()
    heads = connection.execute(
        "SELECT key, last_number, high_number, last_date, wrap, range, locked_by FROM series"
    ).fetchall()
    exact = {key: (each.last_number, each.high_number, each.date, each.wrap, each.range) for key, each in stands}
    yield "I2", "series", {row[0]: row[1:6] for row in heads}, exact
    yield "I6", "the lock of", {row[0]: row[6] for row in heads}, {key: each.locked_by for key, each in stands}
    names = ("store", "country", "currency", "exponent", "lock", "issuer")
    tenure = connection.execute("SELECT store, country, currency, exponent, lock, issuer FROM tenure").fetchone()
    opened = {**tally.opened, "lock": tally.lock, "issuer": tally.issuer}
    yield "I6", "tenure:", dict(zip(names, tenure or (), strict=False)), {name: opened.get(name) for name in names}
    yield "I7", "the state of range", dict(connection.execute("SELECT id, state FROM ranges")), tally.ranges
    yield "I10", "stock of", dict(connection.execute("SELECT sku, on_hand FROM stock")), tally.on_hand
    lines = connection.execute("SELECT document, line, quantity, amount FROM credits")
    yield "I9", "what is credited of", {row[:2]: row[2:] for row in lines}, tally.credited
    taxes = connection.execute("SELECT document, code, base, amount FROM credited_taxes")
    yield "I9", "the tax credited of", {row[:2]: row[2:] for row in taxes}, tally.credited_taxes


def _is_nothing(value: Any) -> bool:
    return not (any(value) if isinstance(value, tuple) else value)


def file_breaches(connection: sqlite3.Connection) -> Iterator[Breach]:
    """What SQLite itself finds wrong with the file."""
    for (found,) in connection.execute("PRAGMA integrity_check(20)").fetchall():
        if found != "ok":
            yield Breach("I3", 0, f"the file is damaged: {found}")
