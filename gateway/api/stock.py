"""Stock: what there is, and movements outside documents."""

from typing import Any

from aiohttp import web

from gateway.api import pages
from gateway.api.exchange import Ask, decide, reply
from gateway.api.problems import Problem, invalid
from gateway.api.wire import MovedLine, MovementRequest, PageQuery
from gateway.ledger import amounts
from gateway.ledger.amounts import Milli
from gateway.ledger.commands import MovementKind, MoveStock
from gateway.storage import documents as books

QUANTITY_EXPONENT = 3


async def listing(ask: Ask, query: PageQuery) -> web.Response:
    """All products' stock, by SKU."""
    found = await books.stock(ask.parts.reader, pages.text_in(query.cursor), query.limit + 1)
    rows = found[: query.limit]
    following = pages.cursor_of(rows[-1]["sku"]) if len(found) > query.limit else None
    return reply({"items": [_shown(row) for row in rows], "next": following})


async def one(ask: Ask, sku: str) -> web.Response:
    """One product's stock."""
    row = await books.stock_of(ask.parts.reader, sku)
    if row is None:
        raise Problem("sku_unknown", sku=sku)
    return reply(_shown(row))


async def move(ask: Ask, identity: str, body: MovementRequest) -> web.Response:
    """Receive, count or adjust; 201 the first time, then 200 with the same bytes."""
    command = MoveStock(
        id=identity,
        digest=ask.digest(),
        by=ask.by,
        kind=body.kind,
        lines=tuple((line.sku, _quantity(body.kind, position, line)) for position, line in enumerate(body.lines)),
        reason=body.reason,
    )
    done = await decide(ask, command)
    fact = done.body
    shown = {
        "id": fact["id"],
        "seq": done.seq,
        "kind": fact["kind"],
        "by": fact["by"],
        "reason": fact["reason"],
        "lines": [
            {"sku": sku, "quantity": amounts.text(quantity, QUANTITY_EXPONENT)} for sku, quantity in fact["movements"]
        ],
    }
    return reply(shown, 201 if done.created else 200)


def _quantity(kind: MovementKind, position: int, line: MovedLine) -> Milli:
    """What is received is more than nothing, what is counted is not less."""
    quantity = Milli(amounts.parse(line.quantity, QUANTITY_EXPONENT))
    if kind is MovementKind.RECEIPT and quantity <= 0:
        raise invalid(f"lines[{position}].quantity", "must be greater than 0", "debe ser mayor que 0")
    if kind is MovementKind.COUNT and quantity < 0:
        raise invalid(f"lines[{position}].quantity", "must not be negative", "no debe ser negativo")
    return quantity


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    on_hand = amounts.text(row["on_hand"], QUANTITY_EXPONENT)
    return {
        "sku": row["sku"],
        "on_hand": on_hand,
        "available": on_hand,
        "policy": row["policy"],
        "sell_below_zero": bool(row["sell_below_zero"]),
        "seq": row["seq"],
    }
