"""The streams down: what head office decided for each store, with a gapless sequence of its own.

An order is asked for under a key (a range's id, a catalogue's version); the same key with the same content is the
same order. What became of it comes with the store's heartbeat.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.headoffice.database import Database
from gateway.headoffice.problems import Problem
from gateway.sync import protocol

READ_ROWS_MAX = 50
"""Rows read for one answer before bytes are counted; the stream goes on with the next question."""

_SHOWN = "seq, kind, key, at, state, code, detail"


@dataclass(frozen=True, slots=True)
class Given:
    """What became of a request for an order; `is_new` is False when it was there already."""

    seqs: tuple[int, ...]
    version: int
    is_new: bool


def grant_range(connection: sqlite3.Connection, store: str, granted: protocol.RangeGranted, at: int) -> Given:
    """Order `range_granted`.

    Raises:
        Problem: `key_reused`: the id stands for other numbers.
    """
    body = granted.model_dump(mode="json")
    digest = _digest(body)
    found = connection.execute(
        "SELECT seq, digest FROM orders WHERE store = ? AND kind = 'range_granted' AND key = ?", (store, granted.id)
    ).fetchone()
    if found is not None:
        if found[1] != digest:
            raise Problem("key_reused", id=granted.id)
        return Given((found[0],), 0, is_new=False)
    order = _Order("range_granted", granted.id, digest, body)
    return Given((_append(connection, store, order, at),), 0, is_new=True)


def change_catalogue(
    connection: sqlite3.Connection,
    store: str,
    products: Sequence[protocol.Product],
    deleted: Sequence[str],
    at: int,
) -> Given:
    """Orders `catalogue_delta`, in parts; the same change as the newest one is the newest one."""
    sold = [product.model_dump(mode="json") for product in products]
    digest = _digest([sold, list(deleted)])
    version = connection.execute("SELECT catalogue_version FROM stores WHERE store = ?", (store,)).fetchone()[0]
    newest = connection.execute(
        "SELECT seq, digest FROM orders WHERE store = ? AND kind = 'catalogue_delta' AND key LIKE ? ORDER BY seq",
        (store, f"{version}/%"),
    ).fetchall()
    if newest and newest[0][1] == digest:
        return Given(tuple(row[0] for row in newest), version, is_new=False)
    version += 1
    connection.execute("UPDATE stores SET catalogue_version = ? WHERE store = ?", (version, store))
    size = protocol.PART_PRODUCTS_MAX
    parts = max(-(-len(sold) // size), -(-len(deleted) // size), 1)
    seqs = []
    for part in range(parts):
        body = {
            "version": version,
            "part": part + 1,
            "parts": parts,
            "products": sold[part * size : (part + 1) * size],
            "deleted": list(deleted[part * size : (part + 1) * size]),
        }
        order = _Order("catalogue_delta", f"{version}/{part + 1}", digest, body)
        seqs.append(_append(connection, store, order, at))
    return Given(tuple(seqs), version, is_new=True)


async def after(database: Database, store: str, seq: int) -> list[dict[str, Any]]:
    """What a store has not had yet, oldest first, as much as one answer carries."""
    rows = await database.rows(
        "SELECT seq, kind, body FROM orders WHERE store = ? AND seq > ? ORDER BY seq LIMIT ?", store, seq, READ_ROWS_MAX
    )
    found: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        size += len(row["body"])
        if found and size > protocol.ORDERS_BYTES_MAX:
            break
        found.append({"seq": row["seq"], "kind": row["kind"], "body": orjson.loads(row["body"])})
    return found


async def shown(database: Database, store: str, seq: int, limit: int) -> list[dict[str, Any]]:
    """Orders after `seq` and what became of them, for people."""
    rows = await database.rows(
        f"SELECT {_SHOWN} FROM orders WHERE store = ? AND seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 - constant columns
        store,
        seq,
        limit,
    )
    return [dict(row) for row in rows]


def settle(connection: sqlite3.Connection, store: str, applied: int, refused: Sequence[protocol.RefusedOrder]) -> None:
    """Note what a store says became of its orders.

    A store that applied more than head office remembers giving (head office came back from an older copy) is believed:
    the next order gets a number above, so that it is not taken for one already applied.
    """
    connection.executemany(
        "UPDATE orders SET state = 'refused', code = ?, detail = ? WHERE store = ? AND seq = ?",
        [(each.code, each.detail, store, each.seq) for each in refused],
    )
    before = connection.execute("SELECT orders_applied FROM stores WHERE store = ?", (store,)).fetchone()[0]
    if applied == before:
        return
    connection.execute(
        "UPDATE orders SET state = 'applied' WHERE store = ? AND seq <= ? AND state = 'waiting'", (store, applied)
    )
    connection.execute(
        "UPDATE stores SET orders_applied = ?, orders_last = max(orders_last, ?) WHERE store = ?",
        (applied, applied, store),
    )


@dataclass(frozen=True, slots=True)
class _Order:
    kind: str
    key: str
    digest: bytes
    body: dict[str, Any]


def _append(connection: sqlite3.Connection, store: str, order: _Order, at: int) -> int:
    connection.execute("UPDATE stores SET orders_last = orders_last + 1 WHERE store = ?", (store,))
    seq = int(connection.execute("SELECT orders_last FROM stores WHERE store = ?", (store,)).fetchone()[0])
    connection.execute(
        "INSERT INTO orders (store, seq, kind, key, digest, body, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (store, seq, order.kind, order.key, order.digest, orjson.dumps(order.body).decode(), at),
    )
    return seq


def _digest(content: Any) -> bytes:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()
