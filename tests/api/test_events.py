"""The stream: every journal row once, in order, over any number of cuts; the present at its beginning."""

import asyncio
import contextlib
import random
import socket
import uuid

import orjson
import pytest

from gateway.api.parts import Limits
from gateway.api.tail import RING_ROWS_MAX, TAIL
from tests.api.store import open_store, sale

WAIT_S = 20


class Listening:
    """One stream, read as a browser reads it."""

    def __init__(self, response):
        self.response = response
        self._lines = response.content

    async def event(self):
        """(name, id, data) of the next event."""
        name, number, data = "message", None, b""
        async with asyncio.timeout(WAIT_S):
            while True:
                line = await self._lines.readline()
                if not line:
                    raise EOFError
                line = line.rstrip(b"\n")
                if line.startswith(b"event: "):
                    name = line[7:].decode()
                elif line.startswith(b"id: "):
                    number = int(line[4:])
                elif line.startswith(b"data: "):
                    data += line[6:]
                elif not line and data:
                    return name, number, orjson.loads(data)

    async def numbered(self):
        """The next event that is a journal row: (id, data)."""
        while True:
            _, number, data = await self.event()
            if number is not None:
                return number, data

    async def named(self, name):
        """The next event of a name: (id, data)."""
        while True:
            found, number, data = await self.event()
            if found == name:
                return number, data


