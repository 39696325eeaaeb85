"""The administrator's word on tills: who is paired, who no longer is, and codes for new ones."""

from typing import Any

from aiohttp import web

from gateway.api.exchange import Ask, reply
from gateway.api.pairing import shown as secrets_shown
from gateway.clock import iso
from gateway.tills.registry import Till


async def listing(ask: Ask) -> web.Response:
    """All tills by name, revoked ones too."""
    return reply({"items": [_shown(till) for till in await ask.parts.registry.list()], "next": None})


async def make(ask: Ask, name: str) -> web.Response:
    """A paired till at once; one of that name gets new secrets, and its old ones are dead."""
    return reply(secrets_shown(await ask.parts.registry.make_till(name)), 201)


async def revoke(ask: Ask, name: str) -> web.Response:
    """Turn a till away from now on."""
    await ask.parts.registry.revoke(name)
    found = {till.name: till for till in await ask.parts.registry.list()}
    return reply(_shown(found[name]))


async def make_code(ask: Ask) -> web.Response:
    """A pairing code; the one before it is dead."""
    made = await ask.parts.registry.make_code()
    return reply({"code": made.code, "expires_at": iso(made.expires_at), "tries": made.tries, "link": made.link}, 201)


def _shown(till: Till) -> dict[str, Any]:
    return {
        "name": till.name,
        "model": till.model,
        "paired_at": iso(till.paired_at),
        "revoked_at": None if till.revoked_at is None else iso(till.revoked_at),
    }
