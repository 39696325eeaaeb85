import sqlite3
from contextlib import closing

import pytest

from gateway.storage import migrate
from gateway.storage.migrate import APPLICATION_ID, ForeignFileError
from gateway.storage.writer import Writer


@pytest.fixture
def connection(tmp_path):
    with closing(sqlite3.connect(tmp_path / "books.sqlite3", isolation_level=None)) as opened:
        yield opened


def schema(connection) -> list:
    return connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").fetchall()


def steps(folder, *scripts):
    for number, script in enumerate(scripts, 1):
        (folder / f"{number:04d}_step.sql").write_text(script)
    return folder


def test_a_new_file_gets_every_step_and_says_whose_it_is(connection):
    version = migrate.migrate(connection)
    assert version >= 2
    assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


def test_migrating_twice_changes_nothing(connection):
    first = migrate.migrate(connection)
    before = schema(connection)
    assert migrate.migrate(connection) == first
    assert schema(connection) == before


def test_only_the_steps_that_are_missing_are_done(connection, tmp_path):
    folder = tmp_path / "schema"
    folder.mkdir()
    migrate.migrate(connection, steps(folder, "CREATE TABLE a (x);"))
    connection.execute("INSERT INTO a VALUES (7)")
    assert migrate.migrate(connection, steps(folder, "CREATE TABLE a (x);", "ALTER TABLE a ADD COLUMN y;")) == 2
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(7, None)]


def test_a_step_that_fails_leaves_the_last_whole_version(connection, tmp_path):
    folder = tmp_path / "schema"
    folder.mkdir()
    script = "CREATE TABLE b (x);\nCREATE TABLE b (x);"
    with pytest.raises(sqlite3.OperationalError):
        migrate.migrate(connection, steps(folder, "CREATE TABLE a (x);", script))
    connection.rollback()
    assert [name for _, name, _ in schema(connection)] == ["a"]
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_step_that_is_missing_is_a_bug(connection, tmp_path):
    (tmp_path / "0002_step.sql").write_text("")
    with pytest.raises(AssertionError, match="step 1"):
        migrate.migrate(connection, tmp_path)


def test_every_table_is_strict(connection):
    migrate.migrate(connection)
    strict = connection.execute("SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND schema = 'main'")
    assert {name for name, is_strict in strict if not is_strict} <= {"sqlite_schema", "sqlite_sequence"}


def make(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


FOREIGN = {
    "another application's": ["PRAGMA application_id = 42", "CREATE TABLE x (y)"],
    "another application's, still empty": ["PRAGMA application_id = 42"],
    "nobody's, with a table": ["CREATE TABLE journal (seq)"],
    "nobody's, with a version": ["CREATE TABLE x (y)", "PRAGMA user_version = 1"],
}


@pytest.mark.parametrize("statements", FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_was(tmp_path, statements):
    path = tmp_path / "books.sqlite3"
    make(path, *statements)
    before = path.read_bytes()
    with pytest.raises(ForeignFileError):
        Writer(path).open()
    assert path.read_bytes() == before


def test_a_newer_schema_says_what_to_do(tmp_path):
    path = tmp_path / "books.sqlite3"
    make(path, f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 900")
    with pytest.raises(ForeignFileError, match=r"900 is newer.*install the newer release"):
        Writer(path).open()


@pytest.mark.parametrize(
    "content", [b"hello, I am a text file\n" * 400, b"\x00" * 8192, b"SQLite format 3\x00" + b"\xff" * 8192]
)
def test_garbage_is_refused_with_a_clear_word(tmp_path, content):
    path = tmp_path / "books.sqlite3"
    path.write_bytes(content)
    with pytest.raises((ForeignFileError, sqlite3.DatabaseError), match=r"not a database|malformed|disk image"):
        Writer(path).open()
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_made_says_so(tmp_path):
    with pytest.raises((sqlite3.OperationalError, FileNotFoundError)):
        Writer(tmp_path / "nowhere" / "books.sqlite3").open()
