"""What people and programs with a reader's token see: stores, documents, stock, status, journal, verdict, orders."""

import asyncio

import orjson
from aiohttp import web

from gateway.headoffice import books, fleet, gate, line, orders
from gateway.headoffice.office import OFFICE
from gateway.headoffice.problems import Problem, Wrong, invalid
from gateway.sync import codec, protocol

PAGE_MAX = 500
PAGE_DEFAULT = 100
CHUNK_ROWS_MAX = 2_000
TEXT_MAX = 64
NUMBER_MAX = 10**15


def routes() -> list[web.RouteDef]:
    """The addresses and who answers."""
    store = "/v1/stores/{store}"
    return [
        web.get("/healthz", say_alive),
        web.get("/v1/stores", list_stores),
        web.get(f"{store}/status", show_status),
        web.get(f"{store}/documents", list_documents),
        web.get(f"{store}/documents/{{document}}", show_document),
        web.get(f"{store}/stock", list_stock),
        web.get(f"{store}/stock/{{sku}}", show_stock),
        web.get(f"{store}/journal", show_journal),
        web.get(f"{store}/verify", verify),
        web.get(protocol.ORDERS, show_orders, allow_head=False),
    ]


async def say_alive(request: web.Request) -> web.Response:
    """The server answers, and so does its file."""
    await request.app[OFFICE].database.row("SELECT 1")
    return _json({"status": "ok"})


async def list_stores(request: web.Request) -> web.Response:
    """All stores by name, with the line to each."""
    office = request.app[OFFICE]
    await gate.caller(request, "reader", "writer")
    limit = _limit(request)
    found = await fleet.stores(office.database, office.clock.now_ms(), _text(request, "cursor") or "", limit)
    return _page(found, found[-1]["store"] if len(found) == limit else None)


async def show_status(request: web.Request) -> web.Response:
    """The store's banner."""
    office = request.app[OFFICE]
    await gate.caller(request, "reader", "writer")
    return _json(await fleet.status(office.database, request.match_info["store"], office.clock.now_ms()))


async def list_documents(request: web.Request) -> web.Response:
    """Documents by series and number, or all in the order in which they were issued."""
    office = request.app[OFFICE]
    await gate.caller(request, "reader", "writer")
    limit = _limit(request)
    first = request.query.get("from")
    found = await books.documents(
        office.database,
        request.match_info["store"],
        series=_text(request, "series"),
        number=_text(request, "number"),
        first=None if first is None else gate.whole("from", first, 0, NUMBER_MAX),
        after=gate.whole("cursor", request.query.get("cursor", "0"), 0, codec.SEQ_MAX),
        limit=limit,
    )
    return _page(found, str(found[-1]["seq"]) if len(found) == limit else None)


async def show_document(request: web.Request) -> web.Response:
    """One document as the till was answered."""
    office, store, identity = request.app[OFFICE], request.match_info["store"], request.match_info["document"]
    await gate.caller(request, "reader", "writer")
    found = await books.document(office.database, store, identity)
    if found is None:
        raise Problem("document_unknown", store=store, document=identity[:TEXT_MAX])
    return _json(found)


async def list_stock(request: web.Request) -> web.Response:
    """What is on hand, by SKU."""
    office = request.app[OFFICE]
    await gate.caller(request, "reader", "writer")
    limit = _limit(request)
    found = await books.stock(office.database, request.match_info["store"], _text(request, "cursor") or "", limit)
    return _page(found, found[-1]["sku"] if len(found) == limit else None)


async def show_stock(request: web.Request) -> web.Response:
    """What is on hand of one SKU."""
    office, store, sku = request.app[OFFICE], request.match_info["store"], request.match_info["sku"]
    await gate.caller(request, "reader", "writer")
    found = await books.stock_of(office.database, store, sku)
    if found is None:
        raise Problem("sku_unknown", store=store, sku=sku[:TEXT_MAX])
    return _json(found)


async def show_journal(request: web.Request) -> web.Response:
    """Journal rows above `after` as JSON, or as a chunk when `Accept` names it (none left: 204)."""
    office, store = request.app[OFFICE], request.match_info["store"]
    await gate.caller(request, "reader", "writer")
    after = gate.whole("after", request.query.get("after", "0"), 0, codec.SEQ_MAX)
    packed = codec.MEDIA_TYPE in request.headers.get("Accept", "")
    limit = _limit(request, CHUNK_ROWS_MAX if packed else PAGE_MAX)
    rows = await books.journal(office.database, store, after, limit)
    if packed:
        if not rows:
            return web.Response(status=204)
        return web.Response(body=await asyncio.to_thread(codec.encode, rows), content_type=codec.MEDIA_TYPE)
    found = [
        {
            "seq": row.seq,
            "at": row.at,
            "kind": row.kind,
            "body": row.text,
            "prev_hash": row.prev_hash.hex(),
            "hash": row.hash.hex(),
        }
        for row in rows
    ]
    return _page(found, str(rows[-1].seq) if len(rows) == limit else None)


async def verify(request: web.Request) -> web.Response:
    """The verdict on everything held of the store: chain and every rule of the books."""
    office = request.app[OFFICE]
    await gate.caller(request, "reader", "writer")
    return _json(await asyncio.to_thread(books.verdict, office.database, request.match_info["store"]))


async def show_orders(request: web.Request) -> web.Response:
    """For the store: its next orders, a long poll. For readers: the orders and what became of them."""
    office, store = request.app[OFFICE], request.match_info["store"]
    caller = await gate.caller(request, "store", "reader", "writer")
    if caller.role == "store":
        return await line.wait_for_orders(request, store)
    limit = _limit(request)
    after = gate.whole("cursor", request.query.get("cursor", "0"), 0, codec.SEQ_MAX)
    found = await orders.shown(office.database, store, after, limit)
    return _page(found, str(found[-1]["seq"]) if len(found) == limit else None)


def _limit(request: web.Request, most: int = PAGE_MAX) -> int:
    return gate.whole("limit", request.query.get("limit", str(min(PAGE_DEFAULT, most))), 1, most)


def _text(request: web.Request, name: str) -> str | None:
    found = request.query.get(name)
    if found is not None and not 0 < len(found) <= TEXT_MAX:
        raise invalid([Wrong(name, f"must have 1 to {TEXT_MAX} letters", f"debe tener de 1 a {TEXT_MAX} letras")])
    return found


def _page(items: list[dict[str, object]], following: str | None) -> web.Response:
    return _json({"items": items, "next": following})


def _json(content: object) -> web.Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return web.Response(body=orjson.dumps(content), headers=headers)
