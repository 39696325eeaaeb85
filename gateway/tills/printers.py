"""Which of the announced printers are receipt printers: each is asked once, on port 9100, before it is offered.

Only neighbours are asked: addresses in a network of this machine. Left alone are printers that are set up already,
which take one connection at a time, and office printers, which would print what they are asked.
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from gateway.clock import Clock
from gateway.tills.addresses import LocalAddress
from gateway.tills.printer_probe import RAW_PORT, Identity, identity_of
from gateway.tills.sightings import Sighting, Sightings

PRINTER_KINDS = ("_pdl-datastream._tcp.local.", "_printer._tcp.local.", "_ipp._tcp.local.")
PROBES_AT_ONCE = 4
PROBES_MAX = 5
"""Of one address; then it has to go and come back to be asked again."""
PROBE_AGAIN_S = 20.0
"""A printer that is switched on speaks mDNS some seconds before it takes connections."""
PAGE_LANGUAGES = ("postscript", "pcl", "pdf", "urf", "pwg")
"""In TXT `pdl` they tell an office printer."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SeenPrinter:
    """A receipt printer that can be set up: `tcp://address:port`."""

    label: str
    address: str
    port: int
    maker: str
    model: str
    last_seen_ms: int


@dataclass(slots=True)
class _Candidate:
    """What is known about one address."""

    probes: int = 0
    next_s: float = 0.0
    identity: Identity | None = None


class PrinterTable:
    """The printers among some sightings, verified while `run` runs."""

    def __init__(self, clock: Clock, sightings: Sightings, known: Callable[[], frozenset[str]]) -> None:
        """Store the arguments; `known`: addresses that are set up already, bare or as settings say (`tcp://host:port`)."""
        self._clock = clock
        self._sightings = sightings
        self._known = known
        self._candidates: dict[str, _Candidate] = {}

    def verified(self) -> tuple[SeenPrinter, ...]:
        """One entry for each address that answered as a receipt printer and is not set up yet, by label."""
        found: dict[str, SeenPrinter] = {}
        for sighting, address in self._announced():
            candidate = self._candidates.get(address)
            if candidate is None or candidate.identity is None:
                continue
            before = found.get(address)
            seen_ms = sighting.at_ms if before is None else max(before.last_seen_ms, sighting.at_ms)
            label = sighting.label if before is None else before.label
            who = candidate.identity
            found[address] = SeenPrinter(label, address, RAW_PORT, who.maker, who.model, seen_ms)
        return tuple(sorted(found.values(), key=lambda each: (each.label, each.address)))

    async def run(self, addresses: Callable[[], tuple[LocalAddress, ...]]) -> None:
        """Ask every announced address that is a neighbour of `addresses`, until cancelled."""
        while True:
            self._sightings.changed.clear()
            due = self._due(addresses())
            for first in range(0, len(due), PROBES_AT_ONCE):
                async with asyncio.TaskGroup() as group:
                    for address in due[first : first + PROBES_AT_ONCE]:
                        group.create_task(self._probe(address), name=f"printer-probe-{address}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROBE_AGAIN_S):
                    await self._sightings.changed.wait()

    async def _probe(self, address: str) -> None:
        candidate = self._candidates[address]
        candidate.probes += 1
        candidate.identity = await identity_of(address)
        candidate.next_s = self._clock.monotonic() + PROBE_AGAIN_S
        if candidate.identity is not None:
            who = candidate.identity
            _log.info("printer_found", address=address, maker=who.maker, model=who.model)

    def _due(self, local: tuple[LocalAddress, ...]) -> list[str]:
        """Who is to be asked now; who is no longer announced is forgotten."""
        announced = {address for _, address in self._announced()}
        self._candidates = {address: self._candidates.get(address, _Candidate()) for address in announced}
        now_s = self._clock.monotonic()
        networks = [each.network for each in local]
        return sorted(
            address
            for address, candidate in self._candidates.items()
            if candidate.identity is None
            and candidate.probes < PROBES_MAX
            and candidate.next_s <= now_s
            and any(ipaddress.ip_address(address) in network for network in networks)
            and address not in {each.ip for each in local}
        )

    def _announced(self) -> list[tuple[Sighting, str]]:
        known = {_host(address) for address in self._known()}
        return [
            (sighting, address)
            for sighting in self._sightings.of(*PRINTER_KINDS)
            if not _is_office_printer(sighting)
            for address in sighting.addresses
            if address not in known
        ]


def _host(address: str) -> str:
    return urlsplit(address).hostname or address


def _is_office_printer(sighting: Sighting) -> bool:
    languages = sighting.properties.get("pdl", "").lower()
    return any(language in languages for language in PAGE_LANGUAGES)
