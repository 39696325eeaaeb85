"""Who may ask what."""

import uuid

import orjson
import pytest
import pytest_asyncio

from gateway.api.auth import Who
from gateway.api.operations import OPERATIONS
from gateway.api.parts import Limits
from tests.api.store import PROBLEM, open_store

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLACES = {"id": str(uuid.UUID(int=7)), "sku": "1082185", "series": "000-001-01", "name": "nobody", "range": "r-1"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory):
    async with open_store(tmp_path_factory.mktemp("shop"), limits=Limits(wrong_attempts_max=10**9)) as opened:
        yield opened


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.who is not Who.ANYONE], ids=lambda each: each.id
)
async def test_nobody_comes_in_without_a_token_and_no_till_where_only_the_administrator_may(shop, operation):
    path = operation.path.format(**PLACES)
    forwarded = {"Forwarded": "for=192.0.2.1"}
    closed_to_tills = operation.who not in {Who.TILL, Who.EITHER}
    for who, status in (("", 401), ("guess", 401), *([("front-1", 403)] if closed_to_tills else [])):
        answered, headers, _ = await shop.ask(operation.method, path, who=who, headers=forwarded)
        assert answered == status
        assert headers["Content-Type"] == PROBLEM
        assert ("WWW-Authenticate" in headers) == (status == 401)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.who is Who.TILL], ids=lambda each: each.id)
async def test_the_administrator_may_read_what_tills_read_and_write_none_of_it(shop, operation):
    if operation.id == "events":
        return
    status, _, content = await shop.ask(operation.method, operation.path.format(**PLACES), who="admin")
    if operation.method == "GET":
        assert status in {200, 404}
    else:
        assert (status, orjson.loads(content)["code"]) == (403, "forbidden")


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.who is Who.EITHER], ids=lambda each: each.id)
async def test_what_either_may_do_is_closed_to_neither(shop, operation):
    for who in ("front-1", "admin"):
        status, _, _ = await shop.ask(operation.method, operation.path.format(**PLACES), who=who)
        assert status not in {401, 403}
