"""The line to head office: be in step now, or work without it on purpose."""

import asyncio

from aiohttp import web

from gateway.api.exchange import Ask, reply
from gateway.api.problems import Problem
from gateway.api.wire import LinkModeRequest
from gateway.sync.connection import NoConnectionError


async def sync(ask: Ask) -> web.Response:
    """Be in step now; `no_connection` when there is no line."""
    wait_ms = ask.parts.settings.api.reply_wait_ms_max
    try:
        async with asyncio.timeout(wait_ms / 1000):
            state = await ask.parts.link.sync_now()
    except TimeoutError as error:
        raise Problem("no_connection", why=f"no answer within {wait_ms} ms") from error
    except NoConnectionError as error:
        raise Problem("no_connection", why=str(error)) from error
    return reply({"link": state})


async def set_mode(ask: Ask, body: LinkModeRequest) -> web.Response:
    """Work offline by hand, or as the line allows."""
    await ask.parts.link.set_mode("automatic" if body.mode == "automatic" else "offline")
    return reply({"link": ask.parts.link.state()})
