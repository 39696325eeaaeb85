import asyncio
import re
import sqlite3

import pytest

from gateway.storage.writer import ClosedError
from gateway.tills import tokens
from gateway.tills.refusals import TillRefusedError
from gateway.tills.registry import TILLS_MAX
from tests.tills.conftest import ADMIN_TOKEN


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def refused(awaitable):
    with pytest.raises(TillRefusedError) as caught:
        await awaitable
    return caught.value


async def test_a_till_with_the_code_is_paired_and_let_in_by_its_token(make_registry):
    registry = await make_registry()
    code = await registry.make_code()

    paired = await registry.pair(code.code, "front-1", "Elo Touch")

    assert re.fullmatch(r"[0-9]{6}", code.code)
    assert registry.till_of(tokens.hash_of(paired.token)) == "front-1"
    assert registry.is_mqtt_login("front-1", paired.mqtt_password)
    assert paired.reach.api == "https://gateway-store-1.local:8470"
    assert [(till.name, till.model, till.revoked_at) for till in await registry.list()] == [
        ("front-1", "Elo Touch", None)
    ]


async def test_neither_token_nor_password_nor_code_is_in_the_database_file(make_registry, tmp_path):
    registry = await make_registry()
    code = await registry.make_code()
    used = await registry.make_code()
    paired = await registry.pair(used.code, "front-1")

    stored = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))

    for secret in (paired.token, paired.mqtt_password, code.code, used.code):
        assert secret.encode() not in stored


async def test_a_code_lets_in_one_till_only(make_registry):
    registry = await make_registry()
    code = await registry.make_code()
    await registry.pair(code.code, "front-1")

    error = await refused(registry.pair(code.code, "front-2"))

    assert error.code == "pairing_refused"
    assert [till.name for till in await registry.list()] == ["front-1"]


async def test_of_two_tills_racing_with_one_code_exactly_one_gets_in(make_registry):
    registry = await make_registry()
    code = await registry.make_code()

    outcomes = await asyncio.gather(
        registry.pair(code.code, "front-1"), registry.pair(code.code, "front-2"), return_exceptions=True
    )

    lost = [outcome for outcome in outcomes if isinstance(outcome, TillRefusedError)]
    assert len(lost) == 1
    assert lost[0].code == "pairing_refused"
    assert len(registry.mqtt_passwords()) == 1


async def test_two_gateways_on_one_disk_let_in_one_till(make_registry):
    """The database decides, not the memory of one process."""
    first, second = await make_registry(), await make_registry()
    code = await first.make_code()

    outcomes = await asyncio.gather(
        first.pair(code.code, "front-1"), second.pair(code.code, "front-2"), return_exceptions=True
    )

    assert sum(isinstance(outcome, TillRefusedError) for outcome in outcomes) == 1
    assert len(await first.list()) == 1


async def test_a_wrong_guess_costs_a_try_and_the_last_one_the_code(make_registry):
    registry = await make_registry()
    code = await registry.make_code()

    left = [(await refused(registry.pair(wrong(code.code), "front-1"))).values["tries_left"] for _ in range(5)]
    error = await refused(registry.pair(code.code, "front-1"))

    assert left == [4, 3, 2, 1, 0]
    assert error.code == "pairing_refused"
    assert await registry.list() == ()


async def test_guesses_made_at_once_are_counted_one_by_one(make_registry):
    registry = await make_registry()
    code = await registry.make_code()

    errors = await asyncio.gather(*(refused(registry.pair(wrong(code.code), f"front-{n}")) for n in range(20)))

    assert sorted(error.values["tries_left"] for error in errors) == [0] * 16 + [1, 2, 3, 4]
    assert (await refused(registry.pair(code.code, "front-1"))).code == "pairing_refused"


@pytest.mark.parametrize("guess", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "123456\n", "\ud800"])
async def test_what_is_no_code_at_all_costs_a_try_too(make_registry, guess):
    registry = await make_registry()
    await registry.make_code()

    error = await refused(registry.pair(guess, "front-1"))

    assert (error.code, error.values["tries_left"]) == ("pairing_refused", 4)


async def test_a_restart_gives_no_tries_back(make_registry):
    before = await make_registry()
    code = await before.make_code()
    for _ in range(4):
        await refused(before.pair(wrong(code.code), "front-1"))

    after = await make_registry()
    error = await refused(after.pair(wrong(code.code), "front-1"))

    assert error.values["tries_left"] == 0
    assert (await refused(after.pair(code.code, "front-1"))).code == "pairing_refused"


