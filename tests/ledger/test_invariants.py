from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger import chain
from gateway.ledger.facts import Row
from gateway.ledger.invariants import Tally, breaches
from tests.ledger.forger import forged, long_day, rechained, rewritten, rules, seq_of
from tests.ledger.shop import CREDITS, SERIES, Shop, sale

LONG_DAY = long_day()
ROWS = list(LONG_DAY.rows)


def found(rows) -> list[tuple[str, int]]:
    return [(breach.rule, breach.seq) for breach in breaches(rows)]


def test_a_chain_can_be_checked_with_a_few_lines_and_no_help_from_us():
    import hashlib

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


@pytest.mark.parametrize("rate", ["-100", "nothing", "1e9"])
def test_a_rate_that_cannot_be_reckoned_with_is_a_breach_and_no_crash(rate):
    seq = seq_of(ROWS, "document_issued", id="sale-1")
    assert rules(forged(ROWS, seq, lambda body: body["document"]["taxes"][0].update(rate=rate))) & {"I11", "I12"}


def test_a_currency_with_absurd_decimals_is_a_breach_and_costs_no_time():
    assert "I11" in rules(forged(ROWS, 1, lambda body: body.update(exponent=10**9)))


def document(**changes):
    return lambda body: body["document"].update(changes)


def first_line(**changes):
    return lambda body: body["document"]["lines"][0].update(changes)


def credited_line(**changes):
    return lambda body: body["document"]["references"][0]["lines"][0].update(changes)


FORGERIES = [
    ("I11", "sale-1", document(total="14.00"), "a changed total"),
    ("I11", "sale-1", document(total="1.00", payments=[], change="0.00"), "a total without its payments"),
    ("I11", "sale-1", document(change="7.00"), "a changed change"),
    ("I11", "sale-1", first_line(total="7.00"), "a changed line"),
    ("I11", "sale-1", first_line(quantity="2.000"), "a changed quantity"),
    ("I11", "sale-1", first_line(quantity="-3.000"), "a negative quantity"),
    ("I11", "sale-1", lambda body: body["document"]["lines"].pop(), "a line that is gone"),
    ("I4", "sale-1", lambda body: body["document"]["lines"].clear(), "all lines gone"),
    ("I11", "sale-1", lambda body: body["document"]["taxes"].pop(), "a tax that is gone"),
    ("I11", "sale-1", lambda body: body["document"]["taxes"][0].update(base="6.00", amount="1.50"), "another split"),
    ("I11", "sale-1", lambda body: body.update(movements=[["apple", -1000], ["pear", -2000]]), "less stock taken"),
    ("I11", "sale-1", lambda body: body.update(movements=[["apple", -3000], ["apple", -3000]]), "stock taken twice"),
    ("I11", "sale-1", lambda body: body.update(movements=[["plum", -3000]]), "stock of something else"),
    ("I2", "sale-1", document(number=7, formatted_number="000-001-01-00000007"), "another number"),
    ("I1", "sale-2", document(number=2, formatted_number="000-001-01-00000002"), "a number given twice"),
    ("I10", "sale-1", document(formatted_number="000-001-01-00000077"), "another number on the paper"),
    ("I10", "sale-1", document(status="void"), "another status on the paper"),
    ("I10", "sale-1", document(seq=3), "another row on the paper"),
    ("I10", "sale-1", lambda body: body["document"]["authority"].update(ref="mine"), "another authority"),
    ("I10", "sale-1", lambda body: body["document"]["authority"].update(valid_until="2029-01-01"), "a later last day"),
    ("I4", "sale-2", document(id="sale-1"), "an id used twice"),
    ("I4", "sale-1", lambda body: body.update(digest=""), "no digest"),
    ("I2", "sale-1", document(series=CREDITS), "another series"),
    ("I7", "sale-1", lambda body: body.update(range="r2"), "another range"),
    ("I7", "sale-1", lambda body: (body.update(range=None), body["document"].update(authority=None)), "no range"),
    ("I7", "sale-5", document(fiscal_date="2027-01-01"), "a date after the range's last day"),
    ("I8", "sale-5", document(fiscal_date="2026-11-19"), "a date before the others"),
    ("I8", "sale-1", document(issued_at="2026-11-21T16:20:30.000Z"), "another time than its row's"),
    ("I2", "sale-1", lambda body: body.update(wrap=1), "another turn of the correlative"),
    ("I9", "note-1", credited_line(line=3), "a line that is not there"),
    ("I9", "note-1", credited_line(quantity="0.100"), "two quantities"),
    ("I9", "note-1", lambda body: body["document"]["references"][0].update(document="nobody"), "no original"),
    ("I12", "note-1", lambda body: body["document"]["references"].clear(), "no reference"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "identity", "change", "name"), FORGERIES, ids=[each[3] for each in FORGERIES])
def test_a_document_changed_under_new_hashes_is_found_out(rule, identity, change, name):
    seq = seq_of(ROWS, "document_issued", id=identity)
    assert rule in rules(forged(ROWS, seq, change))


def larger_note(body):
    """Credit four units of three, with totals, taxes and movements that agree with each other."""
    printed = body["document"]["lines"][0]
    printed.update(quantity="4.000", total="10.00")
    body["document"]["references"][0]["lines"][0]["quantity"] = "4.000"
    body["document"]["taxes"][0].update(base="8.70", amount="1.30")
    body["document"].update(total="10.00")
    body["movements"] = [["apple", 4000]]


