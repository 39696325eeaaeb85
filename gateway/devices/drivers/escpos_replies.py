"""What a printer says, out of a stream of bytes cut anywhere. Pure.

Source: Epson ESC/POS reference, DLE EOT, GS r, GS ( H and GS a; the fixed bits of the first byte tell them apart:
`0xx1xx10` real-time status, `0xx0xxxx` GS r, `37 22` completed job with its four letters, `0xx1xx00` automatic status.
"""

from dataclasses import dataclass

BARRIER_HEAD = b"\x37\x22"
BARRIER_BYTES = 7
AUTOMATIC_BYTES = 4


@dataclass(frozen=True, slots=True)
class RealTime:
    """The answer to one DLE EOT; which one, only the order of the questions tells."""

    byte: int


@dataclass(frozen=True, slots=True)
class Completed:
    """The answer to GS ( H fn 48: printing up to it is completed."""

    letters: bytes


@dataclass(frozen=True, slots=True)
class Passed:
    """The answer to GS r: the printer has come to it."""

    byte: int


Reply = RealTime | Completed | Passed


class Replies:
    """Cuts a stream into replies; what is none of them is skipped."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._rest = b""

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are complete now."""
        rest, found = self._rest + data, []
        while rest:
            length = _length(rest)
            if len(rest) < length:
                break
            reply = _reply(rest[:length])
            if reply is not None:
                found.append(reply)
            rest = rest[length:]
        self._rest = rest
        return found


def _length(data: bytes) -> int:
    if data[0] == BARRIER_HEAD[0]:
        return BARRIER_BYTES if data[1:2] in {b"", BARRIER_HEAD[1:]} else 1
    return AUTOMATIC_BYTES if data[0] & 0x93 == 0x10 else 1


def _reply(data: bytes) -> Reply | None:
    if len(data) == BARRIER_BYTES:
        return Completed(data[2:6])
    if len(data) == AUTOMATIC_BYTES:
        return None
    if data[0] & 0x93 == 0x12:
        return RealTime(data[0])
    if data[0] & 0x90 == 0:
        return Passed(data[0])
    return None


@dataclass(frozen=True, slots=True)
class Status:
    """How the printer is, out of DLE EOT 1, 2 and 4."""

    offline: bool
    cover_open: bool
    paper_out: bool
    near_end: bool
    error: bool
    pin_high: bool

    @property
    def stops(self) -> str:
        """Why it does not print now, as a code for people and tills; empty when it does."""
        if self.cover_open:
            return "cover_open"
        if self.paper_out:
            return "paper_out"
        if self.error:
            return "printer_error"
        return "offline" if self.offline else ""


ASKED = (1, 2, 4)
ASK_STATUS = b"".join(bytes([0x10, 0x04, number]) for number in ASKED)
"""DLE EOT 1, 2 and 4."""


def status_of(first: int, second: int, fourth: int) -> Status:
    """The three answers, in the order of `ASKED`."""
    return Status(
        offline=bool(first & 0x08),
        cover_open=bool(second & 0x04),
        paper_out=bool(second & 0x20 or fourth & 0x60 == 0x60),
        near_end=fourth & 0x0C == 0x0C,
        error=bool(second & 0x40),
        pin_high=bool(first & 0x04),
    )
