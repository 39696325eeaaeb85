"""The listening end: broken, slow, greedy and vanishing clients."""

import asyncio
import contextlib
import dataclasses
import socket
import uuid

import orjson
import pytest

from gateway.api.parts import Limits
from gateway.api.routes import application
from gateway.api.server import Server
from gateway.storage import documents as books
from tests.api.store import open_store, sale

DOCUMENT = "0198f3c2-7b1e-7c44-9a55-3f1d2a6b7c10"


@contextlib.asynccontextmanager
async def wire(store, **options):
    """A bare connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", store.server.port, **options)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def answer(reader):
    """(status, JSON) of the next answer on a bare connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    return int(head[9:12]), orjson.loads(body)


def request(store, body, *, length=None, more="", path=f"/v1/documents/{DOCUMENT}"):
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {store.tokens['front-1']}\r\n"
        f"Content-Type: application/json\r\n{more}Content-Length: {len(body) if length is None else length}\r\n\r\n"
    )
    return head.encode() + body


async def issued(store):
    return await books.document(store.parts.reader, DOCUMENT)


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"GET / HTTP/9.9\r\n\r\n",
        b"BREW /v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"PUT /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"PUT /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"\r\n\r\nhello\r\n\r\n",
    ],
    ids=["TLS", "version", "method", "header", "negative length", "two lengths", "long address", "words"],
)
async def test_what_is_not_http_is_answered_by_a_problem_and_the_end(store, noise):
    async with wire(store) as (reader, writer):
        writer.write(noise)
        status, said = await answer(reader)
        assert (status, said["code"]) == (400, "malformed_http")
        assert await reader.read() == b""
    assert (await store.said("GET", "/v1/status"))[0] == 200


async def test_a_body_that_ends_early_is_refused_and_nothing_is_done(store):
    body = orjson.dumps(sale())
    before = await store.journal()
    async with wire(store) as (reader, writer):
        writer.write(request(store, body, length=len(body) + 10))
        writer.write_eof()
        status, said = await answer(reader)
        assert (status, said["code"], said["advice"]) == (400, "body_incomplete", "same_request_again")
    assert await store.journal() == before


@pytest.mark.parametrize("kept", [0, 1, 40, -1])
async def test_a_connection_that_breaks_within_the_body_does_nothing(store, kept):
    body = orjson.dumps(sale())
    before = await store.journal()
    async with wire(store) as (_, writer):
        writer.write(request(store, body[:kept], length=len(body)))
        await writer.drain()
        writer.transport.abort()
    assert (await store.said("GET", "/v1/status"))[0] == 200
    assert await store.journal() == before
    assert await issued(store) is None


async def test_one_who_says_all_and_half_closes_is_still_answered(store):
    async with wire(store) as (reader, writer):
        writer.write(request(store, orjson.dumps(sale())))
        writer.write_eof()
        status, said = await answer(reader)
        assert (status, said["number"]) == (201, 1)
        assert await reader.read() == b""


async def test_one_who_goes_away_after_asking_finds_the_document_on_asking_again(store):
    body = orjson.dumps(sale())
    async with wire(store) as (_, writer):
        writer.write(request(store, body))
        await writer.drain()
        writer.transport.abort()
    await store.issue(who="front-2")
    status, said = await store.said("PUT", f"/v1/documents/{DOCUMENT}", sale())
    assert status in {200, 201}
    assert said["till"] == "front-1"
    numbers = [row for row in await books.documents(store.parts.reader) if row["id"] == DOCUMENT]
    assert len(numbers) == 1


async def test_a_request_byte_by_byte_is_a_request(store):
    async with wire(store) as (reader, writer):
        for byte in request(store, orjson.dumps(sale())):
            writer.write(bytes([byte]))
            await writer.drain()
        assert (await answer(reader))[0] == 201


