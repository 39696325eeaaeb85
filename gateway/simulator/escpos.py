"""ESC/POS as a printer reads it: bytes to commands, commands to paper. Pure; what is not known is an error.

Source: Epson ESC/POS reference (download4.epson.biz/sec_pubs/pos/reference_en/escpos/), the commands that receipts use.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

CODE_PAGES = {0: "cp437", 2: "cp850", 16: "cp1252", 19: "cp858"}
"""Numbers after `ESC t`, as Epson counts them."""
_ESC, _GS, _DLE = 0x1B, 0x1D, 0x10

_FIXED: dict[bytes, int] = {
    b"\x1b!": 1,
    b"\x1b-": 1,
    b"\x1b2": 0,
    b"\x1b3": 1,
    b"\x1b@": 0,
    b"\x1bE": 1,
    b"\x1bG": 1,
    b"\x1bM": 1,
    b"\x1bR": 1,
    b"\x1ba": 1,
    b"\x1bd": 1,
    b"\x1bp": 3,
    b"\x1bt": 1,
    b"\x1b{": 1,
    b"\x1d!": 1,
    b"\x1dB": 1,
    b"\x1dI": 1,
    b"\x1da": 1,
    b"\x1db": 1,
    b"\x1dr": 1,
}
"""Commands and the number of bytes that follow them."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing the printer was told: a command with its bytes, or a run of text (`name` empty)."""

    name: bytes
    data: bytes = b""

    @property
    def is_barrier(self) -> bool:
        """Whether it asks for an answer in order."""
        return self.name in {b"\x1d(H", b"\x1dr"}


class Parser:
    """Cuts the stream into commands and text; what comes too short waits for the rest."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.errors: list[str] = []
        self._rest = b""

    def feed(self, data: bytes) -> list[Command]:
        """The commands that are complete now."""
        rest, found = self._rest + data, list[Command]()
        while rest:
            step = self._step(rest)
            if step is None:
                break
            command, length = step
            if command is not None:
                found.append(command)
            rest = rest[length:]
        self._rest = rest
        return found

    def _step(self, data: bytes) -> tuple[Command | None, int] | None:
        if data[0] in {_ESC, _GS}:
            return self._command(data)
        if data[:1] == b"\n":
            return Command(b"\n"), 1
        if _is_control(data[0]):
            self.errors.append(f"control byte {data[0]:02x}")
            return None, 1
        length = next((at for at, byte in enumerate(data) if _is_control(byte)), len(data))
        return Command(b"", data[:length]), length

    def _command(self, data: bytes) -> tuple[Command | None, int] | None:
        if len(data) < 3:
            return None if data[:2] not in _FIXED or _FIXED[data[:2]] else (Command(data[:2]), 2)
        name = data[:2]
        if name == b"\x1d(":
            return self._sized(data)
        if name == b"\x1dV":
            length = 4 if data[2:3] in {b"A", b"B"} else 3
        elif name in _FIXED:
            length = 2 + _FIXED[name]
        else:
            self.errors.append(f"unknown command {name.hex(' ')}")
            return None, 2
        return None if len(data) < length else (Command(name, data[2:length]), length)

    def _sized(self, data: bytes) -> tuple[Command | None, int] | None:
        """`GS ( x pL pH ...`."""
        if len(data) < 5:
            return None
        length = 5 + data[3] + 256 * data[4]
        if len(data) < length:
            return None
        name = data[:3]
        if name not in {b"\x1d(H", b"\x1d(k"}:
            self.errors.append(f"unknown command {name.hex(' ')}")
            return None, length
        return Command(name, data[5:length]), length


def split_real_time(data: bytes) -> tuple[list[bytes], bytes, bytes]:
    """Real-time commands, the bytes without them, and an end that may be the beginning of one."""
    found: list[bytes] = []
    rest = bytearray()
    at = 0
    while at < len(data):
        length = {b"": 2, b"\x04": 3, b"\x14": 5}.get(data[at + 1 : at + 2], 1) if data[at] == _DLE else 1
        if at + length > len(data):
            return found, bytes(rest), data[at:]
        if length == 1:
            rest.append(data[at])
        else:
            found.append(data[at : at + length])
        at += length
    return found, bytes(rest), b""


@dataclass(slots=True)
class Receipt:
    """What came out between two cuts."""

    lines: list[str] = field(default_factory=list)
    is_cut: bool = False
    pulses: int = 0
    codes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The paper, read from the top."""
        return "\n".join(self.lines)


class Paper:
    """The paper, the knife and the drawer."""

    def __init__(self) -> None:
        """A new roll."""
        self.receipts: list[Receipt] = []
        self.current = Receipt()
        """What hangs out of the slot."""
        self.errors: list[str] = []
        self.pulses = 0
        self._code_page = CODE_PAGES[0]
        self._qr = ""
        self._does: dict[bytes, Callable[[bytes], object]] = {
            b"": self._type,
            b"\n": lambda _: self.current.lines.append(""),
            b"\x1b@": self._reset,
            b"\x1bt": self._turn_page,
            b"\x1bd": lambda data: self.current.lines.extend([""] * data[0]),
            b"\x1bp": lambda _: self.pulse(),
            b"\x1dV": lambda _: self._cut(),
            b"\x1d(k": self._code,
        }

    def obey(self, command: Command) -> bytes:
        """Do one command, with paper in place; the answer, if it has one."""
        does = self._does.get(command.name)
        if does is not None:
            does(command.data)
        match command.name:
            case b"\x1dr":
                return b"\x00"
            case b"\x1dI":
                return b"_simulated printer\x00" if command.data[0] >= 65 else b"\x20"
            case b"\x1d(H" if command.data[:2] == b"00" and len(command.data) == 6:
                return b"\x37\x22" + command.data[2:] + b"\x00"
            case b"\x1d(H":
                self.errors.append(f"GS ( H with {command.data.hex(' ')}")
            case _:
                pass
        return b""

    def pulse(self) -> None:
        """The drawer jumps open."""
        self.pulses += 1
        self.current.pulses += 1

    def _type(self, data: bytes) -> None:
        if not self.current.lines:
            self.current.lines.append("")
        self.current.lines[-1] += data.decode(self._code_page, errors="replace")

    def _reset(self, _: bytes) -> None:
        self._code_page = CODE_PAGES[0]

    def _turn_page(self, data: bytes) -> None:
        if data[0] in CODE_PAGES:
            self._code_page = CODE_PAGES[data[0]]
        else:
            self.errors.append(f"unknown code page {data[0]}")

    def _cut(self) -> None:
        receipt, self.current = self.current, Receipt()
        receipt.is_cut = True
        while receipt.lines and not receipt.lines[-1]:
            receipt.lines.pop()
        self.receipts.append(receipt)

    def _code(self, data: bytes) -> None:
        """`GS ( k` cn fn: 49 80 stores, 49 81 prints."""
        if data[:2] == b"1P":
            self._qr = data[3:].decode("utf-8", errors="replace")
        elif data[:2] == b"1Q":
            self.current.codes.append(self._qr)
        elif data[:2] not in {b"1A", b"1C", b"1E"}:
            self.errors.append(f"GS ( k with {data.hex(' ')}")


def _is_control(byte: int) -> bool:
    return byte < 0x20 or byte == 0x7F
