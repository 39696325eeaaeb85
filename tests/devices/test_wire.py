"""What tills rely on, said over real sockets to both brokers: the embedded one and Debian's Mosquitto."""

import asyncio
import contextlib
import json
import sqlite3
import uuid

import pytest

from gateway.clock import SystemClock
from gateway.devices.topics import Verb
from gateway.health.warnings import Board
from tests.devices.brokers import Embedded, Mosquitto
from tests.devices.gateway_process import Process
from tests.devices.store import DOCUMENT, TREE, Till, make_bus, make_devices, opened, running

EPSON = "epson-tm-t20iii"


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.needs_mosquitto)])
async def broker(request, tmp_path):
    folder = tmp_path / "broker"
    folder.mkdir()
    async with Embedded() if request.param == "embedded" else Mosquitto(folder) as up:
        yield up


@pytest.fixture
async def bus(broker):
    return make_bus(broker.address)


@pytest.fixture
async def devices(table, printer, bus):
    """A gateway with one printer, `front`, reachable over the broker."""
    async with running(make_devices(table, [(printer, EPSON)], bus)) as up:
        async with asyncio.timeout(10):
            while not bus.is_up:
                await asyncio.sleep(0.005)
        yield up


@pytest.fixture
async def till(broker, devices):
    async with Till(broker.address) as up:
        yield up


async def test_a_job_is_accepted_sent_and_done(till, printer):
    identity = till.submit(kind="receipt", body={"document": DOCUMENT})
    await till.until_state(identity, "done")
    assert till.states(identity) == ["accepted", "sending", "done"]
    assert "000-001-01-00000042" in printer.receipts[0].text
    event = next(body for topic, body, _ in till.heard if topic.endswith(identity))
    assert (event["v"], event["dev"], event["kind"], event["gw_epoch"]) == (1, "front", "receipt", 1)


async def test_the_same_job_sent_twice_prints_once_and_is_answered_twice(till, printer):
    identity = till.submit()
    await till.until_state(identity, "done")
    till.submit(identity, age_ms=5_000)
    await till.until(lambda: till.states(identity).count("done") == 2)
    assert len(printer.receipts) == 1


async def test_the_same_id_for_something_else_is_refused(till, printer):
    identity = till.submit()
    await till.until_state(identity, "done")
    till.submit(identity, body={"lines": ["adiós"]})
    await till.until_state(identity, "refused")
    assert till.details(identity)[-1] == "key_reused"
    assert len(printer.receipts) == 1


@pytest.mark.parametrize(
    ("payload", "heard_at"),
    [
        (b"", "none"),
        (b"\xff\xfe not JSON", "none"),
        (b'{"v": 1}', "none"),
        (b'{"v": 2, "job_id": "0198f3c2-7b1e-7c44-9a55-3f1d2a6b7c10"}', DOCUMENT),
        (b"[" * 50_000, "none"),
        (b'{"v": 1, "job_id": "' + b"x" * 100_000 + b'"}', "none"),
    ],
)
async def test_a_bad_payload_is_answered_with_a_refusal(till, payload, heard_at):
    till.publish(TREE.job("front", "front", Verb.SUBMIT), payload)
    await till.until_state(heard_at, "refused")
    assert till.details(heard_at) == ["job_invalid"]
    await till.until_state(till.submit(), "done")


async def test_a_bad_payload_does_not_come_again_with_the_next_connection(table, printer, broker):
    async with Till(broker.address) as till:
        async with running(make_devices(table, [(printer, EPSON)], make_bus(broker.address))):
            await till.until_online()
            till.publish(TREE.job("front", "front", Verb.SUBMIT), b"{}")
            await till.until_state("none", "refused")
        again = make_bus(broker.address)
        async with running(make_devices(table, [(printer, EPSON)], again)):
            await till.until_online(epoch=2)
            await till.until_state(till.submit(), "done")
        assert again.taken == 1


