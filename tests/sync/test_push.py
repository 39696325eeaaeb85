import asyncio
import shutil

import pytest

from gateway.ledger.commands import UnlockTenure
from gateway.storage import cursors
from gateway.sync import codec
from gateway.sync.plan import Bounds
from gateway.sync.push import FORKED, ForkError
from gateway.sync.uplink import NoLineError, OfficeRefusedError
from tests.sync.offices import as_held, open_office
from tests.sync.pushing import push_all, push_line
from tests.sync.shop import open_shop


async def test_head_office_holds_exactly_the_journal(office, shop):
    sold = await shop.sell(20)
    await shop.void(sold[3])
    await push_line(shop, office.url, office.add_store())
    assert await office.rows() == as_held(await shop.rows())
    verdict = await office.get("/v1/stores/store-1/verify")
    assert (verdict["sound"], verdict["documents"], verdict["voids"]) == (True, 20, 1)


async def test_a_backlog_goes_in_chunks_that_grow(office, shop):
    await shop.sell(400)
    push = await push_line(shop, office.url, office.add_store())
    assert push.pace.rate > 24_000
    assert push.pace.rho < 0.25
    assert await office.rows() == as_held(await shop.rows())


async def test_what_is_acknowledged_is_not_sent_again(office, shop):
    token = office.add_store()
    await shop.sell(3)
    await push_line(shop, office.url, token)
    async with shop.uplink(office.url, token) as uplink:
        standing = await uplink.hello()
    assert standing.next == shop.store.desk.seq + 1
    assert standing.hash == (await shop.rows())[-1].hash.hex()


async def test_an_acknowledgement_that_was_lost_doubles_nothing(office, shop):
    token = office.add_store()
    rows = await shop.rows()
    async with shop.uplink(office.url, token) as uplink:
        session = (await uplink.hello()).session
        for _ in range(3):
            taken = await uplink.send(codec.encode(rows), 1, session, 1)
            assert (taken.is_there, taken.standing.next) == (True, len(rows) + 1)
    assert await office.rows() == as_held(rows)


async def test_rows_that_overlap_are_taken_from_where_head_office_stands(office, shop):
    token = office.add_store()
    await shop.sell(5)
    rows = await shop.rows()
    async with shop.uplink(office.url, token) as uplink:
        session = (await uplink.hello()).session
        await uplink.send(codec.encode(rows[:4]), 1, session, 1)
        taken = await uplink.send(codec.encode(rows[1:]), 2, session, 1)
    assert taken.standing.next == len(rows) + 1
    assert await office.rows() == as_held(rows)


async def test_a_gap_is_answered_with_where_head_office_stands(office, shop):
    token = office.add_store()
    await shop.sell(5)
    rows = await shop.rows()
    async with shop.uplink(office.url, token) as uplink:
        session = (await uplink.hello()).session
        taken = await uplink.send(codec.encode(rows[2:]), 3, session, 1)
    assert (taken.is_there, taken.standing.next, await office.rows()) == (False, 1, [])


async def test_late_bytes_of_an_older_line_are_refused(office, shop):
    token = office.add_store()
    rows = await shop.rows()
    async with shop.uplink(office.url, token) as late, shop.uplink(office.url, token) as newer:
        old = (await late.hello()).session
        new = (await newer.hello()).session
        assert new > old
        taken = await late.send(codec.encode(rows), 1, old, 1)
        assert (taken.is_there, taken.standing.next, await office.rows()) == (False, 1, [])
        assert (await newer.send(codec.encode(rows), 1, new, 1)).is_there


async def test_two_that_push_the_same_books_at_once_double_nothing(office, shop):
    token = office.add_store()
    await shop.sell(60)
    few = Bounds(chunk_rows_max=5)
    await asyncio.gather(*(push_all(shop, office.url, token, few) for _ in range(2)))
    assert await office.rows() == as_held(await shop.rows())
    assert (await office.get("/v1/stores/store-1/verify"))["sound"]


async def test_rows_that_come_while_pushing_go_too(office, shop):
    token = office.add_store()
    async with shop.uplink(office.url, token) as uplink, asyncio.TaskGroup() as group:
        push = shop.push(uplink)
        running = group.create_task(push.run(await push.meet()))
        for _ in range(10):
            await shop.sell(1)
        while push._backlog.acknowledged < shop.store.desk.seq:
            push._backlog._moved.clear()
            await push._backlog._moved.wait()
        running.cancel()
    assert await office.rows() == as_held(await shop.rows())


