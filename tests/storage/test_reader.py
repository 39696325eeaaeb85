import asyncio
import sqlite3
import threading

import pytest

from gateway.storage.reader import Reader
from tests.storage.plug import Plug


@pytest.fixture
async def reader(writer, path):
    opened = Reader(path)
    await opened.open()
    yield opened
    await opened.close()


def put(name):
    return lambda connection: connection.execute("INSERT INTO notes VALUES (?, '1')", (name,)).rowcount


async def names(reader) -> list[str]:
    return [row["name"] for row in await reader.rows("SELECT name FROM notes ORDER BY name")]


async def test_what_is_committed_is_read_and_what_is_not_is_not(writer, reader):
    await writer.run(put("a"))
    async with Plug(writer):
        future = writer.post(put("b"))
        assert await names(reader) == ["a"]
    await future
    assert await names(reader) == ["a", "b"]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO notes VALUES ('x', '1')",
        "DELETE FROM notes",
        "DROP TABLE notes",
        "PRAGMA user_version = 7",
        "CREATE TABLE x (y)",
    ],
)
async def test_whoever_reads_cannot_write(writer, reader, statement):
    await writer.run(put("a"))
    with pytest.raises(sqlite3.OperationalError, match=r"readonly|read-only|attempt to write"):
        await reader.rows(statement)
    assert await names(reader) == ["a"]


async def test_a_reader_never_moves_the_log_into_the_file(writer, reader, path):
    before = path.read_bytes()
    for number in range(50):
        await writer.run(put(f"n{number}"))
    with pytest.raises(sqlite3.OperationalError):
        await reader.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    await reader.close()
    assert path.read_bytes() == before


async def test_a_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        await Reader(tmp_path / "nothing.sqlite3").open()
    assert not (tmp_path / "nothing.sqlite3").exists()


async def test_a_file_that_is_no_database_says_so_at_once_and_leaves_nothing_behind(tmp_path):
    (tmp_path / "text").write_text("hello " * 1000)
    before = threading.enumerate()
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        await Reader(tmp_path / "text").open()
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(5)
    assert not any(thread.is_alive() for thread in left)


async def test_a_row_is_the_first_or_nothing(writer, reader):
    assert await reader.row("SELECT name FROM notes") is None
    await writer.run(put("a"))
    assert (await reader.row("SELECT name FROM notes"))["name"] == "a"


async def test_closing_twice_is_fine_and_reading_afterwards_is_a_bug(writer, path):
    reader = Reader(path)
    await reader.open()
    await reader.close()
    await reader.close()
    with pytest.raises(AssertionError):
        await reader.rows("SELECT 1")


async def test_many_may_read_through_one_reader_at_once(writer, reader):
    await writer.run(put("a"))
    assert await asyncio.gather(*(names(reader) for _ in range(50))) == [["a"]] * 50
