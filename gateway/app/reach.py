"""Where the gateway is reached: from this machine, and by the tills of the store."""

from gateway.settings import Settings
from gateway.tills.addresses import local_addresses
from gateway.tills.certificates import Certificates
from gateway.tills.registry import Reach

EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound


class Reached:
    """Where the gateway is reached: from this machine, and by the tills of the store."""

    def __init__(self, settings: Settings, certificates: Certificates) -> None:
        self.mqtt = ""
        self.api_port = settings.api.port
        self._settings = settings
        self._certificates = certificates

    def from_here(self) -> str:
        """The API's address for a program on this machine."""
        return self._url("127.0.0.1" if self._settings.api.host in EVERYWHERE else self._settings.api.host)

    def from_tills(self) -> str:
        """The API's address for a till: an address of this machine on the store's network."""
        if self._settings.api.host not in EVERYWHERE:
            return self._url(self._settings.api.host)
        found = local_addresses(self._settings.discovery.interfaces)
        return self._url(found[0].ip if found else f"gateway-{self._settings.store.id}.local")

    def ca_fingerprint(self) -> str:
        """The store CA's, or nothing where there is no TLS."""
        return self._certificates.ca_fingerprint if self._settings.api.uses_tls else ""

    def told_to_tills(self) -> Reach:
        """What a till is handed when it is paired."""
        scheme, _, place = self.mqtt.partition("://")
        host, _, port = place.rpartition(":")
        if host in {"127.0.0.1", "[::1]"} and self._settings.mqtt.host in EVERYWHERE:
            host = self.from_tills().split("//", 1)[1].rpartition(":")[0]
        uses_tls = self._settings.api.uses_tls or scheme == "mqtts"
        return Reach(
            store=self._settings.store.id,
            api=self.from_tills(),
            ca_pem=self._certificates.ca_pem if uses_tls else "",
            ca_fingerprint=self._certificates.ca_fingerprint if uses_tls else "",
            mqtt_host=host,
            mqtt_port=int(port or 0),
            mqtt_tls=scheme == "mqtts",
        )

    def _url(self, host: str) -> str:
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self._settings.api.uses_tls else 'http'}://{shown}:{self.api_port}"
