"""What anybody may read of the books: documents, series, ranges, stock and the journal itself."""

import sqlite3
from typing import Any

import orjson

from gateway.ledger.facts import Row
from gateway.storage.reader import Reader

_DOCUMENT = (
    "SELECT d.seq, d.status, j.body, v.body AS void FROM documents AS d JOIN journal AS j ON j.seq = d.seq"
    " LEFT JOIN journal AS v ON v.seq = d.void_seq"
)


async def document(reader: Reader, identity: str) -> dict[str, Any] | None:
    """One document as it was answered, with its status now (and, when void, why)."""
    row = await reader.row(f"{_DOCUMENT} WHERE d.id = ?", identity)
    return None if row is None else _shown(row)


async def documents(
    reader: Reader,
    *,
    series: str | None = None,
    number: int | None = None,
    first_number: int | None = None,
    first_date: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Documents in the order in which they were issued, or by number where `series` names one.

    `first_number` and `first_date` (`YYYY-MM-DD`) leave out what is before them. The next page begins after the last
    one's `seq`. However many documents there are, a page costs what is on it.
    """
    floor = 0 if first_date is None else await _last_before(reader, first_date)
    clauses, order = ["d.seq > ?"], "d.seq"
    values: list[int | str] = [max(floor, 0 if series is not None else after)]
    if series is None and number is not None:
        clauses.append("d.series IN (SELECT key FROM series)")
    if series is not None:
        order = "d.number, d.wrap"
        last = None if not after else await reader.row("SELECT number, wrap FROM documents WHERE seq = ?", after)
        if last is not None:
            clauses.append("(d.number, d.wrap) > (?, ?)")
            values += [*last]
    for clause, value in (("d.series = ?", series), ("d.number = ?", number), ("d.number >= ?", first_number)):
        if value is not None:
            clauses.append(clause)
            values.append(value)
    rows = await reader.rows(f"{_DOCUMENT} WHERE {' AND '.join(clauses)} ORDER BY {order} LIMIT ?", *values, limit)
    return [_shown(row) for row in rows]


async def _last_before(reader: Reader, day: str) -> int:
    """The seq of the last document dated before `day`; dates follow each other, so halving finds it."""
    row = await reader.row("SELECT coalesce(max(seq), 0) AS seq FROM documents")
    low, high = 0, 0 if row is None else row["seq"]
    while low < high:
        middle = (low + high + 1) // 2
        row = await reader.row(
            "SELECT d.seq, json_extract(j.body, '$.document.fiscal_date') AS fiscal_date FROM documents AS d"
            " JOIN journal AS j ON j.seq = d.seq WHERE d.seq <= ? ORDER BY d.seq DESC LIMIT 1",
            middle,
        )
        if row is None or row["fiscal_date"] < day:
            low = middle
        else:
            high = row["seq"] - 1
    return int(low)


async def issuer_of(reader: Reader, seq: int) -> dict[str, str]:
    """Who issued, as printed on the document that journal row `seq` is."""
    row = await reader.row(
        "SELECT body FROM journal WHERE kind = 'issuer_declared' AND seq < ? ORDER BY seq DESC LIMIT 1", seq
    )
    return {} if row is None else dict(orjson.loads(row["body"])["issuer"])


async def journal_after(reader: Reader, seq: int, limit: int) -> list[Row]:
    """Journal rows above `seq`, in order, at most `limit`."""
    rows = await reader.rows(
        "SELECT seq, at, kind, body, prev_hash, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit
    )
    return [Row(*row) for row in rows]


async def head(reader: Reader) -> Row | None:
    """The newest journal row."""
    row = await reader.row("SELECT seq, at, kind, body, prev_hash, hash FROM journal ORDER BY seq DESC LIMIT 1")
    return None if row is None else Row(*row)


async def tenure(reader: Reader) -> dict[str, Any]:
    """Whose books these are: store, epoch, country, currency, exponent, lock."""
    row = await reader.row("SELECT store, epoch, country, currency, exponent, lock FROM tenure")
    return {} if row is None else dict(row)


async def series(reader: Reader) -> list[dict[str, Any]]:
    """Where each series stands: key, last_number, high_number, last_date, wrap, range, locked_by."""
    rows = await reader.rows(
        "SELECT key, last_number, high_number, last_date, wrap, range, locked_by FROM series ORDER BY key"
    )
    return [dict(row) for row in rows]


async def ranges(reader: Reader) -> list[dict[str, Any]]:
    """All ranges ever loaded, in that order, with `next` (the number that comes next in it) and `left`."""
    rows = await reader.rows(
        "SELECT r.id, r.series, r.authority_kind, r.authority_ref, r.first, r.last, r.valid_from, r.valid_until,"
        " r.state, r.wrap, s.range = r.id AS current, s.last_number FROM ranges AS r"
        " LEFT JOIN series AS s ON s.key = r.series ORDER BY r.position"
    )
    shown = []
    for row in rows:
        entry = dict(row)
        current, last_number = entry.pop("current"), entry.pop("last_number")
        entry["next"] = last_number + 1 if current else row["first"]
        live = row["state"] in {"loaded", "active"}
        entry["left"] = max(row["last"] - entry["next"] + 1, 0) if live else 0
        if live and entry["left"] == 0:
            entry["state"] = "exhausted"
        shown.append(entry)
    return shown


async def stock(reader: Reader, after: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """Tracked products by SKU after `after`: sku, on_hand (thousandths), policy, sell_below_zero."""
    rows = await reader.rows(
        "SELECT p.sku, coalesce(s.on_hand, 0) AS on_hand, p.policy, p.sell_below_zero, coalesce(s.seq, 0) AS seq"
        " FROM products AS p LEFT JOIN stock AS s ON s.sku = p.sku"
        " WHERE p.sku > ? AND p.deleted = 0 ORDER BY p.sku LIMIT ?",
        after,
        limit,
    )
    return [dict(row) for row in rows]


async def stock_of(reader: Reader, sku: str) -> dict[str, Any] | None:
    """One product's stock, as `stock` shows it."""
    row = await reader.row(
        "SELECT p.sku, coalesce(s.on_hand, 0) AS on_hand, p.policy, p.sell_below_zero, coalesce(s.seq, 0) AS seq"
        " FROM products AS p LEFT JOIN stock AS s ON s.sku = p.sku WHERE p.sku = ? AND p.deleted = 0",
        sku,
    )
    return None if row is None else dict(row)


async def sqlite_version(reader: Reader) -> str:
    """The library's version, for the status (3.51.3 is the first without the WAL-reset bug)."""
    row = await reader.row("SELECT sqlite_version() AS version")
    return "" if row is None else str(row["version"])


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(row["body"])["document"]
    if row["status"] != "issued":
        voided = orjson.loads(row["void"])
        found["status"] = row["status"]
        found["void"] = {"reason": voided["reason"], "till": voided["till"]}
    return found
