"""Cursors of paged lists: opaque to clients, and refused when they were not ours."""

import base64
import binascii

import orjson

from gateway.api.problems import Problem, invalid


def cursor_of(*key: int | str) -> str:
    """The cursor that begins after a row with this key."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def number_in(cursor: str | None) -> int:
    """The whole number a cursor holds; 0 without one."""
    if cursor is None:
        return 0
    match _key(cursor):
        case [int(number)] if not isinstance(number, bool) and 0 <= number < 2**53:
            return number
    raise _foreign()


def text_in(cursor: str | None) -> str:
    """The text a cursor holds; empty without one."""
    if cursor is None:
        return ""
    match _key(cursor):
        case [str(text)]:
            return text
    raise _foreign()


def number_and_text_in(cursor: str) -> tuple[int, str]:
    """The number and the text a cursor holds."""
    match _key(cursor):
        case [int(number), str(text)] if not isinstance(number, bool) and 0 <= number < 2**53:
            return number, text
    raise _foreign()


def _key(cursor: str) -> object:
    try:
        return orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, orjson.JSONDecodeError, ValueError):
        raise _foreign() from None


def _foreign() -> Problem:
    return invalid("cursor", "is not a cursor of this list", "no es un cursor de esta lista")