async def test_head_office_that_came_back_from_an_older_copy_is_sent_the_rest(tmp_path, shop):
    folder = tmp_path / "central"
    async with open_office(folder) as office:
        token = office.add_store()
        await shop.sell(3)
        await push_line(shop, office.url, token)
    shutil.copytree(folder, tmp_path / "copy")
    async with open_office(folder) as office:
        await shop.sell(3)
        await push_line(shop, office.url, token)
    async with open_office(tmp_path / "copy") as office:
        await push_line(shop, office.url, token)
        assert await office.rows() == as_held(await shop.rows())
        assert (await office.get("/v1/stores/store-1/verify"))["sound"]


async def restored_shop(tmp_path, office, token):
    """A folder with the books as they were before the last three sales, which head office has."""
    async with open_shop(tmp_path / "shop") as shop:
        await shop.sell(3)
    shutil.copytree(tmp_path / "shop", tmp_path / "backup")
    async with open_shop(tmp_path / "shop") as shop:
        await shop.sell(3)
        await push_line(shop, office.url, token)
        return as_held(await shop.rows())


async def test_books_from_an_older_copy_lock_and_overwrite_nothing(tmp_path, office):
    token = office.add_store()
    held = await restored_shop(tmp_path, office, token)
    async with open_shop(tmp_path / "backup") as shop:
        with pytest.raises(ForkError, match="they end at row"):
            await push_line(shop, office.url, token)
        assert "they end at row" in await shop.lock()
    assert await office.rows() == held


async def test_another_history_of_the_same_length_locks_and_overwrites_nothing(tmp_path, office):
    token = office.add_store()
    held = await restored_shop(tmp_path, office, token)
    async with open_shop(tmp_path / "backup") as shop:
        await shop.sell(9)
        with pytest.raises(ForkError, match="is not the one"):
            await push_line(shop, office.url, token)
        assert "is not the one" in await shop.lock()
    assert await office.rows() == held


async def test_other_books_of_the_same_store_lock_and_open_no_line(tmp_path, office):
    token = office.add_store()
    async with open_shop(tmp_path / "first") as first, open_shop(tmp_path / "second") as second:
        async with first.uplink(office.url, token) as uplink:
            await push_line(first, office.url, token)
            session = (await uplink.hello()).session
            with pytest.raises(ForkError, match="another copy"):
                await push_line(second, office.url, token)
            await first.sell(1)
            rows = await first.rows()
            assert (await uplink.send(codec.encode(rows[2:]), 3, session, 1)).is_there
        assert await second.lock()
        assert await first.lock() is None


async def test_an_administrators_word_stands_against_the_same_answer(tmp_path, office):
    token = office.add_store()
    await restored_shop(tmp_path, office, token)
    async with open_shop(tmp_path / "backup") as shop:
        with pytest.raises(ForkError):
            await push_line(shop, office.url, token)
        await shop.store.desk.submit(UnlockTenure("the papers were looked at"))
        with pytest.raises(ForkError):
            await push_line(shop, office.url, token)
        assert await shop.lock() is None
        assert (await cursors.read(shop.store.reader, FORKED)).note


async def test_another_stores_books_are_refused(tmp_path, office):
    token = office.add_store()
    async with open_shop(tmp_path / "other", name="store-2") as other:
        other.name = "store-1"
        with pytest.raises(OfficeRefusedError, match="wrong_store"):
            await push_line(other, office.url, token)
    assert await office.rows() == []


@pytest.mark.parametrize("token", ["wrong", ""])
async def test_a_wrong_token_is_refused_with_a_code(office, shop, token):
    office.add_store()
    with pytest.raises(OfficeRefusedError) as refused:
        await push_line(shop, office.url, token)
    assert refused.value.code == "unauthorized"


async def test_the_token_of_another_store_is_refused_with_a_code(office, shop):
    office.add_store()
    token = office.add_store("store-2")
    with pytest.raises(OfficeRefusedError) as refused:
        await push_line(shop, office.url, token)
    assert refused.value.code == "forbidden"


async def test_nobody_at_the_other_end_is_no_line(shop, unused_tcp_port):
    with pytest.raises(NoLineError):
        await push_line(shop, f"http://127.0.0.1:{unused_tcp_port}", "token")
