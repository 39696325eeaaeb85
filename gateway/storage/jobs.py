"""Tables `jobs` and `job_events`: what devices shall do, what became of it, and the events that tills still lack.

Writes are plain functions of the writer's connection; a job's state and the event that tells of it change in one
transaction. Which state may follow which is decided by `gateway.devices.jobs`: a write names the states it may start
from and changes nothing when the job stands elsewhere.
"""

import hashlib
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

import orjson

from gateway.storage.reader import Reader

Connection = sqlite3.Connection
"""What a work is given, for packages that compose these functions and know no SQL."""

EPOCH_NOTE = "gw_epoch"
"""Row of `notes`: how often the gateway has started. Tills tell by it that a last will is an old one's."""
_JOB = (
    "position, id, digest, kind, device, till, document, body, state, detail, settled_by, created_at, deadline,"
    " changed_at"
)
_OPEN = "state IN ('queued', 'sending', 'held', 'unknown')"
"""Word for word the condition of index `jobs_open`, or SQLite does not use it."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as it was asked for; `digest` tells the same request from another one under the same id."""

    id: str
    digest: bytes
    kind: str
    device: str
    till: str
    body: str
    document: str | None = None
    deadline: int | None = None


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job; times are milliseconds UTC."""

    position: int
    id: str
    digest: bytes
    kind: str
    device: str
    till: str
    document: str | None
    body: str
    state: str
    detail: str
    settled_by: str | None
    created_at: int
    deadline: int | None
    changed_at: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of the outbox, with what its message says of the job."""

    ev_seq: int
    till: str
    job: str
    kind: str
    device: str
    state: str
    detail: str
    at: int


@dataclass(frozen=True, slots=True)
class Load:
    """What stands before one device: `unknown` counts papers only, a kick leaves nothing to look at."""

    waiting: int = 0
    unknown: int = 0


def insert_receipt(  # noqa: PLR0917 - a row, column by column, as the books have it
    connection: Connection, identity: str, device: str, till: str, document: str, at: int
) -> None:
    """Queue the print of a document in the document's own transaction: a job and its first event.

    An id that is taken already (a till made it up beforehand) prints nothing and never stops the document.
    """
    body = orjson.dumps({"document": document}).decode()
    inserted = connection.execute(
        "INSERT INTO jobs (id, digest, kind, device, till, document, body, state, detail, created_at, changed_at)"
        " VALUES (?, ?, 'receipt', ?, ?, ?, ?, 'queued', '', ?, ?) ON CONFLICT (id) DO NOTHING",
        (identity, hashlib.sha256(body.encode()).digest(), device, till, document, body, at, at),
    )
    if inserted.rowcount:
        _tell(connection, till, identity, "accepted", "", at)


def insert(connection: Connection, new: NewJob, at: int) -> tuple[bool, JobRow] | None:
    """Queue a job: whether it is new, and how it stands; None when its id stands for another request (I4)."""
    found = job_in(connection, new.id)
    if found is not None:
        same = found.till == new.till and found.digest == new.digest
        return (False, found) if same else None
    connection.execute(
        "INSERT INTO jobs"
        " (id, digest, kind, device, till, document, body, state, detail, created_at, deadline, changed_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', '', ?, ?, ?)",
        (new.id, new.digest, new.kind, new.device, new.till, new.document, new.body, at, new.deadline, at),
    )
    _tell(connection, new.till, new.id, "accepted", "", at)
    row = job_in(connection, new.id)
    assert row is not None
    return True, row


def turn(
    connection: Connection,
    identity: str,
    sources: Collection[str],
    state: str,
    at: int,
    *,
    detail: str = "",
    settled_by: str | None = None,
) -> JobRow | None:
    """Turn a job that stands in one of `sources` to `state` and tell its till; None when it stands elsewhere."""
    row = job_in(connection, identity)
    if row is None or row.state not in sources:
        return None
    if (row.state, row.detail) == (state, detail):
        return row
    connection.execute(
        "UPDATE jobs SET state = ?, detail = ?, settled_by = ?, changed_at = ? WHERE position = ?",
        (state, detail, settled_by, at, row.position),
    )
    _tell(connection, row.till, identity, state, detail, at)
    return job_in(connection, identity)


def job_in(connection: Connection, identity: str) -> JobRow | None:
    """A job as this transaction sees it."""
    found = connection.execute(f"SELECT {_JOB} FROM jobs WHERE id = ?", (identity,)).fetchone()  # noqa: S608 - constant
    return None if found is None else JobRow(*found)


def open_in(connection: Connection) -> list[JobRow]:
    """All jobs that are not at their end, in order of arrival, as this transaction sees them."""
    found = connection.execute(f"SELECT {_JOB} FROM jobs WHERE {_OPEN} ORDER BY position")  # noqa: S608 - constant
    return [JobRow(*row) for row in found.fetchall()]


