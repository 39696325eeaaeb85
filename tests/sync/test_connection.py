import asyncio
import contextlib
import shutil

import pytest

from gateway.clock import HandClock
from gateway.settings import Link as LinkSettings
from gateway.storage import catalogue, cursors
from gateway.sync import protocol
from gateway.sync.backlog import PUSHED
from gateway.sync.connection import NoConnectionError
from tests.sync.certificates import write_certificates
from tests.sync.cut_proxy import CutProxy
from tests.sync.offices import as_held
from tests.sync.shop import QUICK, open_shop
from tests.sync.test_push import restored_shop

MILK = {"sku": "MILK", "name": "Leche", "unit_price": "1.50", "tax": "isv15"}


@contextlib.asynccontextmanager
async def running(link):
    """The link at work, as the gateway runs it."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(link.run())
        try:
            yield link
        finally:
            task.cancel()


async def becomes(link, state, **figures):
    """Wait until the banner says so; the test's own time limit is the end of patience."""
    while True:
        turns, shown = link.turns, link.state()
        if shown["state"] == state and all(shown[name] == value for name, value in figures.items()):
            return shown
        await link.wait_change(turns)


async def codes(shop):
    return [warning.kind.code for warning in shop.store.board.up()]


async def test_a_store_that_begins_comes_online_and_head_office_has_its_rows(office, shop):
    await shop.sell(3)
    async with running(shop.link(shop.uplink(office.url, office.add_store()))) as link:
        shown = await becomes(link, "online", waiting=0)
        assert (shown["oldest_ms"], shown["eta_s"]) == (0, 0)
        assert await office.rows() == as_held(await shop.rows())
        await shop.sell(2)
        await becomes(link, "online", waiting=0)
        assert await office.rows() == as_held(await shop.rows())


async def test_the_state_goes_offline_and_catches_up_when_head_office_is_back(office, shop):
    async with CutProxy(office.port) as proxy, running(shop.link(shop.uplink(proxy.url, office.add_store()))) as link:
        await becomes(link, "online", waiting=0)
        proxy.down()
        shown = await becomes(link, "offline")
        assert shown["since"].endswith("Z")
        assert await codes(shop) == ["link_offline"]
        await shop.sell(120)
        shown = link.state()
        assert (shown["state"], shown["waiting"], shown["eta_s"]) == ("offline", 120, None)
        assert shown["oldest_ms"] > 0
        proxy.up()
        seen = []
        while True:
            turns, now = link.turns, link.state()
            seen.append(now["state"])
            if (now["state"], now["waiting"]) == ("online", 0):
                break
            await link.wait_change(turns)
        assert list(dict.fromkeys(seen)) == ["offline", "catching_up", "online"]
        assert await codes(shop) == []
    assert await office.rows() == as_held(await shop.rows())


async def test_head_office_hears_how_the_store_is_before_any_backlog(office, shop):
    await shop.sell(30)
    seen = []
    async with CutProxy(office.port) as proxy:
        uplink = shop.uplink(proxy.url, office.add_store())
        for name in ("hello", "report", "send"):
            setattr(uplink, name, noting(seen, name, getattr(uplink, name)))
        async with running(shop.link(uplink)) as link:
            await becomes(link, "online", waiting=0)
    assert seen[:3] == ["hello", "report", "send"]


def noting(seen, name, method):
    async def noted(*arguments):
        seen.append(name)
        return await method(*arguments)

    return noted


async def test_asking_for_the_line_while_it_is_down_says_no_connection(shop, unused_tcp_port):
    link = shop.link(shop.uplink(f"http://127.0.0.1:{unused_tcp_port}", "token"))
    async with running(link):
        with pytest.raises(NoConnectionError):
            await link.sync_now()
        assert link.state()["state"] == "offline"


