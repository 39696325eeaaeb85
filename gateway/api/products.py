"""The catalogue as tills read it."""

from typing import Any

from aiohttp import web

from gateway.api import pages
from gateway.api.exchange import Ask, reply
from gateway.api.problems import Problem
from gateway.api.wire import ProductsQuery
from gateway.ledger import amounts
from gateway.storage import catalogue


async def listing(ask: Ask, query: ProductsQuery) -> web.Response:
    """What changed since a version, by SKU.

    Every page carries the version of the first one: what changes while a till turns the pages is above it, and comes
    with the next `since`.
    """
    first_version, after = (None, "") if query.cursor is None else pages.number_and_text_in(query.cursor)
    version, found = await catalogue.products(
        ask.parts.reader, since=query.since, after=after, barcode=query.barcode, limit=query.limit + 1
    )
    if first_version is not None:
        version = min(version, first_version)
    rows = found[: query.limit]
    following = pages.cursor_of(version, rows[-1]["sku"]) if len(found) > query.limit else None
    items = [shown(row, ask.parts.desk.house.exponent) for row in rows]
    return reply({"items": items, "next": following, "version": version})


async def one(ask: Ask, sku: str) -> web.Response:
    """One product."""
    row = await catalogue.product(ask.parts.reader, sku)
    if row is None:
        raise Problem("sku_unknown", sku=sku)
    return reply(shown(row, ask.parts.desk.house.exponent))


def shown(row: dict[str, Any], exponent: int) -> dict[str, Any]:
    """A row of the catalogue on the wire (`replies.ProductReply`)."""
    return {
        "sku": row["sku"],
        "name": row["name"],
        "barcode": row["barcode"],
        "unit_price": amounts.text(row["unit_price"], exponent),
        "tax": row["tax"],
        "policy": row["policy"],
        "sell_below_zero": bool(row["sell_below_zero"]),
        "price_list": row["price_list"],
        "version": row["version"],
        "deleted": bool(row["deleted"]),
    }
