"""Who asks: bearer tokens, what each kind of asker may do, and a limit on wrong attempts for each address.

Tokens are compared by their SHA-256 only, so that the time of a comparison tells nothing about a token.
A right token always passes: an address with one revoked till on it does not lock the others out.
"""

import hashlib
from collections import OrderedDict
from enum import StrEnum
from ipaddress import ip_address

from aiohttp import web

from gateway.api.problems import Problem
from gateway.clock import Clock
from gateway.tills.registry import Registry

ADMINISTRATOR = "administrator"
"""Who did it, where it was not a till."""
TOKEN_LENGTH_MAX = 256
WINDOW_S = 60
ADDRESSES_MAX = 4096
"""Addresses remembered; the one that was quiet longest is forgotten first."""


class Who(StrEnum):
    """Who may use an operation."""

    ANYONE = "anyone"
    TILL = "till"
    """The administrator may, too, where it only reads."""
    EITHER = "a till or the administrator"
    ADMIN = "administrator"
    LOCAL = "this machine or the administrator"


class Attempts:
    """Wrong tokens and codes by address, over a sliding window."""

    def __init__(self, clock: Clock, wrong_max: int) -> None:
        self._clock = clock
        self._wrong_max = wrong_max
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def count(self, address: str) -> None:
        """Remember one wrong attempt."""
        times = self._wrong.setdefault(address, [])
        self._wrong.move_to_end(address)
        if len(times) < self._wrong_max:
            times.append(self._clock.monotonic())
        if len(self._wrong) > ADDRESSES_MAX:
            self._wrong.popitem(last=False)

    def check(self, address: str) -> None:
        """Refuse an address that was wrong too often lately.

        Raises:
            Problem: `too_many_attempts`.
        """
        times = self._wrong.get(address)
        if times is None or len(times) < self._wrong_max:
            return
        now = self._clock.monotonic()
        times[:] = [each for each in times if now - each < WINDOW_S]
        if len(times) >= self._wrong_max:
            seconds = max(1, int(WINDOW_S - (now - times[0])) + 1)
            raise Problem("too_many_attempts", address=address, seconds=seconds)


ATTEMPTS = web.AppKey("wrong attempts by address", Attempts)


def asker(request: web.Request, who: Who, registry: Registry, attempts: Attempts) -> str:
    """The till's name, `ADMINISTRATOR`, or nothing where anyone may ask.

    Raises:
        Problem: `unauthorized`, `forbidden` or `too_many_attempts`.
    """
    if who is Who.ANYONE or (who is Who.LOCAL and _is_this_machine(request)):
        return ""
    token_hash = _token_hash(request)
    till = None if token_hash is None else registry.till_of(token_hash)
    if till is not None:
        if who not in {Who.TILL, Who.EITHER}:
            raise Problem("forbidden", who=who.value)
        return till
    if token_hash is not None and registry.is_admin(token_hash):
        if who is Who.TILL and request.method != "GET":
            raise Problem("forbidden", who=who.value)
        return ADMINISTRATOR
    address = request.remote or ""
    attempts.check(address)
    attempts.count(address)
    raise Problem("unauthorized", headers={"WWW-Authenticate": 'Bearer realm="store gateway"'})


def is_known(request: web.Request, registry: Registry) -> bool:
    """Whether the asker of a long answer still has a right to it."""
    token_hash = _token_hash(request)
    return token_hash is not None and (registry.till_of(token_hash) is not None or registry.is_admin(token_hash))


def _token_hash(request: web.Request) -> bytes | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > TOKEN_LENGTH_MAX:
        return None
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _is_this_machine(request: web.Request) -> bool:
    """Whether the other end is this machine itself, and not what a proxy on it forwards."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
