"""A device bus without a broker: rows in, paper out, over real sockets."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.clock import SystemClock
from gateway.devices.jobs import Kind
from gateway.devices.messages import KickBody, ReceiptBody, TextBody
from gateway.health.warnings import Board
from gateway.simulator.printer import SimulatedPrinter
from gateway.storage import jobs
from tests.devices.store import DOCUMENT, document, make_devices, running

EPSON, GENERIC = "epson-tm-t20iii", "generic-80mm"


HOLA = TextBody(lines=("hola",))


@dataclass(frozen=True)
class Order:
    id: str
    kind: Kind = Kind.TEXT
    device: str = "front"
    body: Any = HOLA
    deadline_ms: int | None = None
    till: str = "front"


def warnings(board):
    return {(warning.kind.code, warning.subject) for warning in board.up()}


@pytest.fixture
def board():
    return Board(SystemClock())


async def insert_receipt(table, identity="job-1", document_id=DOCUMENT):
    now = SystemClock().now_ms()
    await table.writer.run(
        lambda connection: jobs.insert_receipt(connection, identity, "front", "till-1", document_id, now)
    )
    return identity


@pytest.mark.parametrize("profile", [EPSON, GENERIC])
async def test_a_documents_receipt_comes_out_once_and_is_done(table, printer, profile):
    async with running(make_devices(table, [(printer, profile)])) as devices:
        identity = await insert_receipt(table)
        devices.wake()
        assert await table.until(identity, "done") == ("done", "")
    assert len(printer.receipts) == 1
    text = printer.receipts[0].text
    for words in ("Pulpería El Sol", "FACTURA", "000-001-01-00000042", "Plátano maduro", "Núñez"):
        assert words in text
    assert "COPIA ***" not in text
    assert await table.states(identity) == [("accepted", ""), ("sending", ""), ("done", "")]


async def test_a_job_found_without_a_wake_up_is_printed_too(table, printer):
    async with running(make_devices(table, [(printer, EPSON)])):
        identity = await insert_receipt(table)
        await table.until(identity, "done")
    assert len(printer.receipts) == 1


async def test_a_second_receipt_of_a_document_is_marked_as_a_copy(table, printer):
    async with running(make_devices(table, [(printer, EPSON)])) as devices:
        await table.until(await insert_receipt(table), "done")
        await devices.submit_job(Order("job-2", Kind.RECEIPT, body=ReceiptBody.model_validate({"document": DOCUMENT})))
        await table.until("job-2", "done")
    first, second = printer.receipts
    assert "COPIA ***" not in first.text
    assert second.text.startswith("                 *** COPIA ***")


async def test_a_void_documents_receipt_says_so(table, printer):
    async def void_document(identity):
        return document(identity, status="void"), {}, ()

    async with running(make_devices(table, [(printer, EPSON)], document_of=void_document)):
        await table.until(await insert_receipt(table), "done")
    assert "*** ANULADA ***" in printer.receipts[0].text


async def test_a_receipt_of_a_document_that_is_not_there_is_refused(table, printer):
    async with running(make_devices(table, [(printer, EPSON)])):
        identity = await insert_receipt(table, document_id="00000000-0000-4000-8000-000000000000")
        assert await table.until(identity, "refused") == ("refused", "document_unknown")
    assert printer.bytes_received == 0


async def test_printers_work_side_by_side(table, printer, board):
    async with SimulatedPrinter() as kitchen:
        kitchen.faults.paper_out = True
        async with running(make_devices(table, [(printer, EPSON), (kitchen, EPSON)], board=board)):
            waiting = await table.insert(device="kitchen")
            await table.until(await table.insert(device="front"), "done")
            assert (await table.state(waiting))[0] == "queued"


async def test_without_paper_nothing_is_sent_until_there_is_some(table, printer, board):
    printer.faults.paper_out = True
    async with running(make_devices(table, [(printer, EPSON)], board=board)):
        identity = await table.insert()
        async with asyncio.timeout(10):
            while await table.state(identity) != ("queued", "paper_out"):
                await asyncio.sleep(0.01)
        assert ("printer_paper_out", "front") in warnings(board)
        assert printer.bytes_received == 0
        printer.faults.paper_out = False
        assert await table.until(identity, "done") == ("done", "")
        assert warnings(board) == set()
    assert await table.states(identity) == [("accepted", ""), ("queued", "paper_out"), ("sending", ""), ("done", "")]


async def test_a_receipt_held_without_paper_prints_once_on_the_new_roll(table, printer, board):
    printer.faults.seconds_per_command = 0.004
    async with running(make_devices(table, [(printer, EPSON)], board=board)):
        identity = await insert_receipt(table)
        await printer.wait_for(lambda: len(printer.paper.current.lines) > 3)
        printer.faults.paper_out = True
        assert await table.until(identity, "held") == ("held", "paper_out")
        assert printer.receipts == []
        printer.faults.paper_out = False
        await printer.changed()
        assert await table.until(identity, "done") == ("done", "")
    assert len(printer.receipts) == 1
    assert printer.receipts[0].text.count("FACTURA") == 1
    assert printer.connections >= 1
    assert [state for state, _ in await table.states(identity)] == ["accepted", "sending", "held", "done"]


async def test_a_drawer_opens_while_the_printer_holds_a_receipt(table, printer):
    printer.faults.seconds_per_command = 0.004
    async with running(make_devices(table, [(printer, EPSON)])) as devices:
        identity = await insert_receipt(table)
        await printer.wait_for(lambda: len(printer.paper.current.lines) > 3)
        printer.faults.paper_out = True
        await table.until(identity, "held")
        await devices.submit_job(Order("kick-1", Kind.KICK, body=KickBody()))
        await table.until("kick-1", "done")
        assert printer.paper.pulses == 1
        assert (await table.state(identity))[0] == "held"
        printer.faults.paper_out = False
        await printer.changed()
        await table.until(identity, "done")
    assert printer.paper.pulses == 1


async def test_a_drawer_opens_without_paper_where_the_model_can_and_waits_its_deadline_where_it_cannot(table, printer):
    printer.faults.paper_out = True
    async with running(make_devices(table, [(printer, EPSON)])) as devices:
        await devices.submit_job(Order("kick-1", Kind.KICK, body=KickBody()))
        await table.until("kick-1", "done")
    assert printer.paper.pulses == 1
    async with running(make_devices(table, [(printer, GENERIC)])) as devices:
        await devices.submit_job(Order("kick-2", Kind.KICK, body=KickBody(), deadline_ms=300))
        assert await table.until("kick-2", "failed_before_send") == ("failed_before_send", "job_late")
    assert printer.paper.pulses == 1


async def test_a_late_drawer_behind_a_busy_printer_is_given_up_in_time(table, printer):
    printer.faults.seconds_per_command = 0.004
    async with running(make_devices(table, [(printer, GENERIC)])) as devices:
        identity = await insert_receipt(table)
        await printer.wait_for(lambda: len(printer.paper.current.lines) > 3)
        printer.faults.cover_open = True
        await table.until(identity, "held")
        await devices.submit_job(Order("kick-1", Kind.KICK, body=KickBody(), deadline_ms=200))
        assert await table.until("kick-1", "failed_before_send") == ("failed_before_send", "job_late")
        assert (await table.state(identity))[0] == "held"
        printer.faults.cover_open = False
        await printer.changed()
        await table.until(identity, "done")
    assert printer.paper.pulses == 0


async def test_a_printer_that_is_not_there_is_waited_for(table, printer, board):
    await printer.power_off()
    async with running(make_devices(table, [(printer, EPSON)], board=board)):
        identity = await table.insert()
        async with asyncio.timeout(10):
            while await table.state(identity) != ("queued", "offline"):
                await asyncio.sleep(0.01)
        assert ("printer_offline", "front") in warnings(board)
        await printer.power_on()
        await table.until(identity, "done")
        assert warnings(board) == set()
    assert len(printer.receipts) == 1


async def test_a_connection_lost_in_the_middle_leaves_an_unknown_and_the_next_job_prints(table, printer, board):
    printer.faults.drop_after_bytes = 60
    async with running(make_devices(table, [(printer, EPSON)], board=board)):
        identity = await insert_receipt(table)
        assert await table.until(identity, "unknown") == ("unknown", "connection_lost")
        assert ("print_unknown", "front") in warnings(board)
        await table.until(await table.insert(), "done")
    assert len(printer.receipts) == 1
    assert (await table.state(identity))[0] == "unknown"


async def test_a_printer_that_was_switched_off_and_on_leaves_an_unknown(table, printer):
    printer.faults.seconds_per_command = 0.004
    async with running(make_devices(table, [(printer, EPSON)])):
        identity = await insert_receipt(table)
        await printer.wait_for(lambda: len(printer.paper.current.lines) > 3)
        await printer.power_cycle()
        printer.faults.seconds_per_command = 0
        assert await table.until(identity, "unknown") == ("unknown", "connection_lost")
        await table.until(await table.insert(), "done")
    assert len(printer.receipts) == 1
    assert printer.receipts[0].text.count("Pulpería") == 1


async def test_a_barrier_that_never_comes_leaves_an_unknown(table, printer):
    printer.faults.swallow_barrier = True
    async with running(make_devices(table, [(printer, EPSON)])):
        identity = await insert_receipt(table)
        assert await table.until(identity, "unknown") == ("unknown", "no_barrier")
    assert len(printer.receipts) == 1


async def test_a_printer_that_falls_silent_leaves_an_unknown(table, printer):
    printer.faults.seconds_per_command = 0.004
    async with running(make_devices(table, [(printer, EPSON)])):
        identity = await insert_receipt(table)
        await printer.wait_for(lambda: len(printer.paper.current.lines) > 3)
        printer.faults.silent = True
        await table.until(identity, "unknown")


async def test_an_unknown_receipt_is_settled_by_a_person(table, printer, board):
    printer.faults.swallow_barrier = True
    async with running(make_devices(table, [(printer, EPSON)], board=board)) as devices:
        first, second = await insert_receipt(table, "job-1"), await insert_receipt(table, "job-2", str(DOCUMENT[:-1]))
        await table.until(first, "unknown")
        await table.until(second, "unknown")
        printer.faults.swallow_barrier = False
        said = await devices.resolve(first, "printed", "ana")
        assert (said.state, said.settled_by) == ("done", "ana")
        assert await devices.resolve(first, "printed", "eva") == said
        copied = await devices.resolve(second, "reprint", "ana")
        assert copied.state == "replaced"
        assert (await devices.resolve(second, "reprint", "ana")).detail == copied.detail
        await table.until(copied.detail, "done")
        assert warnings(board) == set()
        assert (await devices.resolve(first, "reprint", "ana")).code == "job_settled"
        assert (await devices.resolve("nothing", "printed", "ana")).code == "job_unknown"
    assert "*** COPIA ***" in printer.receipts[-1].text
    assert len(printer.receipts) == 3


async def test_a_restart_finds_what_was_being_sent_unknown_and_prints_what_was_queued(table, printer):
    sending, held, queued = [await table.insert() for _ in range(3)]

    def leave(connection):
        jobs.turn(connection, sending, {"queued"}, "sending", 1)
        jobs.turn(connection, held, {"queued"}, "sending", 1)
        jobs.turn(connection, held, {"sending"}, "held", 1, detail="paper_out")

    await table.writer.run(leave)
    async with running(make_devices(table, [(printer, EPSON)])):
        await table.until(queued, "done")
    assert await table.state(sending) == await table.state(held) == ("unknown", "gateway_restarted")
    assert len(printer.receipts) == 1


async def test_a_job_for_a_printer_that_was_taken_out_of_the_settings_is_refused(table, printer):
    identity = await table.insert(device="attic")
    async with running(make_devices(table, [(printer, EPSON)])):
        assert await table.until(identity, "refused") == ("refused", "device_unknown")


async def test_what_breaks_the_printing_of_one_job_breaks_no_other(table, printer):
    broken = await table.insert(body={"no_lines": True})
    async with running(make_devices(table, [(printer, EPSON)])):
        whole = await table.insert()
        await table.until(whole, "done", limit_s=15)
    assert await table.state(broken) == ("refused", "gateway_failed")


async def test_a_stop_prints_what_is_in_hand(table, printer):
    printer.faults.seconds_per_command = 0.004
    async with running(make_devices(table, [(printer, EPSON)])):
        identity = await insert_receipt(table)
        await printer.wait_for(lambda: len(printer.paper.current.lines) > 3)
        await table.insert()
    assert await table.state(identity) == ("done", "")
    assert len(printer.receipts) == 1


async def test_orders_are_refused_with_their_reason(table, printer):
    devices = make_devices(table, [(printer, EPSON)])
    unknown = ReceiptBody.model_validate({"document": "00000000-0000-4000-8000-000000000000"})
    assert (await devices.submit_job(Order("1", device="attic"))).code == "device_unknown"
    assert (await devices.submit_job(Order("2", Kind.RECEIPT, body=unknown))).code == "document_unknown"
    assert (await devices.submit_job(Order("3", deadline_ms=-1))).code == "job_late"
    created, row = await devices.submit_job(Order("4"))
    assert created
    assert await devices.submit_job(Order("4")) == (False, row)
    assert (await devices.submit_job(Order("4", body=TextBody(lines=("other",))))).code == "key_reused"
    assert (await devices.submit_job(Order("4", till="back"))).code == "key_reused"
    for number in ("1", "2", "3"):
        assert await devices.job(number) is None


async def test_an_order_that_is_there_is_answered_even_after_its_deadline(table, printer):
    devices = make_devices(table, [(printer, EPSON)])
    await devices.submit_job(Order("1", deadline_ms=60_000))
    created, _ = await devices.submit_job(Order("1", deadline_ms=-1))
    assert not created


async def test_a_job_can_be_taken_back_by_its_till_until_it_is_sent(table, printer):
    devices = make_devices(table, [(printer, EPSON)])
    await devices.submit_job(Order("1"))
    assert (await devices.cancel("back", "1")).code == "job_unknown"
    assert (await devices.cancel("front", "1")).state == "failed_before_send"
    assert (await devices.cancel("front", "1")).detail == "cancelled"


async def test_the_listing_says_what_a_printer_is_and_how(table, printer):
    async with running(make_devices(table, [(printer, EPSON)])) as devices:
        await table.until(await table.insert(), "done")
        assert devices.names() == ("front",)
        (entry,) = devices.listing()
    assert (entry["name"], entry["kind"], entry["profile"]) == ("front", "printer", EPSON)
    assert entry["state"]["online"] is True
    assert entry["state"]["paper"] == "ok"


async def test_a_document_can_be_had_as_text_and_as_a_printer_is_sent_it(table, printer):
    devices = make_devices(table, [(printer, EPSON)])
    text = (await devices.receipt(document(), "text")).decode()
    assert "*** COPIA ***" in text
    assert "Pulpería El Sol" in text
    assert (await devices.receipt(document(), "escpos")).startswith(b"\x1b@\x1bt\x13")
    assert await make_devices(table).receipt(document(), "text") == text.encode()
