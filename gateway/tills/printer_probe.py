"""Ask whatever answers on port 9100 whether it is a receipt printer: mDNS only says that something came.

First `DLE EOT 1`, which a receipt printer answers at once with one status byte, even offline or out of paper, and which
puts nothing on paper. Only who answered is asked its maker and model (`GS I 66`, `GS I 67`): an office printer would
print those letters as a page.
Source: Epson ESC/POS command reference, "DLE EOT" and "GS I", read 2026-11.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

RAW_PORT = 9100
CONNECT_S = 2.0
ANSWER_S = 1.0
CLOSE_S = 1.0
ANSWER_BYTES_MAX = 256
"""Longer answers are not a printer's."""

_STATUS_REQUEST = b"\x10\x04\x01"
_MAKER_REQUEST = b"\x1d\x49\x42"
_MODEL_REQUEST = b"\x1d\x49\x43"
_BACK_STATUS_BYTES = 4
_TEXT_START = b"\x5f"
_TEXT_END = b"\x00"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a printer says it is; empty where it does not say."""

    maker: str = ""
    model: str = ""


async def identity_of(address: str, port: int = RAW_PORT) -> Identity | None:
    """Who answers as a receipt printer at an address; None if nobody does. Takes a few seconds at most."""
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError):
        return None
    try:
        if not is_status(await _answer(reader, writer, _STATUS_REQUEST, is_status)):
            return None
        maker = text_of(await _answer(reader, writer, _MAKER_REQUEST, _is_text))
        model = text_of(await _answer(reader, writer, _MODEL_REQUEST, _is_text))
        return Identity(maker, model)
    except OSError:
        return None
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await writer.wait_closed()


def is_status(answer: bytes) -> bool:
    """Whether this is one answer to `DLE EOT` (pattern 0xx1xx10), after any status the printer sent by itself."""
    rest = _without_back_status(answer)
    return len(rest) == 1 and rest[0] & 0x93 == 0x12


def text_of(answer: bytes) -> str:
    """The text of an answer to `GS I` (`5F`, text, `00`); empty if it is none."""
    rest = _without_back_status(answer)
    if not (rest.startswith(_TEXT_START) and rest.endswith(_TEXT_END)):
        return ""
    text = rest[1:-1].decode("ascii", "replace").strip()
    return text if text.isprintable() else ""


def _is_text(answer: bytes) -> bool:
    return _without_back_status(answer).endswith(_TEXT_END)


def _without_back_status(answer: bytes) -> bytes:
    """Leave out automatic status back: groups of four bytes, the first of the pattern 0xx1xx00."""
    while len(answer) >= _BACK_STATUS_BYTES and answer[0] & 0x93 == 0x10:
        answer = answer[_BACK_STATUS_BYTES:]
    return answer


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, is_whole: Callable[[bytes], bool]
) -> bytes:
    """What came back until it was whole, the time was over or the other side closed."""
    answer = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_S):
            writer.write(request)
            await writer.drain()
            while not is_whole(answer) and len(answer) < ANSWER_BYTES_MAX:
                part = await reader.read(ANSWER_BYTES_MAX)
                if not part:
                    break
                answer += part
    return answer
