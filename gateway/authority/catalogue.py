"""Products come in: from a CSV file or from head office, validated whole, visible in one step, or not at all.

Columns: `sku,name,unit_price,tax` are needed; `barcode,policy,sell_below_zero,on_hand,price_list` may be left out.
Commas stand between them, or semicolons, as spreadsheets write where the comma is a decimal one.
`on_hand` becomes a receipt movement when the SKU is seen for the first time, so importing a file twice adds nothing.
"""

import asyncio
import csv
import hashlib
import io
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.authority.desk import Desk, Done
from gateway.ledger import amounts
from gateway.ledger.amounts import Milli
from gateway.ledger.commands import MovementKind, MoveStock
from gateway.ledger.rules import House
from gateway.storage import catalogue, documents
from gateway.storage.catalogue import ProductRow
from gateway.storage.reader import Reader
from gateway.storage.writer import Connection, Writer

COLUMNS = ("sku", "name", "barcode", "unit_price", "tax", "policy", "sell_below_zero", "on_hand", "price_list")
REQUIRED = ("sku", "name", "unit_price", "tax")
PROBLEMS_MAX = 1000
"""A file with more mistakes than this is the wrong file."""
RECEIPT_LINES_MAX = 500
"""SKUs of one receipt movement."""

_YES, _NO = {"1", "true", "yes", "si", "sí"}, {"", "0", "false", "no"}


@dataclass(frozen=True, slots=True)
class LineProblem:
    """What is wrong in a file, and where: line 1 is the header."""

    line: int
    column: str
    text: str


