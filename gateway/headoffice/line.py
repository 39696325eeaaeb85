"""A store's own addresses: hello, chunks, heartbeat, orders, enrolment."""

import asyncio
import contextlib

import orjson
import structlog
from aiohttp import web

from gateway.headoffice import accounts, fleet, gate, ingest, orders
from gateway.headoffice.ingest import Sender
from gateway.headoffice.office import OFFICE, Office
from gateway.headoffice.problems import Problem
from gateway.sync import codec, protocol

PLAIN_PER_BODY = 8
"""A frame may unpack to this many times `body_bytes_max`; journal rows pack to about a ninth."""
ORDERS_LOOK_S = 5.0
"""How long a long poll waits for a hint before it looks by itself."""
WRONG_CODES_MAX = 30
WRONG_CODES_S = 60

_log = structlog.get_logger("headoffice")


def routes() -> list[web.RouteDef]:
    """The addresses and who answers."""
    return [
        web.get(protocol.CURSOR, say_hello, allow_head=False),
        web.post(protocol.CHUNKS, take_chunk),
        web.put(protocol.HEARTBEAT, hear),
        web.post(protocol.ENROL, enrol),
    ]


async def say_hello(request: web.Request) -> web.Response:
    """Where head office stands; opens a line, which ends the right of every older one to store rows."""
    office, caller, epoch = request.app[OFFICE], await gate.caller(request, "store"), gate.spoken(request)
    standing = await office.database.write(lambda connection: ingest.hello(connection, caller.store, epoch))
    if standing.session == 0:
        _log.warning("fork_seen", store=caller.store, epoch=epoch, followed=standing.epoch)
    return _json(standing.shown().model_dump())


async def take_chunk(request: web.Request) -> web.Response:
    """Journal rows: 200 when they are here and durable, 409 with the standing when they are not."""
    office, caller, epoch = request.app[OFFICE], await gate.caller(request, "store"), gate.spoken(request)
    first = gate.whole("first", request.match_info["first"], 1, codec.SEQ_MAX)
    session = gate.whole(protocol.SESSION_HEADER, request.headers.get(protocol.SESSION_HEADER), 0, codec.SEQ_MAX)
    if request.content_type != codec.MEDIA_TYPE:
        raise Problem("unsupported_media_type", wanted=codec.MEDIA_TYPE)
    frame = await gate.body(request, office.settings.body_bytes_max)
    plain_bytes_max = PLAIN_PER_BODY * office.settings.body_bytes_max
    try:
        standing = await ingest.take(
            office.database, Sender(caller.store, epoch, session), first, frame, plain_bytes_max
        )
    except Problem as problem:
        _log.warning("chunk_refused", store=caller.store, first=first, code=problem.kind.code)
        raise
    return _json(standing.shown().model_dump())


async def hear(request: web.Request) -> web.Response:
    """How the store is, and what became of its orders."""
    office, caller, epoch = request.app[OFFICE], await gate.caller(request, "store"), gate.spoken(request)
    heartbeat = await gate.model(request, protocol.Heartbeat, protocol.HEARTBEAT_BYTES_MAX)
    now = office.clock.now_ms()
    await office.database.write(lambda connection: fleet.heard(connection, caller.store, epoch, heartbeat, now))
    for refused in heartbeat.refused:
        _log.warning("order_refused", store=caller.store, order=refused.seq, code=refused.code)
    return _json({})


async def wait_for_orders(request: web.Request, store: str) -> web.Response:
    """The store's next orders, as soon as there are some; none when `wait_s` is over."""
    office = request.app[OFFICE]
    gate.spoken(request)
    after = gate.whole("after", request.query.get("after", "0"), 0, protocol.SEQ_MAX)
    wait_s = gate.whole("wait_s", request.query.get("wait_s", "0"), 0, protocol.WAIT_S_MAX)
    found = await _orders(office, store, after, wait_s)
    packed = codec.pack(orjson.dumps({"items": found}))
    return web.Response(body=packed, headers={"Content-Type": protocol.PACKED, "Cache-Control": "no-store"})


async def enrol(request: web.Request) -> web.Response:
    """A store's one-time code for its name and a token; the code, and the store's former token, end."""
    office = request.app[OFFICE]
    moment = office.clock.monotonic()
    office.wrong_codes[:] = [tried for tried in office.wrong_codes if tried > moment - WRONG_CODES_S]
    if len(office.wrong_codes) >= WRONG_CODES_MAX:
        raise Problem("too_many_attempts", seconds=WRONG_CODES_S)
    asked = await gate.model(request, protocol.Enrol, 1024)
    now = office.clock.now_ms()
    found = await office.database.write(lambda connection: accounts.use_code(connection, asked.code, now))
    if found is None:
        office.wrong_codes.append(moment)
        raise Problem("code_refused")
    _log.info("store_enrolled", store=found[0])
    return _json(protocol.Enrolled(store=found[0], token=found[1]).model_dump())


async def _orders(office: Office, store: str, after: int, wait_s: int) -> list[dict[str, object]]:
    until = office.clock.monotonic() + wait_s
    with office.hints.watch(store) as changed:
        while True:
            changed.clear()
            found = await orders.after(office.database, store, after)
            left = until - office.clock.monotonic()
            if found or left <= 0 or office.hints.closing:
                return found
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, ORDERS_LOOK_S)):
                    await changed.wait()


def _json(content: object) -> web.Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return web.Response(body=orjson.dumps(content), headers=headers)