async def test_orders_are_refused_with_a_code(till):
    cases = {
        till.submit(device="attic"): "device_unknown",
        till.submit(kind="receipt", body={"document": "00000000-0000-4000-8000-000000000000"}): "document_unknown",
        till.submit(kind="receipt", body={"lines": ["x"]}): "job_invalid",
        till.submit(kind="dance"): "job_invalid",
        till.submit(deadline=999): "job_late",
        till.submit(kind="kick", body={}, deadline=6_000, age_ms=7_000): "job_late",
    }
    for identity, code in cases.items():
        await till.until_state(identity, "refused")
        assert till.details(identity) == [code]


@pytest.mark.parametrize(
    "body",
    [
        b'{"document": 1' + b"0" * 30 + b"}",
        b'{"document": NaN}',
        b'{"lines": "\\ud800"}',
        b'{"a":' * 150 + b"1" + b"}" * 150,
    ],
)
async def test_no_body_however_odd_stops_the_intake(till, body):
    identity = str(uuid.uuid4())
    start = f'{{"v": 1, "job_id": "{identity}", "kind": "receipt", "dev": "front", "created": 1, "body": '.encode()
    till.publish(TREE.job("front", "front", Verb.SUBMIT), start + body + b"}")
    await till.until(lambda: "job_invalid" in till.details(identity) + till.details("none"))
    await till.until_state(till.submit(), "done")


async def test_a_device_that_is_not_the_topics_is_refused(till):
    identity = str(uuid.uuid4())
    body = {"v": 1, "job_id": identity, "kind": "text", "dev": "back", "created": 1, "body": {"lines": ["x"]}}
    till.publish(TREE.job("front", "front", Verb.SUBMIT), body)
    await till.until_state(identity, "refused")


async def test_what_the_disk_did_not_take_is_taken_later_and_what_is_late_by_then_is_refused(
    tmp_path, table, printer, till
):
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        receipt = till.submit()
        kick = till.submit(kind="kick", body={}, deadline=60_000)
        async with asyncio.timeout(20):
            while table.writer.trouble is None:
                await asyncio.sleep(0.01)
    await till.until_state(receipt, "done", limit_s=20)
    await till.until_state(kick, "refused")
    assert till.details(kick) == ["job_late"]
    assert printer.paper.pulses == 0


async def test_a_till_cannot_speak_for_another_nor_for_the_gateway(till, table, broker):
    async with Till(broker.address, "back") as back:
        forged = back.submit(till="front")
        back.publish(TREE.acknowledgement("front"), {"v": 1, "ev_seq": 10**9})
        back.publish(TREE.gateway_status, {"state": "offline"}, retain=True)
        back.publish(TREE.device_state("front"), {"state": "broken"}, retain=True)
        mine = back.submit()
        await back.until_state(mine, "done")
        await till.until_state(till.submit(), "done")
        assert await table.reader.row("SELECT 1 FROM jobs WHERE id = ?", forged) is None
        assert till.states(forged) == []
        assert {body["state"] for topic, body, _ in till.heard if topic == TREE.gateway_status} == {"online"}
        assert await table.reader.rows("SELECT 1 FROM job_events WHERE till = 'front'")


async def test_a_till_hears_nothing_of_others_whatever_it_subscribes_to(till, broker):
    topics = ("#", f"{TREE.root}/#", f"{TREE.root}/till/front/evt/#", f"{TREE.root}/till/+/evt/job/+")
    mine = f"{TREE.root}/till/back/evt/job/+"
    async with Till(broker.address, "back", topics=(*topics, mine)) as back:
        await till.until_state(till.submit(), "done")
        await back.until_state(back.submit(), "done")
        allowed = (f"{TREE.root}/till/back/evt/", f"{TREE.root}/dev/", TREE.gateway_status)
        assert not [topic for topic, _, _ in back.heard if not topic.startswith(allowed)]


