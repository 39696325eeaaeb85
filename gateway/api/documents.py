"""Documents: issue, void, read, search."""

import re
from functools import lru_cache
from typing import Any

from aiohttp import web

from gateway.api import pages
from gateway.api.exchange import Ask, decide, refuse, reply
from gateway.api.problems import Problem, invalid
from gateway.api.wire import DocumentRequest, DocumentsQuery, LineRequest, ReasonRequest, ReferenceRequest
from gateway.ledger import amounts
from gateway.ledger.amounts import Milli, Minor
from gateway.ledger.commands import (
    CreditedLine,
    Customer,
    IssueDocument,
    Line,
    Payment,
    Reference,
    VoidDocument,
)
from gateway.ledger.refusals import Refusal
from gateway.storage import documents as books

QUANTITY_EXPONENT = 3
PARSED_KEPT_MAX = 8192
"""A store sells the same few thousand prices and quantities all day."""
_NUMBER = re.compile(r"(?:([A-Za-z0-9._-]{1,40})-)?([0-9]{1,8})", re.ASCII)


async def issue(ask: Ask, identity: str, body: DocumentRequest) -> web.Response:
    """Give the document its number; 201 the first time, then 200 with the same bytes."""
    done = await decide(ask, _command(ask, identity, body))
    return reply(done.body, 201 if done.created else 200)


async def void(ask: Ask, identity: str, body: ReasonRequest) -> web.Response:
    """Annul a document; its number stays spent."""
    command = VoidDocument(document=identity, digest=ask.digest(), till=ask.by, reason=body.reason)
    done = await decide(ask, command)
    return reply(done.body, 201 if done.created else 200)


async def read(ask: Ask, identity: str) -> web.Response:
    """One document as it is now."""
    return reply(await _document(ask, identity))


async def search(ask: Ask, query: DocumentsQuery) -> web.Response:
    """Documents in the order in which they were issued."""
    series, number = query.series, None
    if query.number is not None:
        match = _NUMBER.fullmatch(query.number)
        if match is None:
            raise invalid("number", "is not a document number", "no es un número de documento")
        number = int(match.group(2))
        if match.group(1) is not None and series not in {None, match.group(1)}:
            return reply({"items": [], "next": None})
        series = match.group(1) or series
    begin: dict[str, Any] = {}
    if query.from_ is not None:
        begin = {"first_number": int(query.from_)} if query.from_.isdigit() else {"first_date": query.from_}
    found = await books.documents(
        ask.parts.reader,
        series=series,
        number=number,
        after=pages.number_in(query.cursor),
        limit=query.limit + 1,
        **begin,
    )
    items = found[: query.limit]
    more = len(found) > query.limit
    return reply({"items": items, "next": pages.cursor_of(items[-1]["seq"]) if more else None})


async def _document(ask: Ask, identity: str) -> dict[str, Any]:
    document = await books.document(ask.parts.reader, identity)
    if document is None:
        refuse(Refusal("document_unknown", {"document": identity}))
    return document


def _command(ask: Ask, identity: str, body: DocumentRequest) -> IssueDocument:
    exponent = ask.parts.desk.house.exponent
    customer, total = body.customer, body.expected_total
    try:
        return IssueDocument(
            id=identity,
            digest=ask.digest(),
            till=ask.by,
            type=body.type,
            lines=tuple([_line(line, exponent) for line in body.lines]),
            payments=tuple([Payment(each.method, _minor(each.amount, exponent)) for each in body.payments]),
            customer=None if customer is None else Customer(customer.tax_id, customer.name),
            references=tuple(map(_reference, body.references)),
            expected_total=None if total is None else _minor(total, exponent),
            last_seen=tuple(body.last_seen.items()),
            print_to=body.print_to,
            cashier=body.issued_by.cashier,
            shift=body.issued_by.shift,
            price_list=body.price_list,
        )
    except ValueError:
        raise _too_fine(body, exponent) from None


def _line(line: LineRequest, exponent: int) -> Line:
    price = line.unit_price
    return Line(
        line.sku,
        _milli(line.quantity),
        None if price is None else _minor(price, exponent),
        _minor(line.discount, exponent),
        line.name,
        line.tax,
    )


def _reference(reference: ReferenceRequest) -> Reference:
    lines = tuple(CreditedLine(each.line, _milli(each.quantity)) for each in reference.lines)
    return Reference(reference.document.lower(), reference.reason, lines)


@lru_cache(maxsize=PARSED_KEPT_MAX)
def _minor(text: str, exponent: int) -> Minor:
    return Minor(amounts.parse(text, exponent))


@lru_cache(maxsize=PARSED_KEPT_MAX)
def _milli(text: str) -> Milli:
    return Milli(amounts.parse(text, QUANTITY_EXPONENT))


def _too_fine(body: DocumentRequest, exponent: int) -> Problem:
    """Which amount has more decimals than the currency: the models know no currency."""
    given: list[tuple[str, str | None]] = [("expected_total", body.expected_total)]
    for position, line in enumerate(body.lines):
        given.append((f"lines[{position}].unit_price", line.unit_price))
        given.append((f"lines[{position}].discount", line.discount))
    given += [(f"payments[{position}].amount", each.amount) for position, each in enumerate(body.payments)]
    for where, text in given:
        try:
            amounts.parse(text or "0", exponent)
        except ValueError:
            return invalid(where, f"has more than {exponent} decimals", f"tiene más de {exponent} decimales")
    raise AssertionError(given)
