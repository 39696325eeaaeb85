"""This machine's addresses on the store's network, as they are now."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

import ifaddr

_FOREIGN = ("docker", "br-", "virbr", "cni", "podman", "lxdbr", "lxcbr")
"""Bridges of containers and virtual machines: no till is behind them."""


@dataclass(frozen=True, slots=True, order=True)
class LocalAddress:
    """One IPv4 address of an interface that is up. `index` tells an interface from a later one of the same name."""

    interface: str
    index: int
    ip: str
    prefix: int

    @property
    def network(self) -> ipaddress.IPv4Network:
        """The network the address is in: what can be reached without a router."""
        return ipaddress.IPv4Network((self.ip, self.prefix), strict=False)


def local_addresses(only: tuple[str, ...] = ()) -> tuple[LocalAddress, ...]:
    """IPv4 addresses where tills may be: interfaces `only`, or all but loopback and foreign bridges.

    Interfaces without a link and link-local addresses are left out. IPv4 alone is announced: no till is without it.
    """
    found: list[LocalAddress] = []
    for adapter in ifaddr.get_adapters():
        name = adapter.name
        if (name not in only) if only else (name == "lo" or name.startswith(_FOREIGN)):
            continue
        if not _has_link(name):
            continue
        found.extend(
            LocalAddress(name, adapter.index or 0, address.ip, address.network_prefix)
            for address in adapter.ips
            if isinstance(address.ip, str) and is_usable(address.ip)
        )
    return tuple(sorted(found))


def server_addresses() -> tuple[str, ...]:
    """Every address a certificate should name: IPv4 and IPv6, loopback too, link-local ones not."""
    found = {"127.0.0.1", "::1"}
    for adapter in ifaddr.get_adapters():
        for address in adapter.ips:
            ip = address.ip if isinstance(address.ip, str) else address.ip[0]
            parsed = ipaddress.ip_address(ip.partition("%")[0])
            if not parsed.is_link_local:
                found.add(str(parsed))
    return tuple(sorted(found))


def is_usable(ip: str) -> bool:
    """Whether a till or printer can be spoken to at an address: not loopback, link-local, multicast or unset."""
    try:
        parsed = ipaddress.ip_address(ip)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified)


def _has_link(interface: str) -> bool:
    """A cable that is out counts as an interface that is gone, so that its return is a new announcement."""
    carrier = Path("/sys/class/net", interface, "carrier")
    try:
        return carrier.read_text(encoding="ascii").strip() == "1"
    except FileNotFoundError:
        return True  # no such thing is told here; an address is all there is to go by
    except OSError:
        return False  # the kernel does not answer for an interface that is switched off
