"""The line to head office: be in step now, or work without it on purpose."""

import asyncio

from aiohttp import web

from gateway.api.exchange import Ask, reply
from gateway.api.problems import Problem
from gateway.api.wire import LinkModeRequest


async def sync(ask: Ask) -> web.Response:
    """Try now to be in step; `no_connection` when there is no line."""
    wait_ms = ask.parts.settings.api.reply_wait_ms_max
    try:
        async with asyncio.timeout(wait_ms / 1000):
            reached = await ask.parts.link.sync_now()
    except TimeoutError as error:
        raise Problem("answer_late", ms=wait_ms) from error
    if not reached:
        raise Problem("no_connection")
    return reply({"link": ask.parts.link.state()})


async def set_mode(ask: Ask, body: LinkModeRequest) -> web.Response:
    """Work offline by hand, or as the line allows."""
    await ask.parts.link.set_mode(body.mode)
    return reply({"link": ask.parts.link.state()})
