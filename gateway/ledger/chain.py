"""The hash chain (I12): change, drop, swap or cut one row and every hash after it is wrong.

`hash = SHA-256(prev_hash | seq LF at LF kind LF body)`, numbers in ASCII decimal, body as the UTF-8 text in the row.
The first row's `prev_hash` is 32 zero bytes. Anyone can check it with twenty lines and no help from us.
"""

import hashlib
from typing import Any

import orjson

from gateway.ledger.facts import Row

START = bytes(32)
"""The hash before the first row."""


def row_hash(prev_hash: bytes, seq: int, at: int, kind: str, text: str) -> bytes:
    """The hash of one row, 32 bytes."""
    return _hash(prev_hash, seq, at, kind, text.encode())


def body_text(body: Any) -> str:
    """JSON without spaces, in the order in which the keys were written."""
    return orjson.dumps(body).decode()


def body_of(row: Row) -> Any:
    """The row's body as JSON values."""
    return orjson.loads(row.text)


def next_row(previous: Row | None, at: int, kind: str, body: Any) -> Row:
    """The row that follows `previous` (None: the first)."""
    seq, prev_hash = (1, START) if previous is None else (previous.seq + 1, previous.hash)
    written = orjson.dumps(body)
    return Row(seq, at, kind, written.decode(), prev_hash, _hash(prev_hash, seq, at, kind, written))


def _hash(prev_hash: bytes, seq: int, at: int, kind: str, body: bytes) -> bytes:
    return hashlib.sha256(b"%b%d\n%d\n%b\n%b" % (prev_hash, seq, at, kind.encode(), body)).digest()
