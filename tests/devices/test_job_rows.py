import uuid

import pytest

from gateway.devices import jobs as life
from gateway.devices.jobs import Happening
from gateway.storage import jobs
from gateway.storage.jobs import NewJob

NOW = 1_795_278_031_118


def new(identity=None, digest=b"d", till="front", device="front", kind="text", **more):
    return NewJob(identity or str(uuid.uuid4()), digest, kind, device, till, "{}", **more)


def turn(connection, identity, happening, detail=""):
    return jobs.turn(connection, identity, life.sources(happening), life.target(happening), NOW, detail=detail)


async def test_a_job_and_its_acceptance_are_there_together(table):
    asked = new()
    created, row = await table.writer.run(lambda connection: jobs.insert(connection, asked, NOW))
    assert created
    assert (row.state, row.created_at) == ("queued", NOW)
    assert await table.states(asked.id) == [("accepted", "")]


async def test_the_same_id_and_digest_is_the_same_job_and_tells_nothing_new(table):
    asked = new()
    await table.writer.run(lambda connection: jobs.insert(connection, asked, NOW))
    created, row = await table.writer.run(lambda connection: jobs.insert(connection, asked, NOW + 1))
    assert not created
    assert row.created_at == NOW
    assert len(await table.states(asked.id)) == 1


@pytest.mark.parametrize("changes", [{"digest": b"other"}, {"till": "back"}])
async def test_the_same_id_for_something_else_is_refused(table, changes):
    asked = new()
    await table.writer.run(lambda connection: jobs.insert(connection, asked, NOW))
    other = new(asked.id, **changes)
    assert await table.writer.run(lambda connection: jobs.insert(connection, other, NOW)) is None


async def test_a_documents_receipt_is_queued_in_the_documents_own_transaction(table):
    def work(connection):
        jobs.insert_receipt(connection, "job-1", "front", "till-1", "document-1", NOW)

    await table.writer.run(work)
    row = await jobs.job(table.reader, "job-1")
    assert (row.kind, row.state, row.document, row.body) == (
        "receipt",
        "queued",
        "document-1",
        '{"document":"document-1"}',
    )
    assert await table.states("job-1") == [("accepted", "")]


async def test_an_id_that_a_till_took_beforehand_does_not_stop_the_document(table):
    asked = new("job-1")
    await table.writer.run(lambda connection: jobs.insert(connection, asked, NOW))
    await table.writer.run(
        lambda connection: jobs.insert_receipt(connection, "job-1", "front", "till-1", "document-1", NOW)
    )
    assert (await jobs.job(table.reader, "job-1")).kind == "text"
    assert await table.states("job-1") == [("accepted", "")]


async def test_a_state_and_its_event_change_together_and_only_from_the_right_state(table):
    identity = await table.insert()
    assert await table.writer.run(lambda connection: turn(connection, identity, Happening.CONFIRMED)) is None
    assert await table.state(identity) == ("queued", "")
    row = await table.writer.run(lambda connection: turn(connection, identity, Happening.CLAIMED))
    assert row.state == "sending"
    assert await table.writer.run(lambda connection: turn(connection, identity, Happening.CANCELLED)) is None
    assert await table.states(identity) == [("accepted", ""), ("sending", "")]


async def test_waiting_for_the_same_reason_is_told_once(table):
    identity = await table.insert()
    for detail in ("paper_out", "paper_out", "cover_open"):
        await table.writer.run(lambda connection, detail=detail: turn(connection, identity, Happening.WAITS, detail))
    assert await table.states(identity) == [("accepted", ""), ("queued", "paper_out"), ("queued", "cover_open")]


async def test_an_unknown_job_id_turns_nothing(table):
    assert await table.writer.run(lambda connection: turn(connection, "nothing", Happening.CLAIMED)) is None


async def test_a_device_takes_drawers_first_and_then_what_came_first(table):
    first = await table.insert()
    await table.insert()
    await table.insert(device="kitchen")
    assert (await jobs.next_queued(table.reader, "front")).id == first
    kick = await table.insert(kind="kick")
    assert (await jobs.next_queued(table.reader, "front")).id == kick


