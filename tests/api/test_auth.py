"""Who may ask what, and how long one may guess."""

import asyncio
import uuid

import orjson
import pytest

from gateway.api.auth import ADDRESSES_MAX, WINDOW_S, Attempts, Who
from gateway.api.operations import OPERATIONS
from gateway.api.problems import Problem
from gateway.clock import HandClock
from tests.api.store import PROBLEM, sale

PLACES = {"id": str(uuid.UUID(int=7)), "sku": "1082185", "series": "000-001-01", "name": "nobody"}


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.who is not Who.ANYONE], ids=lambda each: each.id
)
async def test_nobody_comes_in_without_a_token_and_no_till_where_only_the_administrator_may(store, operation):
    path = operation.path.format(**PLACES)
    forwarded = {"Forwarded": "for=192.0.2.1"}
    for who, status in (("", 401), ("guess", 401), *([("front-1", 403)] if operation.who is not Who.TILL else [])):
        answered, headers, _ = await store.ask(operation.method, path, who=who, headers=forwarded)
        assert answered == status
        assert headers["Content-Type"] == PROBLEM
        assert ("WWW-Authenticate" in headers) == (status == 401)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.who is Who.TILL], ids=lambda each: each.id)
async def test_the_administrator_may_read_what_tills_read_and_write_none_of_it(store, operation):
    if operation.id == "events":
        return
    status, _, content = await store.ask(operation.method, operation.path.format(**PLACES), who="admin")
    if operation.method == "GET":
        assert status in {200, 404}
    else:
        assert (status, orjson.loads(content)["code"]) == (403, "forbidden")


async def test_guessing_ends_in_a_wait_and_right_tokens_still_pass(store):
    for _ in range(store.parts.limits.wrong_attempts_max):
        assert (await store.ask("GET", "/v1/status", who="guess"))[0] == 401
    status, headers, content = await store.ask("GET", "/v1/status", who="guess")
    assert (status, orjson.loads(content)["code"]) == (429, "too_many_attempts")
    assert 1 <= int(headers["Retry-After"]) <= WINDOW_S + 1
    assert (await store.ask("GET", "/v1/status"))[0] == 200
    pairing = {"code": "123456", "till_name": "kiosk"}
    status, said = await store.said("POST", "/v1/pairing", pairing, who="")
    assert (status, said["code"]) == (429, "too_many_attempts")
    store.parts.clock.advance(WINDOW_S * 1000 + 1)
    assert (await store.ask("GET", "/v1/status", who="guess"))[0] == 401


def test_addresses_that_guess_are_forgotten_oldest_first():
    clock = HandClock()
    attempts = Attempts(clock, 3)
    for _ in range(3):
        attempts.count("first")
    for number in range(ADDRESSES_MAX - 1):
        attempts.count(f"address {number}")
    with pytest.raises(Problem, match="too_many_attempts"):
        attempts.check("first")
    attempts.count("one more")
    attempts.check("first")


async def test_one_document_asked_for_by_three_tills_at_once_is_issued_once(store):
    for _ in range(20):
        path = f"/v1/documents/{uuid.uuid4()}"
        answers = await asyncio.gather(
            *(store.ask("PUT", path, sale(), who=who) for who in ("front-1", "front-2", "back") for _ in range(3))
        )
        by_till = [answers[start : start + 3] for start in (0, 3, 6)]
        (winner,) = [each for each in by_till if any(status == 201 for status, _, _ in each)]
        assert sorted(status for status, _, _ in winner) == [200, 200, 201]
        assert len({content for _, _, content in winner}) == 1
        for each in by_till:
            if each is not winner:
                assert {(status, orjson.loads(content)["code"]) for status, _, content in each} == {(409, "key_reused")}
    _, page = await store.said("GET", "/v1/documents?limit=500")
    assert [item["number"] for item in page["items"]] == list(range(1, 21))


async def test_one_document_asked_for_differently_at_once_is_one_of_them(store):
    path = f"/v1/documents/{uuid.uuid4()}"
    bodies = [sale(quantity) for quantity in ("1", "2", "3")]
    answers = await asyncio.gather(*(store.said("PUT", path, body) for body in bodies for _ in range(2)))
    assert sorted(status for status, _ in answers) == [200, 201, 409, 409, 409, 409]
    assert {said["code"] for status, said in answers if status == 409} == {"key_reused"}
    assert len({said["total"] for status, said in answers if status < 300}) == 1
