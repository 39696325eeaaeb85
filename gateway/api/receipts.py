"""The paper of a document again, marked as a copy, in the form that the asker takes."""

import asyncio
import html
from functools import lru_cache

from aiohttp import web

from gateway.api.exchange import Ask, content, refuse
from gateway.api.problems import Problem
from gateway.devices import profiles, receipt
from gateway.devices.drivers import escpos_bytes
from gateway.devices.profiles import Profile
from gateway.ledger.refusals import Refusal
from gateway.storage import documents as books

PROFILE = "generic-80mm"
"""The paper where no printer is set up."""
FORMS = {
    "text/plain": "text/plain; charset=utf-8",
    "text/html": "text/html; charset=utf-8",
    "application/vnd.escpos": "application/vnd.escpos",
}
"""What can be had, and how the answer calls it; the first is what anybody gets who does not mind."""


async def read(ask: Ask, identity: str) -> web.Response:
    """The receipt on the first printer's paper."""
    form = _form(ask.request.headers.get("Accept", "*/*"))
    reader, settings = ask.parts.reader, ask.parts.settings
    document = await books.document(reader, identity)
    if document is None:
        refuse(Refusal("document_unknown", {"document": identity}))
    issuer = await books.issuer_of(reader, document["seq"])
    language = settings.store.language
    legend = ask.parts.desk.house.rules.legend(document["type"], language)
    profile = _profile(settings.devices.printer[0].profile if settings.devices.printer else PROFILE)
    blocks = receipt.render(document, issuer, legend, language, profile.text.columns, copy=True)
    if form == "application/vnd.escpos":
        paper = await asyncio.to_thread(escpos_bytes.receipt_bytes, blocks, profile)
    elif form == "text/html":
        paper = _page(document["formatted_number"], receipt.plain(blocks), language).encode()
    else:
        paper = receipt.plain(blocks).encode()
    return content(paper, FORMS[form], {"Vary": "Accept"})


@lru_cache(maxsize=8)
def _profile(name: str) -> Profile:
    return profiles.load(name)


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
