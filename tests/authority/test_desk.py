import asyncio
import sqlite3
import uuid
from contextlib import closing

import orjson
import pytest

from gateway.authority.desk import GROUP_COMMANDS_MAX, QUEUE_COMMANDS_MAX, DiskLowError, Done
from gateway.ledger.commands import ConfirmSeries
from gateway.ledger.refusals import Refusal
from gateway.storage import catalogue, documents
from gateway.storage.books import StaleTenureError
from gateway.storage.writer import ClosedError, OverloadedError
from tests.authority.counter import APPLES, opened, receipt, stocked
from tests.ledger.shop import BUYER, SERIES, credit, line, sale, void
from tests.storage.plug import Plug


def apples(identity, quantity=1000, **more):
    return sale(identity, line("apple", quantity), **more)


async def together(counter, *commands):
    """Ask all at once, so that they are decided in one group; the outcomes, exceptions among them."""
    async with Plug(counter.writer) as plug:
        asked = [asyncio.ensure_future(counter.desk.submit(command)) for command in commands]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert plug.commits() <= 1 + -(-len(commands) // GROUP_COMMANDS_MAX)
    return outcomes


async def test_a_command_is_done_once_and_known_afterwards(counter):
    first = await counter.done(apples("one"))
    again = await counter.done(apples("one"))
    assert (first.created, again.created) == (True, False)
    assert (first.seq, orjson.dumps(first.body)) == (again.seq, orjson.dumps(again.body))
    assert first.seq == counter.desk.seq


async def test_fifty_who_ask_for_the_same_are_told_the_same_and_one_document_stands(counter):
    outcomes = await together(counter, *[apples("one") for _ in range(50)])
    assert sum(outcome.created for outcome in outcomes) == 1
    assert len({orjson.dumps(outcome.body) for outcome in outcomes}) == 1
    assert counter.verdict().tally.documents == 1


async def test_numbers_follow_the_order_in_which_they_were_asked_for(counter):
    outcomes = await together(counter, *[apples(f"sale-{number}") for number in range(200)])
    assert [outcome.body["number"] for outcome in outcomes] == list(range(1, 201))
    assert counter.verdict().is_sound


async def test_a_group_is_bounded_and_who_does_not_fit_waits_for_the_next(counter):
    async with Plug(counter.writer) as plug:
        asked = [asyncio.ensure_future(counter.desk.submit(apples(f"sale-{number}"))) for number in range(200)]
        await asyncio.sleep(0)
    await asyncio.gather(*asked)
    assert plug.commits() == 1 + -(-200 // GROUP_COMMANDS_MAX)


async def test_of_two_tills_and_the_last_unit_one_gets_it_and_the_other_hears_the_figure(tmp_path):
    async with opened(tmp_path) as counter:
        await stocked(counter, apples=1500)
        one, other = await together(counter, apples("one", till="front-1"), apples("two", till="front-2"))
        assert isinstance(one, Done)
        assert isinstance(other, Refusal)
        assert (other.code, other.values) == (
            "stock_short", {"sku": "apple", "available": "0.500", "asked": "1.000"},
        )  # fmt: skip
        assert counter.verdict().is_sound


async def test_two_tills_that_credit_the_same_line_at_once_credit_it_once(counter):
    await counter.done(apples("one", 3000))
    first, second, third = await together(
        counter,
        credit("note-1", "one", (1, 2000), till="front-1"),
        credit("note-2", "one", (1, 2000), till="front-2"),
        credit("note-3", "one", (1, 1000), till="front-3"),
    )
    assert isinstance(first, Done)
    assert (second.code, second.values["left"]) == ("credit_exceeds_original", "1.000")
    assert isinstance(third, Done)
    assert counter.verdict().is_sound


async def test_a_group_may_sell_credit_and_void_the_same_document(counter):
    outcomes = await together(
        counter,
        apples("one", 3000, customer=BUYER),
        credit("note", "one", (1, 1000)),
        void("one"),
        void("note"),
        void("one"),
    )
    codes = [getattr(outcome, "code", "done") for outcome in outcomes]
    assert codes == ["done", "done", "document_has_credits", "done", "done"]
    stock = await documents.stock_of(counter.reader, "apple")
    assert stock["on_hand"] == 10_000_000
    assert counter.verdict().is_sound


async def test_who_goes_away_loses_only_the_answer(counter):
    async with Plug(counter.writer):
        asked = [asyncio.ensure_future(counter.desk.submit(apples(f"sale-{number}"))) for number in range(20)]
        await asyncio.sleep(0)
        for each in asked[::2]:
            each.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert [each.cancelled() for each in asked] == [number % 2 == 0 for number in range(20)]
    again = [await counter.done(apples(f"sale-{number}")) for number in range(20)]
    assert [each.body["number"] for each in again] == list(range(1, 21))
    assert not any(each.created for each in again)


async def test_a_bug_in_one_decision_is_its_askers_alone(counter):
    broken = sale("broken", line("apple"), payments=(object(),))
    one, error, two = await together(counter, apples("one"), broken, apples("two"))
    assert isinstance(error, AttributeError)
    assert (one.body["number"], two.body["number"]) == (1, 2)
    assert counter.verdict().is_sound


async def test_a_bug_that_shows_when_the_rows_are_stored_is_its_askers_alone(counter):
    await counter.sql("INSERT INTO movements VALUES ('taken', x'00', 999999)")
    one, error, two, three = await together(
        counter, apples("one"), receipt("taken", 1000), apples("two"), receipt("free", 1000)
    )
    assert isinstance(error, sqlite3.IntegrityError)
    assert (one.body["number"], two.body["number"]) == (1, 2)
    assert three.created
    await counter.sql("DELETE FROM movements WHERE id = 'taken'")
    assert counter.verdict().is_sound


async def test_a_lonely_bug_leaves_the_hint_where_it_was(counter):
    seq = counter.desk.seq
    with pytest.raises(AttributeError):
        await counter.desk.submit(apples("broken", payments=(object(),)))
    assert counter.desk.seq == seq
    assert (await counter.done(apples("next"))).seq > seq


async def test_the_database_itself_refuses_a_number_that_was_given(counter):
    await counter.done(apples("one"))
    await counter.sql("UPDATE series SET last_number = 0 WHERE key = ?", SERIES)
    with pytest.raises(sqlite3.IntegrityError):
        await counter.desk.submit(apples("two"))
    assert [breach.rule for breach in counter.verdict().found] == ["I2"]


async def test_whoever_lost_the_tenure_cannot_allocate(counter):
    await counter.done(apples("one"))
    with closing(sqlite3.connect(counter.path)) as other:
        other.execute("UPDATE tenure SET epoch = 'another box'")
        other.commit()
    before = counter.path.with_name("books.sqlite3-wal").stat().st_size
    for outcome in await together(counter, apples("two"), apples("one"), receipt("m", 1)):
        assert isinstance(outcome, StaleTenureError)
    assert counter.path.with_name("books.sqlite3-wal").stat().st_size == before
    assert counter.verdict().tally.documents == 1


async def test_below_the_disks_floor_nothing_new_is_accepted_and_the_books_can_still_be_tidied(tmp_path):
    async with opened(tmp_path) as counter:
        await stocked(counter)
        await counter.done(apples("one"))
    async with opened(tmp_path, storage={"free_bytes_min": 2**60}) as counter:
        for command in (apples("two"), receipt("more", 1000)):
            with pytest.raises(DiskLowError) as told:
                await counter.desk.submit(command)
            assert told.value.free_bytes < 2**60
            assert str(told.value) == f"{told.value.free_bytes // 2**20} MB free"
        await counter.done(void("one"))
        assert (counter.verdict().tally.documents, counter.verdict().is_sound) == (1, True)


async def test_the_queue_is_bounded_and_says_so(counter):
    async with Plug(counter.writer):
        asked = [
            asyncio.ensure_future(counter.desk.submit(apples(f"sale-{number}"))) for number in range(QUEUE_COMMANDS_MAX)
        ]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await counter.desk.submit(apples("too many"))
    outcomes = await asyncio.gather(*asked)
    assert all(outcome.created for outcome in outcomes)
    assert (await counter.done(apples("room again"))).body["number"] == QUEUE_COMMANDS_MAX + 1


async def test_a_desk_that_closes_decides_what_waits_and_takes_nothing_new(counter):
    async with Plug(counter.writer):
        asked = [asyncio.ensure_future(counter.desk.submit(apples(f"sale-{number}"))) for number in range(100)]
        await asyncio.sleep(0)
        counter.desk.close()
        with pytest.raises(ClosedError):
            await counter.desk.submit(apples("late"))
    assert all(outcome.created for outcome in await asyncio.gather(*asked))


async def test_a_writer_that_stopped_is_told_to_everybody_who_waits(counter):
    await asyncio.to_thread(counter.writer.close)
    with pytest.raises(ClosedError):
        await counter.desk.submit(apples("late"))


async def test_whoever_waits_for_a_change_is_woken_by_it(counter):
    seq = counter.desk.seq
    waiting = [asyncio.ensure_future(counter.desk.wait_change(seq)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    done = await counter.done(apples("one"))
    assert set(await asyncio.gather(*waiting)) == {done.seq}
    assert await counter.desk.wait_change(seq) == done.seq


async def test_whoever_stops_waiting_for_a_change_is_forgotten(counter):
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await counter.desk.wait_change(counter.desk.seq)
    assert not counter.desk._waiters


async def test_an_alarm_is_kept_although_the_sale_is_refused(counter):
    refusal = await counter.desk.submit(apples("one", last_seen=((SERIES, 9),)))
    assert refusal.code == "number_ahead"
    assert (await counter.desk.submit(apples("two"))).code == "series_locked"
    (series,) = [each for each in await documents.series(counter.reader) if each["key"] == SERIES]
    assert series["locked_by"] == 9
    await counter.done(ConfirmSeries(SERIES, 9, "paper"))
    assert (await counter.done(apples("two"))).body["number"] == 10
    assert counter.verdict().is_sound


async def test_prices_of_a_catalogue_that_was_never_committed_are_not_remembered(counter):
    def change_and_fail(connection):
        catalogue.change(connection, [APPLES.__class__("apple", "Apple", None, 99_900, "isv15")])
        counter.desk.settle(connection, [apples("inside")])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await counter.writer.run(change_and_fail)
    await counter.writer.run(
        lambda connection: catalogue.change(connection, [APPLES.__class__("apple", "Apple", None, 300, "isv15")])
    )
    assert (await counter.done(apples("outside"))).body["total"] == "3.00"


async def jobs(counter) -> list:
    rows = await counter.reader.rows("SELECT id, document, device, till, state FROM jobs ORDER BY position")
    return [tuple(row) for row in rows]


async def test_a_document_that_is_printed_queues_one_job_with_it_however_often_it_is_asked(counter):
    done = await counter.done(apples("one", print_to="front"))
    await counter.done(apples("one", print_to="front"))
    await counter.done(apples("two"))
    assert await jobs(counter) == [(done.body["job"], "one", "front", "front-1", "queued")]


async def test_a_job_id_that_somebody_took_before_stops_no_sale(counter):
    first = await counter.done(apples("one", print_to="front"))
    await counter.sql("UPDATE jobs SET id = ?", str(uuid.uuid5(uuid.NAMESPACE_OID, "print:two")))
    assert (await counter.done(apples("two", print_to="front"))).body["number"] == first.body["number"] + 1
    assert len(await jobs(counter)) == 1


async def test_a_new_price_counts_from_the_next_command_on(counter):
    assert (await counter.done(apples("one"))).body["total"] == "2.50"
    async with Plug(counter.writer):
        change = counter.writer.post(
            lambda connection: catalogue.change(connection, [APPLES.__class__("apple", "Apple", None, 300, "isv15")])
        )
        asked = asyncio.ensure_future(counter.desk.submit(apples("two")))
        await asyncio.sleep(0)
    await change
    assert (await asked).body["total"] == "3.00"
