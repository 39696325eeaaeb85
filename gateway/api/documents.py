"""Documents: issue, void, read, search, and the receipt."""

import html
import re
from functools import lru_cache
from typing import Any

from aiohttp import web

from gateway.api import pages
from gateway.api.exchange import Ask, content, decide, refuse, reply
from gateway.api.problems import Problem, invalid
from gateway.api.wire import DocumentRequest, DocumentsQuery, ReasonRequest, ReferenceRequest
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
_parsed = lru_cache(maxsize=8192)(amounts.parse)
"""A store sells the same few thousand prices and quantities all day."""
_NUMBER = re.compile(r"(?:([A-Za-z0-9._-]{1,40})-)?([0-9]{1,8})", re.ASCII)
_RECEIPTS: dict[str, str] = {
    "text/plain": "text/plain; charset=utf-8",
    "text/html": "text/html; charset=utf-8",
    "application/vnd.escpos": "application/vnd.escpos",
}


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


async def receipt(ask: Ask, identity: str) -> web.Response:
    """The paper again, marked as a copy, in the form the asker takes."""
    form = _form(ask.request.headers.get("Accept", "*/*"))
    document = await _document(ask, identity)
    if form == "application/vnd.escpos":
        paper = await ask.parts.devices.receipt(document, "escpos")
    else:
        paper = await ask.parts.devices.receipt(document, "text")
    if form == "text/html":
        paper = _page(document["formatted_number"], paper.decode()).encode()
    return content(paper, _RECEIPTS[form], {"Vary": "Accept"})


async def _document(ask: Ask, identity: str) -> dict[str, Any]:
    document = await books.document(ask.parts.reader, identity)
    if document is None:
        refuse(Refusal("document_unknown", {"document": identity}))
    return document


def _command(ask: Ask, identity: str, body: DocumentRequest) -> IssueDocument:
    exponent = ask.parts.desk.house.exponent
    customer = body.customer
    return IssueDocument(
        id=identity,
        digest=ask.digest(),
        till=ask.by,
        type=body.type,
        lines=tuple(
            [
                Line(
                    sku=line.sku,
                    quantity=_milli(line.quantity),
                    unit_price=None
                    if line.unit_price is None
                    else _minor(line.unit_price, exponent, "lines", position, "unit_price"),
                    discount=_minor(line.discount, exponent, "lines", position, "discount"),
                    name=line.name,
                    tax=line.tax,
                )
                for position, line in enumerate(body.lines)
            ]
        ),
        payments=tuple(
            Payment(each.method, _minor(each.amount, exponent, "payments", position, "amount"))
            for position, each in enumerate(body.payments)
        ),
        customer=None if customer is None else Customer(customer.tax_id, customer.name),
        references=tuple(map(_reference, body.references)),
        expected_total=None
        if body.expected_total is None
        else _minor(body.expected_total, exponent, "expected_total"),
        last_seen=tuple(body.last_seen.items()),
        print_to=body.print_to,
        cashier=body.issued_by.cashier,
        shift=body.issued_by.shift,
        price_list=body.price_list,
    )


def _reference(reference: ReferenceRequest) -> Reference:
    lines = tuple(CreditedLine(each.line, _milli(each.quantity)) for each in reference.lines)
    return Reference(reference.document.lower(), reference.reason, lines)


def _milli(text: str) -> Milli:
    """The model has seen to it that it has at most three decimals."""
    return Milli(_parsed(text, QUANTITY_EXPONENT))


def _minor(text: str, exponent: int, *where: str | int) -> Minor:
    try:
        return Minor(_parsed(text, exponent))
    except ValueError:
        what = f"has more than {exponent} decimals"
        what_es = f"tiene más de {exponent} decimales"
        raise invalid(_place(where), what, what_es) from None


def _place(where: tuple[str | int, ...]) -> str:
    if len(where) == 1:
        return str(where[0])
    return f"{where[0]}[{where[1]}].{where[2]}"


def _form(accept: str) -> str:
    """The first form that the asker likes best."""
    liked: list[tuple[float, int, str]] = []
    for position, entry in enumerate(accept.split(",")):
        media, *parameters = [part.strip().lower() for part in entry.split(";")]
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            weight = 0.0
        for offered in _RECEIPTS:
            if weight > 0 and media in {offered, f"{offered.partition('/')[0]}/*", "*/*"}:
                liked.append((-weight, position, offered))
                break
    if not liked:
        raise Problem("not_acceptable", offered=", ".join(_RECEIPTS))
    return min(liked)[2]


def _page(title: str, text: str) -> str:
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
        f"<body><pre>{html.escape(text)}</pre></body></html>\n"
    )
