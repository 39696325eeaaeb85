"""mDNS of the store: the gateway is announced, tills and printers are found, interfaces are followed.

Announced: `_store-gateway._tcp.local.` (TXT `store`, `api`, `version`, `ca`, `epoch`) on `gateway-<store>.local`.
Browsed: `_pos-till._tcp` (TXT `till`, `model`, `app`) for the pairing page, and the three kinds of printer.

Nothing found here is trusted: it fills lists from which a person chooses. Liveness is asked of the till or the device
by whoever uses it, never of mDNS.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from zeroconf import Error, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from gateway.clock import Clock, SystemClock
from gateway.tills.addresses import LocalAddress, local_addresses
from gateway.tills.browsing import Browsing
from gateway.tills.names import is_till_name
from gateway.tills.printers import PRINTER_KINDS, PrinterTable, SeenPrinter
from gateway.tills.sightings import Sighting, Sightings

GATEWAY_KIND = "_store-gateway._tcp.local."
TILL_KIND = "_pos-till._tcp.local."
WITHDRAW_S_MAX = 2.0
"""Three goodbyes take a quarter of a second; a stop does not wait for a network that is gone."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are looked at, in seconds."""

    follow_s: float = 5.0
    """Addresses of this machine, and what is to be announced."""
    ask_again_s: float = 125.0
    """What was seen; longer than the 120 s a host record lives, so that no cached answer passes for a live one."""
    forget_s: float = 600.0
    """Silence after which something seen is forgotten."""
    retry_s: float = 10.0
    """After the network failed, or another program held the mDNS port for itself."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the gateway says about itself; `api`: the whole address, `ca`: the CA's fingerprint, empty without TLS."""

    store: str
    api: str
    port: int
    version: str
    ca: str
    epoch: str


@dataclass(frozen=True, slots=True)
class SeenTill:
    """A till that announced itself; `till` is the name it has or wants, empty if it says none."""

    label: str
    till: str
    model: str
    app: str
    addresses: tuple[str, ...]
    last_seen_ms: int


@dataclass(frozen=True, slots=True)
class SeenGateway:
    """A gateway that announced itself; compare `ca` with the certificate before anything is sent to it."""

    label: str
    store: str
    api: str
    version: str
    ca: str
    epoch: str
    addresses: tuple[str, ...]
    port: int


