"""Bring a database file to the newest schema: numbered `.sql` files, each in one transaction."""

import re
import sqlite3
from importlib import resources
from importlib.resources.abc import Traversable

APPLICATION_ID = 0x53474731
"""`SGG1`: tells `file(1)`, and us, whose database a file is."""


class ForeignFileError(Exception):
    """The file is not ours: no database, another application's, or one of a newer program."""


def check_owner(connection: sqlite3.Connection) -> None:
    """Look whose file it is before anything in it is touched.

    Raises:
        ForeignFileError: not a database, or one that another application has begun.
    """
    try:
        owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
        is_empty = connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
            raise
        message = "the file is not a database"
        raise ForeignFileError(message) from error
    if owner != APPLICATION_ID and (owner or not is_empty):
        message = "the file belongs to another application"
        raise ForeignFileError(message)


def migrate(connection: sqlite3.Connection, folder: Traversable | None = None) -> int:
    """Apply what is missing; answers the schema version. A crash leaves the last whole version.

    Raises:
        ForeignFileError: not ours, or a schema newer than this program.
    """
    check_owner(connection)
    steps = _steps(folder or resources.files("gateway.storage") / "schema")
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(steps):
        message = f"schema version {version} is newer than this program's {len(steps)}: install the newer release"
        raise ForeignFileError(message)
    for number, script in enumerate(steps[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\n"
            f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {number};\nCOMMIT;"
        )
    return len(steps)


def _steps(folder: Traversable) -> list[str]:
    found = sorted(
        (entry for entry in folder.iterdir() if re.fullmatch(r"\d{4}_\w+\.sql", entry.name)),
        key=lambda entry: entry.name,
    )
    for number, entry in enumerate(found, 1):
        assert entry.name.startswith(f"{number:04d}_"), f"schema step {number} is missing"
    return [entry.read_text(encoding="utf-8") for entry in found]