@pytest.mark.parametrize(
    ("name", "password"), [("front", "wrong"), ("front", ""), ("", ""), ("nobody", "x"), ("gateway", "guess")]
)
async def test_nobody_comes_in_without_the_right_password(broker, name, password):
    async with Till(broker.address, name, password=password) as stranger:
        assert stranger.reason


async def test_a_strangers_connection_under_the_gateways_name_disturbs_nobody(till, broker, bus):
    async with Till(broker.address, "gateway", password="guess", clean=False) as stranger:
        assert stranger.reason
    await till.until_state(till.submit(), "done")
    assert bus.ups == 1


async def test_an_event_comes_again_until_it_is_acknowledged(till, table):
    till.say("online")
    identity = till.submit()
    await till.until_state(identity, "done")
    numbers = [body["ev_seq"] for topic, body, _ in till.heard if topic.endswith(identity)]
    await till.until(lambda: len([1 for topic, _, _ in till.heard if topic.endswith(identity)]) > len(numbers))
    till.acknowledge(max(numbers))
    async with asyncio.timeout(10):
        while await table.states(identity):
            await asyncio.sleep(0.01)


async def test_a_till_that_comes_back_is_told_what_it_missed(devices, broker):
    async with Till(broker.address) as till:
        identity = till.submit()
        await till.until_state(identity, "done")
    async with Till(broker.address) as again:
        assert again.states(identity) == []
        again.say("online")
        await again.until_state(identity, "done")
        assert again.states(identity) == ["accepted", "sending", "done"]


async def test_a_job_can_be_asked_about_and_taken_back_by_its_own_till(till, printer, broker):
    printer.faults.paper_out = True
    identity = till.submit()
    await till.until(lambda: "paper_out" in till.details(identity))
    till.publish(TREE.job("front", "front", Verb.QUERY), {"v": 1})
    await till.until(lambda: till.states(identity).count("queued") == 2)
    till.publish(TREE.job("front", "front", Verb.QUERY), {"v": 1, "job_id": DOCUMENT})
    await till.until_state(DOCUMENT, "refused")
    async with Till(broker.address, "back") as back:
        back.publish(TREE.job("back", "front", Verb.CANCEL), {"v": 1, "job_id": identity})
        await back.until_state(identity, "refused")
        assert back.details(identity) == ["job_unknown"]
    till.publish(TREE.job("front", "front", Verb.CANCEL), {"v": 1, "job_id": identity})
    await till.until_state(identity, "failed_before_send")
    till.publish(TREE.job("front", "front", Verb.CANCEL), {"v": 1, "job_id": identity})
    await till.until(lambda: till.states(identity).count("failed_before_send") == 2)
    printer.faults.paper_out = False
    await till.until_state(till.submit(), "done")
    assert len(printer.receipts) == 1


async def test_a_till_that_comes_finds_what_devices_there_are_and_how(till, printer, broker):
    topics = (f"{TREE.root}/dev/+/info", f"{TREE.root}/dev/+/state", TREE.gateway_status)
    async with Till(broker.address, "back", topics=topics) as back:
        await back.until(lambda: len({topic for topic, _, retained in back.heard if retained}) == 3)
        said = {topic: body for topic, body, _ in back.heard}
        info, state = said[TREE.device_info("front")], said[TREE.device_state("front")]
        assert (info["class"], info["profile"], info["columns"]) == ("printer", EPSON, 48)
        assert info["jobs"] == ["receipt", "text", "kick"]
        assert (state["online"], state["paper"], state["busy"], state["gw_epoch"]) == (True, "ok", False, 1)
        printer.faults.paper_out = True
        await back.until(lambda: any(body.get("paper") == "out" for _, body, _ in back.heard))


