"""Read-only connections for everybody who only looks: they can neither write nor checkpoint."""

import sqlite3
from pathlib import Path
from typing import Any

import aiosqlite


class Reader:
    """One read-only connection on a thread of its own. SQL comes from the modules of `gateway.storage` only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: aiosqlite.Connection | None = None

    async def open(self) -> None:
        """Open the file that the writer has made.

        Raises:
            sqlite3.DatabaseError: there is no such file, or it is no database.
        """
        if not self._path.is_file():  # a connection that fails leaves its thread behind, which would outlive the loop
            message = f"{self._path}: no such file"
            raise sqlite3.OperationalError(message)
        connection = await aiosqlite.connect(f"file:{self._path}?mode=ro", uri=True, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            await connection.execute("PRAGMA query_only = 1")
            await connection.execute("PRAGMA wal_autocheckpoint = 0")
            await connection.execute_fetchall("SELECT 1 FROM sqlite_schema LIMIT 1")
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def close(self) -> None:
        """Close; closing twice is fine."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of one statement, from one moment of the file."""
        assert self._connection is not None, "the reader is not open"
        return list(await self._connection.execute_fetchall(sql, values))

    async def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row, or None."""
        rows = await self.rows(sql, *values)
        return rows[0] if rows else None
