"""Journals changed by somebody who made every hash anew: what they say gives them away."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from gateway.fiscal import honduras
from gateway.ledger import amounts, chain
from gateway.ledger.commands import CancelRange, DocumentType
from gateway.ledger.invariants import breaches
from tests.ledger.forger import assert_said, forged, long_day, rechained, rewritten, rules, seq_of
from tests.ledger.shop import CREDITS, Shop, credit, granted, house, sale, unlisted

ROWS = list(long_day().rows)


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


def first_tax(body):
    return body["document"]["taxes"][0]


def note_of(quantity, total, base, tax):
    """A note of one line whose totals, taxes and movements agree with each other."""

    def change(body):
        credited_line(quantity=quantity)(body)
        first_line(quantity=quantity, total=total)(body)
        first_tax(body).update(base=base, amount=tax)
        body["document"].update(total=total)
        body["movements"] = [["apple", amounts.parse(quantity, 3)]]

    return change


FORGERIES = [
    ("I11 the total 14.00 is not", "sale-1", document(total="14.00")),
    ("I11 the total 1.00 is not", "sale-1", document(total="1.00", payments=[], change="0.00")),
    ("I11 the change 7.00 is not", "sale-1", document(change="7.00")),
    ("I11 line 1: 3.000 at 2.50 less 0.00 is not 7.00", "sale-1", first_line(total="7.00")),
    ("I11 line 1: 2.000 at 2.50 less 0.00 is not 7.50", "sale-1", first_line(quantity="2.000")),
    ("I11 line 1 is not positive", "sale-1", first_line(quantity="-3.000")),
    ("I11 the total 13.50 is not", "sale-1", lambda body: body["document"]["lines"].pop()),
    ("I4 a document without lines", "sale-1", lambda body: body["document"]["lines"].clear()),
    ("I11 the tax buckets do not add up", "sale-1", lambda body: body["document"]["taxes"].pop()),
    (
        "I11 tax isv15: base 6.00 is not 6.52",
        "sale-1",
        lambda body: body["document"]["taxes"][0].update(base="6.00", amount="1.50"),
    ),
    ("I11 the stock movements", "sale-1", lambda body: body.update(movements=[["apple", -1000], ["pear", -2000]])),
    ("I11 the stock movements", "sale-1", lambda body: body.update(movements=[["apple", -3000], ["apple", -3000]])),
    ("I11 the stock movements", "sale-1", lambda body: body.update(movements=[["plum", -3000]])),
    ("I7 number 7 is outside 1-4", "sale-1", document(number=7, formatted_number="000-001-01-00000007")),
    ("I1 number 2 was given twice", "sale-2", document(number=2, formatted_number="000-001-01-00000002")),
    ("I10 number 2 is printed as", "sale-1", document(formatted_number="000-001-01-00000077")),
    ("I10 the snapshot says row 9, void", "sale-1", document(status="void")),
    ("I10 the snapshot says row 3", "sale-1", document(seq=3)),
    ("I10 number 2 shows another authority", "sale-1", lambda body: body["document"]["authority"].update(ref="mine")),
    (
        "I10 number 2 shows another authority than",
        "sale-1",
        lambda body: body["document"]["authority"].update(valid_until="2029-01-01"),
    ),
    ("I4 document sale-1 has two numbers", "sale-2", document(id="sale-1")),
    ("I4 a document without lines or without the digest", "sale-1", lambda body: body.update(digest="")),
    ("I2 a credit_note took a number", "sale-1", document(series=CREDITS)),
    ("I7 number 2 names range r2, active is r1", "sale-1", lambda body: body.update(range="r2")),
    (
        "I7 number 2 was given without a range",
        "sale-1",
        lambda body: (body.update(range=None), body["document"].update(authority=None)),
    ),
    ("I7 number 6 is dated 2027-01-01", "sale-5", document(fiscal_date="2027-01-01")),
    ("I8 number 6 is dated 2026-11-19, after one", "sale-5", document(fiscal_date="2026-11-19")),
    ("I8 number 2 was issued at", "sale-1", document(issued_at="2026-11-21T16:20:30.000Z")),
    ("I2 number 2 was given where 2 was next", "sale-1", lambda body: body.update(wrap=1)),
    ("I8 number 1 of 2026-11-21", "sale-0", document(fiscal_date="2026-11-19")),
    ("I8 number 501 of 2026-11-22", "sale-7", document(fiscal_date="2026-11-24")),
    ("I2 a receipt took a number", "sale-1", document(type="receipt")),
    ("I9 the note credits 1.000 of line 3", "note-1", credited_line(line=3)),
    ("I9 the note credits 1.000 of line 0", "note-1", credited_line(line=0)),
    ("I9 the note credits 0.100 of line 1", "note-1", credited_line(quantity="0.100")),
    ("I11 line 1 is not positive", "sale-1", first_line(quantity="0.000")),
    ("I11 line 1 is not positive", "sale-1", first_line(discount="-1.00", total="8.50")),
    ("I11 line 1 is not positive", "sale-1", first_line(discount="8.50", total="-1.00")),
    ("I11 the tax buckets do not add up", "sale-1", lambda body: body["document"]["taxes"].append(first_tax(body))),
    ("I11 tax isv15 is not positive", "note-1", lambda body: first_tax(body).update(base="2.60", amount="-0.10")),
    ("I11 tax isv15 is not positive", "note-1", lambda body: first_tax(body).update(base="-0.10", amount="2.60")),
    (
        "I9 tax isv15 of sale-2 is credited [110, 140]",
        "note-1",
        lambda body: first_tax(body).update(base="1.10", amount="1.40"),
    ),
    (
        "I9 tax vat99 of sale-2 is credited",
        "note-1",
        lambda body: (first_tax(body).update(code="vat99"), first_line(tax="vat99")(body)),
    ),
    ("I9 line 1 of sale-2 is credited [4000, 250]", "note-1", note_of("4.000", "2.50", "2.17", "0.33")),
    ("I9 line 1 of sale-2 is credited [1000, 751]", "note-1", note_of("1.000", "7.51", "6.53", "0.98")),
    ("I9 tax isv15 of sale-2 is credited [653, 97]", "note-1", note_of("3.000", "7.50", "6.53", "0.97")),
    ("I9 the note credits nobody", "note-1", lambda body: body["document"]["references"][0].update(document="nobody")),
    ("I12 the row cannot be read", "note-1", lambda body: body["document"]["references"].clear()),
]


@pytest.mark.parametrize(("said", "identity", "change"), FORGERIES, ids=[each[0] for each in FORGERIES])
def test_a_document_changed_under_new_hashes_is_found_out(said, identity, change):
    seq = seq_of(ROWS, "document_issued", id=identity)
    assert_said(said, forged(ROWS, seq, change))


def test_credits_above_the_original_are_found_out():
    rows = forged(ROWS, seq_of(ROWS, "document_issued", id="note-1"), note_of("4.000", "10.00", "8.70", "1.30"))
    texts = [breach.text for breach in breaches(rows) if breach.rule == "I9"]
    assert any("line 1 of sale-2" in text for text in texts)
    assert any("tax isv15 of sale-2" in text for text in texts)


EVENTS = [
    ("I2 the tail of range r2 is (11, 500)", "range_ended", {"id": "r2"}, {"unused": None}),
    ("I2 range r2 is called exhausted", "range_ended", {"id": "r2"}, {"state": "exhausted"}),
    ("I2 range r2 is called expired", "range_ended", {"id": "r2"}, {"state": "expired"}),
    (
        "I2 the tail of range r1 is None",
        "range_ended",
        {"id": "r1"},
        {"unused": {"first": 3, "last": 4, "cause": "expired"}},
    ),
    ("I2 number 1 was given where 5 was next", "range_activated", {"id": "r1"}, {"id": "r2"}),
    ("I7 range r1 of series 000-001-01 began in series", "range_activated", {"id": "r6"}, {"id": "r1"}),
    ("I1 range r3 overlaps range r2", "range_loaded", {"id": "r3"}, {"first": 400}),
    ("I4 range r1 was loaded twice", "range_loaded", {"id": "r3"}, {"id": "r1"}),
    ("I7 range r3 runs from 901 to 900", "range_loaded", {"id": "r3"}, {"first": 901}),
    ("I1 the numbers began again", "range_loaded", {"id": "r3"}, {"wrap": 1}),
    ("I2 confirmed up to 9, the lost span says None", "series_confirmed", {}, {"lost": None}),
    ("I1 confirmed up to 2", "series_confirmed", {}, {"last_number": 2, "lost": None}),
    ("I1 confirmed up to 5", "series_confirmed", {}, {"last_number": 5, "lost": None}),
    ("I1 range r3 overlaps range r2", "range_loaded", {"id": "r3"}, {"first": 500}),
    ("I1 range r2 overlaps range r1", "range_loaded", {"id": "r1"}, {"last": 5}),
    ("I7 confirmed up to 600", "series_confirmed", {}, {"last_number": 600, "lost": {"first": 7, "last": 600}}),
    ("I9 document note-1 was voided twice", "document_voided", {"document": "sale-0"}, {"document": "note-1"}),
    ("I9 document sale-2 was voided although", "document_voided", {"document": "sale-0"}, {"document": "sale-2"}),
    ("I9 document nobody was voided", "document_voided", {"document": "sale-0"}, {"document": "nobody"}),
    ("I9 the void of sale-0 does not", "document_voided", {"document": "sale-0"}, {"movements": []}),
    ("I4 movement stock-apple-1 was booked twice", "stock_moved", {"id": "count"}, {"id": "stock-apple-1"}),
    ("I10 an issuer without a name", "issuer_declared", {}, {"issuer": {}}),
]


@pytest.mark.parametrize(("said", "kind", "wanted", "changes"), EVENTS, ids=[each[0] for each in EVENTS])
def test_an_event_changed_under_new_hashes_is_found_out(said, kind, wanted, changes):
    rows = list(ROWS)
    if kind == "issuer_declared":
        rows = rechained([*rows, replace(rows[-1], kind=kind, text='{"issuer":{"name":"Store"}}')])
        assert rules(rows) == set()
    assert_said(said, forged(rows, seq_of(rows, kind, **wanted), lambda body: body.update(changes)))


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
    assert [(breach.rule, breach.seq) for breach in breaches(rows)] == [("I12", seq)]


def test_a_rechained_journal_no_longer_has_the_head_that_others_know():
    seq = seq_of(ROWS, "document_issued", id="sale-1")
    rows = forged(ROWS, seq, document(till="front-9"))
    assert rules(rows) == set()
    assert rows[-1].hash != ROWS[-1].hash
    assert chain.body_of(rows[seq - 1])["document"]["till"] == "front-9"


def test_a_range_that_ends_or_begins_twice_is_found_out():
    for kind, said in (("range_ended", "I2 range r1 ended although it was exhausted"),
                       ("range_activated", "I2 range r1 began although it was exhausted")):  # fmt: skip
        again = next(row for row in ROWS if row.kind == kind and chain.body_of(row)["id"] == "r1")
        assert_said(said, rechained([*ROWS, replace(again, at=ROWS[-1].at)]))


@pytest.mark.parametrize(("first", "last"), [(3, 20), (1, 1), (2, 2)])
def test_a_range_over_numbers_that_were_given_without_one_is_found_out(first, last):
    shop = Shop()
    for step in range(3):
        shop.done(sale(f"sale-{step}"))
    shop.done(granted("r1", 11, 20))
    assert shop.breaches() == []
    assert_said("I1 range r1 holds numbers", forged(shop.rows, 5, lambda body: body.update(first=first, last=last)))


def test_a_credit_of_exactly_all_that_was_sold_is_sound():
    shop = Shop()
    shop.done(sale("original", unlisted(250, 3000, discount=7), unlisted(99)))
    shop.done(credit("note", "original"))
    assert shop.breaches() == []


def test_a_delivery_note_that_moves_stock_is_found_out():
    shop = Shop()
    shop.done(sale("one", type=DocumentType.DELIVERY_NOTE))
    assert_said(
        "I11 the stock movements", forged(shop.rows, 2, lambda body: body.update(movements=[["ad-hoc", -1000]]))
    )


def test_a_journal_under_new_hashes_begins_with_whose_books_it_is():
    assert_said("I12 the journal does not begin", rechained(ROWS[1:]))


@pytest.mark.parametrize(("exponent", "is_sound"), [(0, True), (4, True), (5, False), (-1, False), ("2", False)])
def test_a_currency_has_no_more_decimals_than_there_are_in_the_world(exponent, is_sound):
    rows = forged(Shop(house(exponent=2)).rows, 1, lambda body: body.update(exponent=exponent))
    assert (rules(rows) == set()) is is_sound


def test_a_range_that_expires_where_the_day_begins_before_it_does_in_greenwich_is_sound():
    shop = Shop(house(honduras, zone=ZoneInfo("Pacific/Auckland")))
    shop.done(granted("r1", 1, 9, valid_until="2026-11-21"))
    shop.done(granted("r2", 10, 19))
    assert shop.done(sale("one", unlisted(100, tax="isv15")))["number"] == 10
    assert shop.breaches() == []


def test_a_range_without_a_last_day_cannot_have_expired():
    shop = Shop()
    shop.done(granted("r1", 1, 9, valid_until=""))
    shop.done(CancelRange("r1", "withdrawn"))
    assert_said("I2 range r1 is called expired, it is good until for ever",
                forged(shop.rows, 3, lambda body: body.update(state="expired")))  # fmt: skip


def test_a_third_turn_waits_for_the_second_to_be_full():
    shop = Shop(house(honduras))
    for identity, first, last in (("r1", 99_999_999, 99_999_999), ("r2", 1, 3), ("r3", 4, 6)):
        shop.done(granted(identity, first, last))
    assert shop.breaches() == []
    assert_said("I1 the numbers began again", forged(shop.rows, 4, lambda body: body.update(wrap=2)))
