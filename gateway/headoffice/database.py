"""Head office's one file: one thread writes, one transaction for each work; readers cannot write or checkpoint.

Unlike a store's file this one is also written by the command line while the server runs. SQLite before 3.51.3 can
corrupt a write-ahead log that two connections write or checkpoint at once (sqlite.org/wal.html, "walresetbug"), so
whoever opens or writes holds a lock file while doing so: at any moment one connection alone writes or checkpoints.
"""

import asyncio
import contextlib
import fcntl
import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

FILE = "headoffice.sqlite3"
LOCK_FILE = "writing.lock"
APPLICATION_ID = 0x5347484F
"""`SGHO`: tells `file(1)`, and us, whose database a file is."""
QUEUE_WORKS_MAX = 1024
"""Works that may wait; beyond it `BusyError`."""


class NotDurableError(Exception):
    """The disk did not take it. Whether it is there is unknown: ask again."""


class BusyError(Exception):
    """More works wait than `QUEUE_WORKS_MAX`; nothing was done."""


class ForeignFileError(Exception):
    """The file is not a head office's, or one of a newer program."""


def write_once(folder: Path, work: Work[T]) -> T:
    """One short transaction from outside the server, whether that runs or not. Blocks.

    Raises:
        NotDurableError, ForeignFileError, OSError: nothing can be written here. Or what the work raises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder), contextlib.closing(_connect(folder)) as connection:
        return _transact(connection, work)


class Database:
    """`await database.write(work)` answers once the work is on stable storage; `rows` and `row` only look."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection: sqlite3.Connection | None = None
        self._reader: aiosqlite.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="headoffice-writer")
        self._waiting = 0

    async def open(self) -> None:
        """Make or open the file, bring it to the newest schema.

        Raises:
            ForeignFileError, OSError, NotDurableError: the file cannot be used.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        await self.write(lambda _: None)
        reader = await aiosqlite.connect(f"file:{self.folder / FILE}?mode=ro", uri=True, isolation_level=None)
        reader.row_factory = sqlite3.Row
        await reader.execute("PRAGMA query_only = 1")
        self._reader = reader

    async def close(self) -> None:
        """Finish what waits and close; closing twice is fine."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()
        await asyncio.to_thread(self._thread.shutdown)
        connection, self._connection = self._connection, None
        if connection is not None:
            with _alone(self.folder):
                connection.close()

    async def write(self, work: Work[T]) -> T:
        """Do `work` in a transaction of its own and answer after it is durable; a caller that goes away stops nothing.

        Raises:
            NotDurableError: the disk failed, the outcome is unknown.
            BusyError: too many wait, nothing was done. Or what the work raises; then nothing was done either.
        """
        if self._waiting >= QUEUE_WORKS_MAX:
            raise BusyError
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._write, work)
        future.add_done_callback(self._one_less)
        return await asyncio.shield(future)

    async def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of one statement, from one moment of the file."""
        assert self._reader is not None, "the database is not open"
        return list(await self._reader.execute_fetchall(sql, values))

    async def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row, or None."""
        rows = await self.rows(sql, *values)
        return rows[0] if rows else None

    def look(self) -> sqlite3.Connection:
        """A read-only connection of the caller's own, for long looks on another thread; the caller closes it."""
        connection = sqlite3.connect(f"file:{self.folder / FILE}?mode=ro", uri=True, isolation_level=None)
        connection.execute("PRAGMA query_only = 1")
        return connection

    def _one_less(self, future: "asyncio.Future[Any]") -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()

    def _write(self, work: Work[T]) -> T:
        with _alone(self.folder):
            try:
                if self._connection is None:
                    self._connection = _connect(self.folder)
                return _transact(self._connection, work)
            except NotDurableError:
                # After a failed fsync nothing in memory is believed: the next work opens the file anew.
                broken, self._connection = self._connection, None
                if broken is not None:
                    with contextlib.suppress(sqlite3.Error):
                        broken.close()
                raise


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock file: no other connection, of any process, writes or checkpoints meanwhile."""
    with (folder / LOCK_FILE).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _transact(connection: sqlite3.Connection, work: Work[T]) -> T:
    try:
        connection.execute("BEGIN IMMEDIATE")
        outcome = work(connection)
        connection.execute("COMMIT")
    except (sqlite3.OperationalError, OSError) as error:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise NotDurableError(str(error)) from error
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return outcome


def _connect(folder: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(folder / FILE, isolation_level=None, check_same_thread=False)
    except sqlite3.OperationalError as error:
        raise NotDurableError(str(error)) from error
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        connection.execute("PRAGMA cache_size = -32768")
        connection.execute("PRAGMA temp_store = MEMORY")
        _migrate(connection)
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise NotDurableError(str(error)) from error
        message = f"{folder / FILE}: {error}"
        raise ForeignFileError(message) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    """Apply the numbered scripts that are missing, each in one transaction."""
    folder = resources.files("gateway.headoffice") / "schema"
    found = sorted(
        (entry for entry in folder.iterdir() if re.fullmatch(r"\d{4}_\w+\.sql", entry.name)),
        key=lambda entry: entry.name,
    )
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if (version and owner != APPLICATION_ID) or version > len(found):
        message = "the file belongs to another application, or to a newer release of this one"
        raise ForeignFileError(message)
    for number, entry in enumerate(found[version:], version + 1):
        script = entry.read_text(encoding="utf-8")
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\n"
            f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {number};\nCOMMIT;"
        )