async def test_chunked_bodies_are_bodies(store):
    body = orjson.dumps(sale())
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    head = request(store, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    async with wire(store) as (reader, writer):
        writer.write(head + chunks)
        assert (await answer(reader))[0] == 201


async def test_chunks_without_end_stop_at_the_limit(store):
    head = request(store, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    async with wire(store) as (reader, writer):
        writer.write(head)
        for _ in range(9):
            writer.write(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        status, said = await answer(reader)
        assert (status, said["code"], said["bytes_max"]) == (413, "too_large", 65_536)


async def test_a_body_that_is_too_large_need_not_be_sent(store):
    async with wire(store) as (reader, writer):
        writer.write(request(store, b"", length=10_000_000, more="Expect: 100-continue\r\n"))
        status, said = await answer(reader)
        assert (status, said["code"]) == (413, "too_large")


async def test_one_who_asks_first_may_send_a_body_that_fits(store):
    body = orjson.dumps(sale())
    async with wire(store) as (reader, writer):
        writer.write(request(store, b"", length=len(body), more="Expect: 100-continue\r\n"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await answer(reader))[0] == 201


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path):
    async with open_store(tmp_path, limits=Limits(body_s_max=0.05)) as store, wire(store) as (reader, writer):
        writer.write(request(store, b"{", length=500))
        status, said = await answer(reader)
        assert (status, said["code"], said["advice"]) == (408, "body_too_slow", "same_request_again")
        assert await reader.read() == b""


@pytest.mark.parametrize("sent", [b"", b"GET /v1/sta", b"GET /v1/status HTTP/1.1\r\nHost: gate"])
async def test_one_who_never_finishes_to_ask_is_let_go(tmp_path, sent):
    async with open_store(tmp_path, limits=Limits(keepalive_s_max=0.05)) as store, wire(store) as (reader, writer):
        writer.write(sent)
        assert await reader.read() == b""


async def test_one_connection_too_many_is_told_so_and_the_others_are_served(tmp_path):
    async with open_store(tmp_path, limits=Limits(connections_max=3)) as store:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(wire(store))
            await store.said("GET", "/v1/status")  # the session's own connection is the third
            reader, _ = await stack.enter_async_context(wire(store))
            status, said = await answer(reader)
            assert (status, said["code"]) == (503, "busy")
            assert await reader.read() == b""
            assert (await store.said("GET", "/v1/status"))[0] == 200
        status = 503
        while status == 503:  # until the server has seen that they left
            async with wire(store) as (reader, writer):
                writer.write(request(store, orjson.dumps(sale())))
                status, said = await answer(reader)
        assert (status, said["number"]) == (201, 1)


async def test_pipelined_requests_are_answered_in_their_order(store):
    paths = [f"/v1/documents/{uuid.uuid4()}" for _ in range(5)]
    async with wire(store) as (reader, writer):
        writer.write(b"".join(request(store, orjson.dumps(sale()), path=path) for path in paths))
        said = [(await answer(reader))[1]["id"] for _ in paths]
    assert said == [path.rsplit("/", 1)[1] for path in paths]


async def test_a_reader_who_takes_nothing_is_limited_by_the_kernel(store):
    async with wire(store) as (_, writer):
        writer.write(request(store, orjson.dumps(sale())))
        (inside,) = [each for each in store.server._runner.server.connections if each._request_count < 2][-1:]
        own = inside.transport.get_extra_info("socket")
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000


async def test_stopping_answers_what_is_in_hand_and_takes_nothing_more(store):
    async with Server(application(store.parts), store.parts) as second:
        port = second.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(store, orjson.dumps(sale())))
        assert (await answer(reader))[0] == 201
    assert await reader.read() == b""
    writer.close()
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_an_address_in_use_is_an_error_and_leaves_nothing_behind(store):
    settings = store.parts.settings
    taken = settings.model_copy(update={"api": settings.api.model_copy(update={"port": store.server.port})})
    parts = dataclasses.replace(store.parts, settings=taken)
    with pytest.raises(OSError, match="address already in use"):
        async with Server(application(parts), parts):
            pass
