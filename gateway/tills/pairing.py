"""The pairing code, six digits that live minutes and bear few tries: how it is kept, and what a guess is worth.

Six digits are soon tried out by whoever holds a copy of the database, so what is kept is slow to make (scrypt, about
50 ms and 16 MB a guess): all of them take longer than the code lives.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from gateway.storage.registry import CodeRow

CODE_DIGITS = 6
SALT_BYTES = 16
_SCRYPT_COST = 2**14
_SCRYPT_BLOCK = 8
_SCRYPT_MEMORY_MAX = 2**26


class Guess(StrEnum):
    """What a guess is worth."""

    RIGHT = "right"
    WRONG = "wrong"
    """Costs a try."""
    EXPIRED = "expired"
    NONE_LIVE = "none_live"
    """No code was made, or it was used or guessed at too often."""


@dataclass(frozen=True, slots=True)
class PairingCode:
    """A code to type into a till, or to scan: shown once, never kept. `expires_at` in milliseconds UTC."""

    code: str
    expires_at: int
    tries: int
    link: str


def new_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def kept_form(code: str, salt: bytes | None = None) -> bytes:
    """What is kept of a code: salt and scrypt. Blocks for about 50 ms; call it from a thread."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    made = hashlib.scrypt(
        code.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=_SCRYPT_COST,
        r=_SCRYPT_BLOCK,
        p=1,
        maxmem=_SCRYPT_MEMORY_MAX,
        dklen=32,
    )
    return salt + made


def salt_of(row: CodeRow) -> bytes:
    """The salt a guess must be made with to be compared."""
    return row.code_hash[:SALT_BYTES]


def worth_trying(row: CodeRow | None, code: str) -> bool:
    """Whether a guess needs the slow comparison at all: something that is no code is simply wrong."""
    return row is not None and row.tries_left > 0 and re.fullmatch(rf"[0-9]{{{CODE_DIGITS}}}", code) is not None


def judge(row: CodeRow | None, guess: bytes, now_ms: int, life_ms: int) -> Guess:
    """What a guess (in its kept form) is worth now.

    A code whose end is further away than a code lives was made before the clock went back: it is as dead as one
    whose end is past.
    """
    if row is None or row.tries_left <= 0:
        return Guess.NONE_LIVE
    if not 0 < row.expires_at - now_ms <= life_ms:
        return Guess.EXPIRED
    return Guess.RIGHT if hmac.compare_digest(guess, row.code_hash) else Guess.WRONG


def pairing_link(api: str, code: str, ca: str) -> str:
    """What the QR code says: the gateway's address and, behind the `#` that no browser sends, code and CA fingerprint.

    A till checks the CA it is shown against `ca` before it sends the code.
    """
    return f"{api}/pair#{urlencode({'code': code, 'ca': ca})}"