class Discovery:
    """Announces and browses while `run` runs; cancelling it says goodbye to the network first."""

    def __init__(
        self,
        clock: Clock,
        announcement: Callable[[], Announcement | None],
        *,
        addresses: Callable[[], tuple[LocalAddress, ...]] = local_addresses,
        known_printers: Callable[[], frozenset[str]] = frozenset,
        pace: Pace | None = None,
    ) -> None:
        """Store the arguments; the callables are asked again and again, and a new answer is announced.

        `announcement`: None to say nothing; `addresses`: where to speak; `known_printers`: addresses (bare, or
        `tcp://host:port` as in the settings) of printers that must not be probed: they take one connection at a time.
        """
        self._clock = clock
        self._announcement = announcement
        self._addresses = addresses
        self._pace = pace or Pace()
        self._sightings = Sightings()
        self._printers = PrinterTable(clock, self._sightings, known_printers)
        self._bound: tuple[LocalAddress, ...] = ()
        self._announced: ServiceInfo | None = None
        self._said: tuple[Announcement, tuple[LocalAddress, ...]] | None = None

    def seen_tills(self) -> tuple[SeenTill, ...]:
        """Tills that announced themselves, by label; those with a name that no till can have are left out."""
        found = (_seen_till(sighting) for sighting in self._sightings.of(TILL_KIND))
        return tuple(till for till in found if not till.till or is_till_name(till.till))

    def seen_printers(self) -> tuple[SeenPrinter, ...]:
        """Printers that announced themselves and answered as receipt printers, by label."""
        return self._printers.verified()

    @property
    def announced_as(self) -> str:
        """The name under which the gateway is announced now; empty if it is not."""
        return "" if self._announced is None else self._announced.name

    async def run(self) -> None:
        """Announce and browse until cancelled. Trouble with the network is logged and tried again."""
        while True:
            try:
                await self._speak()
            except* (OSError, Error) as trouble:
                _log.warning("mdns_unavailable", reason=str(trouble.exceptions[0]), retry_s=self._pace.retry_s)
            await asyncio.sleep(self._pace.retry_s)

    async def _speak(self) -> None:
        self._bound = await asyncio.to_thread(self._addresses)
        self._announced = self._said = None
        zeroconf = AsyncZeroconf(interfaces=_ips(self._bound))
        browsing = Browsing(
            zeroconf,
            (TILL_KIND, *PRINTER_KINDS),
            self._clock,
            self._sightings,
            ask_again_s=self._pace.ask_again_s,
            forget_s=self._pace.forget_s,
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(browsing.run(), name="mdns-browsing")
                group.create_task(self._follow(zeroconf, browsing), name="mdns-follow")
                group.create_task(self._printers.run(lambda: self._bound), name="mdns-printers")
        finally:
            await _withdraw(zeroconf)
            self._announced = None

    async def _follow(self, zeroconf: AsyncZeroconf, browsing: Browsing) -> None:
        """Keep sockets and announcement in step with the machine's addresses and with what is to be said."""
        while True:
            now = await asyncio.to_thread(self._addresses)
            appeared = set(now) - set(self._bound)
            if set(now) != set(self._bound):
                _log.info("mdns_interfaces_changed", addresses=_ips(now))
                # What went is dropped first: the same address on a new interface needs a new socket.
                await zeroconf.async_update_interfaces(_ips(tuple(each for each in self._bound if each in now)))
                self._bound = now
                await self._announce(zeroconf, only_known=True)
            await zeroconf.async_update_interfaces(_ips(now))  # also tries again what could not be bound last time
            if appeared:
                browsing.look_anew()
            await self._announce(zeroconf)
            await asyncio.sleep(self._pace.follow_s)

    async def _announce(self, zeroconf: AsyncZeroconf, *, only_known: bool = False) -> None:
        """Say what is to be said, if it is not said already; `only_known`: correct it, but begin nothing."""
        announcement = self._announcement()
        wanted = (announcement, self._bound) if announcement is not None and self._bound else None
        if wanted == self._said or (only_known and (self._announced is None or wanted is None)):
            return
        if wanted is None:
            if self._announced is not None:
                await (await zeroconf.async_unregister_service(self._announced))
            self._announced = None
        elif self._announced is None:
            info = _service(*wanted)
            meant = info.name
            await (await zeroconf.async_register_service(info, allow_name_change=True))
            self._announced = info
            _log.info("mdns_announced", name=info.name, addresses=_ips(wanted[1]))
            if info.name != meant:
                _log.warning("mdns_name_taken", name=meant, announced_as=info.name)
        else:
            info = _service(*wanted, name=self._announced.name)
            await (await zeroconf.async_update_service(info))
            self._announced = info
        self._said = wanted


async def find_gateways(
    seconds: float, *, interfaces: tuple[str, ...] = (), clock: Clock | None = None
) -> tuple[SeenGateway, ...]:
    """The gateways that answer on this network within some seconds, by label: the way a till finds its store."""
    sightings = Sightings()
    zeroconf = AsyncZeroconf(interfaces=_ips(await asyncio.to_thread(local_addresses, interfaces)))
    browsing = Browsing(
        zeroconf, (GATEWAY_KIND,), clock or SystemClock(), sightings, ask_again_s=seconds + 1, forget_s=seconds + 1
    )
    try:
        async with asyncio.timeout(seconds):
            await browsing.run()
    except TimeoutError:
        pass
    finally:
        await _withdraw(zeroconf)
    return tuple(_seen_gateway(sighting) for sighting in sightings.of(GATEWAY_KIND))


async def _withdraw(zeroconf: AsyncZeroconf) -> None:
    """Say goodbye for what is announced, and close."""
    try:
        async with asyncio.timeout(WITHDRAW_S_MAX):
            await zeroconf.async_close()
    except TimeoutError:
        _log.warning("mdns_goodbye_late", seconds=WITHDRAW_S_MAX)


def _service(announcement: Announcement, addresses: tuple[LocalAddress, ...], name: str | None = None) -> ServiceInfo:
    return ServiceInfo(
        GATEWAY_KIND,
        name or f"{announcement.store}.{GATEWAY_KIND}",
        port=announcement.port,
        properties={
            "store": announcement.store,
            "api": announcement.api,
            "version": announcement.version,
            "ca": announcement.ca,
            "epoch": announcement.epoch,
        },
        server=f"gateway-{announcement.store}.local.",
        parsed_addresses=_ips(addresses),
    )


def _ips(addresses: tuple[LocalAddress, ...]) -> list[str]:
    return list(dict.fromkeys(address.ip for address in addresses))


def _seen_till(sighting: Sighting) -> SeenTill:
    said = sighting.properties
    return SeenTill(
        sighting.label,
        said.get("till", ""),
        said.get("model", ""),
        said.get("app", ""),
        sighting.addresses,
        sighting.at_ms,
    )


def _seen_gateway(sighting: Sighting) -> SeenGateway:
    said = sighting.properties
    return SeenGateway(
        sighting.label,
        said.get("store", ""),
        said.get("api", ""),
        said.get("version", ""),
        said.get("ca", ""),
        said.get("epoch", ""),
        sighting.addresses,
        sighting.port,
    )