async def test_a_code_outlives_a_restart(make_registry):
    code = await (await make_registry()).make_code()

    paired = await (await make_registry()).pair(code.code, "front-1")

    assert paired.till == "front-1"


async def test_a_code_dies_after_its_minutes(make_registry, clock):
    registry = await make_registry()
    code = await registry.make_code()
    assert code.expires_at == clock.now_ms() + 600_000
    clock.advance(600_000)

    assert (await refused(registry.pair(code.code, "front-1"))).code == "pairing_code_expired"


async def test_a_code_is_good_until_its_last_moment(make_registry, clock):
    registry = await make_registry()
    code = await registry.make_code()
    clock.advance(599_999)

    assert (await registry.pair(code.code, "front-1")).till == "front-1"


async def test_a_clock_that_goes_back_does_not_make_a_code_live_longer(make_registry, clock):
    registry = await make_registry()
    code = await registry.make_code()
    clock.advance(-86_400_000)

    assert (await refused(registry.pair(code.code, "front-1"))).code == "pairing_code_expired"


async def test_a_new_code_ends_the_one_before(make_registry):
    registry = await make_registry()
    old = await registry.make_code()
    new = await registry.make_code()

    if old.code != new.code:
        await refused(registry.pair(old.code, "front-1"))
    assert (await registry.pair(new.code, "front-1")).till == "front-1"


async def test_without_a_code_nobody_gets_in(make_registry):
    registry = await make_registry()

    assert (await refused(registry.pair("123456", "front-1"))).code == "pairing_refused"


async def test_a_name_in_use_is_refused_and_the_code_stays_good(make_registry):
    registry = await make_registry()
    first = await registry.pair((await registry.make_code()).code, "front-1")
    code = await registry.make_code()

    error = await refused(registry.pair(code.code, "front-1"))

    assert error.code == "till_name_taken"
    assert registry.till_of(tokens.hash_of(first.token)) == "front-1"
    assert (await registry.pair(code.code, "front-2")).till == "front-2"


async def test_whoever_has_not_the_code_does_not_learn_which_names_are_in_use(make_registry):
    registry = await make_registry()
    await registry.make_till("front-1")
    code = await registry.make_code()

    assert (await refused(registry.pair(wrong(code.code), "front-1"))).code == "pairing_refused"


async def test_the_name_of_a_revoked_till_can_be_paired_again(make_registry):
    registry = await make_registry()
    old = await registry.make_till("front-1")
    await registry.revoke("front-1")

    new = await registry.pair((await registry.make_code()).code, "front-1")

    assert registry.till_of(tokens.hash_of(new.token)) == "front-1"
    assert registry.till_of(tokens.hash_of(old.token)) is None
    assert [till.revoked_at for till in await registry.list()] == [None]


async def test_a_till_made_again_by_the_administrator_has_new_secrets_only(make_registry):
    registry = await make_registry()
    old = await registry.make_till("front-1")

    new = await registry.make_till("front-1")

    assert registry.till_of(tokens.hash_of(new.token)) == "front-1"
    assert registry.till_of(tokens.hash_of(old.token)) is None
    assert not registry.is_mqtt_login("front-1", old.mqtt_password)
    assert registry.is_mqtt_login("front-1", new.mqtt_password)


async def test_a_revoked_till_is_out_before_the_disk_has_answered_and_stays_out(make_registry, clock):
    registry = await make_registry()
    paired = await registry.make_till("front-1")

    revoking = asyncio.ensure_future(registry.revoke("front-1"))
    await asyncio.sleep(0)

    assert registry.till_of(tokens.hash_of(paired.token)) is None
    assert not registry.is_mqtt_login("front-1", paired.mqtt_password)
    await revoking
    assert (await make_registry()).till_of(tokens.hash_of(paired.token)) is None
    assert [till.revoked_at for till in await registry.list()] == [clock.now_ms()]


async def test_revoking_again_changes_nothing(make_registry, clock):
    registry = await make_registry()
    await registry.make_till("front-1")
    await registry.revoke("front-1")
    at = clock.now_ms()
    clock.advance(1000)

    await registry.revoke("front-1")

    assert [till.revoked_at for till in await registry.list()] == [at]


