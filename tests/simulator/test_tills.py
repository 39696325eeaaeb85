import asyncio
import random

import pytest

from gateway.client.patience import Patience
from gateway.client.till import Till
from gateway.simulator.baskets import Basket, BasketLine, bundled
from gateway.simulator.history import Held, History
from gateway.simulator.judge import judge
from gateway.simulator.tally import Tally, percentile
from gateway.simulator.tills import Manner, Seller, shares
from tests.client.fake_gateway import FakeGateway

QUICK = Patience(tries_max=8, reply_ms_max=300, total_ms_max=20_000, pause_ms_min=1, pause_ms_max=5)
SOAP = BasketLine("1", "SOAP", 2000, 399, 50)
BREAD = BasketLine("2", "BREAD", 1000, 75, 0)
BASKET = Basket("7", 0, (SOAP, BREAD))


@pytest.fixture
def fake():
    return FakeGateway()


@pytest.fixture
async def store(fake, aiohttp_server):
    server = await aiohttp_server(fake.app)

    class Store:
        history, tally = History(), Tally()

        def till(self, seed):
            return Till.at(str(server.make_url("")), "t", generator=random.Random(seed), patience=QUICK)

        def seller(self, till, name="till-1", **manner):
            return Seller(till, name, Manner(**manner), self.history, self.tally)

        def verdict(self):
            numbers = {each["id"]: each["number"] for each in fake.documents.values()}
            return judge(self.history, [Held("000-001-01", numbers)])

    yield Store()
    fake.release.set()


async def test_a_basket_is_sold_as_it_was_paid(fake, store):
    async with store.till(1) as till:
        answer = await store.seller(till).sell(BASKET)
    assert answer["total"] == "8.23"
    assert store.tally.summary()["sold"] == 1
    assert store.tally.sales[0].formatted_number == "000-001-01-00000001"


async def test_what_the_catalogue_does_not_know_is_sent_with_name_price_and_tax(store):
    async with store.till(1) as till:
        body = store.seller(till, listed=frozenset({"1"})).request([SOAP, BREAD])
    assert body["lines"] == [
        {"sku": "1", "quantity": "2.000", "unit_price": "3.99", "discount": "0.50"},
        {"sku": "2", "quantity": "1.000", "unit_price": "0.75", "discount": "0.00", "name": "BREAD", "tax": "exempt"},
    ]


async def test_every_basket_is_paid_in_full_and_change_is_cash(store):
    async with store.till(1) as till:
        seller = store.seller(till)
        for basket in bundled()[:300]:
            body = seller.request(basket.lines)
            total = float(body["expected_total"])
            paid = [(each["method"], float(each["amount"])) for each in body["payments"]]
            assert sum(amount for _, amount in paid) >= total
            assert all(method == "cash" or amount == total for method, amount in paid)


async def test_the_last_number_seen_is_said_with_the_next_sale(fake, store):
    async with store.till(1) as till:
        seller = store.seller(till)
        await seller.sell(BASKET)
        assert seller.request([SOAP])["last_seen"] == {"000-001-01": 1}


async def test_what_is_out_of_stock_is_taken_out_of_the_basket(fake, store):
    fake.stock["1"] = 0
    async with store.till(1) as till:
        answer = await store.seller(till).sell(BASKET)
    assert answer["total"] == "0.75"
    assert store.tally.summary()["refused"] == {"stock_short": 1}
    assert store.verdict().is_clean


async def test_a_basket_of_which_nothing_is_left_is_given_up(fake, store):
    fake.stock.update({"1": 0, "2": 0})
    async with store.till(1) as till:
        assert await store.seller(till).sell(BASKET) is None
    assert (store.tally.sold, store.tally.given_up) == (0, 1)


async def test_an_answer_that_never_comes_is_counted_as_unknown(fake, store):
    fake.faults.extend(["lose_answer"] * QUICK.tries_max)
    async with store.till(1) as till:
        assert await store.seller(till).sell(BASKET) is None
    assert store.tally.unknown == 1
    assert {record.status for record in store.history.records} == {"unknown"}
    assert store.verdict().is_clean


async def test_many_tills_on_a_bad_network_leave_a_clean_history(fake, store):
    spoiled = random.Random(5)
    fake.faults.extend(spoiled.choices([None, "lose_request", "lose_answer", "busy"], weights=[6, 1, 1, 1], k=400))
    dealt = shares(bundled()[:60], 4)
    async with asyncio.TaskGroup() as tills:
        for number, share in enumerate(dealt):

            async def work(number=number, share=share):
                async with store.till(number) as till:
                    await store.seller(till, f"till-{number}").work(share, asyncio.Event())

            tills.create_task(work())
    verdict = store.verdict()
    assert verdict.is_clean
    assert verdict.held == store.tally.sold == 60
    assert store.tally.retries > 10


async def test_a_set_pace_is_kept(fake, store):
    first, second = Basket("1", 1_000, (SOAP,)), Basket("2", 61_000, (SOAP,))
    async with store.till(1) as till:
        seller = store.seller(till, speed=600.0)
        began = till.clock.monotonic()
        await seller.work([first, second], asyncio.Event(), opened_at_ms=1_000)
        assert till.clock.monotonic() - began >= 0.1
    assert store.tally.sold == 2


async def test_a_till_that_is_told_to_stop_sells_no_more(fake, store):
    stop = asyncio.Event()
    stop.set()
    async with store.till(1) as till:
        await store.seller(till, pause_ms=60_000).work([BASKET], stop)
    assert fake.requests == []


def test_baskets_are_dealt_out_evenly_and_always_alike():
    baskets = bundled()[:10]
    dealt = shares(baskets, 3)
    assert [len(share) for share in dealt] == [4, 3, 3]
    assert dealt == shares(baskets, 3)


def test_a_percentile_is_a_value_that_was_measured():
    assert percentile([], 50) is None
    assert percentile([5.0], 99) == 5.0
    assert percentile([float(value) for value in range(1, 101)], 99) == 99.0
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
