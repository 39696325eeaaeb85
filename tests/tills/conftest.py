import pytest

from gateway.clock import HandClock
from gateway.settings import Tills
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer
from gateway.tills.registry import Reach, Registry

REACH = Reach(
    store="store-1",
    api="https://gateway-store-1.local:8470",
    ca_pem="-----BEGIN CERTIFICATE-----\n",
    ca_fingerprint="ab" * 32,
    mqtt_host="gateway-store-1.local",
    mqtt_port=8883,
    mqtt_tls=True,
)
ADMIN_TOKEN = "an-administrators-token-of-enough-length"


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
async def disk(tmp_path):
    writer = Writer(tmp_path / "store.db", synchronous="OFF")
    writer.open()
    reader = Reader(tmp_path / "store.db")
    await reader.open()
    yield writer, reader
    await reader.close()
    writer.close()


@pytest.fixture
def make_registry(disk, clock):
    """A registry as after a start of the gateway; a second one is a restart on the same disk."""

    async def make(limits=None):
        writer, reader = disk
        registry = Registry(writer, reader, clock, limits or Tills(), admin_token=ADMIN_TOKEN, reach=lambda: REACH)
        await registry.load()
        return registry

    return make