async def test_an_unknown_till_cannot_be_revoked(make_registry):
    registry = await make_registry()

    assert (await refused(registry.revoke("front-1"))).code == "till_unknown"


async def test_a_till_being_revoked_is_not_let_in_again_by_another_ones_pairing(make_registry):
    registry = await make_registry()
    paired = await registry.make_till("front-1")

    making = asyncio.ensure_future(registry.make_till("front-2"))
    await asyncio.sleep(0)
    revoking = asyncio.ensure_future(registry.revoke("front-1"))
    await making

    assert registry.till_of(tokens.hash_of(paired.token)) is None
    await revoking


async def test_paired_tills_are_known_after_a_restart(make_registry):
    paired = await (await make_registry()).make_till("front-1")

    after = await make_registry()

    assert after.till_of(tokens.hash_of(paired.token)) == "front-1"
    assert after.is_mqtt_login("front-1", paired.mqtt_password)


@pytest.mark.parametrize(
    "name", ["", "Front-1", "-front", "a" * 33, "front 1", "front\n", "caja/1", "gateway", "admin"]
)
async def test_a_name_that_is_none_is_refused(make_registry, name):
    registry = await make_registry()
    code = await registry.make_code()

    assert (await refused(registry.pair(code.code, name))).code == "till_name_invalid"
    assert (await refused(registry.make_till(name))).code == "till_name_invalid"


async def test_the_store_has_a_limit_of_tills(make_registry, disk):
    registry = await make_registry()
    writer, _ = disk

    def fill(connection: sqlite3.Connection) -> None:
        for number in range(TILLS_MAX):
            values = (f"till-{number}", number.to_bytes(32, "big"))
            connection.execute("INSERT INTO tills VALUES (?, ?, '', '', 0, NULL)", values)

    await writer.run(fill)
    code = await registry.make_code()

    assert (await refused(registry.make_till("front-1"))).code == "tills_full"
    assert (await refused(registry.pair(code.code, "front-1"))).code == "tills_full"
    await registry.make_till("till-7")
    await registry.revoke("till-7")
    assert (await registry.pair(code.code, "front-1")).till == "front-1"


async def test_a_model_is_kept_short_and_printable(make_registry):
    registry = await make_registry()

    await registry.make_till("front-1", "Elo\x1b[2J\n" + "x" * 100)

    (till,) = await registry.list()
    assert till.model == "Elo[2J" + "x" * 58


async def test_only_the_administrators_token_is_the_administrators(make_registry):
    registry = await make_registry()
    paired = await registry.make_till("front-1")

    assert registry.is_admin(tokens.hash_of(ADMIN_TOKEN))
    assert not registry.is_admin(tokens.hash_of(paired.token))
    assert not registry.is_admin(tokens.hash_of(""))
    assert registry.till_of(tokens.hash_of(ADMIN_TOKEN)) is None


async def test_whoever_waits_hears_of_every_change(make_registry):
    registry = await make_registry()
    seen = registry.changes
    waiting = asyncio.ensure_future(registry.wait_change(seen))

    await registry.make_till("front-1")

    assert await waiting > seen
    seen = registry.changes
    waiting = asyncio.ensure_future(registry.wait_change(seen))
    await registry.revoke("front-1")
    assert await waiting > seen
    assert registry.mqtt_passwords() == {}


async def test_a_caller_that_goes_away_leaves_memory_and_disk_in_step(make_registry):
    registry = await make_registry()
    old = await registry.make_till("front-1")
    making = asyncio.ensure_future(registry.make_till("front-1"))
    await asyncio.sleep(0)
    making.cancel()
    await asyncio.gather(making, return_exceptions=True)

    assert registry.till_of(tokens.hash_of(old.token)) is None
    new = await registry.make_till("front-1")
    assert registry.till_of(tokens.hash_of(new.token)) == "front-1"


async def test_a_till_revoked_while_nothing_can_be_written_is_out_and_the_caller_hears_of_it(make_registry, disk):
    registry = await make_registry()
    paired = await registry.make_till("front-1")
    writer, _ = disk
    writer.close()

    with pytest.raises(ClosedError):
        await registry.revoke("front-1")

    assert registry.till_of(tokens.hash_of(paired.token)) is None


async def test_the_link_of_a_code_carries_the_ca_behind_the_hash(make_registry):
    code = await (await make_registry()).make_code()

    assert code.link == f"https://gateway-store-1.local:8470/pair#code={code.code}&ca={'ab' * 32}"