@contextlib.asynccontextmanager
async def listening(store, query="", *, who="front-1", **headers):
    sent = {**store.headers(who), **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with store.session.get(f"{store.url}/v1/events{query}", headers=sent) as response:
        assert response.status == 200, await response.read()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield Listening(response)


async def test_a_stream_begins_with_the_status_and_the_catalogue(store):
    async with listening(store, Accept_Language="es") as stream:
        name, number, status = await stream.event()
        assert (name, number) == ("status", None)
        _, asked = await store.said("GET", "/v1/status", headers={"Accept-Language": "es"})
        assert status == asked
        assert await stream.event() == ("catalogue", None, {"version": 1})


async def test_every_row_is_one_event_with_its_seq_as_id(store):
    rows = await store.journal()
    async with listening(store, "?after=0") as stream:
        heard = [await stream.numbered() for _ in rows]
    assert [number for number, _ in heard] == [row.seq for row in rows]
    assert [data["kind"] for _, data in heard] == [row.kind for row in rows]
    assert all(data["seq"] == number for number, data in heard)


async def test_a_sale_is_told_with_its_number_and_what_it_took(store):
    async with listening(store) as stream:
        issued = await store.issue(sale("2.500"))
        while (await stream.event())[0] != "numbering":
            continue
        name, number, data = await stream.event()
        void = (await store.said("PUT", f"/v1/documents/{issued['id']}/void", {"reason": "x"}))[1]
        _, voided = await stream.numbered()
    assert (name, number) == ("document", issued["seq"])
    summary = ("id", "type", "status", "series", "number", "formatted_number", "fiscal_date", "till", "total")
    assert data["document"] == {key: issued[key] for key in summary}
    assert data["stock"] == [{"sku": "1082185", "change": "-2.500"}]
    assert voided["document"]["id"] == void["id"]
    assert voided["document"]["status"] == "void"
    assert voided["stock"] == [{"sku": "1082185", "change": "2.500"}]


async def test_without_after_a_stream_begins_now(store):
    await store.issue()
    async with listening(store) as stream:
        await stream.named("catalogue")
        later = await store.issue()
        assert (await stream.numbered())[0] == later["seq"]


async def test_a_till_that_knows_more_than_the_books_hears_what_comes(store):
    async with listening(store, "?after=99999999") as stream:
        _, status = await stream.named("status")
        await stream.named("catalogue")
        issued = await store.issue()
        assert status["seq"] < 99999999
        heard = await stream.numbered()
        while heard[1]["kind"] != "document_issued":
            heard = await stream.numbered()
        assert heard[0] == issued["seq"]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nothing_is_lost_or_doubled_however_often_the_stream_is_cut(store, seed):
    chance = random.Random(seed)
    total, heard = 60, []

    async def sell():
        for _ in range(total):
            await store.issue(sale(lines=[{"sku": "bag", "quantity": "1"}]))

    async with asyncio.TaskGroup() as group:
        group.create_task(sell())
        last = 0
        while not heard or heard[-1] < 5 + total + 1:
            cut_after = chance.randrange(1, 12)
            headers = {"Last_Event_ID": str(last)} if last else {}
            async with listening(store, "?after=0", **headers) as stream:
                for _ in range(cut_after):
                    number, _ = await stream.numbered()
                    heard.append(number)
                    last = number
                    if number == 5 + total + 1:
                        break
    assert heard == [row.seq for row in await store.journal()]


async def test_the_last_event_id_counts_more_than_after(store):
    async with listening(store, "?after=0", Last_Event_ID="3") as stream:
        assert (await stream.numbered())[0] == 4


async def test_a_stream_that_fell_out_of_the_ring_reads_the_journal(tmp_path):
    async with open_store(tmp_path, ranges=(), store={"country": "plain"}) as store, listening(store) as stream:
        await stream.named("catalogue")
        first = store.parts.desk.seq
        await sell_many(store, RING_ROWS_MAX + 300)
        last = store.parts.desk.seq
        assert last - first > RING_ROWS_MAX
        heard = [(await stream.numbered())[0] for _ in range(last - first)]
        async with listening(store, f"?after={first}") as late:
            again = [(await late.numbered())[0] for _ in range(last - first)]
    assert heard == again == list(range(first + 1, last + 1))


async def sell_many(store, count):
    """Documents as fast as they go, over 16 connections."""
    todo = iter(range(count))

    async def sell():
        for _ in todo:
            await store.issue(sale(lines=[{"sku": "bag", "quantity": "1"}]))

    async with asyncio.TaskGroup() as group:
        for _ in range(16):
            group.create_task(sell())


async def test_warnings_catalogue_and_jobs_are_told_without_an_id(store):
    async with listening(store) as mine, listening(store, who="front-2") as other:
        for stream in (mine, other):
            await stream.named("catalogue")
        store.parts.board.put_up("broker_down")
        number, status = await mine.named("status")
        assert number is None
        assert [warning["code"] for warning in status["warnings"]] == ["broker_down"]
        job = str(uuid.uuid4())
        asked = {"kind": "text", "device": "front", "body": {"lines": ["hello"]}}
        assert (await store.said("PUT", f"/v1/jobs/{job}", asked))[0] == 201
        number, told = await mine.named("job")
        assert number is None
        assert (told["id"], told["till"], told["state"]) == (job, "front-1", "accepted")
        csv = b"sku,name,unit_price,tax\nnew,New,1.00,isv15\n"
        await store.ask("PUT", "/v1/admin/catalogue", data=csv, who="admin", headers={"Content-Type": "text/csv"})
        names = []
        while "catalogue" not in names:
            name, number, _ = await other.event()
            assert number is None
            names.append(name)
        assert "job" not in names


async def test_a_revoked_till_hears_no_more(store):
    async with listening(store) as stream:
        await stream.named("catalogue")
        await store.said("DELETE", "/v1/admin/tills/front-1", who="admin")
        await store.issue(who="front-2")
        with pytest.raises(EOFError):
            await stream.named("never")


async def test_stopping_ends_the_streams(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(tmp_path))
        async with listening(store) as stream:
            await stream.named("catalogue")
            store.server._app[TAIL].close()
            with pytest.raises(EOFError):
                await stream.event()


async def test_one_stream_too_many_is_told_so(tmp_path):
    async with open_store(tmp_path, limits=Limits(streams_max=1)) as store, listening(store) as stream:
        await stream.named("catalogue")
        status, said = await store.said("GET", "/v1/events")
        assert (status, said["code"]) == (503, "busy")


async def test_a_slow_reader_is_cut_and_nothing_is_kept_for_it(tmp_path):
    limits = Limits(stream_write_s_max=0.2)
    async with open_store(tmp_path, limits=limits, ranges=(), store={"country": "plain"}) as store:
        with socket.socket() as lazy:
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lazy.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(lazy, ("127.0.0.1", store.server.port))
            head = f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {store.tokens['back']}\r\n\r\n"
            await loop.sock_sendall(lazy, head.encode())
            assert (await loop.sock_recv(lazy, 12)).startswith(b"HTTP/1.1 200")
            tail = store.server._app[TAIL]
            inside = next(
                each for each in store.server._runner.server.connections if each._request_in_progress
            ).transport
            sold = 0
            while tail.listeners:
                await sell_many(store, 100)
                sold += 100
                assert inside.get_write_buffer_size() < 400_000
                assert sold < 10_000, "the lazy reader was never cut"
        async with listening(store) as stream:
            assert (await stream.event())[0] == "status"
