"""The message broker: embedded where none is set up, else Mosquitto, with the files it knows the tills by."""

import asyncio
import contextlib
import hmac
import secrets
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.app.tasks import tasks
from gateway.devices import bus as device_bus
from gateway.devices import mosquitto
from gateway.devices.broker import EmbeddedBroker
from gateway.devices.bus import Bus
from gateway.devices.topics import GATEWAY_USER, Tree
from gateway.settings import Settings
from gateway.tills import passwords, private_files
from gateway.tills.certificates import Certificates
from gateway.tills.registry import Registry


@contextlib.asynccontextmanager
async def message_bus(
    settings: Settings, registry: Registry, certificates: Certificates
) -> AsyncIterator[tuple[str, Bus | None]]:
    """The broker's address and our connection to it; the embedded broker lives as long as the block."""
    mqtt = settings.mqtt
    if mqtt.broker == "off":
        yield "", None
        return
    client = Tree(settings.store.id).gateway_client
    if mqtt.broker != "embedded":
        host, _, port = mqtt.broker.rpartition(":")
        tls = ssl.create_default_context() if mqtt.tls == "on" else None
        user, password = mqtt.user or GATEWAY_USER, mqtt.password.get_secret_value()
        server = device_bus.Server(host, int(port), user, password, tls)
        async with tasks() as running:
            running.create_task(_keep_broker_files(settings, registry), name="broker files")
            yield f"{'mqtts' if tls else 'mqtt'}://{mqtt.broker}", Bus(server, client)
        return
    own = secrets.token_urlsafe(24)

    def is_right(user: str, password: str) -> bool:
        if user == GATEWAY_USER:
            return hmac.compare_digest(password.encode(), own.encode())
        return registry.is_mqtt_login(user, password)

    tls = certificates.server_context if mqtt.uses_tls else None
    async with EmbeddedBroker(mqtt.host, mqtt.port, store=settings.store.id, is_right=is_right, tls=tls) as broker:
        host, port_number = broker.address
        inside = None
        if tls is not None:
            inside = ssl.create_default_context(cadata=certificates.ca_pem)
        server = device_bus.Server(host, port_number, GATEWAY_USER, own, inside)
        async with tasks() as running:
            running.create_task(_drop_revoked(registry, broker), name="revoked tills")
            yield f"{'mqtts' if tls else 'mqtt'}://{host}:{port_number}", Bus(server, client)


async def _drop_revoked(registry: Registry, broker: EmbeddedBroker) -> None:
    """A till that is turned away loses its connection to the broker, too."""
    inside, seen = set(registry.mqtt_passwords()), registry.changes
    while True:
        seen = await registry.wait_change(seen)
        now = set(registry.mqtt_passwords())
        for user in inside - now:
            await broker.drop(user)
        inside = now


async def _keep_broker_files(settings: Settings, registry: Registry) -> None:
    """What a Mosquitto beside us needs to know the tills by: `passwords` and `acl` in the data directory's `mosquitto`.

    Written anew whenever a till comes or goes; Mosquitto reads them again on SIGHUP (mosquitto(8)).
    """
    folder, user = settings.storage.path / "mosquitto", settings.mqtt.user or GATEWAY_USER
    own = await asyncio.to_thread(passwords.password_hash, settings.mqtt.password.get_secret_value())
    await asyncio.to_thread(folder.mkdir, mode=0o700, exist_ok=True)
    while True:
        seen = registry.changes
        users = mosquitto.password_file({**registry.mqtt_passwords(), user: own})
        await asyncio.to_thread(_write_broker_files, folder, users, mosquitto.acl_file(settings.store.id, user))
        await registry.wait_change(seen)


def _write_broker_files(folder: Path, users: str, rights: str) -> None:
    private_files.replace_file(folder / "passwords", users.encode())
    private_files.replace_file(folder / "acl", rights.encode())
