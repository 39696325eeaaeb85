"""The cable is cut after every single byte of an exchange, both ways: nothing is lost, doubled or half there."""

import pytest

from gateway.storage import catalogue, cursors
from gateway.sync.plan import Bounds
from gateway.sync.pull import PULLED
from gateway.sync.uplink import NoLineError
from tests.sync.cut_proxy import DOWN, UP, CutProxy
from tests.sync.offices import as_held
from tests.sync.pushing import push_all, push_line


async def bytes_of(proxy, direction, exchange):
    """How many bytes one exchange sends that way."""
    before = proxy.passed[direction]
    await exchange()
    return proxy.passed[direction] - before


@pytest.mark.parametrize("direction", [UP, DOWN])
async def test_rows_arrive_once_wherever_the_line_is_cut(office, shop, direction):
    token = office.add_store()
    async with CutProxy(office.port) as proxy:
        await shop.sell(1)
        await push_all(shop, proxy.url, token)

        async def exchange():
            await shop.declare()
            await push_all(shop, proxy.url, token)

        whole = await bytes_of(proxy, direction, exchange)
        assert whole > 300
        for cut_after in range(whole):
            proxy.cut(direction, cut_after)
            await exchange()
            proxy.heal()
        assert proxy.cuts >= whole - 20  # the length of a compressed row differs by a few bytes
    assert await office.rows() == as_held(await shop.rows())
    assert (await office.get("/v1/stores/store-1/verify"))["sound"]


async def test_a_backlog_arrives_once_over_a_line_that_is_cut_again_and_again(office, shop):
    token = office.add_store()
    async with CutProxy(office.port, piece_bytes=300) as proxy:
        broken = 0
        for cut_after in range(200, 4_000, 371):
            await shop.sell(20)
            proxy.cut(UP if cut_after % 2 else DOWN, cut_after)
            broken += await push_all(shop, proxy.url, token, Bounds(chunk_rows_max=4))
            proxy.heal()
        assert broken > 6
    assert await office.rows() == as_held(await shop.rows())


@pytest.mark.parametrize("direction", [UP, DOWN])
async def test_a_catalogue_is_whole_or_not_there_wherever_the_line_is_cut(office, shop, direction):
    token = office.add_store()
    await shop.sell(1)
    await push_line(shop, office.url, token)
    async with CutProxy(office.port) as proxy:

        async def exchange():
            """Pull one new version of three products; nothing between the versions is ever seen."""
            number = exchange.number = exchange.number + 1
            products = [{"sku": sku, "name": f"{sku} {number}", "unit_price": "1.50", "tax": "isv15"} for sku in "ABC"]
            status, _ = await office.put("/v1/stores/store-1/catalogue", json={"products": products})
            assert status == 201
            async with shop.uplink(proxy.url, token) as uplink:
                pull = shop.pull(uplink)
                while (await cursors.read(shop.store.reader, PULLED)).value < number:
                    try:
                        await pull.once(0)
                    except NoLineError:
                        assert await names(shop) in ([], [f"{sku} {number - 1}" for sku in "ABC"])
            assert await names(shop) == [f"{sku} {number}" for sku in "ABC"]
            assert await catalogue.catalogue_version(shop.store.reader) == number

        exchange.number = 0
        whole = await bytes_of(proxy, direction, exchange)
        for cut_after in range(whole):
            proxy.cut(direction, cut_after)
            await exchange()
            proxy.heal()
        assert proxy.cuts >= whole - 20


async def names(shop):
    _, rows = await catalogue.products(shop.store.reader)
    return [row["name"] for row in rows]
