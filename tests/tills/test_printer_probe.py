import asyncio
import socket

import pytest

from gateway.tills.printer_probe import Identity, identity_of, is_status, text_of
from tests.tills.fake_printer import FakePrinter


async def asked(printer):
    server = await printer.listen()
    async with server:
        return await identity_of("127.0.0.1", server.sockets[0].getsockname()[1])


@pytest.mark.parametrize(
    ("printer", "identity"),
    [
        (FakePrinter(), Identity("EPSON", "TM-T20III")),
        (FakePrinter(back_status=True), Identity("EPSON", "TM-T20III")),
        (FakePrinter(piecemeal=True), Identity("EPSON", "TM-T20III")),
        (FakePrinter(model=None), Identity("EPSON", "")),
    ],
    ids=["plain", "with automatic status", "byte by byte", "without a model"],
)
async def test_a_receipt_printer_is_recognised_by_its_answers(printer, identity):
    assert await asked(printer) == identity


async def test_something_that_takes_bytes_and_answers_nothing_is_no_printer_and_gets_no_letters():
    printer = FakePrinter(mute=True)

    assert await asked(printer) is None
    assert printer.heard == b"\x10\x04\x01"


async def test_a_web_server_on_the_port_is_no_printer():
    async def serve(reader, writer):
        writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        assert await identity_of("127.0.0.1", server.sockets[0].getsockname()[1]) is None


async def test_something_that_floods_is_no_printer():
    async def serve(reader, writer):
        await reader.read(3)
        writer.write(b"\x12" * 100_000)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        assert await identity_of("127.0.0.1", server.sockets[0].getsockname()[1]) is None


async def test_a_port_where_nobody_listens_is_no_printer():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    assert await identity_of("127.0.0.1", port) is None


@pytest.mark.parametrize(
    ("answer", "is_one"),
    [
        (b"\x12", True),
        (b"\x1a", True),
        (b"\x7e", True),
        (b"\x10\x00\x00\x0f\x12", True),
        (b"", False),
        (b"\x12\x12", False),
        (b"\x10", False),
        (b"\x00", False),
        (b"\x13", False),
        (b"\x92", False),
    ],
)
def test_a_status_byte_has_the_pattern_of_the_reference(answer, is_one):
    assert is_status(answer) is is_one


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"\x5fEPSON\x00", "EPSON"),
        (b"\x10\x00\x00\x0f\x5fEPSON\x00", "EPSON"),
        (b"\x5f\x00", ""),
        (b"EPSON\x00", ""),
        (b"\x5fEPSON", ""),
        (b"\x5fEP\x1bSON\x00", ""),
    ],
)
def test_a_name_is_taken_from_its_frame_only(answer, text):
    assert text_of(answer) == text
