"""`verify` on real files: whatever is done to a file, it is found out, or it made no difference."""

import asyncio
import random
import shutil
import sqlite3
import textwrap
from contextlib import closing, suppress
from pathlib import Path

import pytest

from gateway.authority.audit import BREACHES_SHOWN_MAX, holds, verify_books, verify_rows
from gateway.authority.opening import BOOKS_FILE
from gateway.ledger.commands import ConfirmSeries, LockTenure
from gateway.storage.audit import UnreadableError, journal, open_to_read
from gateway.storage.writer import Writer
from tests.authority.counter import opened, receipt, stocked
from tests.ledger.shop import CREDITS, SERIES, credit, line, sale, void

TABLES = ("journal", "tenure", "series", "ranges", "documents", "credits", "credited_taxes", "stock", "movements")


async def a_day(folder):
    """Forty documents, credits, voids, a locked series, two ranges; at the end the tenure is locked."""
    async with opened(folder) as counter:
        await stocked(counter, ranges=[(1, 20), (21, 500)])
        for number in range(40):
            counter.clock.advance(1_000)
            await counter.done(sale(f"sale-{number}", line("apple", 3000), line("water")))
        await counter.done(credit("note-1", "sale-3", (1, 1000)))
        await counter.done(credit("note-2", "sale-4", (1, 1000)))
        await counter.done(void("note-2"))
        await counter.done(void("sale-5"))
        await counter.done(receipt("more", 5_000))
        await counter.desk.submit(sale("ahead", line("water"), last_seen=((SERIES, 50),)))
        await counter.done(ConfirmSeries(SERIES, 50, "paper"))
        await counter.desk.submit(sale("ahead", line("water"), last_seen=((CREDITS, 9),)))
        await counter.done(LockTenure("restored"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with sound books."""
    folder = tmp_path_factory.mktemp("whole")
    asyncio.run(a_day(folder))
    return folder


@pytest.fixture
def path(whole, tmp_path):
    """A copy of the file, to be damaged."""
    return shutil.copy(whole / BOOKS_FILE, tmp_path / BOOKS_FILE)


def dump(path):
    """Everything the file says, by table; but for the epoch, which no journal row can vouch for."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        found = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in TABLES}
        found["tenure"] = [(*row[:2], *row[3:]) for row in found["tenure"]]
        return found


def rules(path) -> set[str]:
    return {breach.rule for breach in verify_books(path).found}


def rows_of(path):
    with closing(open_to_read(path)) as connection:
        return list(journal(connection))


def change(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def flip(path, offset, bit=0):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1 << bit
    path.write_bytes(content)


def test_sound_books_are_sound_by_folder_and_by_file_and_are_counted(whole):
    verdict = verify_books(whole)
    assert verdict.found == ()
    assert verdict.shown() == {
        "subject": str(whole / BOOKS_FILE),
        "sound": True,
        "rows": len(rows_of(whole / BOOKS_FILE)),
        "documents": 42,
        "voids": 2,
        "last_numbers": {SERIES: 50, CREDITS: 2},
        "head": rows_of(whole / BOOKS_FILE)[-1].hash.hex(),
        "breaches": [],
    }
    assert verify_books(whole / BOOKS_FILE).is_sound
    assert verify_rows("rows", rows_of(whole / BOOKS_FILE)).is_sound


def test_a_file_in_which_no_books_were_opened_yet_is_sound(tmp_path):
    writer = Writer(tmp_path / BOOKS_FILE)
    writer.open()
    writer.close()
    verdict = verify_books(tmp_path)
    assert (verdict.found, verdict.tally.rows) == ((), 0)


async def test_books_in_use_can_be_verified(tmp_path):
    async with opened(tmp_path) as counter:
        await stocked(counter)
        await counter.done(sale("one", line("apple")))
        verdict = await asyncio.to_thread(verify_books, tmp_path)
        assert (verdict.found, verdict.tally.documents) == ((), 1)


def test_whoever_waits_hears_how_far_it_is(whole):
    heard = []
    verify_books(whole, heard.append)
    assert heard == []


@pytest.mark.parametrize("column", ["at", "kind", "text", "prev_hash", "hash"])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_flipped_bit_in_a_journal_row_is_found(path, column, place):
    row = rows_of(path)[30]
    value = getattr(row, column)
    stored = {"at": lambda: value.to_bytes(6), "kind": lambda: value.encode(), "text": lambda: value.encode()}
    wanted = stored.get(column, lambda: value)()
    content = path.read_bytes()
    anchor = content.index(row.prev_hash + row.hash)
    offset = (
        anchor + {"prev_hash": 0, "hash": 32}[column] if column.endswith("hash") else content.rindex(wanted, 0, anchor)
    )
    flip(path, offset + {"first": 0, "middle": len(wanted) // 2, "last": len(wanted) - 1}[place])
    assert "I12" in rules(path) or "I3" in rules(path)


@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_bit_anywhere_is_found_or_makes_no_difference(path, seed):
    chance, before = random.Random(seed), dump(path)
    content = path.read_bytes()
    for _ in range(12):
        flip(path, chance.randrange(len(content)), chance.randrange(8))
        try:
            sound = verify_books(path).is_sound
        except UnreadableError:
            sound = False
        if sound:
            assert dump(path) == before
        path.write_bytes(content)
        for leftover in ("-wal", "-shm"):
            path.with_name(BOOKS_FILE + leftover).unlink(missing_ok=True)


@pytest.mark.parametrize("seq", [1, 2, 30, 60])
def test_a_deleted_row_is_found(path, seq):
    seq = min(seq, len(rows_of(path)))
    change(path, f"DELETE FROM journal WHERE seq = {seq}")
    assert not verify_books(path).is_sound


def test_two_rows_that_changed_places_are_found(path):
    change(
        path,
        "CREATE TEMP TABLE pair AS SELECT * FROM journal WHERE seq IN (30, 31)",
        "DELETE FROM journal WHERE seq IN (30, 31)",
        "INSERT INTO journal SELECT 61 - seq, at, kind, body, prev_hash, hash FROM pair",
    )
    assert "I12" in rules(path)


@pytest.mark.parametrize("rows", [1, 5, 30])
def test_a_cut_tail_is_found_because_the_tables_know_more(path, rows):
    change(path, f"DELETE FROM journal WHERE seq > (SELECT max(seq) FROM journal) - {rows}")
    verdict = verify_books(path)
    assert verdict.found
    assert "I12" not in {breach.rule for breach in verdict.found}


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95, 0.999])
def test_a_truncated_file_is_found(path, kept):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with suppress(UnreadableError):
        assert not verify_books(path).is_sound


@pytest.mark.parametrize("length", [0, 10, 100, 4096])
def test_a_file_cut_to_its_first_bytes_is_no_books_or_no_sound_ones(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with suppress(UnreadableError):
        assert not verify_books(path).is_sound


DISAGREEMENTS = {
    "a document's number": ("UPDATE documents SET number = 99 WHERE id = 'sale-3'", "I10"),
    "a document's id": ("UPDATE documents SET id = 'sale-x' WHERE id = 'sale-3'", "I10"),
    "a document's digest": ("UPDATE documents SET digest = x'00' WHERE id = 'sale-3'", "I10"),
    "a document's row": ("UPDATE documents SET seq = 1 WHERE id = 'sale-3'", "I10"),
    "a document that is gone": ("DELETE FROM documents WHERE id = 'sale-3'", "I10"),
    "a document made up": (
        "INSERT INTO documents SELECT 999, 'x', digest, series, 0, 999, type, status, 0, x'' FROM documents LIMIT 1",
        "I10",
    ),
    "a void document called issued": ("UPDATE documents SET status = 'issued' WHERE id = 'sale-5'", "I9"),
    "a document called void": ("UPDATE documents SET status = 'void' WHERE id = 'sale-6'", "I9"),
    "a void that moved": ("UPDATE documents SET void_seq = void_seq - 1 WHERE id = 'sale-5'", "I9"),
    "a void without its document": (
        "UPDATE documents SET status = 'issued', void_seq = NULL, void_digest = NULL WHERE id = 'sale-5'", "I10"
    ),
    "the last number": ("UPDATE series SET last_number = 40", "I2"),
    "the highest number": ("UPDATE series SET high_number = 1", "I2"),
    "the last date": ("UPDATE series SET last_date = '2020-01-01'", "I2"),
    "the turn": ("UPDATE series SET wrap = 1", "I2"),
    "the active range": ("UPDATE series SET range = ''", "I2"),
    "a series that is gone": (f"DELETE FROM series WHERE key = '{SERIES}'", "I2"),
    "a series made up": ("INSERT INTO series VALUES ('x', 7, 7, '', 0, '', NULL)", "I2"),
    "a lock that is gone": ("UPDATE series SET locked_by = NULL", "I6"),
    "a lock made up": (f"UPDATE series SET locked_by = 9 WHERE key = '{SERIES}'", "I6"),
    "the tenure's lock": ("UPDATE tenure SET lock = NULL", "I6"),
    "the tenure": ("DELETE FROM tenure", "I6"),
    "the store": ("UPDATE tenure SET store = 'other'", "I6"),
    "the currency's decimals": ("UPDATE tenure SET exponent = 0", "I6"),
    "who issues": ("UPDATE tenure SET issuer = 1", "I6"),
    "a status nobody knows": ("UPDATE documents SET status = 'isrued' WHERE id = 'sale-6'", "I9"),
    "a range that grew": ("UPDATE ranges SET last = 9999 WHERE id = 'range-21'", "I7"),
    "a range that lasts longer": ("UPDATE ranges SET valid_until = '2030-01-01'", "I7"),
    "a range brought back": ("UPDATE ranges SET state = 'loaded' WHERE id = 'range-1'", "I7"),
    "a range that is gone": ("DELETE FROM ranges WHERE id = 'range-1'", "I10"),
    "stock": ("UPDATE stock SET on_hand = on_hand + 1", "I10"),
    "stock that is gone": ("DELETE FROM stock", "I10"),
    "stock made up": ("INSERT INTO stock VALUES ('pear', 1000, 1)", "I10"),
    "a movement that is gone": ("DELETE FROM movements WHERE id = 'more'", "I10"),
    "a movement's digest": ("UPDATE movements SET digest = x'00' WHERE id = 'more'", "I4"),
    "a credit that is gone": ("DELETE FROM credits WHERE document = 'sale-3'", "I9"),
    "a credit made smaller": ("UPDATE credits SET quantity = 1 WHERE document = 'sale-3'", "I9"),
    "a credited tax made smaller": ("UPDATE credited_taxes SET amount = 0 WHERE document = 'sale-3'", "I9"),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "rule"), DISAGREEMENTS.values(), ids=DISAGREEMENTS)
def test_a_table_that_disagrees_with_the_journal_is_found(path, statement, rule):
    change(path, statement)
    verdict = verify_books(path)
    assert rule in {breach.rule for breach in verdict.found}
    assert verdict.shown()["sound"] is False


def test_a_broken_chain_is_not_told_at_every_row(path):
    change(path, "UPDATE journal SET at = at - seq * 10000")
    assert len(verify_books(path).found) == BREACHES_SHOWN_MAX or len(rows_of(path)) < BREACHES_SHOWN_MAX


def test_the_check_that_the_documentation_prints_finds_the_chain_whole_and_finds_it_broken(path, monkeypatch, capsys):
    text = (Path(__file__).parents[2] / "docs" / "invariants.md").read_text(encoding="utf-8")
    lines = text[text.index("    import hashlib, sqlite3") :].splitlines()
    script = textwrap.dedent("\n".join(line for line in lines if line.startswith("    ")))
    (path.parent / "data").mkdir()
    path.rename(path.parent / "data" / BOOKS_FILE)
    monkeypatch.chdir(path.parent)
    exec(compile(script, "invariants.md", "exec"), {})
    whole = rows_of(path.parent / "data" / BOOKS_FILE)
    assert capsys.readouterr().out == f"whole {whole[-1].hash.hex()}\n"
    change(
        path.parent / "data" / BOOKS_FILE, "UPDATE journal SET body = replace(body, 'apple', 'grape') WHERE seq = 30"
    )
    with pytest.raises(AssertionError, match="30"):
        exec(compile(script, "invariants.md", "exec"), {})


def test_books_hold_their_own_history_and_nobody_elses(path):
    rows = rows_of(path)
    assert holds(path, rows[29].seq, rows[29].hash)
    assert holds(path, 0, b"")
    assert not holds(path, rows[29].seq, rows[28].hash)
    assert not holds(path, rows[-1].seq + 1, rows[-1].hash)
    change(path, "DROP TABLE journal")
    assert not holds(path, rows[29].seq, rows[29].hash)


@pytest.mark.parametrize(
    "make",
    [
        lambda _: None,
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("hello " * 1000),
        lambda path: change(path, "CREATE TABLE journal (seq)"),
    ],
    ids=["nothing", "a folder without books", "an empty file", "a text file", "another application's file"],
)
def test_what_is_no_books_is_said_to_be_none(tmp_path, make):
    path = tmp_path / "elsewhere"
    make(path)
    with pytest.raises(UnreadableError, match=str(path)):
        verify_books(path)
