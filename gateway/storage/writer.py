"""One thread, one connection: every write of the store, in groups that share one fsync.

A *work* is a plain function of the connection. Everything that waits goes into the next transaction, each work in a
savepoint of its own: its exception rolls back that work alone and is raised to its caller alone. Callers hear an
answer only after the shared COMMIT (I3).

When the COMMIT itself fails (a failed fsync, a full disk) nothing in memory is believed: *every* caller of the group
gets `NotDurableError`, and later ones too, until the file has been closed, opened again, checkpointed from scratch and
checked. The checkpoint matters: after a failed fsync the kernel may call pages clean that never reached the disk
(Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020), so what stands in the WAL is
written and synced anew before anything is promised on top of it. An error therefore means *unknown*: the caller's
retry under the same id settles it.
"""

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from gateway.storage import migrate

T = TypeVar("T")
Connection = sqlite3.Connection
"""What a work is given, for packages that compose storage's functions and know no SQL."""
Work = Callable[[Connection], T]
Check = Callable[[Connection], None]

GROUP_WORKS_MAX = 256
"""Works of one transaction: bounds how long the first of a group waits for the last."""
QUEUE_WORKS_MAX = 4096
"""Works that may wait; beyond it `OverloadedError`."""
READERS_WAIT_S = 1.0
"""How long a checkpoint waits for somebody who reads."""
REOPEN_PAUSE_S = 0.5
"""Between attempts to get a failed disk back."""
WAL_CHECKPOINT_PAGES = 2000
"""8 MB of WAL: a checkpoint every few thousand documents, a few milliseconds each."""
_FILE_TROUBLE = frozenset(
    {
        sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB,
    }
)  # fmt: skip
BALLAST_BYTES = 8 * 2**20
"""Given back to a full disk so that it can still checkpoint and say what is wrong."""


class NotDurableError(Exception):
    """The disk did not take it. Whether it is there is unknown: ask again under the same id."""


class OverloadedError(Exception):
    """More works wait than `QUEUE_WORKS_MAX`; nothing was done."""


class ClosedError(Exception):
    """The writer is stopping; nothing was done."""


