import sqlite3
from contextlib import closing

import pytest

from gateway.authority.house import house_of
from gateway.authority.opening import BOOKS_FILE
from gateway.clock import HandClock
from gateway.ledger.commands import ConfirmSeries
from gateway.storage import books, documents
from gateway.storage.books import ForeignBooksError
from gateway.storage.writer import Writer
from tests.authority.counter import opened, settings_of, stocked
from tests.ledger.shop import DAY_MS, NOON, SERIES, line, sale, void


async def kinds(counter) -> list[str]:
    return [row.kind for row in await documents.journal_after(counter.reader, 0, 1000)]


async def test_new_books_begin_with_whose_they_are_and_who_issues(tmp_path):
    async with opened(tmp_path) as counter:
        assert await kinds(counter) == ["books_opened", "issuer_declared"]
        assert (counter.desk.seq, counter.desk.trusted_at) == (2, NOON)
        assert counter.verdict().is_sound


async def test_books_opened_again_are_the_same_books(tmp_path):
    async with opened(tmp_path) as counter:
        await stocked(counter)
        seq, epoch = counter.desk.seq, counter.desk.epoch
    async with opened(tmp_path, clock=HandClock(NOON + DAY_MS)) as counter:
        assert (counter.desk.seq, counter.desk.epoch, counter.desk.trusted_at) == (seq, epoch, NOON)
        assert (await counter.done(sale("one", line("apple")))).body["number"] == 1


async def test_a_changed_name_is_declared_once(tmp_path):
    for name in ("La Esquina", "La Esquina", "El Centro", "El Centro"):
        async with opened(tmp_path, store={"name": name}) as counter:
            declared = (await kinds(counter)).count("issuer_declared")
            assert declared == (1 if name == "La Esquina" else 2)


@pytest.mark.parametrize(
    "section",
    [{"store": {"id": "other"}}, {"store": {"country": "plain"}}, {"fiscal": {"currency": "USD"}}],
    ids=["store", "country", "currency"],
)
async def test_another_stores_books_are_not_opened(tmp_path, section):
    async with opened(tmp_path):
        pass
    with pytest.raises(ForeignBooksError, match=r"the books were opened with .*, the settings say"):
        async with opened(tmp_path, **section):
            pass


async def test_the_last_trusted_time_outlives_a_restart(tmp_path):
    async with opened(tmp_path) as counter:
        await stocked(counter)
        await counter.done(sale("one", line("apple")))
    async with opened(tmp_path, clock=HandClock(0)) as counter:
        assert (await counter.desk.submit(sale("two", line("apple")))).code == "clock_behind"
        counter.clock.ms = NOON
        assert (await counter.done(sale("two", line("apple")))).body["fiscal_date"] == "2026-11-21"


async def test_a_lock_outlives_a_restart(tmp_path):
    async with opened(tmp_path) as counter:
        await stocked(counter)
        assert (await counter.desk.submit(sale("one", line("apple"), last_seen=((SERIES, 9),)))).code == "number_ahead"
    async with opened(tmp_path) as counter:
        assert (await counter.desk.submit(sale("one", line("apple")))).code == "series_locked"
        await counter.done(ConfirmSeries(SERIES, 9, "paper"))
    async with opened(tmp_path) as counter:
        assert (await counter.done(sale("one", line("apple")))).body["number"] == 10


async def three_sales(folder):
    async with opened(folder) as counter:
        await stocked(counter)
        for number in range(3):
            await counter.done(sale(f"sale-{number}", line("apple")))
        await counter.done(void("sale-0"))


TAILS = {
    "a changed body": "UPDATE journal SET body = replace(body, 'Apple', 'Grape') WHERE kind = 'document_issued'",
    "a changed time": "UPDATE journal SET at = at + 1 WHERE seq = 5",
    "a changed hash": "UPDATE journal SET hash = prev_hash WHERE seq = 5",
    "a row that is gone": "DELETE FROM journal WHERE seq = 5",
    "a tail that is gone": "DELETE FROM journal WHERE seq > 8",
    "all rows gone": "DELETE FROM journal",
    "a series turned back": "UPDATE series SET high_number = 1",
    "a series that is gone": "DELETE FROM series",
}


@pytest.mark.parametrize("statement", TAILS.values(), ids=TAILS)
async def test_books_whose_end_does_not_hold_together_are_not_opened(tmp_path, statement):
    await three_sales(tmp_path)
    with closing(sqlite3.connect(tmp_path / BOOKS_FILE, isolation_level=None)) as connection:
        connection.execute(statement)
    writer = Writer(tmp_path / BOOKS_FILE, check=books.check_books)
    with pytest.raises(ForeignBooksError, match=r"journal row|series"):
        writer.open()
    writer.close()


async def test_books_that_are_whole_pass_the_look_at_their_end(tmp_path):
    await three_sales(tmp_path)
    with closing(sqlite3.connect(tmp_path / BOOKS_FILE)) as connection:
        books.check_books(connection)
        books.check_books(connection, rows_max=2)


def test_the_house_is_what_the_settings_say(tmp_path):
    house = house_of(settings_of(tmp_path))
    assert (house.currency, house.exponent, house.consumer_limit) == ("HNL", 2, 1_000_000)
    assert house.series() == ("000-001-01", "000-001-06", "000-001-07", "000-001-08")
    assert house.printers == {"front"}
    chilean = house_of(settings_of(tmp_path, "plain", fiscal={"currency": "CLP"}))
    assert (chilean.exponent, chilean.consumer_limit) == (0, 10**15)
