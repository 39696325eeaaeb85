"""Who may come in where: each address with each token, and every "no" a problem with a code."""

import pytest

from tests.headoffice.journals import headers

STORE = [
    ("GET", "/v1/stores/store-1/cursor"),
    ("POST", "/v1/stores/store-1/chunks/1"),
    ("PUT", "/v1/stores/store-1/heartbeat"),
]
READER = [
    ("GET", "/v1/stores"),
    ("GET", "/v1/stores/store-1/status"),
    ("GET", "/v1/stores/store-1/documents"),
    ("GET", "/v1/stores/store-1/documents/d-1"),
    ("GET", "/v1/stores/store-1/stock"),
    ("GET", "/v1/stores/store-1/stock/MILK"),
    ("GET", "/v1/stores/store-1/journal"),
    ("GET", "/v1/stores/store-1/verify"),
]
WRITER = [("PUT", "/v1/stores/store-1/ranges/r-1"), ("PUT", "/v1/stores/store-1/catalogue")]
ORDERS = [("GET", "/v1/stores/store-1/orders")]


@pytest.mark.parametrize(("method", "path"), STORE + READER + WRITER + ORDERS)
@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Bearer ", "Basic d3Jvbmc6", "wrong"])
async def test_without_a_token_of_head_office_nobody_comes_in(office, method, path, authorization):
    office.add_store()
    sent = {} if authorization is None else {"Authorization": authorization}
    async with office.session.request(method, office.url + path, headers=sent) as response:
        assert response.status == 401
        assert response.content_type == "application/problem+json"
        problem = await response.json(content_type=None)
    assert (problem["code"], problem["status"], problem["instance"]) == ("unauthorized", 401, path)


@pytest.mark.parametrize(("method", "path"), STORE + ORDERS)
async def test_the_token_of_another_store_opens_nothing(office, method, path):
    office.add_store()
    status, problem = await office.ask(method, path, office.add_store("store-2"), headers=headers())
    assert (status, problem["code"]) == (403, "forbidden")


@pytest.mark.parametrize(("method", "path"), READER + WRITER)
async def test_a_stores_token_reads_and_grants_nothing(office, method, path):
    status, problem = await office.ask(method, path, office.add_store())
    assert (status, problem["code"]) == (403, "forbidden")


@pytest.mark.parametrize(("method", "path"), STORE)
async def test_people_do_not_speak_for_a_store(office, method, path):
    office.add_store()
    for token in (office.reader, office.writer):
        status, problem = await office.ask(method, path, token)
        assert (status, problem["code"]) == (403, "forbidden")


@pytest.mark.parametrize(("method", "path"), WRITER)
async def test_a_reader_grants_nothing(office, method, path):
    office.add_store()
    status, problem = await office.ask(method, path)
    assert (status, problem["code"]) == (403, "forbidden")


@pytest.mark.parametrize(("method", "path"), READER[1:] + ORDERS)
async def test_a_store_that_was_not_added_is_not_there(office, method, path):
    status, problem = await office.ask(method, path)
    assert (status, problem["code"]) == (404, "store_unknown")


async def test_an_address_that_is_not_there_says_so(office):
    status, problem = await office.ask("GET", "/v1/nothing")
    assert (status, problem["code"]) == (404, "not_found")


async def test_another_method_hears_which_one_it_is(office):
    status, problem = await office.ask("DELETE", "/v1/stores")
    assert (status, problem["code"]) == (405, "method_not_allowed")


async def test_a_problem_is_told_in_spanish_where_that_is_liked(office):
    _, problem = await office.ask("GET", "/v1/nothing", headers={"Accept-Language": "es-HN,en;q=0.5"})
    assert problem["title"] == "No existe esa dirección"


async def test_anybody_may_ask_whether_it_is_alive(office):
    async with office.session.get(f"{office.url}/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
