import json

import pytest

from gateway.simulator.run import Options, SimulateError, sell
from tests.client.fake_gateway import FakeGateway
from tests.rigs import gapless


@pytest.fixture
def fake():
    fake = FakeGateway()
    fake.products = [{"sku": sku} for sku in ("852856", "899814", "948420")]
    return fake


@pytest.fixture
async def options(fake, aiohttp_server, tmp_path):
    server = await aiohttp_server(fake.app)

    def made(**values):
        given = {"admin_token": "admin", "count": 12, "numbers": tmp_path / "numbers.jsonl"}
        return Options(str(server.make_url("/")).rstrip("/"), **{**given, **values})

    return made


async def test_every_basket_is_sold_once_and_named_with_its_number(fake, options, tmp_path):
    summary = await sell(options(tills=4))
    assert {key: summary[key] for key in ("sold", "unknown", "given_up", "refused", "tills")} == {
        "sold": 12,
        "unknown": 0,
        "given_up": 0,
        "refused": {},
        "tills": 4,
    }
    assert summary["p50_ms"] <= summary["p99_ms"]
    sales = [json.loads(line) for line in (tmp_path / "numbers.jsonl").read_text().splitlines()]
    assert sorted(sale["number"] for sale in sales) == list(range(1, 13))
    assert {sale["document"] for sale in sales} == set(fake.documents)
    assert fake.tills == ["simulated-1", "simulated-2", "simulated-3", "simulated-4"]


async def test_products_of_the_catalogue_are_not_named_again(fake, options):
    await sell(options(tills=1, count=1))
    (body,) = [json.loads(request[2]) for request in fake.requests if request[1].startswith("/v1/documents/")]
    assert {line["sku"] for line in body["lines"] if "tax" not in line} == {"852856", "899814", "948420"}
    assert all(line["tax"] == "exempt" for line in body["lines"] if "name" in line)


async def test_the_history_satisfies_a_foreign_judge(fake, options, tmp_path):
    fake.faults.extend([None] * 12 + ["lose_answer", "lose_request", None] * 8)
    history = tmp_path / "history.jsonl"
    summary = await sell(options(tills=3, count=20, history=history))
    assert summary["sold"] == 20
    assert summary["retries"] > 4
    events = [json.loads(line) for line in history.read_text().splitlines()]
    assert gapless.check(events) == []
    assert len([event for event in events if "final" not in event]) == 20 + summary["retries"]


async def test_the_same_seed_sends_the_same_sales(fake, options):
    def bodies():
        return [json.loads(request[2]) for request in fake.requests if request[1].startswith("/v1/documents/")]

    await sell(options(tills=1, count=6, seed=7))
    first = bodies()
    fake.requests.clear()
    await sell(options(tills=1, count=6, seed=7))
    again = bodies()
    for body in (*first, *again):
        del body["last_seen"]
    assert first == again


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"admin_token": ""}, "say who sells"),
        ({"admin_token": "guessed"}, "forbidden"),
        ({"tills": 0}, "--tills"),
        ({"ca_file": "nowhere.pem"}, "nowhere.pem"),
        ({"baskets": "nowhere.jsonl"}, "nowhere.jsonl"),
    ],
)
async def test_what_cannot_begin_says_why(options, tmp_path, values, why):
    values = {key: tmp_path / value if key in {"ca_file", "baskets"} else value for key, value in values.items()}
    with pytest.raises(SimulateError, match=why):
        await sell(options(**values))


async def test_nobody_there_is_said_in_one_line(unused_tcp_port):
    with pytest.raises(SimulateError, match="Is the gateway running"):
        await sell(Options(f"http://127.0.0.1:{unused_tcp_port}", admin_token="admin"))
