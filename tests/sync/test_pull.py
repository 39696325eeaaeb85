import asyncio
import contextlib

import orjson
import pytest
from aiohttp import web

from gateway.storage import catalogue, cursors, documents
from gateway.sync import codec, protocol
from gateway.sync.pull import PULLED
from gateway.sync.uplink import OfficeRefusedError
from tests.sync.pushing import push_line
from tests.sync.test_uplink import answering

RANGE = {"series": "000-001-01", "authority_kind": "CAI", "authority_ref": "ABC-1", "first": 1, "last": 500}
MILK = {"sku": "MILK", "name": "Leche", "unit_price": "1.50", "tax": "isv15"}


async def pull_all(shop, office, token, until):
    """Ask until the cursor stands at `until`."""
    async with shop.uplink(office.url, token) as uplink:
        pull = shop.pull(uplink)
        while (await cursors.read(shop.store.reader, PULLED)).value < until:
            await pull.once(5)
        return pull


async def skipped(shop):
    return [(each.seq, each.code) for each in await cursors.untold(shop.store.reader, 100)]


async def names(shop):
    version, rows = await catalogue.products(shop.store.reader)
    return version, [row["name"] for row in rows]


async def test_a_granted_range_is_loaded_once(office, shop):
    token = office.add_store()
    for expected in (201, 200):
        status, given = await office.put("/v1/stores/store-1/ranges/r-1", json=RANGE)
        assert (status, given) == (expected, {"id": "r-1", "order": 1})
    await pull_all(shop, office, token, 1)
    (loaded,) = await documents.ranges(shop.store.reader)
    assert (loaded["id"], loaded["first"], loaded["last"], loaded["state"]) == ("r-1", 1, 500, "loaded")


async def test_a_range_that_was_loaded_before_the_cursor_moved_is_not_loaded_twice(office, shop):
    token = office.add_store()
    await office.put("/v1/stores/store-1/ranges/r-1", json=RANGE)
    await pull_all(shop, office, token, 1)
    await shop.store.writer.run(lambda connection: cursors.drop(connection, PULLED))
    seq = shop.store.desk.seq
    await pull_all(shop, office, token, 1)
    assert shop.store.desk.seq == seq
    assert await skipped(shop) == []


async def test_a_change_of_the_catalogue_is_one_version(office, shop):
    token = office.add_store()
    bread = {**MILK, "sku": "BREAD", "name": "Pan"}
    await office.put("/v1/stores/store-1/catalogue", json={"products": [MILK, bread]})
    await pull_all(shop, office, token, 1)
    assert await names(shop) == (1, ["Pan", "Leche"])
    await office.put(
        "/v1/stores/store-1/catalogue", json={"products": [{**MILK, "name": "Leche 1 l"}], "deleted": ["BREAD"]}
    )
    await pull_all(shop, office, token, 2)
    assert await names(shop) == (2, ["Leche 1 l"])


async def test_a_catalogue_in_parts_is_seen_with_its_last_part_only(office, shop):
    token = office.add_store()
    many = [{**MILK, "sku": f"S{number:04}", "barcode": f"77{number:06}"} for number in range(1_100)]
    status, given = await office.put("/v1/stores/store-1/catalogue", json={"products": many})
    assert (status, given["orders"]) == (201, [1, 2, 3])
    seen = []
    async with shop.uplink(office.url, token) as uplink:
        orders = await uplink.orders(0, 0)
        pull = shop.pull(uplink)
        for order in orders:
            assert await pull._settle(order)
            seen.append(await catalogue.catalogue_version(shop.store.reader))
    assert seen == [0, 0, 1]
    assert len((await catalogue.products(shop.store.reader, limit=2_000))[1]) == 1_100
    assert await cursors.staged(shop.store.reader, 1) == {}


async def test_an_order_that_was_settled_by_a_line_given_up_does_nothing_again(office, shop):
    token = office.add_store()
    await office.put("/v1/stores/store-1/catalogue", json={"products": [MILK]})
    await office.put("/v1/stores/store-1/catalogue", json={"products": [{**MILK, "name": "Leche 1 l"}]})
    async with shop.uplink(office.url, token) as uplink:
        late = await uplink.orders(0, 0)
        await pull_all(shop, office, token, 2)
        assert not await shop.pull(uplink)._settle(late[0])
    assert await names(shop) == (2, ["Leche 1 l"])


async def test_what_the_store_cannot_sell_is_skipped_whole_with_a_reason(office, shop):
    token = office.add_store()
    await office.put("/v1/stores/store-1/catalogue", json={"products": [MILK, {**MILK, "sku": "X", "tax": "no-tax"}]})
    await office.put("/v1/stores/store-1/catalogue", json={"products": [{**MILK, "unit_price": "1.505"}]})
    await office.put("/v1/stores/store-1/catalogue", json={"products": [MILK]})
    await pull_all(shop, office, token, 3)
    assert await skipped(shop) == [(1, "catalogue_invalid"), (2, "catalogue_invalid")]
    assert await names(shop) == (1, ["Leche"])
    assert [warning.kind.code for warning in shop.store.board.up()] == []


async def test_a_refused_range_blocks_nothing_and_puts_up_a_warning(office, shop):
    token = office.add_store()
    await office.put("/v1/stores/store-1/ranges/r-1", json={**RANGE, "series": "999-999-01"})
    await office.put("/v1/stores/store-1/catalogue", json={"products": [MILK]})
    await pull_all(shop, office, token, 2)
    assert await skipped(shop) == [(1, "series_unknown")]
    assert await names(shop) == (1, ["Leche"])
    assert [warning.kind.code for warning in shop.store.board.up()] == ["pull_refused"]