async def test_a_device_with_nothing_queued_has_no_next_job(table):
    identity = await table.insert()
    await table.writer.run(lambda connection: turn(connection, identity, Happening.CLAIMED))
    assert await jobs.next_queued(table.reader, "front") is None


async def test_the_start_count_grows_and_stays(table):
    assert [await table.writer.run(jobs.next_epoch) for _ in range(3)] == [1, 2, 3]


async def test_events_are_read_in_order_and_forgotten_up_to_the_acknowledged_one_of_their_till(table):
    mine, theirs = await table.insert(), await table.insert(till="back")
    await table.writer.run(lambda connection: turn(connection, mine, Happening.CLAIMED))
    events = await jobs.events_after(table.reader, 0, 10)
    assert [(event.job, event.state) for event in events] == [
        (mine, "accepted"),
        (theirs, "accepted"),
        (mine, "sending"),
    ]
    last = events[-1].ev_seq
    assert await jobs.newest_event(table.reader) == last
    assert await table.writer.run(lambda connection: jobs.acknowledge(connection, "front", last)) == 2
    assert await jobs.events_of(table.reader, "front", 10) == []
    assert [event.job for event in await jobs.events_of(table.reader, "back", 10)] == [theirs]


async def test_an_events_number_is_never_given_twice(table):
    await table.insert()
    first = await jobs.newest_event(table.reader)
    await table.writer.run(lambda connection: jobs.acknowledge(connection, "front", first))
    await table.insert()
    assert await jobs.newest_event(table.reader) == first + 1


async def test_old_events_are_forgotten_and_young_ones_kept(table):
    asked = new()
    await table.writer.run(lambda connection: jobs.insert(connection, asked, NOW))
    await table.writer.run(lambda connection: jobs.prune_events(connection, NOW))
    assert len(await table.states(asked.id)) == 1
    await table.writer.run(lambda connection: jobs.prune_events(connection, NOW + 1))
    assert await table.states(asked.id) == []


async def test_the_load_counts_what_waits_and_which_papers_are_unknown(table):
    await table.insert()
    for kind in ("text", "kick"):
        identity = await table.insert(kind=kind)
        await table.writer.run(lambda connection, identity=identity: turn(connection, identity, Happening.CLAIMED))
        await table.writer.run(lambda connection, identity=identity: turn(connection, identity, Happening.LOST))
    assert await jobs.load(table.reader, "front") == jobs.Load(waiting=1, unknown=1)
    assert await jobs.load(table.reader, "kitchen") == jobs.Load()


async def test_open_jobs_are_those_of_one_till_that_are_not_at_their_end(table):
    mine = await table.insert()
    await table.insert(till="back")
    over = await table.insert()
    await table.writer.run(lambda connection: turn(connection, over, Happening.CANCELLED))
    assert [row.id for row in await jobs.open_jobs(table.reader, "front", 10)] == [mine]


async def test_a_second_job_for_the_same_document_is_a_reprint_unless_the_first_never_left(table):
    first = await table.insert(kind="receipt", document="d")
    second = await table.insert(kind="receipt", document="d")
    row = await jobs.job(table.reader, second)
    assert await jobs.is_reprint(table.reader, row)
    assert not await jobs.is_reprint(table.reader, await jobs.job(table.reader, first))
    await table.writer.run(lambda connection: turn(connection, first, Happening.CANCELLED))
    assert not await jobs.is_reprint(table.reader, row)


async def test_open_jobs_are_found_by_their_index(table):
    for sql in (
        f"SELECT id FROM jobs WHERE {jobs._OPEN} AND device = 'front' AND state = 'queued' ORDER BY position",
        f"SELECT id FROM jobs WHERE {jobs._OPEN} AND deadline < 1",
    ):
        plan = await table.reader.rows(f"EXPLAIN QUERY PLAN {sql}")
        assert any("jobs_open" in row["detail"] for row in plan)
