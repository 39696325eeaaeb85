"""Tables `tills` and `pairing_codes`: who may talk to the gateway, and the one code that lets a new till in.

Writes are plain functions of the writer's connection; they decide nothing and commit nothing. The token itself, the
MQTT password and the pairing code are nowhere: only what `gateway.tills` makes of them.
"""

import sqlite3
from dataclasses import dataclass

from gateway.storage.reader import Reader

Connection = sqlite3.Connection
"""What a work is given, for packages that compose these functions and know no SQL."""

_TILL = "name, token_hash, mqtt_hash, model, paired_at, revoked_at"
_CODE = "code_hash, expires_at, tries_left"


@dataclass(frozen=True, slots=True)
class TillRow:
    """One till that was ever paired; times are milliseconds UTC."""

    name: str
    token_hash: bytes
    mqtt_hash: str
    model: str
    paired_at: int
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class CodeRow:
    """The pairing code that was made last; `expires_at` in milliseconds UTC."""

    code_hash: bytes
    expires_at: int
    tries_left: int


def put_till(connection: Connection, till: TillRow) -> None:
    """Write a till; one of the same name is replaced, whatever its state."""
    connection.execute(
        f"INSERT OR REPLACE INTO tills ({_TILL}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - constant columns
        (till.name, till.token_hash, till.mqtt_hash, till.model, till.paired_at, till.revoked_at),
    )


def revoke_till(connection: Connection, name: str, at: int) -> bool:
    """Take a till's right away for good; answers whether there is such a till. Its first revocation stands."""
    changed = connection.execute("UPDATE tills SET revoked_at = coalesce(revoked_at, ?) WHERE name = ?", (at, name))
    return changed.rowcount == 1


def tills_in(connection: Connection) -> tuple[TillRow, ...]:
    """All tills by name, revoked ones too, as this transaction sees them."""
    found = connection.execute(f"SELECT {_TILL} FROM tills ORDER BY name")  # noqa: S608 - constant columns
    return tuple(TillRow(*row) for row in found)


def put_code(connection: Connection, code: CodeRow) -> None:
    """Write the pairing code; the one before it is gone."""
    connection.execute("DELETE FROM pairing_codes")
    connection.execute(
        f"INSERT INTO pairing_codes ({_CODE}) VALUES (?, ?, ?)",  # noqa: S608 - constant columns
        (code.code_hash, code.expires_at, code.tries_left),
    )


def code_in(connection: Connection) -> CodeRow | None:
    """The pairing code as this transaction sees it."""
    found = connection.execute(f"SELECT {_CODE} FROM pairing_codes").fetchone()  # noqa: S608 - constant columns
    return None if found is None else CodeRow(*found)


def spend_try(connection: Connection) -> None:
    """Count one wrong guess of the pairing code."""
    connection.execute("UPDATE pairing_codes SET tries_left = tries_left - 1 WHERE tries_left > 0")


def delete_code(connection: Connection) -> None:
    """Forget the pairing code: it was used."""
    connection.execute("DELETE FROM pairing_codes")


async def tills(reader: Reader) -> tuple[TillRow, ...]:
    """All tills by name, revoked ones too."""
    found = await reader.rows(f"SELECT {_TILL} FROM tills ORDER BY name")  # noqa: S608 - constant columns
    return tuple(TillRow(*row) for row in found)


async def pairing_code(reader: Reader) -> CodeRow | None:
    """The pairing code that was made last, used up and expired ones too."""
    found = await reader.row(f"SELECT {_CODE} FROM pairing_codes")  # noqa: S608 - constant columns
    return None if found is None else CodeRow(*found)
