"""The catalogue of a store without a head office: in and out as a CSV file, whole or not at all."""

from aiohttp import web

from gateway.api.auth import ADMINISTRATOR
from gateway.api.exchange import CSV, Ask, content, reply
from gateway.api.problems import Problem
from gateway.api.wire import CatalogueQuery
from gateway.authority.catalogue import Catalogue


async def export(ask: Ask) -> web.Response:
    """All products, as an import takes them."""
    text = await _catalogue(ask).export_csv()
    headers = {"Content-Disposition": 'attachment; filename="catalogue.csv"'}
    return content(text.encode(), f"{CSV}; charset=utf-8", headers)


async def take(ask: Ask, query: CatalogueQuery) -> web.Response:
    """Put in and replace products as one new version; with `dry_run` only say what would happen.

    Raises:
        Problem: `catalogue_invalid` with every mistake by line; nothing was done.
    """
    try:
        text = ask.raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem("malformed_csv", why=f"byte {error.start} is not UTF-8") from error
    report = await _catalogue(ask).import_csv(text, ADMINISTRATOR, dry_run=query.dry_run)
    shown = report.shown()
    if report.problems and not query.dry_run:
        raise Problem("catalogue_invalid", count=len(report.problems), problems=shown["problems"])
    return reply({**shown, "dry_run": query.dry_run})


def _catalogue(ask: Ask) -> Catalogue:
    return Catalogue(ask.parts.desk, ask.parts.writer, ask.parts.reader)
