import asyncio
import sqlite3

import pytest

from gateway.headoffice import accounts
from gateway.headoffice.database import FILE, Database, ForeignFileError, NotDurableError, write_once


@pytest.fixture
async def database(tmp_path):
    opened = Database(tmp_path)
    await opened.open()
    yield opened
    await opened.close()


def insert(token):
    def work(connection):
        connection.execute("INSERT INTO tokens VALUES (?, 'reader', 1)", (token,))

    return work


async def count(database):
    return (await database.row("SELECT count(*) FROM tokens"))[0]


async def test_what_was_written_is_read(database):
    await database.write(insert(b"a"))
    assert await count(database) == 1


async def test_a_work_that_fails_writes_nothing_and_the_next_one_does(database):
    def fail(connection):
        insert(b"a")(connection)
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fail)
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(lambda connection: [insert(b"b")(connection), insert(b"b")(connection)])
    await database.write(insert(b"c"))
    assert await count(database) == 1


async def test_a_caller_that_goes_away_stops_nothing(database):
    async with asyncio.TaskGroup() as group:
        going = [group.create_task(database.write(insert(bytes([number])))) for number in range(20)]
        await asyncio.sleep(0)
        for task in going:
            task.cancel()
    await database.write(insert(b"last"))
    assert await count(database) == 21


async def test_readers_cannot_write(database):
    with pytest.raises(sqlite3.OperationalError):
        await database.rows("DELETE FROM tokens")
    connection = database.look()
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM tokens")
    connection.close()


async def test_the_command_line_and_the_server_write_side_by_side(database):
    def outside(number):
        write_once(database.folder, insert(b"out%d" % number))

    works = [database.write(insert(b"in%d" % number)) for number in range(30)]
    others = [asyncio.to_thread(outside, number) for number in range(30)]
    await asyncio.gather(*works, *others)
    assert await count(database) == 60
    assert (await database.row("PRAGMA integrity_check"))[0] == "ok"


async def test_after_a_disk_that_failed_the_file_is_opened_anew(database):
    def fail(connection):
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(NotDurableError):
        await database.write(fail)
    await database.write(insert(b"a"))
    assert await count(database) == 1


async def test_every_transaction_is_synced(database):
    assert await database.write(lambda connection: connection.execute("PRAGMA synchronous").fetchone()[0]) == 2
    assert await database.write(lambda connection: connection.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"


async def test_a_file_of_somebody_else_is_not_touched(tmp_path):
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA user_version = 3")
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    opened = Database(tmp_path)
    with pytest.raises(ForeignFileError):
        await opened.open()
    await opened.close()


async def test_a_file_that_is_no_database_is_not_touched(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database " * 1_000)
    opened = Database(tmp_path)
    with pytest.raises(ForeignFileError):
        await opened.open()
    await opened.close()
    assert (tmp_path / FILE).read_bytes().startswith(b"no database")


async def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "office").write_bytes(b"a file stands here")
    with pytest.raises(OSError):
        write_once(tmp_path / "office", insert(b"a"))


def test_every_key_starts_with_the_store(tmp_path):
    write_once(tmp_path, insert(b"a"))
    connection = sqlite3.connect(tmp_path / FILE)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for table in tables:
        keys = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5] == 1]
        assert keys == (["token_hash"] if table == "tokens" else ["store"]), table
    connection.close()
    assert accounts.CODE_LENGTH * 5 >= 40
