"""A document as a receipt that any printer can show: lines of a fixed number of columns, and from them plain text.

Pure. The words of the law come in as values (`legend_lines`); the labels here are the everyday ones, in Spanish and
English. Amounts are shown as the document carries them: nothing is computed again. Every line holds at most `columns`
characters, each of which becomes one byte on paper.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateway.ledger import amounts

COLUMNS_MIN = 24
"""Below this a price no longer stands beside its label."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, laid out already."""

    text: str = ""
    bold: bool = False
    tall: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code; plain text shows what is in it."""

    data: str


Block = Line | Code


@dataclass(frozen=True, slots=True)
class Labels:
    """The everyday words of one language."""

    types: Mapping[str, str]
    taxes: Mapping[str, str]
    methods: Mapping[str, str]
    copy: str
    void: str
    number: str
    date: str
    till: str
    cashier: str
    customer: str
    tax_id: str
    phone: str
    reference: str
    reason: str
    discount: str
    discounts: str
    base: str
    tax: str
    total: str
    change: str
    range: str
    valid_until: str


LABELS: Mapping[str, Labels] = {
    "es": Labels(
        types={
            "invoice": "FACTURA",
            "receipt": "RECIBO",
            "credit_note": "NOTA DE CRÉDITO",
            "debit_note": "NOTA DE DÉBITO",
            "delivery_note": "GUÍA DE REMISIÓN",
        },
        taxes={"exempt": "Importe exento", "exonerated": "Importe exonerado", "zero": "Importe alícuota cero"},
        methods={"cash": "Efectivo", "card": "Tarjeta", "transfer": "Transferencia", "voucher": "Vale"},
        copy="COPIA",
        void="ANULADA",
        number="No.",
        date="Fecha",
        till="Caja",
        cashier="Cajero",
        customer="Cliente",
        tax_id="RTN",
        phone="Tel.",
        reference="Documento original",
        reason="Motivo",
        discount="Descuento",
        discounts="Descuentos y rebajas",
        base="Importe gravado",
        tax="Impuesto",
        total="TOTAL",
        change="Cambio",
        range="Rango autorizado",
        valid_until="Fecha límite de emisión",
    ),
    "en": Labels(
        types={
            "invoice": "INVOICE",
            "receipt": "RECEIPT",
            "credit_note": "CREDIT NOTE",
            "debit_note": "DEBIT NOTE",
            "delivery_note": "DELIVERY NOTE",
        },
        taxes={"exempt": "Exempt", "exonerated": "Exonerated", "zero": "Zero rated"},
        methods={"cash": "Cash", "card": "Card", "transfer": "Transfer", "voucher": "Voucher"},
        copy="COPY",
        void="VOID",
        number="No.",
        date="Date",
        till="Till",
        cashier="Cashier",
        customer="Customer",
        tax_id="Tax id",
        phone="Tel.",
        reference="Original document",
        reason="Reason",
        discount="Discount",
        discounts="Discounts",
        base="Taxable",
        tax="Tax",
        total="TOTAL",
        change="Change",
        range="Authorised range",
        valid_until="Valid until",
    ),
}


def render(
    document: Mapping[str, Any],
    issuer: Mapping[str, str],
    legend_lines: Sequence[str],
    language: str,
    columns: int,
    *,
    copy: bool = False,
) -> tuple[Block, ...]:
    """The receipt of a document.

    `issuer` may hold name, legal_name, tax_id (and tax_id_label, what the country calls it), address,
    establishment_address, phone, email, currency_symbol and time_zone; what it does not hold is not printed.
    A reprint says so (`copy`), and so does a void document.

    Raises:
        ValueError: fewer columns than `COLUMNS_MIN`.
    """
    if columns < COLUMNS_MIN:
        message = f"a receipt needs {COLUMNS_MIN} columns, the paper has {columns}"
        raise ValueError(message)
    page = _Page(LABELS.get(language, LABELS["en"]), columns)
    return (
        *_marks(page, document, copy=copy),
        *_head(page, issuer),
        *_title(page, document, issuer),
        *_items(page, document),
        *_sums(page, document, issuer),
        *_authority(page, document),
        *page.centred(legend_lines),
        *_marks(page, document, copy=copy),
    )


def text_lines(lines: Sequence[str], columns: int) -> tuple[Block, ...]:
    """Free text as it came, wrapped to the paper."""
    return tuple(Line(part) for line in lines for part in wrapped(line, columns))


def plain(blocks: Sequence[Block]) -> str:
    """The same receipt as text/plain."""
    return "".join(f"{block.text if isinstance(block, Line) else block.data}\n" for block in blocks)


def printable(text: str) -> str:
    """Text without anything that a printer would take for a command: one character for each column."""
    return "".join(
        " " if unicodedata.category(letter)[0] in "CZ" else letter
        for letter in unicodedata.normalize("NFC", text)
        if not unicodedata.combining(letter)
    )


def wrapped(text: str, columns: int) -> list[str]:
    """Lines of at most `columns` characters, broken at spaces where there are any; an empty text is one empty line."""
    rest, lines = printable(text).rstrip(), []
    while len(rest) > columns:
        cut = rest.rfind(" ", 1, columns + 1)
        cut = columns if cut < 1 else cut
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*lines, rest]


@dataclass(frozen=True, slots=True)
class _Page:
    """The words and the width that all parts share."""

    labels: Labels
    columns: int

    def rule(self, mark: str = "-") -> Line:
        """A line across the paper."""
        return Line(mark * self.columns)

    def lines(self, text: str, *, bold: bool = False, tall: bool = False) -> Iterator[Line]:
        """A paragraph."""
        for part in wrapped(text, self.columns):
            yield Line(part, bold, tall)

    def centred(self, texts: Sequence[str], *, bold: bool = False, tall: bool = False) -> Iterator[Line]:
        """Paragraphs in the middle of the paper; empty ones are left out."""
        for text in texts:
            if text.strip():
                for part in wrapped(text.strip(), self.columns):
                    yield Line(part.center(self.columns).rstrip(), bold, tall)

    def pair(self, label: str, value: str, *, bold: bool = False, tall: bool = False) -> Iterator[Line]:
        """A label at the left and a value at the right, on two lines where one is too short."""
        left, right = printable(label), printable(value)[: self.columns]
        if len(left) + 1 + len(right) > self.columns:
            *before, left = wrapped(left, self.columns)
            for part in before:
                yield Line(part, bold, tall)
            if len(left) + 1 + len(right) > self.columns:
                yield Line(left, bold, tall)
                left = ""
        yield Line(left + right.rjust(self.columns - len(left)), bold, tall)


def _marks(page: _Page, document: Mapping[str, Any], *, copy: bool) -> Iterator[Block]:
    """What must not be overlooked, at both ends of the paper."""
    labels = page.labels
    marks = [labels.void] * (document["status"] == "void") + [labels.copy] * copy
    for mark in marks:
        yield Line(f"*** {mark} ***".center(page.columns).rstrip(), bold=True, tall=True)


def _head(page: _Page, issuer: Mapping[str, str]) -> Iterator[Block]:
    labels = page.labels
    name, legal_name = issuer.get("name", ""), issuer.get("legal_name", "")
    yield from page.centred([name], bold=True, tall=True)
    yield from page.centred([legal_name] if legal_name != name else [])
    label = issuer.get("tax_id_label", labels.tax_id)
    yield from page.centred([f"{label} {issuer['tax_id']}"] if issuer.get("tax_id") else [])
    addresses = dict.fromkeys((issuer.get("address", ""), issuer.get("establishment_address", "")))
    yield from page.centred(list(addresses))
    yield from page.centred([f"{labels.phone} {issuer['phone']}"] if issuer.get("phone") else [])
    yield from page.centred([issuer.get("email", "")])


def _title(page: _Page, document: Mapping[str, Any], issuer: Mapping[str, str]) -> Iterator[Block]:
    labels = page.labels
    yield page.rule("=")
    title = labels.types.get(document["type"], document["type"].upper())
    yield from page.centred([title], bold=True, tall=True)
    yield from page.centred([f"{labels.number} {document['formatted_number']}"], bold=True)
    yield from page.pair(f"{labels.date}:", _date(document, issuer))
    yield from page.pair(f"{labels.till}:", document["till"])
    cashier = document["issued_by"].get("cashier")
    if cashier:
        yield from page.pair(f"{labels.cashier}:", cashier)
    customer = document["customer"]
    if customer is not None:
        yield from page.lines(f"{labels.customer}: {customer['name']}")
        if customer.get("tax_id"):
            yield from page.lines(f"{issuer.get('tax_id_label', labels.tax_id)}: {customer['tax_id']}")
    for reference in document["references"]:
        named = [reference.get("formatted_number") or reference["document"], reference.get("fiscal_date") or ""]
        yield from page.lines(f"{labels.reference}: {' '.join(named).rstrip()}")
        if reference.get("authority_ref"):
            yield from page.lines(reference["authority_ref"])
        yield from page.lines(f"{labels.reason}: {reference['reason']}")


def _date(document: Mapping[str, Any], issuer: Mapping[str, str]) -> str:
    """The fiscal date, and the store's time of day where its time zone is known."""
    zone = issuer.get("time_zone")
    if not zone:
        return str(document["fiscal_date"])
    at = datetime.fromisoformat(document["issued_at"]).astimezone(ZoneInfo(zone))
    return f"{document['fiscal_date']} {at:%H:%M}"


