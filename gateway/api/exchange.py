"""One question and its answer: what a handler is given, and how it replies."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson
from aiohttp import web

from gateway.api import problems
from gateway.api.parts import Parts
from gateway.api.problems import SERVER, Problem
from gateway.authority.desk import Done
from gateway.devices.refusals import JobRefusal
from gateway.ledger.commands import Command
from gateway.ledger.refusals import Refusal
from gateway.tills.refusals import TillRefusedError

JSON = "application/json"
CSV = "text/csv"
_JSON_HEADERS = {"Content-Type": JSON, "Cache-Control": "no-store", "Server": SERVER}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request whose asker is known and whose body and query are well formed."""

    parts: Parts
    request: web.Request
    by: str
    """The till's name, or `auth.ADMINISTRATOR`; empty where anyone may ask."""
    raw: bytes = b""
    """The body as it came."""

    @property
    def language(self) -> str:
        """`es` or `en`, as the asker likes."""
        return problems.language_of(self.request.headers.get("Accept-Language", ""))

    def digest(self) -> bytes:
        """SHA-256 of the JSON body without its spacing and order of keys: the same question gives the same digest.

        Taken from the body and not from the model, so that a later release with more fields still knows the request.
        """
        canonical = orjson.dumps(orjson.loads(self.raw), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(canonical).digest()


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON."""
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        headers=_JSON_HEADERS if headers is None else {**_JSON_HEADERS, **headers},
    )


def content(body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Something other than JSON."""
    fixed = {"Content-Type": media_type, "Cache-Control": "no-store", "Server": SERVER}
    return web.Response(body=body, headers={**fixed, **(headers or {})})


async def decide(ask: Ask, command: Command) -> Done:
    """Ask the desk and wait until its answer is durable.

    Raises:
        Problem: a refusal, or `answer_late`: the command is decided all the same, only nobody waits for it here.
    """
    wait_ms = ask.parts.settings.api.reply_wait_ms_max
    try:
        async with asyncio.timeout(wait_ms / 1000):
            outcome = await ask.parts.desk.submit(command)
    except TimeoutError as error:
        raise Problem("answer_late", ms=wait_ms) from error
    if isinstance(outcome, Refusal):
        refuse(outcome)
    return outcome


def refuse(refusal: Refusal | TillRefusedError | JobRefusal) -> NoReturn:
    """Answer with a refusal.

    Raises:
        Problem: always.
    """
    raise problems.of_refusal(refusal)