def next_epoch(connection: Connection) -> int:
    """Count a start of the gateway; the number never repeats and never falls."""
    connection.execute(
        "INSERT INTO notes (name, value) VALUES (?, '1')"
        " ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)",
        (EPOCH_NOTE,),
    )
    found = connection.execute("SELECT value FROM notes WHERE name = ?", (EPOCH_NOTE,)).fetchone()
    return int(found[0])


def acknowledge(connection: Connection, till: str, ev_seq: int) -> int:
    """The till has stored its events up to `ev_seq`: forget them; answers how many."""
    return connection.execute("DELETE FROM job_events WHERE till = ? AND ev_seq <= ?", (till, ev_seq)).rowcount


def prune_events(connection: Connection, before: int) -> int:
    """Forget events older than `before` (milliseconds UTC): their till speaks no MQTT, or is gone for good."""
    return connection.execute("DELETE FROM job_events WHERE at < ?", (before,)).rowcount


async def job(reader: Reader, identity: str) -> JobRow | None:
    """A job by its id."""
    found = await reader.row(f"SELECT {_JOB} FROM jobs WHERE id = ?", identity)  # noqa: S608 - constant
    return None if found is None else JobRow(*found)


async def next_queued(reader: Reader, device: str) -> JobRow | None:
    """The job a device does next: a drawer before any paper (somebody waits for change), then by arrival."""
    found = await reader.row(
        f"SELECT {_JOB} FROM jobs WHERE {_OPEN} AND device = ? AND state = 'queued'"  # noqa: S608 - constant
        " ORDER BY kind <> 'kick', position LIMIT 1",
        device,
    )
    return None if found is None else JobRow(*found)


async def open_jobs(reader: Reader, till: str | None, limit: int) -> list[JobRow]:
    """A till's jobs (None: everybody's) that are not at their end, in order of arrival."""
    found = await reader.rows(
        f"SELECT {_JOB} FROM jobs WHERE {_OPEN} AND till = ifnull(?, till)"  # noqa: S608 - constant
        " ORDER BY position LIMIT ?",
        till,
        limit,
    )
    return [JobRow(*row) for row in found]


async def late(reader: Reader, now: int, limit: int) -> list[JobRow]:
    """Queued jobs whose deadline has passed, of devices that are too busy to see it."""
    found = await reader.rows(
        f"SELECT {_JOB} FROM jobs WHERE {_OPEN} AND state = 'queued' AND deadline < ?"  # noqa: S608 - constant
        " ORDER BY position LIMIT ?",
        now,
        limit,
    )
    return [JobRow(*row) for row in found]


async def is_reprint(reader: Reader, row: JobRow) -> bool:
    """Whether an earlier job may have put the same document on paper already."""
    found = await reader.row(
        "SELECT 1 FROM jobs WHERE document = ? AND position < ? AND state NOT IN ('refused', 'failed_before_send')",
        row.document,
        row.position,
    )
    return found is not None


async def load(reader: Reader, device: str) -> Load:
    """How many jobs stand before a device."""
    waiting = unknown = 0
    for state, kind in await reader.rows(
        f"SELECT state, kind FROM jobs WHERE {_OPEN} AND device = ?",  # noqa: S608 - constant
        device,
    ):
        waiting += state != "unknown"
        unknown += state == "unknown" and kind != "kick"
    return Load(waiting, unknown)


async def events_after(reader: Reader, ev_seq: int, limit: int) -> list[EventRow]:
    """Events of all tills after a number, in order."""
    return await _events(reader, "e.ev_seq > ?", ev_seq, limit)


async def events_of(reader: Reader, till: str, limit: int) -> list[EventRow]:
    """The oldest events that a till has not acknowledged, in order."""
    return await _events(reader, "e.till = ?", till, limit)


async def newest_event(reader: Reader) -> int:
    """The highest number ever given to an event."""
    found = await reader.row("SELECT seq FROM sqlite_sequence WHERE name = 'job_events'")
    return 0 if found is None else int(found[0])


async def _events(reader: Reader, condition: str, value: str | int, limit: int) -> list[EventRow]:
    found = await reader.rows(
        "SELECT e.ev_seq, e.till, e.job, j.kind, j.device, e.state, e.detail, e.at"  # noqa: S608 - constant
        f" FROM job_events AS e JOIN jobs AS j ON j.id = e.job WHERE {condition} ORDER BY e.ev_seq LIMIT ?",
        value,
        limit,
    )
    return [EventRow(*row) for row in found]


def _tell(connection: Connection, *event: str | int) -> None:
    """Write an event: till, job, state, detail, at."""
    connection.execute("INSERT INTO job_events (till, job, state, detail, at) VALUES (?, ?, ?, ?, ?)", event)
