"""How long one may guess, and what happens when several ask for the same."""

import asyncio
import uuid

import orjson
import pytest

from gateway.api.auth import ADDRESSES_MAX, WINDOW_S, Attempts
from gateway.api.problems import Problem
from gateway.clock import HandClock
from tests.api.store import sale


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
