"""Cursors of paged lists: opaque to clients, and refused when they were not ours."""

import base64
import binascii
from typing import Any

import orjson

from gateway.api.problems import Problem, invalid


def cursor_of(*key: int | str) -> str:
    """The cursor that begins after a row with this key."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def number_in(cursor: str | None) -> int:
    """The whole number a cursor holds; 0 without one."""
    if cursor is None:
        return 0
    key = _key(cursor)
    if len(key) == 1 and type(key[0]) is int and 0 <= key[0] < 2**53:
        return key[0]
    raise _foreign()


def text_in(cursor: str | None) -> str:
    """The text a cursor holds; empty without one."""
    if cursor is None:
        return ""
    key = _key(cursor)
    if len(key) == 1 and isinstance(key[0], str):
        return key[0]
    raise _foreign()


def number_and_text_in(cursor: str) -> tuple[int, str]:
    """The number and the text a cursor holds."""
    key = _key(cursor)
    if len(key) == 2 and type(key[0]) is int and 0 <= key[0] < 2**53 and isinstance(key[1], str):
        return key[0], key[1]
    raise _foreign()


def _key(cursor: str) -> list[Any]:
    try:
        key = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise _foreign() from None
    return key if isinstance(key, list) else []


def _foreign() -> Problem:
    return invalid("cursor", "is not a cursor of this list", "no es un cursor de esta lista")
