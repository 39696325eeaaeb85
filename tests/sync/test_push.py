import asyncio
import contextlib

import pytest

from gateway.sync.protocol import Standing
from tests.sync.offices import as_held, open_office
from tests.sync.shop import open_shop


@pytest.fixture
async def office(tmp_path):
    async with open_office(tmp_path / "office") as opened:
        yield opened


@pytest.fixture
async def shop(tmp_path):
    async with open_shop(tmp_path / "shop") as opened:
        yield opened


async def push_all(shop, url, token, **bounds):
    """Push until everything is acknowledged."""
    async with shop.uplink(url, token) as uplink:
        push = shop.push(uplink, **bounds)
        standing = await push.meet()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(push.run(standing))
            while push._backlog.acknowledged < shop.store.desk.seq:
                push._backlog._moved.clear()
                await push._backlog._moved.wait()
            running.cancel()
        return push


async def test_head_office_holds_exactly_the_journal(office, shop):
    await shop.sell(20)
    await push_all(shop, office.url, office.add_store())
    assert await office.rows() == as_held(await shop.rows())
    verdict = await office.get("/v1/stores/store-1/verify")
    assert verdict["sound"], verdict