def test_credits_above_the_original_are_found_out():
    rows = forged(ROWS, seq_of(ROWS, "document_issued", id="note-1"), larger_note)
    texts = [breach.text for breach in breaches(rows) if breach.rule == "I9"]
    assert any("line 1 of sale-2" in text for text in texts)
    assert any("tax isv15 of sale-2" in text for text in texts)


EVENTS = [
    ("I2", "range_ended", {"id": "r2"}, {"unused": None}, "a tail that nobody accounts for"),
    ("I2", "range_ended", {"id": "r2"}, {"state": "exhausted"}, "a cancelled range called used up"),
    ("I2", "range_ended", {"id": "r2"}, {"state": "expired"}, "a good range called expired"),
    ("I2", "range_ended", {"id": "r1"}, {"unused": {"first": 3, "last": 4, "cause": "expired"}}, "a tail of used ones"),
    ("I2", "range_activated", {"id": "r1"}, {"id": "r2"}, "a range that began before its turn"),
    ("I7", "range_activated", {"id": "r6"}, {"id": "r1"}, "a range that began in another series"),
    ("I1", "range_loaded", {"id": "r3"}, {"first": 400}, "a range over another"),
    ("I4", "range_loaded", {"id": "r3"}, {"id": "r1"}, "a range loaded twice"),
    ("I7", "range_loaded", {"id": "r3"}, {"first": 901}, "a range from back to front"),
    ("I1", "range_loaded", {"id": "r3"}, {"wrap": 1}, "a turn that begins too soon"),
    ("I2", "series_confirmed", {}, {"lost": None}, "lost numbers that nobody names"),
    ("I1", "series_confirmed", {}, {"last_number": 2, "lost": None}, "a series turned back"),
    ("I7", "series_confirmed", {}, {"last_number": 600, "lost": {"first": 7, "last": 600}}, "beyond its range"),
    ("I9", "document_voided", {"document": "sale-0"}, {"document": "note-1"}, "a note voided twice"),
    ("I9", "document_voided", {"document": "sale-0"}, {"document": "sale-2"}, "a credited document voided"),
    ("I9", "document_voided", {"document": "sale-0"}, {"document": "nobody"}, "a void of nothing"),
    ("I9", "document_voided", {"document": "sale-0"}, {"movements": []}, "a void that keeps the goods"),
    ("I4", "stock_moved", {"id": "count"}, {"id": "stock-apple-1"}, "a movement booked twice"),
    ("I10", "issuer_declared", {}, {"issuer": {}}, "nobody issues"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "kind", "wanted", "changes", "name"), EVENTS, ids=[each[4] for each in EVENTS])
def test_an_event_changed_under_new_hashes_is_found_out(rule, kind, wanted, changes, name):
    rows = list(ROWS)
    if kind == "issuer_declared":
        rows = rechained([*rows, replace(rows[-1], kind=kind, text='{"issuer":{"name":"Store"}}')])
        assert rules(rows) == set()
    assert rule in rules(forged(rows, seq_of(rows, kind, **wanted), lambda body: body.update(changes)))


@pytest.mark.parametrize(
    ("rule", "kind"),
    [("I6", "series_confirmed"), ("I6", "tenure_unlocked"), ("I2", "range_ended"), ("I7", "range_activated")],
)
def test_an_event_left_out_under_new_hashes_is_found_out(rule, kind):
    seq = seq_of(ROWS, kind)
    assert rule in rules(rechained([row for row in ROWS if row.seq != seq]))


@pytest.mark.parametrize("identity", ["sale-1", "note-1", "sale-6"])
def test_a_document_left_out_under_new_hashes_is_found_out(identity):
    seq = seq_of(ROWS, "document_issued", id=identity)
    assert rules(rechained([row for row in ROWS if row.seq != seq])) >= {"I2"}


def test_a_number_given_under_a_lock_is_found_out():
    seq = seq_of(ROWS, "document_issued", id="sale-6")
    lock = replace(ROWS[0], at=ROWS[seq - 2].at, kind="tenure_locked", text='{"reason":"restored"}')
    assert "I6" in rules(rechained([*ROWS[: seq - 1], lock, *ROWS[seq - 1 :]]))


def test_books_opened_a_second_time_are_found_out():
    again = replace(ROWS[0], at=ROWS[-1].at)
    assert rules(rechained([*ROWS, again])) == {"I5"}


def test_numbers_that_begin_again_too_soon_are_found_out_without_ranges_too():
    shop = Shop()
    for step in range(3):
        shop.done(sale(f"sale-{step}"))

    def restart(body):
        body["wrap"] = 1
        body["document"].update(number=1, formatted_number="000-001-01-00000001")

    assert "I1" in rules(forged(shop.rows, 4, restart))


def test_a_rewritten_row_alone_breaks_the_chain_at_itself_only():
    seq = seq_of(ROWS, "document_issued", id="sale-1")
    rows = [rewritten(row, document(till="front-9")) if row.seq == seq else row for row in ROWS]
    assert found(rows) == [("I12", seq)]


def test_a_rechained_journal_no_longer_has_the_head_that_others_know():
    seq = seq_of(ROWS, "document_issued", id="sale-1")
    rows = forged(ROWS, seq, document(till="front-9"))
    assert rules(rows) == set()
    assert rows[-1].hash != ROWS[-1].hash
    assert chain.body_of(rows[seq - 1])["document"]["till"] == "front-9"
