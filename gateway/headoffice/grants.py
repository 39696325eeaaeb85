"""What a writer's token may ask for: ranges and catalogues. Each becomes an order in the store's stream."""

from typing import Annotated

import orjson
from aiohttp import web
from pydantic import Field, ValidationError

from gateway.headoffice import gate, orders, problems, products_file
from gateway.headoffice.office import OFFICE
from gateway.headoffice.orders import Given
from gateway.headoffice.problems import Wrong
from gateway.sync import protocol

GRANT_BYTES_MAX = 16_384
CATALOGUE_PRODUCTS_MAX = 200_000


class RangeAsked(protocol.Wire):
    """A range as it is asked for; the id is in the address."""

    series: protocol.Key
    authority_kind: protocol.Label
    authority_ref: protocol.Label
    first: Annotated[int, Field(ge=1, le=protocol.SEQ_MAX, strict=True)]
    last: Annotated[int, Field(ge=1, le=protocol.SEQ_MAX, strict=True)]
    valid_from: protocol.Date = ""
    valid_until: protocol.Date = ""


class CatalogueAsked(protocol.Wire):
    """Products to put in or replace, and SKUs to take out."""

    products: Annotated[tuple[protocol.Product, ...], Field(max_length=CATALOGUE_PRODUCTS_MAX)] = ()
    deleted: Annotated[tuple[protocol.Key, ...], Field(max_length=CATALOGUE_PRODUCTS_MAX)] = ()


def routes() -> list[web.RouteDef]:
    """The addresses and who answers."""
    return [
        web.put("/v1/stores/{store}/ranges/{range}", grant_range),
        web.put("/v1/stores/{store}/catalogue", change_catalogue),
    ]


async def grant_range(request: web.Request) -> web.Response:
    """Numbers for a store; the same id again is the same grant."""
    office, store = request.app[OFFICE], request.match_info["store"]
    await gate.caller(request, "writer")
    asked = await gate.model(request, RangeAsked, GRANT_BYTES_MAX)
    try:
        granted = protocol.RangeGranted(id=request.match_info["range"], **asked.model_dump())
    except ValidationError as error:
        raise problems.invalid(problems.wrong_in(error)) from error
    if granted.first > granted.last:
        raise problems.invalid([Wrong("last", "must not be below first", "no debe ser menor que first")])
    if granted.valid_from and granted.valid_until and granted.valid_from > granted.valid_until:
        raise problems.invalid([Wrong("valid_until", "is before valid_from", "es anterior a valid_from")])
    now = office.clock.now_ms()
    given = await office.database.write(lambda connection: orders.grant_range(connection, store, granted, now))
    office.hints.wake(store)
    return _answer(given, {"id": granted.id, "order": given.seqs[0]})


async def change_catalogue(request: web.Request) -> web.Response:
    """Products for a store, as JSON or CSV: all of it, or nothing when anything is wrong."""
    office, store = request.app[OFFICE], request.match_info["store"]
    await gate.caller(request, "writer")
    if request.content_type == "text/csv":
        content = await gate.body(request, office.settings.body_bytes_max)
        products, wrong = products_file.read(content)
        deleted: tuple[str, ...] = ()
    else:
        asked = await gate.model(request, CatalogueAsked, office.settings.body_bytes_max)
        products, wrong, deleted = list(asked.products), [], asked.deleted
    wrong = wrong or products_file.repeated(products, deleted)
    if wrong:
        raise problems.invalid(wrong)
    if not products and not deleted:
        raise problems.invalid([Wrong("products", "is empty", "está vacío")])
    now = office.clock.now_ms()
    given = await office.database.write(
        lambda connection: orders.change_catalogue(connection, store, products, deleted, now)
    )
    office.hints.wake(store)
    shown = {"version": given.version, "orders": list(given.seqs)}
    return _answer(given, {**shown, "products": len(products), "deleted": len(deleted)})


def _answer(given: Given, content: dict[str, object]) -> web.Response:
    return web.Response(
        status=201 if given.is_new else 200,
        body=orjson.dumps(content),
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
    )
