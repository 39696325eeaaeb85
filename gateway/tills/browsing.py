"""Browse service types over mDNS and keep a table of what was resolved.

mDNS says that something came, never that it is gone: a device without power says no goodbye, and its announcement stays
in every cache for 75 minutes. What is in the table is therefore asked again and again, and forgotten when it has been
silent for long.
"""

import asyncio

import structlog
from zeroconf import BadTypeInNameException, IPVersion, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from gateway.clock import Clock
from gateway.tills.sightings import Sightings, checked

NAMES_WAITING_MAX = 1024
RESOLVERS = 8
RESOLVE_MS = 3000
RESOLVE_S_MAX = 5.0

_log = structlog.get_logger(__name__)


class Browsing:
    """Fills `sightings` with the services of some types while `run` runs."""

    def __init__(
        self,
        zeroconf: AsyncZeroconf,
        kinds: tuple[str, ...],
        clock: Clock,
        sightings: Sightings,
        *,
        ask_again_s: float,
        forget_s: float,
    ) -> None:
        """Store the arguments. `ask_again_s`: between questions to what is known; `forget_s`: silence until gone."""
        self._zeroconf = zeroconf
        self._kinds = kinds
        self._clock = clock
        self._sightings = sightings
        self._ask_again_s = ask_again_s
        self._forget_s = forget_s
        self._names: asyncio.Queue[tuple[str, str]] = asyncio.Queue(NAMES_WAITING_MAX)
        self._waiting: set[tuple[str, str]] = set()
        self._anew = asyncio.Event()

    async def run(self) -> None:
        """Browse until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(RESOLVERS):
                group.create_task(self._resolve_names(), name=f"mdns-resolver-{number}")
            group.create_task(self._ask_again(), name="mdns-ask-again")
            while True:
                self._anew.clear()
                async with AsyncServiceBrowser(self._zeroconf.zeroconf, list(self._kinds), [self._on_change]):
                    await self._anew.wait()

    def look_anew(self) -> None:
        """Ask the whole network again, as after an interface came: a running browser would only refresh what it has."""
        self._anew.set()

    def _on_change(self, *, service_type: str, name: str, state_change: ServiceStateChange, **_: object) -> None:
        if state_change is ServiceStateChange.Removed:
            self._sightings.drop(service_type, name)
        else:
            self._enqueue(service_type, name)

    def _enqueue(self, kind: str, name: str) -> None:
        """A name that finds the queue full is left out: it will be announced again, a flood will not."""
        key = (kind, name)
        if key in self._waiting or self._names.full():
            return
        self._waiting.add(key)
        self._names.put_nowait(key)

    async def _resolve_names(self) -> None:
        while True:
            kind, name = key = await self._names.get()
            self._waiting.discard(key)
            try:
                async with asyncio.timeout(RESOLVE_S_MAX):
                    await self._resolve(kind, name)
            except BadTypeInNameException:
                _log.debug("mdns_name_bad", name=name)
            except TimeoutError:
                _log.debug("mdns_name_silent", name=name)

    async def _resolve(self, kind: str, name: str) -> None:
        info = AsyncServiceInfo(kind, name)
        if not await info.async_request(self._zeroconf.zeroconf, RESOLVE_MS):
            return
        sighting = checked(
            kind,
            name,
            info.parsed_addresses(IPVersion.V4Only),
            info.port or 0,
            info.properties,
            at_ms=self._clock.now_ms(),
            heard_s=self._clock.monotonic(),
        )
        if sighting is None:
            self._sightings.drop(kind, name)
        else:
            self._sightings.put(sighting)

    async def _ask_again(self) -> None:
        while True:
            await asyncio.sleep(self._ask_again_s)
            self._sightings.forget_before(self._clock.monotonic() - self._forget_s)
            for kind, name in self._sightings.known():
                self._enqueue(kind, name)
