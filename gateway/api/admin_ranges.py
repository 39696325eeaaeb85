"""The administrator's word on numbers: authorised ranges, confirmed series, the lock, and the audit."""

import asyncio

from aiohttp import web

from gateway.api import audit, pages
from gateway.api.auth import ADMINISTRATOR
from gateway.api.exchange import Ask, decide, reply
from gateway.api.problems import Problem
from gateway.api.wire import ConfirmRequest, PageQuery, RangeRequest, ReasonRequest
from gateway.ledger.commands import CancelRange, ConfirmSeries, LoadRange, UnlockTenure
from gateway.storage import documents as books

VERIFYING = web.AppKey("one audit at a time", asyncio.Lock)


async def listing(ask: Ask, query: PageQuery) -> web.Response:
    """All ranges in the order in which they were loaded."""
    start = pages.number_in(query.cursor)
    found = await books.ranges(ask.parts.reader)
    items, more = found[start : start + query.limit], len(found) > start + query.limit
    following = pages.cursor_of(start + query.limit) if more else None
    return reply({"items": items, "next": following})


async def load(ask: Ask, identity: str, body: RangeRequest) -> web.Response:
    """Take a range in; 201 the first time, then 200."""
    command = LoadRange(
        id=identity,
        series=body.series,
        authority_kind=body.authority_kind,
        authority_ref=body.authority_ref,
        first=body.first,
        last=body.last,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        by=ADMINISTRATOR,
    )
    done = await decide(ask, command)
    return reply({**done.body, "seq": done.seq}, 201 if done.created else 200)


async def cancel(ask: Ask, identity: str, body: ReasonRequest) -> web.Response:
    """Stop using a range; its tail becomes an unused span."""
    done = await decide(ask, CancelRange(identity, body.reason, ADMINISTRATOR))
    return reply({**done.body, "seq": done.seq})


async def confirm(ask: Ask, series: str, body: ConfirmRequest) -> web.Response:
    """Say which number is the last on paper; opens a locked series."""
    done = await decide(ask, ConfirmSeries(series, body.last_number, body.reason, ADMINISTRATOR))
    return reply({**done.body, "seq": done.seq})


async def unlock(ask: Ask, body: ReasonRequest) -> web.Response:
    """Say that these books are the right ones."""
    done = await decide(ask, UnlockTenure(body.reason, ADMINISTRATOR))
    return reply({**done.body, "seq": done.seq})


async def verify(ask: Ask) -> web.Response:
    """Audit the books now; one audit at a time."""
    turn = ask.request.app[VERIFYING]
    if turn.locked():
        raise Problem("busy", limit="1 audit")
    async with turn:
        return reply(await audit.verdict(ask.parts.settings.storage.path))
