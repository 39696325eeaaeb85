"""Credit notes: never more than is left of the original, by line and by tax, whichever till asks (I9).

Amounts are cumulative: what is credited of a line after this note is its exact share of the line, and this note is
the difference to what was credited before. So the parts always add up to the whole, to the cent, tax included, and
also when notes between them are voided: what stands then is what the next note is measured against.
"""

from dataclasses import dataclass
from typing import Any

from gateway.ledger import amounts
from gateway.ledger.amounts import BasisPoints, Minor
from gateway.ledger.commands import CreditedLine, Customer, DocumentType, IssueDocument, Reference
from gateway.ledger.facts import DocumentLine, TaxBucket
from gateway.ledger.page import Page, Paper
from gateway.ledger.pricing import Priced, bucket
from gateway.ledger.refusals import Refusal, refuse
from gateway.ledger.rules import House

_CREDITABLE = frozenset({DocumentType.INVOICE.value, DocumentType.RECEIPT.value})


@dataclass(slots=True)
class Credited:
    """The money side of a credit note."""

    priced: Priced
    taxes: list[TaxBucket]
    reference: dict[str, Any]
    customer: Customer | None


def credit(page: Page, command: IssueDocument, house: House) -> Credited | Refusal:
    """Price a credit note from its original and from what was credited of it before."""
    if command.lines:
        return refuse("lines_not_allowed")
    found = _original(page, command)
    if isinstance(found, Refusal):
        return found
    reference, paper = found
    asked = _asked(page, reference, paper)
    if isinstance(asked, Refusal):
        return asked
    priced, taxes = _price(page, paper, asked, house)
    named = {
        **_named(paper, reference),
        "lines": [{"line": each.line, "quantity": amounts.text(each.quantity, 3)} for each in asked],
    }
    buyer = paper.document["customer"]
    return Credited(priced, taxes, named, None if buyer is None else Customer(buyer["tax_id"], buyer["name"]))


def plain_references(page: Page, command: IssueDocument) -> list[dict[str, Any]] | Refusal:
    """The originals that another paper names; a debit note names exactly one that can still be changed."""
    if command.type is DocumentType.DEBIT_NOTE:
        found = _original(page, command)
        return found if isinstance(found, Refusal) else [_named(found[1], found[0])]
    named = []
    for reference in command.references:
        paper = page.papers.get(reference.document)
        if paper is None:
            return refuse("original_unknown", document=reference.document)
        named.append(_named(paper, reference))
    return named


def _original(page: Page, command: IssueDocument) -> tuple[Reference, Paper] | Refusal:
    if len(command.references) != 1:
        return refuse("reference_missing", type=command.type.value)
    reference = command.references[0]
    paper = page.papers.get(reference.document)
    if paper is None:
        return refuse("original_unknown", document=reference.document)
    if paper.status != "issued" or paper.type not in _CREDITABLE:
        status = paper.type if paper.status == "issued" else paper.status
        return refuse("original_not_creditable", document=paper.id, status=status)
    return reference, paper


def _named(paper: Paper, reference: Reference) -> dict[str, Any]:
    """The original as the law wants it on the note: authority, number, date (Honduras: Art. 26 of the Reglamento)."""
    original = paper.document
    authority = original["authority"]
    return {
        "document": paper.id,
        "reason": reference.reason,
        "type": original["type"],
        "formatted_number": original["formatted_number"],
        "fiscal_date": original["fiscal_date"],
        "authority_ref": None if authority is None else authority["ref"],
    }


def _asked(page: Page, reference: Reference, paper: Paper) -> list[CreditedLine] | Refusal:
    """The lines to credit, each once, none above what is left."""
    before = page.credits.get(paper.id, {})
    lines = paper.document["lines"]
    left = {
        position: amounts.parse(line["quantity"], 3) - before.get(position, (0, 0))[0]
        for position, line in enumerate(lines, 1)
    }
    if not any(left.values()):
        return refuse("nothing_left_to_credit", document=paper.id)
    if not reference.lines:
        return [CreditedLine(position, amounts.Milli(quantity)) for position, quantity in left.items() if quantity]
    seen: set[int] = set()
    for each in reference.lines:
        available = 0 if each.line in seen else left.get(each.line, 0)
        seen.add(each.line)
        if each.quantity > available:
            shown, asked = amounts.text(available, 3), amounts.text(each.quantity, 3)
            return refuse("credit_exceeds_original", line=each.line, left=shown, asked=asked)
    return list(reference.lines)


def _price(page: Page, paper: Paper, asked: list[CreditedLine], house: House) -> tuple[Priced, list[TaxBucket]]:
    """Each line's exact share, and for each tax the difference between the buckets after and before."""
    before = page.credits.get(paper.id, {})
    lines, exponent = paper.document["lines"], house.exponent
    moved = {sku for sku, _ in paper.movements}
    priced = Priced([], {}, {})
    for each in asked:
        original = lines[each.line - 1]
        whole = amounts.parse(original["quantity"], 3)
        quantity, amount = before.get(each.line, (0, 0))
        exact = amounts.half_up(amounts.parse(original["total"], exponent) * (quantity + each.quantity), whole)
        share = max(exact - amount, 0)  # a voided note may have left more credited than the exact share
        gross = amounts.line_amount(each.quantity, Minor(amounts.parse(original["unit_price"], exponent)))
        line: DocumentLine = {
            "sku": original["sku"],
            "name": original["name"],
            "quantity": amounts.text(each.quantity, 3),
            "unit_price": original["unit_price"],
            "discount": amounts.text(max(gross - share, 0), exponent),
            "total": amounts.text(share, exponent),
            "tax": original["tax"],
        }
        priced.lines.append(line)
        priced.totals[original["tax"]] = priced.totals.get(original["tax"], 0) + share
        if original["sku"] in moved:
            priced.taken[original["sku"]] = priced.taken.get(original["sku"], 0) + each.quantity
    credited = page.credited_taxes.get(paper.id, {})
    taxes = [_tax(paper, code, total, credited.get(code, (0, 0)), exponent) for code, total in priced.totals.items()]
    return priced, taxes


def _tax(paper: Paper, code: str, total: int, credited: tuple[int, int], exponent: int) -> TaxBucket:
    """This note's bucket: the difference to (base, tax) credited before, and neither above what is left.

    The rate is the one that stood on the original: laws change, papers do not.
    """
    original = next(each for each in paper.document["taxes"] if each["code"] == code)
    rate = BasisPoints(amounts.parse(original["rate"], 2))
    base_left = amounts.parse(original["base"], exponent) - credited[0]
    tax_left = amounts.parse(original["amount"], exponent) - credited[1]
    base = amounts.base_of(Minor(sum(credited) + total), rate) - credited[0]
    base = min(max(base, total - tax_left, 0), base_left, total)
    return bucket(code, rate, Minor(base), Minor(total - base), exponent)
