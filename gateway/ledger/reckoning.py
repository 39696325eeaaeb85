"""Reckon again what a printed document says: lines, taxes, total, change, stock, and what notes credit (I9, I11).

Nothing here is shared with the decisions, but for the arithmetic of `amounts`: a bug there must not hide itself here.
What is kept of each document is small, as years of them pass by.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from sys import intern
from typing import Any, NamedTuple, TypeVar

from gateway.ledger import amounts
from gateway.ledger.amounts import BasisPoints, Milli, Minor

Say = Callable[[str, str], None]
"""Told the promise and how it is broken."""
_Key = TypeVar("_Key")

_SIGNS = {"invoice": -1, "receipt": -1, "credit_note": 1}
"""What a paper does to stock; others leave it alone."""


class Issued(NamedTuple):
    """What is kept of a document."""

    type: str
    moved: int
    """Hash of its movements: enough to see whether a void takes them back."""
    lines: bytes
    """(thousandths, minor units) of each line, as 64-bit integers."""
    taxes: tuple[tuple[str, int, int], ...]
    """(Code, base, tax) of each bucket."""


@dataclass(slots=True)
class Credit:
    """What stands credited of a document."""

    lines: dict[int, list[int]] = field(default_factory=dict)
    """Line → [thousandths, minor units]."""
    taxes: dict[str, list[int]] = field(default_factory=dict)
    """Tax code → [base, tax]."""


class Note(NamedTuple):
    """What a credit note credits, to be taken back when it is voided."""

    of: str
    lines: list[tuple[int, int, int]]


@dataclass(slots=True)
class Papers:
    """Every document that a pass has seen."""

    issued: dict[str, Issued] = field(default_factory=dict)
    void: set[str] = field(default_factory=set)
    credits: dict[str, Credit] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)


def take_in(papers: Papers, body: Any, exponent: int, say: Say) -> None:
    """Reckon a document that was issued, and credit what it credits."""
    document = body["document"]
    identity = document["id"]
    if identity in papers.issued:
        say("I4", f"document {identity} has two numbers")
    issued = _read_document(body, exponent, say)
    papers.issued[identity] = issued
    if document["type"] == "credit_note":
        _check_credit(papers, issued, document, say)


def take_back(papers: Papers, body: Any, say: Say) -> None:
    """Void a document, and with it what it credits."""
    identity = body["document"]
    issued = papers.issued.get(identity)
    if issued is None or identity in papers.void:
        say("I9", f"document {identity} was voided twice, or was never issued")
        return
    if identity in papers.credits and any(quantity for quantity, _ in papers.credits[identity].lines.values()):
        say("I9", f"document {identity} was voided although it is credited")
    if _hash([[sku, -quantity] for sku, quantity in body["movements"]]) != issued.moved:
        say("I9", f"the void of {identity} does not bring back what the document moved")
    papers.void.add(identity)
    note = papers.notes.get(identity)
    if note is not None:
        credit = papers.credits[note.of]
        for line, quantity, amount in note.lines:
            _add(credit.lines, line, -quantity, -amount)
        for code, base, tax in issued.taxes:
            _add(credit.taxes, code, -base, -tax)


def _read_document(body: Any, exponent: int, say: Say) -> Issued:
    """I11: lines, buckets, total, change and movements, from what is printed."""
    document = body["document"]
    is_note = document["type"] == "credit_note"
    lines = array("q")
    totals: dict[str, int] = {}
    quantities: dict[str, int] = {}
    for position, line in enumerate(document["lines"], 1):
        quantity, total = amounts.parse(line["quantity"], 3), amounts.parse(line["total"], exponent)
        unit_price, discount = amounts.parse(line["unit_price"], exponent), amounts.parse(line["discount"], exponent)
        gross = amounts.line_amount(Milli(quantity), Minor(unit_price))
        if not is_note and gross - discount != total:
            shown = f"{line['quantity']} at {line['unit_price']} less {line['discount']}"
            say("I11", f"line {position}: {shown} is not {line['total']}")
        if quantity <= 0 or total < 0 or discount < 0:
            say("I11", f"line {position} is not positive")
        totals[line["tax"]] = totals.get(line["tax"], 0) + total
        quantities[line["sku"]] = quantities.get(line["sku"], 0) + quantity
        lines.extend((quantity, total))
    taxes = tuple(_read_tax(entry, totals, exponent, is_note, say) for entry in document["taxes"])
    if {code: base + tax for code, base, tax in taxes} != totals or len(taxes) != len(totals):
        say("I11", "the tax buckets do not add up to the lines")
    total = sum(totals.values())
    if amounts.parse(document["total"], exponent) != total:
        say("I11", f"the total {document['total']} is not the sum of the lines")
    paid = sum(amounts.parse(each["amount"], exponent) for each in document["payments"])
    if amounts.parse(document["change"], exponent) != (paid - total if document["payments"] else 0):
        say("I11", f"the change {document['change']} is not what was paid too much")
    sign, moved = _SIGNS.get(document["type"], 0), body["movements"]
    if any(quantity != sign * quantities.get(sku, 0) for sku, quantity in moved) or len(dict(moved)) != len(moved):
        say("I11", "the stock movements are not the quantities of the lines")
    return Issued(intern(document["type"]), _hash(moved), lines.tobytes(), taxes)


def _read_tax(entry: Any, totals: dict[str, int], exponent: int, is_note: bool, say: Say) -> tuple[str, int, int]:
    code = intern(entry["code"])
    base, tax = amounts.parse(entry["base"], exponent), amounts.parse(entry["amount"], exponent)
    exact = amounts.base_of(Minor(totals.get(code, -1)), BasisPoints(amounts.parse(entry["rate"], 2)))
    if not is_note and base != exact:
        say("I11", f"tax {code}: base {entry['base']} is not {amounts.text(exact, exponent)}")
    if base < 0 or tax < 0:
        say("I11", f"tax {code} is not positive")
    return code, base, tax


def _check_credit(papers: Papers, note: Issued, document: Any, say: Say) -> None:
    """I9: by line and by tax, never above the original."""
    (reference,) = document["references"]
    of = reference["document"]
    original = papers.issued.get(of)
    if original is None or of in papers.void or original.type not in {"invoice", "receipt"}:
        say("I9", f"the note credits {of}, which is no issued invoice or receipt")
        return
    credit = papers.credits.setdefault(of, Credit())
    wholes, entries = _pairs(original.lines), []
    for entry, (quantity, amount) in zip(reference["lines"], _pairs(note.lines), strict=True):
        line = entry["line"]
        if not 1 <= line <= len(wholes) or amounts.parse(entry["quantity"], 3) != quantity:
            say("I9", f"the note credits {entry['quantity']} of line {line} of {of}, and says it otherwise")
            continue
        entries.append((line, quantity, amount))
        sums = _add(credit.lines, line, quantity, amount)
        if sums[0] > wholes[line - 1][0] or sums[1] > wholes[line - 1][1]:
            say("I9", f"line {line} of {of} is credited {sums}, it was {wholes[line - 1]}")
    for code, base, tax in note.taxes:
        sums = _add(credit.taxes, code, base, tax)
        whole = next((each[1:] for each in original.taxes if each[0] == code), (0, 0))
        if sums[0] > whole[0] or sums[1] > whole[1]:
            say("I9", f"tax {code} of {of} is credited {sums}, it was {whole}")
    papers.notes[document["id"]] = Note(of, entries)


def _pairs(packed: bytes) -> list[tuple[int, int]]:
    flat = array("q", packed)
    return list(zip(flat[::2], flat[1::2], strict=True))


def _add(sums: dict[_Key, list[int]], key: _Key, one: int, other: int) -> list[int]:
    """Add to a pair of sums, and answer it."""
    pair = sums.setdefault(key, [0, 0])
    pair[0] += one
    pair[1] += other
    return pair


def _hash(movements: list[list[Any]]) -> int:
    return hash(tuple((sku, quantity) for sku, quantity in movements))
