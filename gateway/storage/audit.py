"""Read a whole journal, wherever it lies, and compare the projections beside it with what it says."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gateway.ledger.facts import Row
from gateway.ledger.invariants import Breach, Tally
from gateway.storage import migrate

READ_ROWS = 1000
"""Rows fetched at once: the journal of years is read in constant memory."""


DamagedError = sqlite3.DatabaseError
"""The file is a database, and broken."""


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
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
    except sqlite3.Error as error:
        message = f"{path}: {error}"
        raise UnreadableError(message) from error
    if owner != migrate.APPLICATION_ID:
        connection.close()
        message = f"{path}: not the books of a store gateway"
        raise UnreadableError(message)
    return connection


def journal(connection: sqlite3.Connection) -> Iterator[Row]:
    """Every row, in order.

    Raises:
        sqlite3.DatabaseError: the file is damaged (a truncated file, a broken page).
    """
    cursor = connection.execute("SELECT seq, at, kind, body, prev_hash, hash FROM journal ORDER BY seq")
    while found := cursor.fetchmany(READ_ROWS):
        yield from (Row(*each) for each in found)


def projection_breaches(connection: sqlite3.Connection, tally: Tally) -> Iterator[Breach]:
    """Where the tables beside the journal say something else than the journal (`tally` of a whole pass)."""
    seq = connection.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0]
    documents = connection.execute("SELECT count(*) FROM documents").fetchone()[0]
    if documents != tally.documents:
        yield Breach("I10", seq, f"{documents} documents are listed, the journal holds {tally.documents}")
    lost = connection.execute(
        "SELECT d.seq, d.id FROM documents AS d LEFT JOIN journal AS j ON j.seq = d.seq AND j.kind = 'document_issued'"
        " WHERE j.seq IS NULL OR json_extract(j.body, '$.document.id') IS NOT d.id"
        " OR json_extract(j.body, '$.document.number') IS NOT d.number"
        " OR json_extract(j.body, '$.document.series') IS NOT d.series LIMIT 20"
    ).fetchall()
    for row_seq, identity in lost:
        yield Breach("I10", row_seq, f"document {identity} is not what the journal says")
    voids = connection.execute("SELECT count(*) FROM documents WHERE status = 'void'").fetchone()[0]
    if voids != tally.voids:
        yield Breach("I9", seq, f"{voids} documents are listed as void, the journal voids {tally.voids}")
    for key, number in connection.execute("SELECT key, last_number FROM series").fetchall():
        if tally.last_numbers.get(key, 0) != number:
            yield Breach("I2", seq, f"series {key} stands at {number}, the journal at {tally.last_numbers.get(key, 0)}")
    on_hand = {sku: quantity for sku, quantity in tally.on_hand.items() if quantity}
    for sku, quantity in connection.execute("SELECT sku, on_hand FROM stock").fetchall():
        if on_hand.pop(sku, 0) != quantity:
            yield Breach("I10", seq, f"stock of {sku} is {quantity}, its movements add up to something else")
    for sku in sorted(on_hand)[:20]:
        yield Breach("I10", seq, f"stock of {sku} is missing")


def file_breaches(connection: sqlite3.Connection) -> Iterator[Breach]:
    """What SQLite itself finds wrong with the file."""
    for (found,) in connection.execute("PRAGMA integrity_check(20)").fetchall():
        if found != "ok":
            yield Breach("I3", 0, f"the file is damaged: {found}")
