"""Taking in a store's rows: one transaction that compares where the stream stands and sets where it stands then.

Nothing is trusted to have stayed as it was when a chunk arrived: the rows are checked beforehand against the standing
as it was read, and stored only if (epoch, next, hash before it, session) are still the same inside the transaction.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.headoffice.database import Database
from gateway.headoffice.problems import Problem
from gateway.headoffice.projections import Effects, NotUnderstoodError, effects
from gateway.ledger.facts import Row
from gateway.sync import codec, protocol
from gateway.sync.codec import Chunk, FrameError

_STANDING = "SELECT epoch, next, hash, session FROM cursors WHERE store = ?"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a store's stream stands; `hash` is that of row `next - 1`."""

    epoch: str | None
    next: int
    hash: bytes
    session: int

    def shown(self) -> protocol.Standing:
        """As it goes over the wire."""
        return protocol.Standing(next=self.next, hash=self.hash.hex(), epoch=self.epoch, session=self.session)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a chunk: the store, which copy of its books, over which line."""

    store: str
    epoch: str
    session: int


async def standing(database: Database, store: str) -> Standing:
    """Where a store's stream stands now."""
    row = await database.row(_STANDING, store)
    assert row is not None, store
    return Standing(*row)


def hello(connection: sqlite3.Connection, store: str, epoch: str) -> Standing:
    """Open a line: raise the session, so that older lines can store nothing more. Another epoch opens none."""
    before = Standing(*connection.execute(_STANDING, (store,)).fetchone())
    if before.epoch not in (None, epoch):
        return Standing(before.epoch, before.next, before.hash, 0)
    connection.execute("UPDATE cursors SET session = session + 1 WHERE store = ?", (store,))
    return Standing(before.epoch, before.next, before.hash, before.session + 1)


async def take(database: Database, sender: Sender, first: int, frame: bytes, plain_bytes_max: int) -> Standing:
    """Store what is new in a frame and answer where the stream stands: the frame's rows are all here now.

    Raises:
        Problem: `out_of_step`, `session_stale`, `epoch_unknown` with the standing; `chunk_invalid`, `wrong_store`,
            `row_not_understood`. Nothing was stored.
    """
    before = await standing(database, sender.store)
    _check_sender(before, sender)
    try:
        chunk = await asyncio.to_thread(codec.decode, frame, plain_bytes_max)
    except FrameError as error:
        raise Problem("chunk_invalid", why=str(error)) from error
    if chunk.first != first:
        raise Problem("chunk_invalid", why=f"the address says row {first}, the frame row {chunk.first}")
    if chunk.last < before.next:
        return await _known(database, before, sender, chunk)
    try:
        rows = await asyncio.to_thread(codec.rows_after, chunk, before.next - 1, before.hash)
        changes = await asyncio.to_thread(effects, rows)
    except FrameError as error:
        raise _refused("out_of_step", before) from error
    except NotUnderstoodError as error:
        raise Problem("row_not_understood", seq=error.row.seq, kind=error.row.kind, why=error.why) from error
    foreign = sorted(changes.opened_by - {sender.store})
    if foreign or (before.next == 1 and rows[0].kind != "books_opened"):
        raise Problem("wrong_store", named=foreign[0][:60] if foreign else "nobody", store=sender.store)
    if not await database.write(lambda connection: _store(connection, sender, before, rows, changes)):
        now = await standing(database, sender.store)
        _check_sender(now, sender)
        raise _refused("out_of_step", now)
    return Standing(sender.epoch, rows[-1].seq + 1, rows[-1].hash, sender.session)


def _check_sender(now: Standing, sender: Sender) -> None:
    if now.epoch not in (None, sender.epoch):
        raise _refused("epoch_unknown", now)
    if now.session != sender.session:
        raise _refused("session_stale", now)


def _refused(code: str, now: Standing) -> Problem:
    return Problem(code, **now.shown().model_dump())


async def _known(database: Database, now: Standing, sender: Sender, chunk: Chunk) -> Standing:
    """A chunk that is here already, if it really is the same."""
    row = await database.row(
        "SELECT hash FROM journal WHERE store = ? AND epoch = ? AND seq = ?", sender.store, sender.epoch, chunk.last
    )
    if row is None or row["hash"] != chunk.last_hash:
        raise _refused("out_of_step", now)
    return now


def _store(
    connection: sqlite3.Connection, sender: Sender, before: Standing, rows: Sequence[Row], changes: Effects
) -> bool:
    """Compare, set, insert; False, and nothing stored, when the stream no longer stands at `before`."""
    store, epoch = sender.store, sender.epoch
    changed = connection.execute(
        "UPDATE cursors SET epoch = ?, next = ?, hash = ?"
        " WHERE store = ? AND (epoch IS NULL OR epoch = ?) AND next = ? AND hash = ? AND session = ?",
        (epoch, rows[-1].seq + 1, rows[-1].hash, store, epoch, before.next, before.hash, sender.session),
    )
    if changed.rowcount != 1:
        return False
    assert rows[0].seq == before.next, "rows begin where the stream stands"
    assert rows[0].prev_hash == before.hash, "rows continue the chain"
    connection.executemany(
        "INSERT INTO journal (store, epoch, seq, at, kind, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(store, epoch, row.seq, row.at, row.kind, row.text, row.hash) for row in rows],
    )
    connection.executemany(
        "INSERT INTO documents (store, epoch, seq, id, series, number, formatted) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(store, epoch, each.seq, each.id, each.series, each.number, each.formatted) for each in changes.documents],
    )
    connection.executemany(
        "UPDATE documents SET void_seq = ? WHERE store = ? AND epoch = ? AND id = ?",
        [(seq, store, epoch, document) for document, seq in changes.voids],
    )
    connection.executemany(
        "INSERT INTO stock (store, epoch, sku, on_hand, seq) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (store, epoch, sku) DO UPDATE SET on_hand = on_hand + excluded.on_hand, seq = excluded.seq",
        [(store, epoch, sku, quantity, seq) for sku, (quantity, seq) in changes.stock.items()],
    )
    return True