async def test_a_drawer_that_waited_in_the_broker_is_refused_and_a_receipt_that_waited_is_printed(
    table, printer, broker
):
    async with Till(broker.address) as till:
        async with running(make_devices(table, [(printer, EPSON)], make_bus(broker.address))):
            await till.until_online()
        kick = till.submit(kind="kick", body={}, deadline=6_000)
        receipt = till.submit(kind="receipt", body={"document": DOCUMENT})
        await till.published(TREE.till_status("front"), {"v": 1, "state": "online"})
        async with running(make_devices(table, [(printer, EPSON)], make_bus(broker.address))):
            await till.until_state(receipt, "done")
            await till.until_state(kick, "refused")
    assert till.details(kick) == ["job_late"]
    assert printer.paper.pulses == 0
    assert len(printer.receipts) == 1


async def test_the_gateways_end_is_told_and_its_epoch_grows(table, printer, broker):
    async with Till(broker.address) as till:
        for epoch in (1, 2):
            async with running(make_devices(table, [(printer, EPSON)], make_bus(broker.address))):
                await till.until_online(epoch)
            await till.until(lambda: till.heard[-1][1].get("state") == "offline")
    said = [(body["state"], body["gw_epoch"]) for topic, body, _ in till.heard if topic == TREE.gateway_status]
    assert said == [("online", 1), ("offline", 1), ("online", 2), ("offline", 2)]


async def test_a_broker_that_dies_and_comes_back_loses_nothing_that_was_accepted(table, printer, broker):
    board = Board(SystemClock())
    bus = make_bus(broker.address)
    async with (
        running(make_devices(table, [(printer, EPSON)], bus, board)),
        Till(broker.address) as till,
    ):
        await till.until_online()
        till.say("online")
        printer.faults.paper_out = True
        jobs = [till.submit() for _ in range(3)]
        for job in jobs:
            await till.until_state(job, "accepted")
        await broker.kill()
        async with asyncio.timeout(10):
            while "broker_down" not in {warning.kind.code for warning in board.up()}:
                await asyncio.sleep(0.01)
        printer.faults.paper_out = False
        for job in jobs:
            await table.until(job, "done")
        await broker.back()
        async with asyncio.timeout(30):
            while not all("done" in till.states(job) for job in jobs):
                till.say("online")
                await asyncio.sleep(0.1)
        assert "broker_down" not in {warning.kind.code for warning in board.up()}
    assert len(printer.receipts) == 3


async def test_jobs_that_were_received_and_not_written_when_the_gateway_was_killed_come_again(
    tmp_path, printer, broker
):
    async with Till(broker.address) as till:
        async with Process(tmp_path, broker.address, printer) as gateway:
            with contextlib.closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as lock:
                lock.execute("BEGIN IMMEDIATE")
                jobs = [till.submit() for _ in range(3)]
                await gateway.until(lambda said: said["taken"] == 3)
                await gateway.kill()
        assert not [job for job in jobs if till.states(job)]
        await till.until(lambda: till.heard[-1][1].get("state") == "offline")
        async with Process(tmp_path, broker.address, printer):
            for job in jobs:
                await till.until_state(job, "done")
    assert len(printer.receipts) == 3


async def test_a_kill_between_the_first_byte_and_the_barrier_leaves_an_unknown_and_no_second_paper(
    tmp_path, printer, broker
):
    printer.faults.seconds_per_command = 0.004
    async with Till(broker.address) as till:
        async with Process(tmp_path, broker.address, printer) as gateway:
            job = till.submit(kind="receipt", body={"document": DOCUMENT})
            await printer.wait_for(lambda: len(printer.paper.current.lines) > 3)
            await gateway.kill()
        async with Process(tmp_path, broker.address, printer):
            await till.until_state(job, "unknown")
            await till.until_state(till.submit(), "done")
    async with opened(tmp_path) as table:
        assert await table.state(job) == ("unknown", "gateway_restarted")
    assert sum(receipt.text.count("FACTURA") for receipt in printer.receipts) == 1
    assert json.dumps(till.states(job)) == '["accepted", "sending", "unknown"]'
