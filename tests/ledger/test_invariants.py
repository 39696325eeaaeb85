import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.facts import Row
from gateway.ledger.invariants import Tally, breaches
from tests.ledger.forger import assert_said, long_day, rechained, rules
from tests.ledger.shop import CREDITS, SERIES, Shop, sale

LONG_DAY = long_day()
ROWS = list(LONG_DAY.rows)


def found(rows) -> list[tuple[str, int]]:
    return [(breach.rule, breach.seq) for breach in breaches(rows)]


def test_a_chain_can_be_checked_with_a_few_lines_and_no_help_from_us():
    previous = bytes(32)
    for row in ROWS:
        text = f"{row.seq}\n{row.at}\n{row.kind}\n{row.text}"
        assert row.prev_hash == previous
        previous = hashlib.sha256(previous + text.encode()).digest()
        assert row.hash == previous


def test_a_journal_that_keeps_its_promises_has_no_breach_and_is_counted():
    tally = Tally()
    assert list(breaches(iter(ROWS), tally)) == []
    assert (tally.rows, tally.documents, tally.voids) == (len(ROWS), 10, 2)
    assert tally.last_numbers == {SERIES: 501, CREDITS: 2}
    assert tally.on_hand == LONG_DAY.page.on_hand
    assert tally.head == ROWS[-1].hash
    assert tally.credited[("sale-2", 1)] == (1000, 250)


def test_an_empty_journal_has_nothing_to_breach():
    assert list(breaches([])) == []


@given(st.data())
def test_one_flipped_bit_anywhere_in_a_row_is_noticed_at_that_row(data):
    row = data.draw(st.sampled_from(ROWS))
    field = data.draw(st.sampled_from(["at", "kind", "text", "prev_hash", "hash"]))
    value = getattr(row, field)
    if field == "at":
        flipped = value ^ (1 << data.draw(st.integers(0, 40)))
    elif isinstance(value, bytes):
        place = data.draw(st.integers(0, len(value) * 8 - 1))
        flipped = bytes(each ^ (1 << place % 8) * (position == place // 8) for position, each in enumerate(value))
    else:
        place = data.draw(st.integers(0, len(value) - 1))
        flipped = value[:place] + chr(ord(value[place]) ^ (1 << data.draw(st.integers(0, 6)))) + value[place + 1 :]
    damaged = [replace(row, **{field: flipped}) if each is row else each for each in ROWS]
    assert ("I12", row.seq) in found(damaged)


@pytest.mark.parametrize("seq", [2, 9, 15, len(ROWS) - 1])
def test_a_row_that_is_missing_is_noticed(seq):
    rows = [row for row in ROWS if row.seq != seq]
    assert ("I12", seq + 1) in found(rows)
    assert_said(f"I12 row {seq} is missing before row {seq + 1}", rows)


@pytest.mark.parametrize("seq", [2, 9, 15, len(ROWS) - 1])
def test_two_rows_in_each_others_place_are_noticed(seq):
    rows = list(ROWS)
    rows[seq - 1], rows[seq] = rows[seq], rows[seq - 1]
    assert "I12" in rules(rows)


def test_a_row_that_stands_twice_is_noticed():
    assert "I12" in rules([*ROWS[:10], *ROWS[9:]])


def test_a_journal_that_lost_its_first_row_is_noticed():
    assert "I12" in rules(ROWS[1:])


def test_a_cut_tail_shows_in_the_head_and_the_counts_alone():
    tally = Tally()
    assert list(breaches(ROWS[:-3], tally)) == []
    assert tally.head != ROWS[-1].hash
    assert tally.last_numbers != {SERIES: 501, CREDITS: 2}


def test_two_stores_rows_do_not_make_one_journal():
    other = Shop()
    for step in range(len(ROWS)):
        other.done(sale(f"other-{step}"))
    assert "I12" in rules([*ROWS[:12], *other.rows[12:]])


def test_a_row_written_before_the_one_before_it_is_noticed():
    rows = [replace(row, at=row.at - 1) if row.seq == 12 else row for row in ROWS]
    assert "I8" in rules(rechained(rows))


DAMAGED = [
    replace(ROWS[8], text="no JSON"),
    replace(ROWS[8], text="[]"),
    replace(ROWS[8], text="{}"),
    replace(ROWS[8], text="null"),
    replace(ROWS[8], kind="no_such_kind"),
    replace(ROWS[8], at=None),
    replace(ROWS[8], kind=None),
    replace(ROWS[8], text=None),
    replace(ROWS[8], text=b"bytes"),
    replace(ROWS[8], prev_hash=None),
    replace(ROWS[8], hash=None),
    replace(ROWS[8], hash="text"),
    Row(None, None, None, None, None, None),
]


@pytest.mark.parametrize("damaged", DAMAGED, ids=range(len(DAMAGED)))
def test_a_row_that_cannot_be_read_is_a_breach_and_no_crash(damaged):
    rows = [*ROWS[:8], damaged, *ROWS[9:]]
    assert "I12" in rules(rows)