async def test_asking_for_the_line_does_not_wait_for_the_pause_to_end(office, shop):
    patient = LinkSettings(retry_ms_min=3_600_000, retry_ms_max=3_600_000, reply_wait_ms_max=5_000)
    async with CutProxy(office.port) as proxy:
        proxy.down()
        async with running(shop.link(shop.uplink(proxy.url, office.add_store()), patient)) as link:
            with pytest.raises(NoConnectionError):
                await link.sync_now()
            proxy.up()
            assert (await link.sync_now())["state"] in {"online", "catching_up"}
            await becomes(link, "online", waiting=0)


async def test_asking_for_the_line_while_it_is_there_answers_how_it_is(office, shop):
    async with running(shop.link(shop.uplink(office.url, office.add_store()))) as link:
        await becomes(link, "online", waiting=0)
        assert (await link.sync_now())["state"] == "online"


async def test_working_offline_by_hand_sends_nothing_until_it_is_switched_back(office, shop):
    async with running(shop.link(shop.uplink(office.url, office.add_store()))) as link:
        await becomes(link, "online", waiting=0)
        held = await office.rows()
        await link.set_mode("offline", None)
        assert link.state()["state"] == "working_offline"
        with pytest.raises(NoConnectionError, match="by hand"):
            await link.sync_now()
        await shop.sell(3)
        assert link.state()["waiting"] == 3
        assert await office.rows() == held
        await link.set_mode("automatic", None)
        await becomes(link, "online", waiting=0)
        assert await office.rows() == as_held(await shop.rows())


async def test_working_offline_ends_at_its_time(tmp_path, office):
    clock = HandClock()
    async with (
        open_shop(tmp_path / "shop", clock=clock) as shop,
        running(shop.link(shop.uplink(office.url, office.add_store()))) as link,
    ):
        await link.set_mode("offline", clock.now_ms() + 60_000)
        clock.advance(59_999)
        assert link.state()["state"] == "working_offline"
        clock.advance(1)
        assert link.state()["state"] != "working_offline"


async def test_working_offline_outlives_a_restart(tmp_path, office, shop):
    token = office.add_store()
    async with running(shop.link(shop.uplink(office.url, token))) as link:
        await becomes(link, "online", waiting=0)
        await link.set_mode("offline", None)
    async with running(shop.link(shop.uplink(office.url, token))) as link:
        await becomes(link, "working_offline")
        await link.set_mode("automatic")
        await becomes(link, "online")


async def test_what_waits_is_known_after_a_restart_without_a_line(shop, office, unused_tcp_port):
    token = office.add_store()
    await shop.sell(5)
    link = shop.link(shop.uplink(office.url, token))
    async with running(link):
        await becomes(link, "online", waiting=0)
        await link.sync_now()
        while (await cursors.read(shop.store.reader, PUSHED)).value < shop.store.desk.seq:
            continue
    await shop.sell(2)
    async with running(shop.link(shop.uplink(f"http://127.0.0.1:{unused_tcp_port}", token))) as link:
        await becomes(link, "offline", waiting=2)


async def test_without_a_head_office_there_is_no_line_and_nothing_waits(shop):
    link = shop.link(None)
    await link.run()
    await shop.sell(2)
    shown = link.state()
    assert (shown["state"], shown["waiting"], shown["oldest_ms"], shown["eta_s"]) == ("none", 0, 0, None)
    with pytest.raises(NoConnectionError):
        await link.sync_now()


async def test_a_fork_locks_the_books_warns_and_is_told_to_head_office(tmp_path, office):
    token = office.add_store()
    held = await restored_shop(tmp_path, office, token)
    async with open_shop(tmp_path / "backup") as shop, running(shop.link(shop.uplink(office.url, token))) as link:
        with pytest.raises(NoConnectionError, match="head office holds"):
            await link.sync_now()
        assert link.state()["state"] == "offline"
        assert await codes(shop) == ["link_fork"]
        assert await shop.lock()
        while (await office.get("/v1/stores/store-1/status"))["head_office"]["fork"] is None:
            continue
    assert await office.rows() == held


