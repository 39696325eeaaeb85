"""What was seen on the network: a bounded table of announced services, checked word by word before they get in.

Everything in it was said by strangers. Names that are no names, texts that are not printable and addresses nobody could
be spoken to at stay out; when the table is full, newcomers do, so that a flood cannot push out the store's own tills.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.tills.addresses import is_usable

SIGHTINGS_MAX = 256
"""Of one kind."""
TEXT_LENGTH_MAX = 128
PROPERTIES_MAX = 32
ADDRESSES_MAX = 8


@dataclass(frozen=True, slots=True)
class Sighting:
    """One service that was announced and resolved, and when it last answered."""

    kind: str
    name: str
    """The whole service name: the key."""
    label: str
    """The name as a person reads it."""
    addresses: tuple[str, ...]
    port: int
    at_ms: int
    """Milliseconds UTC, for people."""
    heard_s: float
    """Seconds on the monotonic clock, to tell how long ago it is: the wall clock may jump years when it is set."""
    properties: Mapping[str, str] = field(default_factory=dict)


class Sightings:
    """The table; `changes` grows and `changed` is set whenever something came, went or said something new."""

    def __init__(self, limit: int = SIGHTINGS_MAX) -> None:
        self.changes = 0
        self.changed = asyncio.Event()
        self.turned_away = 0
        """Newcomers that found the table full."""
        self._limit = limit
        self._by_key: dict[tuple[str, str], Sighting] = {}

    def put(self, sighting: Sighting) -> bool:
        """Take a sighting in; answers False if the table is full and this one is new."""
        key = (sighting.kind, sighting.name)
        if key not in self._by_key and len(self.of(sighting.kind)) >= self._limit:
            self.turned_away += 1
            return False
        self._by_key[key] = sighting
        self._tell()
        return True

    def drop(self, kind: str, name: str) -> None:
        """Forget a service: it said goodbye."""
        if self._by_key.pop((kind, name), None) is not None:
            self._tell()

    def forget_before(self, heard_s: float) -> None:
        """Forget what has not answered since."""
        for sighting in list(self._by_key.values()):
            if sighting.heard_s < heard_s:
                self.drop(sighting.kind, sighting.name)

    def of(self, *kinds: str) -> list[Sighting]:
        """The sightings of these kinds, by name."""
        found = [sighting for sighting in self._by_key.values() if sighting.kind in kinds]
        return sorted(found, key=lambda sighting: (sighting.label, sighting.name))

    def known(self) -> list[tuple[str, str]]:
        """Kind and name of everything seen."""
        return list(self._by_key)

    def _tell(self) -> None:
        self.changes += 1
        self.changed.set()


def checked(
    kind: str,
    name: str,
    addresses: list[str],
    port: int,
    properties: Mapping[bytes, bytes | None],
    *,
    at_ms: int,
    heard_s: float,
) -> Sighting | None:
    """A sighting made of what a stranger said; None if it is of no use: no name, or nowhere to be spoken to."""
    label = name.removesuffix(f".{kind}")
    usable = tuple(dict.fromkeys(address for address in addresses if is_usable(address)))[:ADDRESSES_MAX]
    if not label or label == name or not label.isprintable() or not usable or not 0 < port < 65536:
        return None
    return Sighting(kind, name, label, usable, port, at_ms, heard_s, _texts(properties))


def _texts(properties: Mapping[bytes, bytes | None]) -> dict[str, str]:
    texts = {}
    for key, value in list(properties.items())[:PROPERTIES_MAX]:
        text = (value or b"").decode("utf-8", "replace")
        word = key.decode("ascii", "replace").lower()
        if word.isprintable() and text.isprintable() and len(text) <= TEXT_LENGTH_MAX:
            texts[word] = text
    return texts
