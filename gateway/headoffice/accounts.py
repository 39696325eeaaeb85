"""Who may talk to head office: stores, their one-time codes, and the tokens of people and programs.

A token is 256 random bits, shown once and kept as SHA-256; a fast hash is right here, nobody can guess 256 bits. The
functions at the top are the command line's: they work whether the server runs or not.
"""

import hashlib
import re
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Literal

from gateway.clock import Clock, SystemClock
from gateway.headoffice.database import Database, ForeignFileError, NotDurableError, Work, write_once
from gateway.ledger import chain
from gateway.settings import HeadOfficeSettings

Role = Literal["store", "reader", "writer"]

TOKEN_BYTES = 32
CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without the letters and digits that people mistake for each other."""
CODE_LENGTH = 8
"""40 bits; wrong tries are limited, and a code lives a week."""
CODE_LIFE_MS = 7 * 24 * 3600 * 1000

_STORE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class AccountError(Exception):
    """It cannot be done; `code` is stable, the text says why and what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is; `store` is empty for people and programs of head office."""

    role: Role
    store: str = ""


def add_store(settings: HeadOfficeSettings, store: str, clock: Clock | None = None) -> dict[str, str]:
    """Add a store; answers `store`, `token` and `enrol_code`, the last two shown this once.

    Raises:
        AccountError: not a store's name, the store is there already, or the file cannot be used.
    """
    if not _STORE.fullmatch(store):
        message = f"{store[:60]!r} cannot name a store: lower-case letters, digits and hyphens, at most 32"
        raise AccountError("store_name_invalid", message)
    token, code, now = new_token(), new_code(), (clock or SystemClock()).now_ms()

    def work(connection: sqlite3.Connection) -> None:
        if connection.execute("SELECT 1 FROM stores WHERE store = ?", (store,)).fetchone():
            message = f"store {store} is there already; for a new code: gateway headoffice store code {store}"
            raise AccountError("store_exists", message)
        connection.execute(
            "INSERT INTO stores (store, token_hash, added_at) VALUES (?, ?, ?)", (store, hash_of(token), now)
        )
        connection.execute(
            "INSERT INTO cursors (store, epoch, next, hash, session) VALUES (?, NULL, 1, ?, 0)", (store, chain.START)
        )
        _put_code(connection, store, code, now)

    _write(settings, work)
    return {"store": store, "token": token, "enrol_code": code}


def make_code(settings: HeadOfficeSettings, store: str, clock: Clock | None = None) -> dict[str, str]:
    """A new one-time code for a store; the former one ends. Answers `store` and `enrol_code`.

    Raises:
        AccountError: there is no such store, or the file cannot be used.
    """
    code, now = new_code(), (clock or SystemClock()).now_ms()

    def work(connection: sqlite3.Connection) -> None:
        if not connection.execute("SELECT 1 FROM stores WHERE store = ?", (store,)).fetchone():
            message = f"there is no store {store[:60]}; add it: gateway headoffice store add"
            raise AccountError("store_unknown", message)
        _put_code(connection, store, code, now)

    _write(settings, work)
    return {"store": store, "enrol_code": code}


def make_token(
    settings: HeadOfficeSettings, role: Literal["reader", "writer"], clock: Clock | None = None
) -> dict[str, str]:
    """A new token for a person or a program at head office; answers `token`, shown this once.

    Raises:
        AccountError: no such role, or the file cannot be used.
    """
    if role not in {"reader", "writer"}:
        message = f"{role!r} is not a role; use reader or writer"
        raise AccountError("role_unknown", message)
    token, now = new_token(), (clock or SystemClock()).now_ms()

    def work(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO tokens (token_hash, role, made_at) VALUES (?, ?, ?)", (hash_of(token), role, now)
        )

    _write(settings, work)
    return {"token": token}


def new_token() -> str:
    """A fresh token."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_code() -> str:
    """A fresh enrolment code, such as `K7MN-2QXA`."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def hash_of(token: str) -> bytes:
    """What is kept of a token or a code."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def use_code(connection: sqlite3.Connection, code: str, now: int) -> tuple[str, str] | None:
    """Turn a code into a store's new token: (store, token), or None when the code is wrong, used or too old."""
    typed = re.sub(r"[^A-Z0-9]", "", code.upper())
    digest = hash_of(f"{typed[:4]}-{typed[4:]}")
    found = connection.execute("SELECT store, expires_at FROM enrol_codes WHERE code_hash = ?", (digest,)).fetchone()
    if found is None or found[1] < now:
        return None
    token = new_token()
    connection.execute("DELETE FROM enrol_codes WHERE code_hash = ?", (digest,))
    connection.execute("UPDATE stores SET token_hash = ? WHERE store = ?", (hash_of(token), found[0]))
    return found[0], token


async def caller_of(database: Database, token: str) -> Caller | None:
    """Whose token this is."""
    digest = hash_of(token)
    found = await database.row(
        "SELECT role, '' AS store FROM tokens WHERE token_hash = ?"
        " UNION ALL SELECT 'store', store FROM stores WHERE token_hash = ?",
        digest,
        digest,
    )
    return None if found is None else Caller(found["role"], found["store"])


async def is_store(database: Database, store: str) -> bool:
    """Whether a store was added."""
    return await database.row("SELECT 1 FROM stores WHERE store = ?", store) is not None


def _write(settings: HeadOfficeSettings, work: Work[None]) -> None:
    try:
        write_once(settings.path, work)
    except (OSError, NotDurableError, ForeignFileError) as error:
        message = f"{settings.path}: {error}"
        raise AccountError("file_unusable", message) from error


def _put_code(connection: sqlite3.Connection, store: str, code: str, now: int) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO enrol_codes (store, code_hash, expires_at) VALUES (?, ?, ?)",
        (store, hash_of(code), now + CODE_LIFE_MS),
    )
