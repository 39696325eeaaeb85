"""The client against the real gateway: what the fake believes of the wire must be so."""

import random

import pytest

from gateway.app.running import opened
from gateway.client.admin import Admin
from gateway.client.problem import Problem
from gateway.client.till import Till
from gateway.settings import Settings
from gateway.simulator.baskets import bundled, catalogue_csv
from gateway.simulator.history import History
from gateway.simulator.judge import judge
from gateway.simulator.run import held_by
from gateway.simulator.tally import Tally
from gateway.simulator.tills import Manner, Seller

BASKETS = bundled()[:12]
SKU = next(line.sku for line in BASKETS[0].lines if line.is_counted)


@pytest.fixture
async def gateway(tmp_path):
    settings = Settings(
        store={"country": "honduras"},
        storage={"path": tmp_path / "data", "free_bytes_min": 0},
        api={"port": 0, "tls": "on"},
        mqtt={"broker": "off"},
        discovery={"enabled": False},
    )
    async with opened(settings) as gateway:
        yield gateway


@pytest.fixture
async def admin(gateway):
    token = (gateway.data / "admin.token").read_text().strip()
    async with Admin.at(gateway.url, token, ca=(gateway.data / "ca.pem").read_text()) as admin:
        await admin.import_catalogue(catalogue_csv(BASKETS))
        span = {"series": "000-001-01", "first": 1, "last": 500, "valid_until": "2099-12-31"}
        await admin.load_range(admin.new_id(), {**span, "authority_kind": "CAI", "authority_ref": "T-1"})
        yield admin


@pytest.fixture
async def till(admin):
    code = (await admin.pairing_code())["code"]
    async with Till.at(admin.address.url, ca=admin.address.ca) as stranger:
        paired = await stranger.pair(code, "front-1")
    async with Till.at(admin.address.url, paired["token"], ca=paired["ca"], generator=random.Random(1)) as till:
        yield till


async def test_a_paired_till_sells_reads_and_voids(till):
    history, tally = History(), Tally()
    listed = frozenset({product["sku"] async for product in till.products()})
    seller = Seller(till, "front-1", Manner(listed=listed), history, tally)
    sold = [await seller.sell(basket) for basket in BASKETS]
    assert [document["number"] for document in sold] == list(range(1, 13))
    assert [document["total"] for document in sold] == [f"{each.total / 100:.2f}" for each in BASKETS]
    verdict = judge(history, await held_by(till))
    assert verdict.is_clean
    first = sold[0]["id"]
    assert (await till.void(first, "wrong price"))["status"] == "void"
    assert (await till.read(first))["status"] == "void"
    assert sold[1]["formatted_number"] in await till.receipt(sold[1]["id"])
    assert [each["number"] async for each in till.documents(series="000-001-01", **{"from": "11"})] == [11, 12]


async def test_stock_and_the_catalogue_are_read_and_moved(till, admin):
    assert (await till.product(SKU))["sku"] == SKU
    before = (await till.stock_of(SKU))["available"]
    movement = {"kind": "adjustment", "lines": [{"sku": SKU, "quantity": "-3"}], "reason": "broken"}
    await till.move_stock(till.new_id(), movement)
    assert float((await till.stock_of(SKU))["available"]) == float(before) - 3
    assert SKU in {level["sku"] async for level in till.stock()}
    assert (await admin.export_catalogue()).count("\n") == len({x.sku for b in BASKETS for x in b.lines}) + 1


async def test_the_status_ranges_tills_and_the_verdict_are_told(till, admin):
    assert (await till.status())["link"]["waiting"] >= 0
    assert [each["last"] async for each in admin.ranges()] == [500]
    assert [each["name"] async for each in admin.tills()] == ["front-1"]
    assert await till.devices() == []
    assert (await admin.verify())["sound"]
    await admin.revoke_till("front-1")
    with pytest.raises(Problem, match="unauthorized"):
        await till.status()


async def test_events_are_heard_from_any_row_on(till):
    seller = Seller(till, "front-1", Manner(), History(), Tally())
    first = await seller.sell(BASKETS[0])
    await seller.sell(BASKETS[1])
    heard = []
    events = till.events(after=first["seq"] - 1)
    async for event in events:
        if event.kind == "document":
            heard.append(event)
        if len(heard) == 2:
            break
    await events.aclose()
    assert int(heard[0].id) == first["seq"]


async def test_a_request_that_is_not_right_is_a_problem_with_the_errors(till):
    with pytest.raises(Problem) as caught:
        await till.issue(till.new_id(), {"type": "invoice", "lines": [{"sku": SKU, "quantity": 1}]})
    assert caught.value.code == "invalid_request"
    assert caught.value.extras["errors"]
