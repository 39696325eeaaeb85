import random

import pytest

from gateway.client.patience import Patience
from gateway.client.problem import NoAnswerError, Problem
from gateway.client.till import Till
from tests.client.fake_gateway import FakeGateway

QUICK = Patience(tries_max=6, reply_ms_max=300, total_ms_max=20_000, pause_ms_min=1, pause_ms_max=5)
BODY = {
    "type": "invoice",
    "lines": [{"sku": "1", "quantity": "1"}],
    "payments": [{"method": "cash", "amount": "1.00"}],
    "expected_total": "1.00",
}


@pytest.fixture
def fake():
    return FakeGateway()


@pytest.fixture
async def till(fake, aiohttp_server):
    server = await aiohttp_server(fake.app)
    async with Till.at(str(server.make_url("")), "token-1", generator=random.Random(1), patience=QUICK) as till:
        yield till
    fake.release.set()


async def test_a_document_is_issued_and_the_token_is_shown(fake, till):
    document = await till.issue(till.new_id(), BODY)
    assert document["number"] == 1
    assert fake.requests[0][3]["Authorization"] == "Bearer token-1"


@pytest.mark.parametrize("fault", ["lose_request", "lose_answer", "busy", "garbage", "hang", "portal", "elsewhere"])
async def test_the_same_bytes_are_sent_again_until_there_is_an_answer(fake, till, fault):
    fake.faults.extend([fault, fault])
    document = till.new_id()
    answer = await till.issue(document, BODY)
    assert answer["id"] == document
    assert len({request[:3] for request in fake.requests}) == 1
    assert len(fake.requests) == 3
    assert till.retries == 2
    assert len(fake.documents) == 1


async def test_a_refusal_is_raised_at_once_with_all_that_came(fake, till):
    fake.stock["1"] = 0
    with pytest.raises(Problem) as caught:
        await till.issue(till.new_id(), BODY)
    problem = caught.value
    assert (problem.code, problem.status, problem.advice) == ("stock_short", 409, "change_and_retry")
    assert problem.extras == {"sku": "1", "available": "0.000"}
    assert len(fake.requests) == 1


async def test_patience_ends_with_unknown_when_nobody_answers(fake, till):
    fake.faults.extend(["lose_request"] * 10)
    with pytest.raises(NoAnswerError):
        await till.issue(till.new_id(), BODY)
    assert len(fake.requests) == QUICK.tries_max


async def test_patience_ends_with_the_problem_when_the_gateway_stays_busy(fake, till):
    fake.faults.extend(["busy"] * 10)
    with pytest.raises(Problem, match="busy"):
        await till.issue(till.new_id(), BODY)
    assert len(fake.requests) == QUICK.tries_max


async def test_every_try_is_observed_with_its_times(fake, till):
    fake.faults.extend(["lose_answer", "busy"])
    tries = []
    await till.issue(till.new_id(), BODY, observe=tries.append)
    assert [each.status for each in tries] == [None, 503, 200]
    assert all(each.started <= each.ended for each in tries)


async def test_a_list_is_read_page_after_page(fake, till):
    for _ in range(7):
        await till.issue(till.new_id(), BODY)
    numbers = [document["number"] async for document in till.documents(series="000-001-01")]
    assert numbers == [1, 2, 3, 4, 5, 6, 7]
    assert fake.requests[-1][1] == "/v1/documents?series=000-001-01&limit=500&cursor=6"


async def test_an_answer_of_many_pieces_is_read_whole(fake, till):
    fake.products = [{"sku": str(number), "name": "x" * 400_000} for number in range(4)]
    assert [len(product["name"]) async for product in till.products()] == [400_000] * 4


async def test_a_document_is_read_and_voided(till):
    document = till.new_id()
    await till.issue(document, BODY)
    assert (await till.read(document))["status"] == "issued"
    assert (await till.void(document, "wrong price"))["status"] == "void"
    with pytest.raises(Problem, match="document_unknown"):
        await till.read(till.new_id())


async def test_a_pairing_code_is_tried_once_only(fake, till):
    assert (await till.pair("123456", "front-1"))["token"] == "secret"
    fake.faults.append("lose_answer")
    with pytest.raises(NoAnswerError):
        await till.pair("123456", "front-1")
    assert len(fake.requests) == 2


async def test_events_go_on_where_the_lost_line_ended(fake, till):
    fake.events = [{"seq": seq, "kind": "document"} for seq in range(1, 6)]
    fake.stream_ends_after = 2
    seen = []
    events = till.events(after=0)
    async for event in events:
        seen.append(event.data["seq"])
        if len(seen) == 5:
            break
    await events.aclose()
    assert seen == [1, 2, 3, 4, 5]
    assert fake.resumed_after == [0, 2, 4]


async def test_nobody_there_is_no_answer(unused_tcp_port):
    async with Till.at(f"http://127.0.0.1:{unused_tcp_port}", patience=QUICK) as till:
        with pytest.raises(NoAnswerError, match="ClientConnectorError"):
            await till.status()