ORDERS = [
    ({"seq": 1, "kind": "sing_a_song", "body": {}}, "order_unknown"),
    ({"seq": 1, "kind": "range_granted", "body": {}}, "order_invalid"),
    ({"seq": 1, "kind": "range_granted", "body": {"id": "r", **RANGE, "first": "1"}}, "order_invalid"),
    ({"seq": 1, "kind": "range_granted", "body": {"id": "r", **RANGE, "first": 2**53 - 1}}, "range_invalid"),
    ({"seq": 1, "kind": "catalogue_delta", "body": {"version": 1, "part": 2, "parts": 2}}, "catalogue_part_missing"),
    ({"seq": 1, "kind": "catalogue_delta", "body": {"version": 1, "products": [MILK, MILK]}}, "catalogue_invalid"),
    (
        {"seq": 1, "kind": "catalogue_delta", "body": {"version": 1, "products": [{**MILK, "unit_price": 1.5}]}},
        "order_invalid",
    ),
    ({"seq": 1, "kind": "catalogue_delta", "body": {"version": 1, "products": [{**MILK, "sku": ""}]}}, "order_invalid"),
]


@contextlib.asynccontextmanager
async def giving(*orders):
    """A head office that says these are the next orders."""

    async def handler(request):
        after = int(request.query["after"])
        packed = codec.pack(orjson.dumps({"items": [order for order in orders if order["seq"] > after]}))
        return web.Response(body=packed, headers={"Content-Type": protocol.PACKED})

    async with answering(handler) as url:
        yield url


@pytest.mark.parametrize(("order", "code"), ORDERS)
async def test_a_bad_order_is_skipped_and_the_next_one_has_its_turn(shop, order, code):
    good = {"seq": 2, "kind": "catalogue_delta", "body": {"version": 2, "products": [MILK]}}
    async with giving(order, good) as url, shop.uplink(url, "token") as uplink:
        assert await shop.pull(uplink).once(0) == 2
    assert await skipped(shop) == [(1, code)]
    assert await names(shop) == (1, ["Leche"])
    assert (await cursors.read(shop.store.reader, PULLED)).value == 2


async def test_after_a_refused_part_the_whole_change_is_refused(shop):
    def part(number, product):
        body = {"version": 1, "part": number, "parts": 3, "products": [product]}
        return {"seq": number, "kind": "catalogue_delta", "body": body}

    bad = {**MILK, "sku": "B", "tax": "no-tax"}
    async with (
        giving(part(1, MILK), part(2, bad), part(3, {**MILK, "sku": "C"})) as url,
        shop.uplink(url, "t") as uplink,
    ):
        await shop.pull(uplink).once(0)
    assert await skipped(shop) == [(2, "catalogue_invalid"), (3, "catalogue_part_missing")]
    assert await names(shop) == (0, [])


async def test_a_change_that_begins_anew_does_not_meet_parts_of_an_older_one(shop):
    first = {"version": 1, "part": 1, "parts": 2, "products": [MILK]}
    anew = {"version": 1, "products": [{**MILK, "sku": "C"}]}
    orders = [{"seq": seq, "kind": "catalogue_delta", "body": body} for seq, body in ((1, first), (2, anew))]
    async with giving(*orders) as url, shop.uplink(url, "token") as uplink:
        await shop.pull(uplink).once(0)
    _, rows = await catalogue.products(shop.store.reader)
    assert [row["sku"] for row in rows] == ["C"]


async def test_orders_that_do_not_follow_each_other_are_not_applied(shop):
    gap = {"seq": 2, "kind": "catalogue_delta", "body": {"version": 1, "products": [MILK]}}
    async with giving(gap) as url, shop.uplink(url, "token") as uplink:
        with pytest.raises(OfficeRefusedError, match="orders_gap"):
            await shop.pull(uplink).once(0)
    assert await names(shop) == (0, [])


async def test_an_order_reaches_a_store_that_waits_for_it(office, shop):
    token = office.add_store()
    async with shop.uplink(office.url, token) as uplink, asyncio.TaskGroup() as group:
        waiting = group.create_task(shop.pull(uplink).once(40))
        await office.ask("GET", "/v1/stores")
        await office.put("/v1/stores/store-1/catalogue", json={"products": [MILK]})
        assert await waiting == 1
    assert await names(shop) == (1, ["Leche"])


async def test_what_became_of_orders_is_seen_at_head_office(office, shop):
    token = office.add_store()
    await push_line(shop, office.url, token)
    await office.put("/v1/stores/store-1/ranges/r-1", json={**RANGE, "series": "999-999-01"})
    await office.put("/v1/stores/store-1/catalogue", json={"products": [MILK]})
    await pull_all(shop, office, token, 2)
    await office.put("/v1/stores/store-1/ranges/r-2", json=RANGE)
    async with shop.uplink(office.url, token) as uplink:
        await shop.link(uplink)._report(uplink)
    orders = (await office.get("/v1/stores/store-1/orders"))["items"]
    assert [(order["seq"], order["state"], order["code"]) for order in orders] == [
        (1, "refused", "series_unknown"),
        (2, "applied", ""),
        (3, "waiting", ""),
    ]
    assert "999-999-01" in orders[0]["detail"]
    assert await skipped(shop) == []
