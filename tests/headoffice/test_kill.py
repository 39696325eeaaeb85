"""A real head office in a process of its own is killed while rows come in: what it acknowledged is there."""

import asyncio
import contextlib
import json
import random
import sys

import aiohttp
import pytest

from gateway.headoffice import accounts
from gateway.headoffice.database import FILE
from gateway.headoffice.server import HeadOffice, run
from gateway.settings import HeadOfficeSettings
from gateway.sync.plan import Bounds
from gateway.sync.uplink import LinkError
from tests.sync.offices import Office, as_held
from tests.sync.pushing import push_all
from tests.sync.shop import open_shop

PROGRAM = """
import sys
from pathlib import Path
from gateway.headoffice.server import run
from gateway.settings import HeadOfficeSettings
run(HeadOfficeSettings(path=Path(sys.argv[1]), port=0))
"""
START_S_MAX = 30


@contextlib.asynccontextmanager
async def process(folder):
    """(process, address) of a head office; it is killed in the end if it still runs."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(folder), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(START_S_MAX):
            ready = json.loads(await started.stdout.readline())
        assert ready["event"] == "ready"
        yield started, ready["url"]
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()
        await started.stdout.read()


async def push_until(shop, url, token, acknowledged):
    """Push in small chunks until so many rows are acknowledged, and go on behind our back."""
    async with shop.uplink(url, token) as uplink:
        push = shop.push(uplink, Bounds(chunk_rows_max=7))
        standing = await push.meet()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(push.run(standing))
            try:
                while push._backlog.acknowledged < acknowledged:
                    push._backlog._moved.clear()
                    await push._backlog._moved.wait()
                yield push
            finally:
                running.cancel()


async def test_what_was_acknowledged_before_a_kill_is_there_after_it(tmp_path):
    folder = tmp_path / "office"
    settings = HeadOfficeSettings(path=folder, port=0)
    token, reader = accounts.add_store(settings, "store-1")["token"], accounts.make_token(settings, "reader")["token"]
    chance = random.Random(7)
    acknowledged = 0
    async with open_shop(tmp_path / "shop") as shop:
        for _ in range(5):
            await shop.sell(40)
            async with process(folder) as (office, url):
                async with shop.uplink(url, token) as uplink:
                    assert (await uplink.hello()).next > acknowledged
                wanted = acknowledged + chance.randrange(1, 30)
                with contextlib.suppress(LinkError, ExceptionGroup):
                    async with contextlib.aclosing(push_until(shop, url, token, wanted)) as pushing:
                        async for push in pushing:
                            for _ in range(chance.randrange(20)):
                                await asyncio.sleep(0)
                            office.kill()
                            acknowledged = max(acknowledged, push._backlog.acknowledged)
        async with process(folder) as (_, url), aiohttp.ClientSession() as session:
            await push_all(shop, url, token)
            office = Office(url, settings, session, reader, "")
            assert await office.rows() == as_held(await shop.rows())
            verdict = await office.get("/v1/stores/store-1/verify")
            assert (verdict["sound"], verdict["documents"]) == (True, 200)


async def test_head_office_says_where_it_is_and_stops_when_it_is_asked_to(tmp_path):
    async with process(tmp_path / "office") as (office, url), aiohttp.ClientSession() as session:
        async with session.get(f"{url}/healthz") as response:
            assert response.status == 200
        office.terminate()
        async with asyncio.timeout(START_S_MAX):
            assert await office.wait() == 0


async def test_a_store_that_waits_for_orders_does_not_hold_up_a_stop(tmp_path):
    settings = HeadOfficeSettings(path=tmp_path / "office", port=0)
    token = accounts.add_store(settings, "store-1")["token"]
    async with (
        open_shop(tmp_path / "shop") as shop,
        HeadOffice(settings) as office,
        shop.uplink(office.url, token) as uplink,
        asyncio.TaskGroup() as group,
    ):
        waiting = group.create_task(uplink.orders(0, 50))
        while not office._office.hints._watching:
            await asyncio.sleep(0)
        office._office.hints.close()
        assert await waiting == ()


def test_a_file_of_somebody_else_is_named(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database " * 1_000)
    with pytest.raises(OSError, match=FILE):
        run(HeadOfficeSettings(path=tmp_path, port=0))
