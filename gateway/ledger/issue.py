"""Issue a document: everything is checked before a number is taken, so that a refusal never burns one (I4)."""

import uuid
from typing import Any

from gateway.instants import iso, local_date
from gateway.ledger import amounts, credit, numbers
from gateway.ledger.amounts import Minor
from gateway.ledger.commands import Customer, DocumentType, IssueDocument
from gateway.ledger.facts import Document, DocumentIssued, Fact, TaxBucket
from gateway.ledger.outcomes import Decided, Decision, Known, Refused
from gateway.ledger.page import Page, Paper
from gateway.ledger.pricing import Priced, change_of, price_lines, stock_problem, tax_buckets
from gateway.ledger.refusals import Refusal, refuse
from gateway.ledger.rules import Draft, House

_STOCK_OUT = frozenset({DocumentType.INVOICE, DocumentType.RECEIPT})


def issue_document(page: Page, command: IssueDocument, at: int, house: House) -> Decision:
    """The next number of the type's series, with the whole document as it will be answered and printed."""
    paper = page.papers.get(command.id)
    if paper is not None:
        return _again(paper, command)
    series = house.series_of(command.type)
    if series is None:
        issued = ", ".join(house.rules.TYPE_CODES)
        country = house.rules.COUNTRY
        return Refused(refuse("document_type_not_issued", type=command.type.value, country=country, issued=issued))
    locked = numbers.lock_problem(page, command, series, house)
    if locked is not None:
        return locked
    late = numbers.clock_problem(page, at, house)
    if late is not None:
        return Refused(late)
    worth = _worth(page, command, house)
    if isinstance(worth, Refusal):
        return Refused(worth)
    priced, taxes, references, customer, change = worth
    problem = _shop_problem(page, command, priced, customer, house)
    if problem is not None:
        return Refused(problem)
    at = max(at, page.at)
    fiscal_date = max(local_date(at, house.zone).isoformat(), page.head(series).last_date)
    place = numbers.next_number(page, series, fiscal_date, house)
    if isinstance(place, Refusal):
        return Refused(place)
    document: Document = {
        "id": command.id,
        "type": command.type.value,
        "status": "issued",
        "series": series,
        "number": place.number,
        "formatted_number": house.rules.format_number(series, place.number),
        "issued_at": iso(at),
        "fiscal_date": fiscal_date,
        "till": command.till,
        "issued_by": {"cashier": command.cashier, "shift": command.shift},
        "price_list": command.price_list,
        "lines": priced.lines,
        "taxes": taxes,
        "total": amounts.text(priced.total, house.exponent),
        "payments": [
            {"method": each.method, "amount": amounts.text(each.amount, house.exponent)} for each in command.payments
        ],
        "change": amounts.text(change, house.exponent),
        "customer": None if customer is None else {"tax_id": customer.tax_id, "name": customer.name},
        "references": references,
        "authority": place.authority,
        "seq": page.seq + len(place.facts) + 1,
        "warnings": place.warnings,
        "job": None if command.print_to is None else print_job_id(command.id),
    }
    sign = -1 if command.type in _STOCK_OUT else 1
    body: DocumentIssued = {
        "digest": command.digest.hex(),
        "wrap": place.wrap,
        "range": place.range,
        "print_to": command.print_to,
        "movements": [[sku, sign * quantity] for sku, quantity in priced.taken.items()],
        "document": document,
    }
    return Decided((*place.facts, Fact("document_issued", body)), document)


def print_job_id(document: str) -> str:
    """The job that prints a document as it is issued: the same document, the same job."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"print:{document}"))


def _again(paper: Paper, command: IssueDocument) -> Decision:
    if paper.digest != command.digest or paper.document["till"] != command.till:
        return Refused(refuse("key_reused", id=command.id))
    return Known(paper.seq, paper.document)


_Worth = tuple[Priced, list[TaxBucket], list[dict[str, Any]], Customer | None, Minor]


def _worth(page: Page, command: IssueDocument, house: House) -> _Worth | Refusal:
    """Lines, taxes, references, buyer and change; for a credit note they follow from the original."""
    if command.type is DocumentType.CREDIT_NOTE:
        credited = credit.credit(page, command, house)
        if isinstance(credited, Refusal):
            return credited
        priced, taxes = credited.priced, credited.taxes
        references: list[dict[str, Any]] = [credited.reference]
        customer = command.customer or credited.customer
    else:
        if not command.lines:
            return refuse("lines_missing", type=command.type.value)
        listed = price_lines(page, command, house)
        if isinstance(listed, Refusal):
            return listed
        priced, taxes = listed, tax_buckets(listed.totals, house)
        named = credit.plain_references(page, command)
        if isinstance(named, Refusal):
            return named
        references, customer = named, command.customer
    if command.expected_total is not None and command.expected_total != priced.total:
        total, expected = (amounts.text(value, house.exponent) for value in (priced.total, command.expected_total))
        return refuse("total_mismatch", total=total, expected=expected)
    change = change_of(command.payments, priced.total, house.exponent)
    if isinstance(change, Refusal):
        return change
    return priced, taxes, references, customer, change


def _shop_problem(
    page: Page, command: IssueDocument, priced: Priced, customer: Customer | None, house: House
) -> Refusal | None:
    """What the buyer, the shelf or the printer stands against."""
    buyer = house.rules.buyer_problem(Draft(command.type, priced.total, customer, house.consumer_limit))
    if buyer is not None:
        return buyer
    if command.type in _STOCK_OUT:
        short = stock_problem(page, priced.taken)
        if short is not None:
            return short
    elif command.type is not DocumentType.CREDIT_NOTE:
        priced.taken.clear()
    if command.print_to is not None and command.print_to not in house.printers:
        return refuse("device_unknown", device=command.print_to, known=", ".join(sorted(house.printers)) or "-")
    return None
