import asyncio
import contextlib

import pytest

from gateway.simulator.line import Line


@contextlib.asynccontextmanager
async def echo():
    """A far end that sends everything back."""

    async def answer(reader, writer):
        with contextlib.suppress(OSError):
            while piece := await reader.read(1000):
                writer.write(piece)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def line():
    async with echo() as port, Line("127.0.0.1", port) as line:
        yield line


async def said(line, text):
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    try:
        writer.write(text)
        return await reader.readexactly(len(text))
    finally:
        writer.close()


async def test_bytes_go_both_ways_and_are_counted(line):
    assert await said(line, b"hello") == b"hello"
    assert (line.bytes_up, line.bytes_down) == (5, 5)


async def test_a_loud_cut_resets_what_is_connected_and_what_connects(line):
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    writer.write(b"x")
    assert await reader.readexactly(1) == b"x"
    line.cut()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await said(line, b"anybody?")
    line.restore()
    assert await said(line, b"back") == b"back"


async def test_a_silent_cut_holds_everything_until_it_is_restored(line):
    line.cut(silent=True)
    asked = asyncio.ensure_future(said(line, b"hello"))
    done, _ = await asyncio.wait([asked], timeout=0.1)
    assert not done
    assert line.bytes_up == 0
    line.restore()
    assert await asked == b"hello"


async def test_a_line_is_cut_in_the_middle_of_an_exchange(line):
    line.cut_after(3)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await said(line, b"hello")
    assert line.bytes_up == 3
    assert line.is_cut


async def test_nobody_at_the_far_end_is_a_reset(unused_tcp_port):
    async with Line("127.0.0.1", unused_tcp_port) as line:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await said(line, b"hello")
