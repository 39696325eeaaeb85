"""What anybody may read of a store's books as head office holds them: documents, stock, the journal, the verdict."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import orjson

from gateway.headoffice.database import Database
from gateway.ledger import amounts, chain
from gateway.ledger.facts import Row
from gateway.ledger.invariants import Breach, Tally, breaches

BREACHES_SHOWN_MAX = 100

_DOCUMENT = (
    "SELECT d.seq, d.void_seq, j.body, v.body AS void FROM cursors AS c JOIN documents AS d"
    " ON d.store = c.store AND d.epoch = c.epoch JOIN journal AS j"
    " ON j.store = d.store AND j.epoch = d.epoch AND j.seq = d.seq LEFT JOIN journal AS v"
    " ON v.store = d.store AND v.epoch = d.epoch AND v.seq = d.void_seq WHERE c.store = ?"
)
_STOCK = (
    "SELECT s.sku, s.on_hand, s.seq FROM cursors AS c JOIN stock AS s ON s.store = c.store AND s.epoch = c.epoch"
    " WHERE c.store = ?"
)
_JOURNAL = (
    "SELECT j.seq, j.at, j.kind, j.body, j.hash FROM cursors AS c JOIN journal AS j"
    " ON j.store = c.store AND j.epoch = c.epoch WHERE c.store = ? AND j.seq >= ? ORDER BY j.seq"
)


async def document(database: Database, store: str, identity: str) -> dict[str, Any] | None:
    """One document as the till was answered, with its status now (and, when void, why)."""
    row = await database.row(f"{_DOCUMENT} AND d.id = ? ORDER BY d.seq LIMIT 1", store, identity)
    return None if row is None else _shown(row)


async def documents(
    database: Database, store: str, *, series: str | None, number: str | None, first: int | None, after: int, limit: int
) -> list[dict[str, Any]]:
    """Documents in the order in which they were issued, after journal row `after`.

    `number` as printed or bare; `first` leaves out lower numbers.
    """
    clauses: list[str] = ["d.seq > ?"]
    values: list[Any] = [after]
    if series is not None:
        clauses.append("d.series = ?")
        values.append(series)
    if number is not None:
        clauses.append("(d.formatted = ? OR d.number = ?)")
        values += (number, int(number) if number.isascii() and number.isdigit() else -1)
    if first is not None:
        clauses.append("d.number >= ?")
        values.append(first)
    rows = await database.rows(f"{_DOCUMENT} AND {' AND '.join(clauses)} ORDER BY d.seq LIMIT ?", store, *values, limit)
    return [_shown(row) for row in rows]


async def stock(database: Database, store: str, after: str, limit: int) -> list[dict[str, Any]]:
    """What is on hand by SKU after `after`, of everything that ever moved."""
    rows = await database.rows(f"{_STOCK} AND s.sku > ? ORDER BY s.sku LIMIT ?", store, after, limit)
    return [_in_stock(row) for row in rows]


async def stock_of(database: Database, store: str, sku: str) -> dict[str, Any] | None:
    """What is on hand of one SKU; None when it never moved."""
    row = await database.row(f"{_STOCK} AND s.sku = ?", store, sku)
    return None if row is None else _in_stock(row)


async def journal(database: Database, store: str, after: int, limit: int) -> list[Row]:
    """Journal rows above `after`, in order, at most `limit`."""
    rows = await database.rows(f"{_JOURNAL} LIMIT ?", store, max(after, 1), limit + 1)
    return list(_chained(after, iter(rows), limit))


def verdict(database: Database, store: str) -> dict[str, Any]:
    """What an audit of the whole journal finds: every rule of the books, and the cursor. Blocks, for long."""
    tally = Tally()
    with closing(database.look()) as connection:
        connection.execute("BEGIN")
        epoch, following, last_hash = connection.execute(
            "SELECT epoch, next, hash FROM cursors WHERE store = ?", (store,)
        ).fetchone()
        rows = _chained(0, connection.execute(_JOURNAL, (store, 1)), None)
        found = list(islice(breaches(rows, tally), BREACHES_SHOWN_MAX))
        if not found and (tally.rows + 1, tally.head) != (following, last_hash):
            found.append(Breach("I12", tally.rows, f"the rows end at {tally.rows}, the cursor at {following - 1}"))
    return {
        "subject": f"store {store} at head office",
        "sound": not found,
        "store": store,
        "epoch": epoch,
        "rows": tally.rows,
        "documents": tally.documents,
        "voids": tally.voids,
        "last_numbers": tally.last_numbers,
        "head": tally.head.hex(),
        "breaches": [{"rule": each.rule, "seq": each.seq, "text": each.text} for each in found],
    }


def _chained(after: int, found: Iterator[Any], limit: int | None) -> Iterator[Row]:
    """Rows with the hash of the one before; `found` begins with row `after`, or with row 1 when that is 0."""
    last_hash = chain.START
    if after:
        last_hash = next((row[4] for row in islice(found, 1) if row[0] == after), b"")
    for seq, at, kind, text, row_hash in islice(found, limit):
        yield Row(seq, at, kind, text, last_hash, row_hash)
        last_hash = row_hash


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(row["body"])["document"]
    if row["void"] is not None:
        voided = orjson.loads(row["void"])
        found["status"] = "void"
        found["void"] = {"reason": voided["reason"], "till": voided["till"]}
    return found


def _in_stock(row: sqlite3.Row) -> dict[str, Any]:
    on_hand = amounts.text(row["on_hand"], 3)
    return {"sku": row["sku"], "on_hand": on_hand, "available": on_hand, "seq": row["seq"]}
