"""How the stores are: what each said last about itself, beside what head office itself holds of it."""

import sqlite3
from typing import Any

import orjson

from gateway.clock import iso
from gateway.headoffice import orders
from gateway.headoffice.database import Database
from gateway.sync import protocol

SILENT_MS_MAX = 3 * protocol.HEARTBEAT_S * 1000
"""After this a store counts as offline."""

_STORES = (
    "SELECT s.store, s.orders_last, s.orders_applied, c.epoch, c.next, h.heard_at, h.body"
    " FROM stores AS s JOIN cursors AS c ON c.store = s.store"
    " LEFT JOIN heartbeats AS h ON h.store = s.store AND h.epoch = c.epoch"
)


def heard(connection: sqlite3.Connection, store: str, epoch: str, heartbeat: protocol.Heartbeat, now: int) -> None:
    """Keep what a store says about itself. Only the copy whose stream this is says what became of orders."""
    connection.execute(
        "INSERT OR REPLACE INTO heartbeats (store, epoch, heard_at, body) VALUES (?, ?, ?, ?)",
        (store, epoch, now, heartbeat.model_dump_json()),
    )
    stream = connection.execute("SELECT epoch FROM cursors WHERE store = ?", (store,)).fetchone()[0]
    if stream in (None, epoch):
        orders.settle(connection, store, heartbeat.orders_applied, heartbeat.refused)


async def stores(database: Database, now: int, after: str, limit: int) -> list[dict[str, Any]]:
    """The stores by name after `after`, with the line to each."""
    rows = await database.rows(f"{_STORES} WHERE s.store > ? ORDER BY s.store LIMIT ?", after, limit)
    return [
        {"store": row["store"], "epoch": row["epoch"], "seq": row["next"] - 1, "link": _link(row, _said(row), now)}
        for row in rows
    ]


async def status(database: Database, store: str, now: int) -> dict[str, Any]:
    """A store's banner as its tills see it, with the line and the newest row as head office sees them.

    `head_office` says what is known here only: when it was heard, its orders, and other copies of the store.
    """
    row = await database.row(f"{_STORES} WHERE s.store = ?", store)
    assert row is not None, store
    said = _said(row)
    copies = await database.rows(
        "SELECT epoch, heard_at, body FROM heartbeats WHERE store = ? AND epoch IS NOT ?"
        " ORDER BY heard_at DESC LIMIT 10",
        store,
        row["epoch"],
    )
    return {
        "catalogue_version": 0,
        "ranges": [],
        "warnings": [],
        **said.get("status", {}),
        "store": store,
        "link": _link(row, said, now),
        "seq": row["next"] - 1,
        "epoch": row["epoch"],
        "head_office": {
            "heard_at": None if row["heard_at"] is None else iso(row["heard_at"]),
            "store_seq": said.get("seq"),
            "fork": said.get("fork"),
            "orders": {"last": row["orders_last"], "applied": row["orders_applied"]},
            "copies": [
                {"epoch": copy["epoch"], "heard_at": iso(copy["heard_at"]), "fork": orjson.loads(copy["body"])["fork"]}
                for copy in copies
            ],
        },
    }


def _said(row: sqlite3.Row) -> dict[str, Any]:
    return {} if row["body"] is None else dict(orjson.loads(row["body"]))


def _link(row: sqlite3.Row, said: dict[str, Any], now: int) -> dict[str, Any]:
    told = said.get("status", {}).get("link")
    told = told if isinstance(told, dict) else {}
    waiting = max(int(said.get("seq", 0)) - row["next"] + 1, 0)
    is_silent = row["heard_at"] is None or now - row["heard_at"] > SILENT_MS_MAX
    if is_silent or said.get("fork"):
        state, since = "offline", None if row["heard_at"] is None else iso(row["heard_at"])
    else:
        state = "catching_up" if waiting else "online"
        since = told.get("since") if told.get("state") in {"catching_up", "online"} else iso(row["heard_at"])
    return {
        "state": state,
        "since": since,
        "waiting": waiting,
        "oldest_ms": told.get("oldest_ms") if waiting else 0,
        "eta_s": told.get("eta_s") if waiting and not is_silent else None,
    }
