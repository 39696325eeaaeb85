import pytest

from gateway.devices.broker import EmbeddedBroker
from gateway.simulator.printer import SimulatedPrinter
from tests.devices import store


@pytest.fixture
async def table(tmp_path):
    async with store.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
async def printer():
    async with SimulatedPrinter() as on:
        yield on
        assert on.paper.errors == []


@pytest.fixture
async def embedded():
    async with EmbeddedBroker("127.0.0.1", 0, store=store.STORE, is_right=store.is_right) as broker:
        yield broker
