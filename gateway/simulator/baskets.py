"""Basket files: JSON lines, plain, gzip or zstd by ending, one paid basket a line; and the catalogue they imply.

`{"basket": "…", "at": "2017-01-01T11:53:26Z", "lines": [{"sku", "name", "quantity", "unit_price", "discount"}]}`;
amounts are decimal strings with at most two decimals, quantities with at most three.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from backports import zstd

LINE_BYTES_MAX = 1_000_000
"""One basket; a longer line is not a basket file."""
ALWAYS_AVAILABLE = ("GASOLINE", "CARDS", "LOTTERY", "NEWSPAPER")
"""Words in the names of what no shop counts by the piece."""

_AMOUNT = re.compile(r"\d{1,9}(?:\.\d{1,2})?", re.ASCII)
_QUANTITY = re.compile(r"\d{1,9}(?:\.\d{1,3})?", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_COLUMNS = ("sku", "name", "barcode", "unit_price", "tax", "policy", "sell_below_zero", "on_hand", "price_list")


class _Bytes(Protocol):
    """What the three kinds of open file have in common."""

    def readline(self, size: int) -> bytes:
        """The next line, or at most `size` bytes of it."""


class BasketError(Exception):
    """A basket file that cannot be sold; the text names the file and the line."""


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One line; money in cents, quantity in thousandths."""

    sku: str
    name: str
    quantity: int
    unit_price: int
    discount: int

    @property
    def total(self) -> int:
        """What the customer paid for it, in cents: quantity times price, rounded half-up, less the discount."""
        return (2 * self.quantity * self.unit_price + 1000) // 2000 - self.discount

    @property
    def is_counted(self) -> bool:
        """Whether a shop keeps a stock of it."""
        return not any(word in self.name for word in ALWAYS_AVAILABLE)


@dataclass(frozen=True, slots=True)
class Basket:
    """What one customer bought; `at_ms` is when, in milliseconds UTC."""

    id: str
    at_ms: int
    lines: tuple[BasketLine, ...]

    @property
    def total(self) -> int:
        """What the customer paid, in cents."""
        return sum(line.total for line in self.lines)


def read(path: Path) -> Iterator[Basket]:
    """The baskets of a file, one at a time.

    Raises:
        BasketError: no such file, not compressed as its ending says, or a line that is not a basket.
    """
    try:
        with _opened(path) as file:
            for number, line in enumerate(iter(lambda: file.readline(LINE_BYTES_MAX + 1), b""), 1):
                if line.strip():
                    yield _basket(line, f"{path}, line {number}")
    except (OSError, EOFError, zstd.ZstdError) as error:
        message = f"{path}: {error}"
        raise BasketError(message) from error


def bundled() -> list[Basket]:
    """The 2 000 real baskets that come with the program; `packaging/make_baskets.py` says where they are from."""
    with resources.as_file(resources.files("gateway.simulator") / "baskets.jsonl.gz") as path:
        return list(read(path))


def catalogue_csv(baskets: Iterable[Basket], *, tax: str = "exempt", on_hand: int = 1000) -> str:
    """A catalogue of everything in the baskets, as `gateway catalogue import` reads it.

    The price is the first one seen. Each product has `on_hand` pieces and may not be sold below zero, except what
    nobody counts by the piece, which is always available.
    """
    first: dict[str, BasketLine] = {}
    for basket in baskets:
        for line in basket.lines:
            first.setdefault(line.sku, line)
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for sku in sorted(first):
        line = first[sku]
        policy, stock = ("tracked", str(on_hand)) if line.is_counted else ("always_available", "")
        rows.writerow((sku, line.name, "", money(line.unit_price), tax, policy, "no", stock, "store"))
    return table.getvalue()


def money(cents: int) -> str:
    """399 as `"3.99"`."""
    return f"{cents // 100}.{cents % 100:02d}"


def quantity(milli: int) -> str:
    """1250 thousandths as `"1.250"`."""
    return f"{milli // 1000}.{milli % 1000:03d}"


@contextmanager
def _opened(path: Path) -> Iterator[_Bytes]:
    if path.suffix == ".gz":
        with gzip.open(path, "rb") as file:
            yield file
    elif path.suffix == ".zst":
        with zstd.open(path, "rb") as file:
            yield file
    else:
        with path.open("rb") as file:
            yield file


def _basket(line: bytes, where: str) -> Basket:
    if len(line) > LINE_BYTES_MAX:
        message = f"{where}: longer than {LINE_BYTES_MAX} bytes"
        raise BasketError(message)
    try:
        given = json.loads(line)
        return Basket(_text(given, "basket"), _instant(_text(given, "at")), _lines(given["lines"]))
    except KeyError as error:
        message = f"{where}: {error} is missing"
    except (ValueError, TypeError) as error:
        message = f"{where}: {error}"
    raise BasketError(message)


def _lines(given: Any) -> tuple[BasketLine, ...]:
    if not isinstance(given, list) or not given:
        raise ValueError("lines must be a list that is not empty")
    return tuple(_line(each) for each in given)


def _line(given: Any) -> BasketLine:
    line = BasketLine(
        _text(given, "sku"),
        _text(given, "name"),
        _scaled(_text(given, "quantity"), _QUANTITY, 3, "a quantity such as 1.250"),
        _scaled(_text(given, "unit_price"), _AMOUNT, 2, "an amount such as 3.99"),
        _scaled(_text(given, "discount"), _AMOUNT, 2, "an amount such as 3.99"),
    )
    if line.quantity == 0:
        raise ValueError("a quantity of 0 is not sold")
    if line.total < 0:
        raise ValueError("the discount is larger than the line")
    return line


def _text(given: Any, key: str) -> str:
    value = given[key]
    if not isinstance(value, str) or not value:
        message = f"{key} must be a text"
        raise ValueError(message)
    return value


def _scaled(text: str, pattern: re.Pattern[str], decimals: int, wanted: str) -> int:
    if not pattern.fullmatch(text):
        message = f"{text[:40]!r} is not {wanted}"
        raise ValueError(message)
    whole, _, part = text.partition(".")
    return int(whole) * int(10**decimals) + int(part.ljust(decimals, "0") or "0")


def _instant(text: str) -> int:
    if not _INSTANT.fullmatch(text):
        message = f"{text[:40]!r} is not an instant such as 2017-01-01T11:53:26Z"
        raise ValueError(message)
    return int(datetime.fromisoformat(text).timestamp()) * 1000
