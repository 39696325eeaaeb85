"""Pairing: a code from the gateway's screen becomes a till's own secrets."""

from typing import Any

from aiohttp import web

from gateway.api.auth import ATTEMPTS
from gateway.api.exchange import Ask, reply
from gateway.api.wire import PairingRequest
from gateway.tills.refusals import TillRefusedError
from gateway.tills.registry import Paired


async def pair(ask: Ask, body: PairingRequest) -> web.Response:
    """Let a till in; a wrong code counts against the address that sent it."""
    attempts, address = ask.request.app[ATTEMPTS], ask.request.remote or ""
    attempts.check(address)
    try:
        paired = await ask.parts.registry.pair(body.code, body.till_name, body.model)
    except TillRefusedError as refusal:
        if refusal.kind.status == 403:
            attempts.count(address)
        raise
    return reply(shown(paired), 201)


def shown(paired: Paired) -> dict[str, Any]:
    """`replies.PairedReply`: the only time anybody sees these secrets."""
    reach = paired.reach
    mqtt = {
        "host": reach.mqtt_host,
        "port": reach.mqtt_port,
        "tls": reach.mqtt_tls,
        "user": paired.till,
        "password": paired.mqtt_password,
    }
    return {
        "till": paired.till,
        "token": paired.token,
        "store": reach.store,
        "api": reach.api,
        "ca": reach.ca_pem or None,
        "ca_fingerprint": reach.ca_fingerprint or None,
        "mqtt": mqtt if reach.mqtt_host else None,
    }
