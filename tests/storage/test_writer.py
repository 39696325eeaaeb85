import asyncio
import sqlite3

import pytest

from gateway.storage.writer import (
    GROUP_WORKS_MAX,
    QUEUE_WORKS_MAX,
    ClosedError,
    NotDurableError,
    OverloadedError,
    Writer,
    is_file_trouble,
)
from tests.storage.plug import Plug


def put(name, value="1"):
    """A work that writes one note."""
    return lambda connection: connection.execute("INSERT INTO notes VALUES (?, ?)", (name, value)).rowcount


def notes(path) -> set[str]:
    """What stands in the file, as another process sees it."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM notes")}
    connection.close()
    return found


async def test_a_work_is_done_and_answered_with_what_it_says(writer, path):
    assert await writer.run(put("a")) == 1
    assert notes(path) == {"a"}


async def test_all_that_waits_shares_one_transaction(writer, path):
    async with Plug(writer) as plug:
        futures = [writer.post(put(f"n{number}")) for number in range(50)]
    await asyncio.gather(*futures)
    assert plug.commits() == 2
    assert len(notes(path)) == 50


async def test_a_transaction_has_at_most_so_many_works(writer):
    async with Plug(writer) as plug:
        futures = [writer.post(put(f"n{number}")) for number in range(2 * GROUP_WORKS_MAX + 1)]
    await asyncio.gather(*futures)
    assert plug.commits() == 1 + 3


async def test_works_are_done_in_the_order_in_which_they_were_asked(writer):
    done = []
    async with Plug(writer):
        futures = [writer.post(lambda _, number=number: done.append(number)) for number in range(20)]
    await asyncio.gather(*futures)
    assert done == list(range(20))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda connection: connection.execute("INSERT INTO notes VALUES ('a', 'again')"),
        lambda connection: connection.execute("SELECT no such thing"),
        lambda connection: connection.execute("INSERT INTO notes VALUES (?, ?)", ("n", 2**70)),
        lambda connection: (put("half")(connection), {}["missing"]),
    ],
    ids=["a constraint", "wrong SQL", "a number too large", "a bug"],
)
async def test_a_work_that_raises_is_undone_alone_and_heard_by_its_caller_alone(writer, path, wrong):
    async with Plug(writer) as plug:
        futures = [writer.post(put("a")), writer.post(wrong), writer.post(put("b"))]
    first, error, last = await asyncio.gather(*futures, return_exceptions=True)
    assert (first, last) == (1, 1)
    assert isinstance(error, Exception)
    assert not isinstance(error, NotDurableError)
    assert notes(path) == {"a", "b"}
    assert plug.commits() == 2
    assert writer.trouble is None


async def test_a_caller_that_goes_away_does_not_stop_its_work(writer, path):
    async with Plug(writer):
        future = writer.post(put("a"))
        future.cancel()
        last = writer.post(put("b"))
    await last
    assert notes(path) == {"a", "b"}


async def test_the_queue_is_bounded_and_says_so(writer, path):
    async with Plug(writer):
        futures = [writer.post(put(f"n{number}")) for number in range(QUEUE_WORKS_MAX)]
        with pytest.raises(OverloadedError):
            writer.post(put("too many"))
    await asyncio.gather(*futures)
    await writer.run(put("room again"))
    assert len(notes(path)) == QUEUE_WORKS_MAX + 1


async def test_closing_finishes_what_waits_and_takes_nothing_new(writer, path):
    async with Plug(writer) as plug:
        futures = [writer.post(put(f"n{number}")) for number in range(50)]
        closing = asyncio.ensure_future(asyncio.to_thread(writer.close))
        while not writer._closing:
            await asyncio.sleep(0)
        with pytest.raises(ClosedError):
            writer.post(put("late"))
        plug.let_go.set()
        await closing
    await asyncio.gather(*futures)
    assert not path.with_name("books.sqlite3-wal").exists()
    assert len(notes(path)) == 50


async def test_closing_twice_and_without_opening_is_nothing(writer, path):
    await asyncio.to_thread(writer.close)
    await asyncio.to_thread(writer.close)
    Writer(path).close()


async def test_two_loops_may_write(writer, path):
    await asyncio.to_thread(lambda: asyncio.run(writer.run(put("other"))))
    await writer.run(put("this"))
    assert notes(path) == {"other", "this"}


async def test_a_loop_that_is_gone_harms_nobody(writer, path):
    async def ask():
        writer.post(put("orphan"))

    async with Plug(writer):
        await asyncio.to_thread(lambda: asyncio.run(ask()))
        mine = writer.post(put("mine"))
    await mine
    assert notes(path) == {"orphan", "mine"}


async def test_the_check_looks_at_every_file_that_is_opened(path):
    def unsound(connection):
        raise ValueError(connection.execute("SELECT count(*) FROM notes").fetchone()[0])

    opened = Writer(path, check=unsound)
    with pytest.raises(ValueError, match="0"):
        opened.open()
    opened.close()


def test_trouble_is_the_file_and_not_a_statement():
    def error(kind, code):
        made = kind("x")
        made.sqlite_errorcode = code
        return made

    assert is_file_trouble(OSError(28, "No space left on device"))
    assert is_file_trouble(error(sqlite3.OperationalError, sqlite3.SQLITE_IOERR_FSYNC))
    assert is_file_trouble(error(sqlite3.DatabaseError, sqlite3.SQLITE_CORRUPT))
    assert not is_file_trouble(error(sqlite3.OperationalError, sqlite3.SQLITE_ERROR))
    assert not is_file_trouble(error(sqlite3.IntegrityError, sqlite3.SQLITE_CONSTRAINT_UNIQUE))
    assert not is_file_trouble(sqlite3.ProgrammingError("closed"))
    assert not is_file_trouble(KeyError("x"))
