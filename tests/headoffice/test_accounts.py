import pytest

from gateway.clock import HandClock
from gateway.headoffice import accounts
from gateway.headoffice.accounts import AccountError
from gateway.settings import HeadOfficeSettings
from tests.headoffice.journals import headers, hello
from tests.sync.offices import open_office


async def enrol(office, code):
    return await office.ask("POST", "/v1/enrol", json={"code": code})


async def test_a_store_is_added_while_head_office_runs(office):
    added = accounts.add_store(office.settings, "store-1")
    assert set(added) == {"store", "token", "enrol_code"}
    assert await hello(office, added["token"]) == 1


async def test_a_store_that_was_added_before_is_there_after_a_restart(tmp_path):
    settings = HeadOfficeSettings(path=tmp_path / "office", port=0)
    token = accounts.add_store(settings, "store-1")["token"]
    for expected in (1, 2):
        async with open_office(tmp_path / "office") as office:
            assert await hello(office, token) == expected


async def test_no_token_and_no_code_stands_in_the_file(tmp_path, office):
    added = accounts.add_store(office.settings, "store-1")
    made = accounts.make_token(office.settings, "reader")["token"]
    stored = b"".join(path.read_bytes() for path in office.settings.path.iterdir())
    for secret in (added["token"], added["enrol_code"], made):
        assert secret.encode() not in stored


async def test_a_store_is_added_once(office):
    office.add_store()
    with pytest.raises(AccountError) as refused:
        office.add_store()
    assert refused.value.code == "store_exists"


@pytest.mark.parametrize("name", ["", "Store", "a b", "-x", "x" * 33, "../etc", "ñ"])
async def test_a_store_has_a_name_that_can_stand_in_an_address(office, name):
    with pytest.raises(AccountError) as refused:
        accounts.add_store(office.settings, name)
    assert refused.value.code == "store_name_invalid"


async def test_a_role_that_does_not_exist_gets_no_token(office):
    with pytest.raises(AccountError):
        accounts.make_token(office.settings, "owner")


async def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "office").write_bytes(b"a file stands here")
    with pytest.raises(AccountError, match="office"):
        accounts.add_store(HeadOfficeSettings(path=tmp_path / "office"), "store-1")


async def test_a_code_is_good_once_and_ends_the_former_token(office):
    added = accounts.add_store(office.settings, "store-1")
    status, enrolled = await enrol(office, added["enrol_code"].lower().replace("-", " "))
    assert (status, enrolled["store"]) == (200, "store-1")
    assert await hello(office, enrolled["token"]) == 1
    status, _ = await office.ask("GET", "/v1/stores/store-1/cursor", added["token"], headers=headers())
    assert status == 401
    status, problem = await enrol(office, added["enrol_code"])
    assert (status, problem["code"]) == (403, "code_refused")


async def test_a_new_code_ends_the_former_one(office):
    added = accounts.add_store(office.settings, "store-1")
    code = accounts.make_code(office.settings, "store-1")["enrol_code"]
    assert (await enrol(office, added["enrol_code"]))[0] == 403
    assert (await enrol(office, code))[0] == 200
    with pytest.raises(AccountError):
        accounts.make_code(office.settings, "store-2")


async def test_a_code_that_is_too_old_is_refused(office):
    long_ago = HandClock(1_000_000_000_000)
    added = accounts.add_store(office.settings, "store-1", long_ago)
    assert (await enrol(office, added["enrol_code"]))[0] == 403


async def test_codes_cannot_be_guessed_without_end(office):
    statuses = [(await enrol(office, f"AAAA-{number:04}"))[0] for number in range(40)]
    assert statuses[:30] == [403] * 30
    assert set(statuses[30:]) == {429}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"code": 5}', b'{"code": ""}', b'{"code": "A", "x": 1}', b"x" * 2_000]
)
async def test_enrolment_takes_nothing_else(office, body):
    status, problem = await office.ask("POST", "/v1/enrol", data=body, headers={"Content-Type": "application/json"})
    assert status in {413, 422}
    assert problem["code"] in {"invalid_request", "too_large"}
