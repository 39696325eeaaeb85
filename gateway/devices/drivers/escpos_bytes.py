"""A receipt's blocks as ESC/POS bytes: one code page for the whole job, set once, and no command out of anybody's text.

python-escpos makes the commands (`Dummy` prints into memory); the text is encoded here, because its automatic encoding
changes pages inside a line, to pages that clones do not have.
"""

import functools
import hashlib
import os
import shutil
import unicodedata
import warnings
from collections.abc import Sequence
from typing import Any

from gateway.devices.profiles import Profile
from gateway.devices.receipt import Block, Code, printable

BARRIER_LENGTH = 4
_BARRIER_ALPHABET = bytes(range(0x21, 0x7F))
"""`GS ( H` echoes four bytes of 20h to 7Eh; the space is left out."""
_ALIKE = str.maketrans("‘’‚“”„–—−‐‑…·•×€", "'''\"\"\"-----.--xE")  # noqa: RUF001 - this is what they are for
"""Stand-ins, one letter each, for what a code page may lack."""


def receipt_bytes(blocks: Sequence[Block], profile: Profile, *, cut: bool = True) -> bytes:
    """Everything from `ESC @` to the knife; the barrier follows separately."""
    printer = _library()()
    printer.hw("INIT")
    printer._raw(b"\x1bt" + bytes([profile.text.code_page_number]))  # noqa: SLF001 - its only way to raw bytes
    bold = tall = False
    for block in blocks:
        if isinstance(block, Code):
            _print_code(printer, block, profile)
            continue
        if (block.bold, block.tall) != (bold, tall):
            bold, tall = block.bold, block.tall
            size = {"double_height": True} if tall else {"normal_textsize": True}
            printer.set(bold=bold, **size)  # both together: the command for the size takes boldness away
        printer._raw(encoded(block.text, profile.text.code_page) + b"\n")  # noqa: SLF001
    if cut:
        printer.print_and_feed(max(profile.paper.feed_lines, 1))
        if profile.paper.cut != "none":
            printer.cut(mode="PART" if profile.paper.cut == "partial" else "FULL", feed=False)
    return bytes(printer.output)


def pulse_bytes(profile: Profile) -> bytes:
    """`ESC p`: open the drawer when the printer comes to it."""
    printer = _library()()
    drawer = profile.drawer
    printer.cashdraw([27, 112, 0 if drawer.pin == 2 else 1, drawer.on_ms // 2, drawer.off_ms // 2])
    return bytes(printer.output)


def urgent_pulse_bytes(profile: Profile) -> bytes:
    """`DLE DC4 1 m t`: open the drawer now, paper or no paper; t counts 100 ms."""
    drawer = profile.drawer
    return bytes([0x10, 0x14, 1, 0 if drawer.pin == 2 else 1, min(max(round(drawer.on_ms / 100), 1), 8)])


def barrier_of(job: str) -> bytes:
    """The four letters that a job's barrier sends back: the same for the same job."""
    number = int.from_bytes(hashlib.sha256(job.encode()).digest()[:8], "big")
    letters = []
    for _ in range(BARRIER_LENGTH):
        number, rest = divmod(number, len(_BARRIER_ALPHABET))
        letters.append(_BARRIER_ALPHABET[rest])
    return bytes(letters)


def barrier_bytes(profile: Profile, letters: bytes) -> bytes:
    """The question that is answered when everything before it is done; empty where the model has none."""
    match profile.dialogue.barrier:
        case "gs_paren_h":
            return b"\x1d(H\x06\x00\x30\x30" + letters
        case "gs_r":
            return b"\x1dr\x01"
        case "none":
            return b""


def encoded(text: str, code_page: str) -> bytes:
    """One byte for each letter; a letter that the page lacks becomes its base letter, a look-alike or `?`."""
    return b"".join(_byte(letter, code_page) for letter in printable(text))


def warm_up() -> None:
    """Import python-escpos now: a third of a second that the first receipt need not wait for."""
    _library()


def _byte(letter: str, code_page: str) -> bytes:
    base = unicodedata.normalize("NFKD", letter)[:1]
    for stand_in in (letter, letter.translate(_ALIKE), base):
        try:
            byte = stand_in.encode(code_page)
        except UnicodeEncodeError:
            continue
        if len(byte) == 1 and (byte >= b" " and byte != b"\x7f"):
            return byte
    return b"?"


def _print_code(printer: Any, block: Code, profile: Profile) -> None:
    if profile.dialogue.qr == "native":
        printer.set(align="center")
        printer.qr(block.data, native=True, size=6)
        printer.set(align="left")
    else:
        printer._raw(encoded(block.data, profile.text.code_page) + b"\n")  # noqa: SLF001


@functools.cache
def _library() -> Any:
    """The class `escpos.printer.Dummy`. Its import leaves a temporary folder behind, which is taken away again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from escpos import capabilities  # noqa: PLC0415 - 0.3 s, on the first use only
        from escpos.printer import Dummy  # noqa: PLC0415
    if "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
        shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)
    return Dummy
