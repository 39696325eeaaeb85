"""When the gateway's own parts fail: what the till hears, and that asking again under the same id settles it."""

import asyncio
import contextlib
import resource
import threading
import uuid

import orjson
import pytest
from structlog.testing import capture_logs

from gateway.authority.desk import QUEUE_COMMANDS_MAX
from gateway.authority.opening import books_path
from gateway.ledger.commands import UnlockTenure
from tests.api.store import open_store, sale

DOCUMENT = "0198f3c2-7b1e-7c44-9a55-3f1d2a6b7c10"


@contextlib.contextmanager
def disk_that_takes_no_more(store):
    """From here on the kernel refuses every write that makes the store's write-ahead log longer."""
    wal = books_path(store.parts.settings).with_name("books.sqlite3-wal")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def writer_that_waits(store):
    """The writing thread is stuck, as on a disk that does not answer."""
    go_on = threading.Event()
    store.parts.writer.post(lambda _: go_on.wait())
    try:
        yield
    finally:
        go_on.set()


async def test_a_disk_that_does_not_keep_it_is_told_and_the_retry_settles_it(store):
    path = f"/v1/documents/{DOCUMENT}"
    with disk_that_takes_no_more(store):
        status, headers, content = await store.ask("PUT", path, sale())
        said = orjson.loads(content)
        assert (status, said["code"], said["advice"]) == (503, "not_durable", "same_request_again")
        assert int(headers["Retry-After"]) >= 1
        status, said = await store.said("GET", "/readyz", who="")
        assert (status, said["status"]) == (503, "not_ready")
    status = 503
    while status == 503:  # until the writer has opened the file again
        status, said = await store.said("PUT", path, sale())
    assert status in {200, 201}
    assert said["number"] == 1
    assert (await store.issue())["number"] == 2
    assert (await store.said("GET", "/v1/admin/verify", who="admin"))[1]["sound"]


async def test_an_answer_that_is_late_is_told_and_the_retry_settles_it(tmp_path):
    async with open_store(tmp_path, api={"reply_wait_ms_max": 100}) as store:
        path = f"/v1/documents/{DOCUMENT}"
        with writer_that_waits(store):
            status, said = await store.said("PUT", path, sale())
            assert (status, said["code"], said["advice"]) == (503, "answer_late", "same_request_again")
        status, said = await store.said("PUT", path, sale())
        assert (status, said["number"]) == (200, 1)


async def test_more_than_the_desk_takes_is_told_and_the_rest_is_done(store):
    with writer_that_waits(store):
        waiting = [asyncio.ensure_future(store.parts.desk.submit(UnlockTenure("x"))) for _ in range(QUEUE_COMMANDS_MAX)]
        await asyncio.sleep(0)
        status, headers, content = await store.ask("PUT", f"/v1/documents/{DOCUMENT}", sale())
        assert (status, orjson.loads(content)["code"]) == (503, "busy")
        assert headers["Retry-After"] == "1"
    await asyncio.gather(*waiting)
    status, said = await store.said("PUT", f"/v1/documents/{DOCUMENT}", sale())
    assert (status, said["number"]) == (201, 1)


async def test_a_bug_is_answered_by_a_number_to_look_for_in_the_log_and_by_nothing_else(store):
    await store.parts.reader.close()
    with capture_logs() as log:
        status, said = await store.said("GET", "/v1/status")
    assert (status, said["code"]) == (500, "internal")
    assert set(said) == {"type", "title", "status", "code", "detail", "advice", "instance", "incident"}
    assert [entry["incident"] for entry in log if entry["event"] == "request_failed"] == [said["incident"]]
    assert (await store.said("GET", "/healthz", who=""))[0] == 200


async def test_one_audit_at_a_time(store):
    first = asyncio.ensure_future(store.said("GET", "/v1/admin/verify", who="admin"))
    second = await store.said("GET", "/v1/admin/verify", who="admin")
    answers = sorted(status for status, _ in (await first, second))
    assert answers == [200, 503]


async def test_a_body_that_is_whole_is_done_even_when_nobody_waits_for_the_answer(store):
    document = str(uuid.uuid4())
    with writer_that_waits(store):
        asking = asyncio.ensure_future(store.said("PUT", f"/v1/documents/{document}", sale()))
        while not store.parts.desk._waiting and not store.parts.desk._called:
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    seq = store.parts.desk.seq
    await store.issue()
    status, said = await store.said("PUT", f"/v1/documents/{document}", sale())
    assert (status, said["seq"]) == (200, seq + 2)
