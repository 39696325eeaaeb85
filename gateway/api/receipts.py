"""The paper of a document again, marked as a copy, in the form that the asker takes."""

import html

from aiohttp import web

from gateway.api.exchange import Ask, content, refuse
from gateway.api.problems import Problem
from gateway.ledger.refusals import Refusal
from gateway.storage import documents as books

FORMS = {
    "text/plain": "text/plain; charset=utf-8",
    "text/html": "text/html; charset=utf-8",
    "application/vnd.escpos": "application/vnd.escpos",
}
"""What can be had, and how the answer calls it; the first is what anybody gets who does not mind."""


async def read(ask: Ask, identity: str) -> web.Response:
    """The receipt as the first printer would print it."""
    form = _form(ask.request.headers.get("Accept", "*/*"))
    document = await books.document(ask.parts.reader, identity)
    if document is None:
        refuse(Refusal("document_unknown", {"document": identity}))
    if form == "application/vnd.escpos":
        paper = await ask.parts.devices.receipt(document, "escpos")
    else:
        paper = await ask.parts.devices.receipt(document, "text")
    if form == "text/html":
        paper = _page(document["formatted_number"], paper.decode(), ask.parts.settings.store.language).encode()
    return content(paper, FORMS[form], {"Vary": "Accept"})


def _form(accept: str) -> str:
    """The form that the asker likes best.

    Raises:
        Problem: `not_acceptable`: it likes none.
    """
    liked: list[tuple[float, int, str]] = []
    for position, entry in enumerate(accept.split(",")):
        media, *parameters = [part.strip().lower() for part in entry.split(";")]
        weight = _weight(parameters)
        offered = next((form for form in FORMS if media in {form, f"{form.partition('/')[0]}/*", "*/*"}), None)
        if offered is not None and weight > 0:
            liked.append((-weight, position, offered))
    if not liked:
        raise Problem("not_acceptable", offered=", ".join(FORMS))
    return min(liked)[2]


def _weight(parameters: list[str]) -> float:
    given = next((part[2:] for part in parameters if part.startswith("q=")), "1")
    try:
        return float(given)
    except ValueError:
        return 0.0


def _page(title: str, text: str, language: str) -> str:
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"</head><body><pre>{html.escape(text)}</pre></body></html>\n"
    )