async def test_a_refused_token_is_an_alarm_of_its_own(office, shop):
    office.add_store()
    async with running(shop.link(shop.uplink(office.url, "wrong"))) as link:
        with pytest.raises(NoConnectionError, match="unauthorized"):
            await link.sync_now()
        assert await codes(shop) == ["link_refused"]
        assert link.state()["state"] == "offline"


async def test_a_ca_file_that_cannot_be_used_is_an_alarm_until_it_can(tmp_path, office, shop):
    ca_file = tmp_path / "ca.pem"
    async with running(shop.link(shop.uplink(office.url, office.add_store(), ca_file=ca_file))) as link:
        with pytest.raises(NoConnectionError, match=r"ca\.pem|ca_file"):
            await link.sync_now()
        assert await codes(shop) == ["link_refused"]
        shutil.copy(write_certificates(tmp_path / "tls") / "ca.pem", ca_file)
        await becomes(link, "online")
        assert await codes(shop) == []


async def test_orders_come_down_while_rows_go_up(office, shop):
    token = office.add_store()
    await shop.sell(50)
    async with running(shop.link(shop.uplink(office.url, token))) as link:
        await office.put("/v1/stores/store-1/catalogue", json={"products": [MILK]})
        await office.put(
            "/v1/stores/store-1/ranges/r-1",
            json={"series": "no", "authority_kind": "CAI", "authority_ref": "A", "first": 1, "last": 2},
        )
        await becomes(link, "online", waiting=0)
        while (await office.get("/v1/stores/store-1/orders"))["items"][1]["state"] != "refused":
            continue
        assert await catalogue.catalogue_version(shop.store.reader) == 1
        orders = (await office.get("/v1/stores/store-1/orders"))["items"]
        assert [order["state"] for order in orders] == ["applied", "refused"]


async def test_head_office_may_be_away_at_first(tmp_path, shop, unused_tcp_port):
    async with running(shop.link(shop.uplink(f"http://127.0.0.1:{unused_tcp_port}", "token"))) as link:
        await becomes(link, "offline")
        with pytest.raises(NoConnectionError):
            await link.sync_now()


async def test_a_line_that_breaks_all_the_time_still_gets_everything_there(office, shop):
    small = QUICK.model_copy(update={"chunk_rows_max": 3})
    async with (
        CutProxy(office.port, piece_bytes=400) as proxy,
        running(shop.link(shop.uplink(proxy.url, office.add_store()), small)) as link,
    ):
        for cuts in range(6):
            proxy.cut("up", 2_000)
            while proxy.cuts == cuts:
                await shop.sell(1)
        await becomes(link, "online", waiting=0)
    assert await office.rows() == as_held(await shop.rows())


async def test_the_status_of_head_office_shows_the_line_of_each_store(office, shop):
    office.add_store("store-2")
    await shop.sell(2)
    async with running(shop.link(shop.uplink(office.url, office.add_store()))) as link:
        await becomes(link, "online", waiting=0)
        await link.sync_now()
        status = await office.get("/v1/stores/store-1/status")
        assert status["link"]["state"] == "online"
        assert (status["store"], status["seq"], status["epoch"]) == ("store-1", shop.store.desk.seq, shop.epoch)
        assert status["warnings"] == []
        stores = (await office.get("/v1/stores"))["items"]
        assert [(each["store"], each["link"]["state"]) for each in stores] == [
            ("store-1", "online"),
            ("store-2", "offline"),
        ]


def test_a_heartbeat_may_be_as_large_as_a_status_gets():
    warnings = [{"code": "range_low", "text": "x" * 200, "hint": "y" * 200}] * 300
    heartbeat = protocol.Heartbeat(sent_at=1, seq=1, orders_applied=0, status={"warnings": warnings})
    assert len(heartbeat.model_dump_json()) < protocol.HEARTBEAT_BYTES_MAX