def _items(page: _Page, document: Mapping[str, Any]) -> Iterator[Block]:
    yield page.rule()
    for line in document["lines"]:
        yield from page.lines(line["name"])
        price = f"  {line['quantity']} x {line['unit_price']}"
        if _is_some(line["discount"]):
            yield from page.lines(price)
            price = f"  {page.labels.discount} -{line['discount']}"
        yield from page.pair(price, line["total"])
    yield page.rule()


def _sums(page: _Page, document: Mapping[str, Any], issuer: Mapping[str, str]) -> Iterator[Block]:
    labels = page.labels
    discounts = _discounts(document)
    if _is_some(discounts) or document["authority"] is not None:
        yield from page.pair(labels.discounts, discounts)
    for bucket in document["taxes"]:
        if _is_some(bucket["rate"]):
            yield from page.pair(f"{labels.base} {bucket['rate']}%", bucket["base"])
            yield from page.pair(f"{labels.tax} {bucket['rate']}%", bucket["amount"])
        else:
            yield from page.pair(labels.taxes.get(bucket["code"], bucket["code"]), bucket["base"])
    symbol = issuer.get("currency_symbol", "")
    yield from page.pair(labels.total, f"{symbol} {document['total']}".strip(), bold=True, tall=True)
    for payment in document["payments"]:
        yield from page.pair(labels.methods.get(payment["method"], payment["method"]), payment["amount"])
    if _is_some(document["change"]):
        yield from page.pair(labels.change, document["change"])


def _discounts(document: Mapping[str, Any]) -> str:
    """What was taken off all lines, in the decimals of the total."""
    exponent = len(document["total"].partition(".")[2])
    return amounts.text(sum(amounts.parse(line["discount"], exponent) for line in document["lines"]), exponent)


def _authority(page: _Page, document: Mapping[str, Any]) -> Iterator[Block]:
    """The range behind the number, with its ends written as the number is."""
    authority = document["authority"]
    if authority is None:
        return
    yield page.rule()
    yield from page.lines(f"{authority['kind']}: {authority['ref']}")
    shown = document["formatted_number"]
    prefix = shown.rstrip("0123456789")
    width = len(shown) - len(prefix)
    first, last = (f"{prefix}{authority[end]:0{width}d}" for end in ("first", "last"))
    yield from page.lines(f"{page.labels.range}: {first} - {last}")
    if authority["valid_until"]:
        yield from page.lines(f"{page.labels.valid_until}: {authority['valid_until']}")


def _is_some(amount: str) -> bool:
    """Whether an amount in decimal form is not zero."""
    return amount.strip("-0.") != ""
