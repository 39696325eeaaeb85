import pytest

from gateway.client.admin import Admin
from gateway.client.problem import NoAnswerError, Problem
from tests.client.fake_gateway import FakeGateway


@pytest.fixture
def fake():
    return FakeGateway()


@pytest.fixture
async def admin(fake, aiohttp_server):
    server = await aiohttp_server(fake.app)
    async with Admin.at(str(server.make_url("/")), "admin") as admin:
        yield admin


async def test_an_administrator_makes_and_lists_tills(admin):
    assert (await admin.make_till("front-1"))["token"] == "token-front-1"
    assert [till["name"] async for till in admin.tills()] == ["front-1"]


async def test_an_administrator_puts_a_catalogue_in(fake, admin):
    answer = await admin.import_catalogue("sku,name\n1,SOAP\n2,BREAD\n", dry_run=True)
    assert answer == {"added": 2, "dry_run": True}


async def test_a_person_is_told_at_once_that_nobody_answers(fake, admin):
    fake.faults.append("lose_request")
    with pytest.raises(NoAnswerError):
        await admin.make_till("front-1")
    assert len(fake.requests) == 1


async def test_a_wrong_token_is_a_problem(fake, aiohttp_server):
    server = await aiohttp_server(fake.app)
    async with Admin.at(str(server.make_url("/")), "guessed") as admin:
        with pytest.raises(Problem, match="forbidden"):
            await admin.make_till("front-1")