@dataclass(slots=True)
class Sheet:
    """A file that was read: products in its order, first stock by SKU (thousandths), and all that is wrong."""

    products: list[ProductRow] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    """Where each product stands."""
    on_hand: dict[str, int] = field(default_factory=dict)
    problems: list[LineProblem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did, or with `dry_run` or problems: what it would have done."""

    products: int
    received: int
    version: int
    problems: tuple[LineProblem, ...]

    def shown(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "products": self.products,
            "received": self.received,
            "version": self.version,
            "problems": [{"line": each.line, "column": each.column, "text": each.text} for each in self.problems],
        }


def read_csv(text: str, house: House) -> Sheet:
    """Read a whole file and list everything that is wrong in it, by line."""
    sheet = Sheet()
    text = text.removeprefix("\ufeff")
    header_line = text.partition("\n")[0]
    separator = ";" if header_line.count(";") > header_line.count(",") else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        header = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = header
        sheet.problems.extend(_header_problems(header))
        if not sheet.problems:
            for record in reader:
                _read_record(sheet, reader.line_num, record, house)
                if len(sheet.problems) > PROBLEMS_MAX:
                    sheet.problems.append(LineProblem(reader.line_num, "", "too many problems: reading stopped here"))
                    break
    except csv.Error as error:
        sheet.problems.append(LineProblem(reader.line_num, "", f"not CSV: {error}"))
    _list_duplicates(sheet)
    return sheet


def read_records(records: Iterable[Mapping[str, str]], house: House) -> Sheet:
    """The same for products that came as records; `line` is the record's place, from 1."""
    sheet = Sheet()
    for position, record in enumerate(records, 1):
        _read_record(sheet, position, record, house)
    _list_duplicates(sheet)
    return sheet


class Catalogue:
    """Imports and exports over a desk."""

    def __init__(self, desk: Desk, writer: Writer, reader: Reader) -> None:
        self._desk = desk
        self._writer = writer
        self._reader = reader

    async def import_csv(self, text: str, by: str, *, dry_run: bool = False) -> Report:
        """Take a file in: all of it in one transaction, or nothing when anything is wrong.

        Raises:
            NotDurableError: the disk failed; import again.
        """
        sheet = await asyncio.to_thread(read_csv, text, self._desk.house)  # sales go on meanwhile
        if sheet.problems or dry_run:
            version = await catalogue.catalogue_version(self._reader)
            return Report(len(sheet.products), len(sheet.on_hand), version, tuple(sheet.problems))
        report = await self._writer.run(lambda connection: self._take_in(connection, sheet, by))
        newest = await documents.head(self._reader)
        if newest is not None:
            self._desk.resume(newest.seq, newest.at)
        return report

    async def export_csv(self) -> str:
        """The catalogue as a file that `import_csv` reads; `on_hand` is left out, or it would be received again."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([name for name in COLUMNS if name != "on_hand"])
        after = ""
        while True:
            _, rows = await catalogue.products(self._reader, after=after, limit=500)
            for row in rows:
                price = amounts.text(row["unit_price"], self._desk.house.exponent)
                below = "1" if row["sell_below_zero"] else "0"
                policy, price_list = row["policy"], row["price_list"]
                writer.writerow(
                    [row["sku"], row["name"], row["barcode"] or "", price, row["tax"], policy, below, price_list]
                )
            if not rows:
                return out.getvalue()
            after = rows[-1]["sku"]

    def _take_in(self, connection: Connection, sheet: Sheet, by: str) -> Report:
        known = catalogue.known_skus(connection)
        version = catalogue.change(connection, sheet.products)
        new = [(sku, quantity) for sku, quantity in sheet.on_hand.items() if sku not in known]
        for start in range(0, len(new), RECEIPT_LINES_MAX):
            lines = tuple((sku, Milli(quantity)) for sku, quantity in new[start : start + RECEIPT_LINES_MAX])
            digest = hashlib.sha256(repr(lines).encode()).digest()
            identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"first stock:{lines[0][0]}:{digest.hex()}"))
            command = MoveStock(identity, digest, by, MovementKind.RECEIPT, lines, "first stock of an import")
            (outcome,) = self._desk.settle(connection, [command])
            if isinstance(outcome, Exception):
                raise outcome
            assert isinstance(outcome, Done), outcome
        return Report(len(sheet.products), len(new), version, ())


def _header_problems(header: list[str]) -> list[LineProblem]:
    missing = [LineProblem(1, name, "this column is missing") for name in REQUIRED if name not in header]
    unknown = [LineProblem(1, name, "not a known column") for name in header if name not in COLUMNS]
    return missing + unknown


def _read_record(sheet: Sheet, line: int, record: Mapping[str, str], house: House) -> None:
    problems: list[LineProblem] = []

    def say(column: str, text: str) -> None:
        problems.append(LineProblem(line, column, text))

    values = {name: (record.get(name) or "").strip() for name in COLUMNS}
    if None in record:
        say("", "more cells than columns")
    problems.extend(LineProblem(line, name, "is empty") for name in REQUIRED if not values[name])
    for name, longest in (("sku", 64), ("name", 200), ("barcode", 64), ("price_list", 32)):
        if len(values[name]) > longest or any(ord(letter) < 32 for letter in values[name]):
            say(name, f"longer than {longest} characters, or with control characters")
    unit_price = _number(values["unit_price"] or "0", house.exponent, "unit_price", say)
    on_hand = _number(values["on_hand"] or "0", 3, "on_hand", say)
    if values["tax"] and house.rules.tax_rate(values["tax"]) is None:
        say("tax", f"{values['tax']!r} is not a tax of {house.rules.COUNTRY}; known: {house.rules.tax_codes()}")
    policy = values["policy"] or "tracked"
    if policy not in {"tracked", "always_available"}:
        say("policy", f"{policy!r} is neither tracked nor always_available")
    below = values["sell_below_zero"].lower()
    if below not in _YES | _NO:
        say("sell_below_zero", f"{below!r} is neither 1 nor 0")
    sheet.problems.extend(problems)
    if problems:
        return
    sheet.lines.append(line)
    sheet.products.append(
        ProductRow(
            values["sku"], values["name"], values["barcode"] or None, unit_price, values["tax"], policy,
            below in _YES, values["price_list"] or "store",
        )
    )  # fmt: skip
    if on_hand and policy == "tracked":
        sheet.on_hand[values["sku"]] = on_hand


def _number(value: str, exponent: int, column: str, say: Any) -> int:
    try:
        number = amounts.parse(value, exponent)
    except ValueError as error:
        say(column, str(error))
        return 0
    if number < 0:
        say(column, f"{value!r} is negative")
    return number


def _list_duplicates(sheet: Sheet) -> None:
    for name in ("sku", "barcode"):
        seen: dict[str, int] = {}
        for line, product in zip(sheet.lines, sheet.products, strict=True):
            value = getattr(product, name)
            if value is None:
                continue
            if value in seen:
                sheet.problems.append(LineProblem(line, name, f"{value!r} stands in line {seen[value]} already"))
            seen.setdefault(value, line)