def is_file_trouble(error: BaseException) -> bool:
    """Whether the file or its disk is to blame, and not the one work that happened to ask."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _FILE_TROUBLE
    return isinstance(error, OSError)


class _Waiting(NamedTuple):
    work: Work[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class Writer:
    """`await writer.run(work)` answers once the work is on stable storage, or raises."""

    def __init__(self, path: Path, *, check: Check | None = None, synchronous: str = "FULL") -> None:
        """Store the arguments; `check` looks at a file that was just opened and raises if it is not sound."""
        self.path = path
        self.trouble: str | None = None
        self._check = check
        self._synchronous = synchronous
        self._queue: deque[_Waiting] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Open, migrate and check the file on the calling thread, then start the writing thread.

        Raises:
            sqlite3.Error, ForeignFileError, or what `check` raises: the file cannot be used.
        """
        ballast = self.path.with_name("ballast")
        if not ballast.exists() and _free_bytes(self.path.parent) > 16 * BALLAST_BYTES:
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
        self._connect().close()
        self._thread = threading.Thread(target=self._write_until_closed, name="writer", daemon=True)
        self._thread.start()

    async def run(self, work: Work[T]) -> T:
        """Do `work` in the next transaction and answer after it is durable.

        A caller that goes away does not stop its work. Raises what the work raised, `NotDurableError`,
        `OverloadedError` or `ClosedError`.
        """
        return await self.post(work)

    def post(self, work: Work[T]) -> asyncio.Future[T]:
        """Queue `work` and answer with the future of its outcome; must be called on an event loop's thread.

        Raises:
            OverloadedError, ClosedError: nothing was queued.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:  # nothing may be queued once the thread was told to finish
            if self._closing:
                raise ClosedError
            if len(self._queue) >= QUEUE_WORKS_MAX:
                raise OverloadedError
            self._queue.append(_Waiting(work, future, loop))
        self._wake.set()
        return future

    def close(self) -> None:
        """Finish what waits, checkpoint, close. Blocks; call it from a thread or after the loop's work is done."""
        with self._lock:
            self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, READERS_WAIT_S, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        try:
            migrate.check_owner(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            self._begin_log_anew(connection)
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_CHECKPOINT_PAGES}")
            connection.execute("PRAGMA cache_size = -16384")
            connection.execute("PRAGMA temp_store = MEMORY")
            migrate.migrate(connection)
            if self._check is not None:
                self._check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _begin_log_anew(self, connection: sqlite3.Connection) -> None:
        """Empty the log into the file. After trouble nothing goes on behind pages that may never have reached it."""
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy and self.trouble is not None:
            message = "somebody reads for a long time, and the log cannot begin anew"
            raise NotDurableError(message)

    def _write_until_closed(self) -> None:
        connection: sqlite3.Connection | None = None
        while True:
            self._wake.wait(None if connection is not None and self.trouble is None else REOPEN_PAUSE_S)
            self._wake.clear()
            if connection is None:
                connection = self._reopen()
            while self._queue and connection is not None:
                group = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_WORKS_MAX))]
                outcomes, trouble = _commit(connection, group)
                if trouble is not None:
                    self.trouble = trouble
                    with contextlib.suppress(sqlite3.Error):
                        connection.close()
                    connection = None
                    self._give_way()
                _answer(group, outcomes)
            if connection is None:  # those who ask again at once must not keep the thread from trying again
                group = [self._queue.popleft() for _ in range(len(self._queue))]
                _answer(group, [NotDurableError(self.trouble)] * len(group))
            if self._closing and not self._queue:
                if connection is not None:
                    with contextlib.suppress(sqlite3.Error):
                        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    connection.close()
                return

    def _reopen(self) -> sqlite3.Connection | None:
        try:
            connection = self._connect()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, callers hear it and the thread goes on
            self.trouble = f"{type(error).__name__}: {error}"
            self._give_way()
            return None
        self.trouble = None
        return connection

    def _give_way(self) -> None:
        """A full disk refuses even a checkpoint: give the ballast back."""
        with contextlib.suppress(OSError):
            if _free_bytes(self.path.parent) < BALLAST_BYTES:
                self.path.with_name("ballast").unlink(missing_ok=True)


def _commit(connection: sqlite3.Connection, group: list[_Waiting]) -> tuple[list[Any], str | None]:
    """One transaction for the whole group: an outcome (or exception) each, and what is wrong with the disk."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        do = _do if len(group) > 1 else _do_alone
        outcomes = [do(connection, waiting.work) for waiting in group]
        connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        trouble = f"{type(error).__name__}: {error}"
        return [NotDurableError(trouble)] * len(group), trouble
    return outcomes, None


def _do(connection: sqlite3.Connection, work: Work[T]) -> T | Exception:
    connection.execute("SAVEPOINT work")
    try:
        outcome: T | Exception = work(connection)
    except Exception as error:  # a bug of one work is its caller's alone
        if is_file_trouble(error):
            raise
        connection.execute("ROLLBACK TO work")
        outcome = error
    connection.execute("RELEASE work")
    return outcome


def _do_alone(connection: sqlite3.Connection, work: Work[T]) -> T | Exception:
    """The transaction itself is the only work's savepoint."""
    try:
        return work(connection)
    except Exception as error:
        if is_file_trouble(error):
            raise
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        return error


def _answer(group: list[_Waiting], outcomes: list[Any]) -> None:
    """Tell every caller, with one wake-up of each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for waiting, outcome in zip(group, outcomes, strict=True):
        loops.setdefault(waiting.loop, []).append((waiting.future, outcome))
    for loop, answers in loops.items():
        with contextlib.suppress(RuntimeError):  # the loop is gone, and its callers with it
            loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in answers:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _free_bytes(folder: Path) -> int:
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize
