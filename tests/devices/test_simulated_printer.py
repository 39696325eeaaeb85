import asyncio
import contextlib
import json
import sys

from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.escpos import Command, Paper, Parser, split_real_time

HELLO = b"\x1b@\x1bt\x13\xa5and\xa3\n\x1bd\x03\x1dVB\x00"


@given(st.lists(st.binary(max_size=12), max_size=20))
def test_any_bytes_are_parsed_the_same_however_they_are_cut(chunks):
    whole, pieces = Parser(), Parser()
    expected = whole.feed(b"".join(chunks))
    found = [command for chunk in chunks for command in pieces.feed(chunk)]
    assert _joined(found) == _joined(expected)
    assert pieces.errors == whole.errors


@given(st.binary(max_size=200))
def test_any_commands_are_obeyed_or_recorded_as_errors(data):
    paper = Paper()
    for command in Parser().feed(data):
        assert isinstance(paper.obey(command), bytes)


@given(st.lists(st.binary(max_size=6), max_size=10))
def test_real_time_commands_are_found_however_the_stream_is_cut(chunks):
    unfinished, found, rest = b"", [], b""
    for chunk in chunks:
        now, later, unfinished = split_real_time(unfinished + chunk)
        found += now
        rest += later
    now, later, end = split_real_time(b"".join(chunks))
    assert (found, rest, unfinished) == (now, later, end)


def _joined(commands):
    """A run of text may be cut anywhere; the commands between may not."""
    joined = []
    for command in commands:
        if joined and not command.name and not joined[-1].name:
            joined[-1] = Command(b"", joined[-1].data + command.data)
        else:
            joined.append(command)
    return joined


def test_what_it_does_not_know_is_an_error():
    parser, paper = Parser(), Paper()
    for command in parser.feed(b"\x1b\x99\x01\x1d(Z\x01\x00x\x1bt\x63\x1d(H\x02\x0000\x1d(k\x02\x000A\n"):
        paper.obey(command)
    assert parser.errors == ["unknown command 1b 99", "control byte 01", "unknown command 1d 28 5a"]
    assert paper.errors == ["unknown code page 99", "GS ( H with 30 30", "GS ( k with 30 41"]


async def test_it_prints_text_and_answers_in_order(printer):
    reader, writer = await asyncio.open_connection(printer.host, printer.port)
    writer.write(HELLO + b"\x1d(H\x06\x0000abcd\x1dr\x01\x1dI\x01")
    assert await reader.readexactly(9) == b"\x37\x22abcd\x00\x00\x20"
    assert [receipt.text for receipt in printer.receipts] == ["Ñandú"]
    writer.close()


async def test_without_paper_it_answers_at_once_and_prints_later(printer):
    printer.faults.paper_out = True
    reader, writer = await asyncio.open_connection(printer.host, printer.port)
    writer.write(HELLO + b"\x1dr\x01" + b"\x10\x04\x01\x10\x04\x02\x10\x04\x04")
    assert await reader.readexactly(3) == b"\x1a\x32\x7e"
    assert printer.receipts == []
    printer.faults.paper_out = False
    await printer.changed()
    assert await reader.readexactly(1) == b"\x00"
    assert len(printer.receipts) == 1
    writer.close()


async def test_one_connection_has_the_paper_and_the_next_waits(printer):
    first, second = [await asyncio.open_connection(printer.host, printer.port) for _ in range(2)]
    second[1].write(b"\x1dr\x01")
    first[1].write(b"\x1dr\x01")
    assert await first[0].readexactly(1) == b"\x00"
    assert printer.bytes_received == 3
    first[1].close()
    assert await second[0].readexactly(1) == b"\x00"
    second[1].close()


async def test_switched_off_it_forgets_what_it_had_not_printed(printer):
    printer.faults.offline = True
    reader, writer = await asyncio.open_connection(printer.host, printer.port)
    writer.write(HELLO)
    await printer.wait_for(lambda: printer.bytes_received == len(HELLO))
    address = printer.address
    await printer.power_cycle()
    printer.faults.offline = False
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    assert printer.address == address
    reader, writer = await asyncio.open_connection(printer.host, printer.port)
    writer.write(b"\x1dr\x01")
    assert await reader.readexactly(1) == b"\x00"
    assert printer.receipts == []
    writer.close()


async def test_a_broken_connection_leaves_what_had_come_on_the_paper(printer):
    printer.faults.drop_after_bytes = HELLO.index(b"\xa3")
    reader, writer = await asyncio.open_connection(printer.host, printer.port)
    writer.write(HELLO)
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    await printer.wait_for(lambda: printer.paper.current.text == "Ñand")
    assert printer.receipts == []
    writer.close()


async def test_it_runs_by_hand_and_shows_its_receipts(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.simulator.printer", "--port", "0", "--out", str(tmp_path / "papers"),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(20):
            address = json.loads(await process.stdout.readline())["address"]
            host, port = address.removeprefix("tcp://").split(":")
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(HELLO)
            shown = json.loads(await process.stdout.readline())
            assert shown == {"receipt": 1, "text": "Ñandú", "codes": [], "pulses": 0}
            writer.close()
    finally:
        process.terminate()
        await process.wait()
    assert (tmp_path / "papers" / "receipt-000001.txt").read_text(encoding="utf-8") == "Ñandú\n"
