"""I6 and I8: nothing is issued while somebody may know more, and no date goes back."""

from zoneinfo import ZoneInfo

import pytest

from gateway.fiscal import honduras
from gateway.ledger.commands import CancelRange, ConfirmSeries, DeclareIssuer, LockTenure, UnlockTenure
from gateway.ledger.invariants import Tally
from gateway.ledger.numbers import CLOCK_BACK_MS_MAX, is_ahead
from gateway.ledger.outcomes import Known
from gateway.ledger.page import Head
from tests.ledger.shop import CREDITS, DAY_MS, NOON, SERIES, Shop, credit, granted, house, move, sale, unlisted, void

HONDURAN = unlisted(100, tax="isv15")


def restored(*ranges, sold=3) -> Shop:
    """A Honduran store whose books end earlier than its paper."""
    shop = Shop(house(honduras))
    for each in ranges or (granted("r1", 1, 500),):
        shop.done(each)
    for step in range(sold):
        shop.done(sale(f"before-{step}", HONDURAN))
    return shop


def ahead(number, identity="ahead", series=SERIES):
    return sale(identity, HONDURAN, last_seen=((series, number),), till="front-2")


def confirmed(number, series=SERIES) -> ConfirmSeries:
    return ConfirmSeries(series, number, "the paper says so")


@pytest.mark.parametrize("seen", [0, 1, 3])
def test_a_till_that_saw_what_the_books_hold_is_served(seen):
    shop = restored()
    assert shop.done(ahead(seen))["number"] == 4


def test_a_till_that_saw_a_later_number_locks_the_series_and_says_so():
    shop = restored()
    refusal = shop.refused(ahead(7))
    assert (refusal.code, refusal.values) == ("number_ahead", {"series": SERIES, "seen": 7, "last": 3})
    assert shop.rows[-1].kind == "series_locked"
    later = shop.refused(sale("other", HONDURAN))
    assert (later.code, later.values["seen"]) == ("series_locked", 7)
    assert shop.breaches() == []


def test_the_lock_outlives_a_restart():
    shop = restored()
    shop.refused(ahead(7))
    shop.page = shop.rebuilt()
    assert shop.refused(sale("other", HONDURAN)).code == "series_locked"


def test_a_later_number_of_another_series_locks_that_one():
    shop = restored(granted("r1", 1, 500), granted("r6", 1, 500, series=CREDITS))
    assert shop.refused(ahead(1, series=CREDITS)).values["series"] == CREDITS
    assert shop.done(sale("goes on", HONDURAN))["number"] == 4
    assert shop.refused(credit("note", "goes on")).code == "series_locked"


def test_what_a_till_saw_of_a_strange_series_is_nothing_to_these_books():
    assert restored().done(ahead(900, series="777-001-01"))["number"] == 4


def test_a_repetition_is_answered_even_while_the_series_is_locked():
    shop = restored()
    shop.refused(ahead(7))
    assert isinstance(shop.ask(sale("before-1", HONDURAN)), Known)


def test_a_confirmed_number_opens_the_series_and_names_what_is_lost():
    shop = restored()
    shop.refused(ahead(7))
    body = shop.done(confirmed(7))
    assert body["lost"] == {"first": 4, "last": 7, "cause": "issued before a restore"}
    assert shop.done(ahead(7, "after"))["number"] == 8
    assert shop.breaches() == []


def test_a_till_that_was_wrong_is_overruled_and_no_number_is_lost():
    shop = restored()
    shop.refused(ahead(7))
    assert shop.done(confirmed(3))["lost"] is None
    assert shop.done(sale("after", HONDURAN))["number"] == 4
    assert shop.breaches() == []


def test_a_confirmation_below_the_books_is_refused():
    shop = restored()
    refusal = shop.refused(confirmed(2))
    assert (refusal.code, refusal.values) == ("confirm_below_books", {"series": SERIES, "last": 3, "given": 2})


def test_a_confirmation_of_what_is_known_changes_nothing():
    shop = restored()
    assert isinstance(shop.ask(confirmed(3)), Known)


def test_a_range_that_was_loaded_and_not_yet_used_goes_on_after_the_confirmed_number():
    shop = restored(sold=0)
    shop.refused(ahead(42))
    shop.done(confirmed(42))
    assert shop.done(sale("after", HONDURAN))["number"] == 43
    assert shop.breaches() == []


def test_the_last_number_on_paper_may_lie_in_a_later_range():
    shop = restored(granted("r1", 1, 10), granted("r2", 11, 20), granted("r3", 31, 40))
    shop.refused(ahead(33))
    shop.done(confirmed(33))
    lost = [body["lost"] for body in shop.page.bodies.values() if "last_number" in body]
    assert [(span["first"], span["last"]) for span in lost] == [(4, 10), (11, 20), (31, 33)]
    assert shop.done(ahead(33, "after"))["number"] == 34
    assert shop.breaches() == []


def test_it_may_lie_in_the_range_after_one_that_is_used_up():
    shop = restored(granted("r1", 1, 3), granted("r2", 4, 20))
    shop.done(confirmed(5))
    assert shop.done(sale("after", HONDURAN))["number"] == 6
    assert shop.breaches() == []


def test_a_number_of_no_range_cannot_be_confirmed_before_its_range_is_loaded():
    shop = restored()
    shop.refused(ahead(510))
    assert shop.refused(confirmed(510)).code == "range_invalid"
    shop.done(granted("r2", 501, 1000))
    shop.done(confirmed(510))
    assert shop.done(ahead(510, "after"))["number"] == 511
    assert shop.breaches() == []


def test_where_no_range_is_required_any_number_can_be_confirmed_up_to_the_last():
    shop = Shop()
    assert shop.refused(confirmed(100_000_000)).code == "range_invalid"
    shop.done(confirmed(99_999_999))
    assert shop.done(sale("one"))["number"] == 1
    assert shop.breaches() == []


def test_a_range_cannot_be_loaded_over_numbers_that_are_lost():
    shop = Shop()
    shop.done(confirmed(42))
    assert shop.refused(granted("r1", 40, 500)).code == "range_overlaps"


def test_a_range_cannot_be_cancelled_while_its_last_number_is_in_doubt():
    shop = restored()
    shop.refused(ahead(7))
    assert shop.refused(CancelRange("r1", "moved")).code == "series_locked"
    shop.done(confirmed(7))
    assert shop.done(CancelRange("r1", "moved"))["unused"] == {"first": 8, "last": 500, "cause": "cancelled"}
    assert shop.breaches() == []


def test_a_strange_series_cannot_be_confirmed():
    assert restored().refused(confirmed(1, "777-001-01")).code == "series_unknown"


def test_after_the_correlative_began_again_the_numbers_before_it_are_not_ahead():
    last = 99_999_999
    shop = restored(granted("r1", last - 1, last), granted("r2", 1, 50), sold=3)
    assert shop.done(ahead(last, "one"))["number"] == 2
    assert shop.refused(ahead(9, "two")).code == "number_ahead"


def test_locked_tenure_gives_no_number_of_any_series_until_it_is_unlocked():
    shop = restored(granted("r1", 1, 500), granted("r6", 1, 500, series=CREDITS))
    shop.done(LockTenure("head office knows row 900"))
    for asked in (sale("one", HONDURAN), credit("note", "before-1")):
        refusal = shop.refused(asked)
        assert (refusal.code, refusal.values["reason"]) == ("tenure_locked", "head office knows row 900")
    assert isinstance(shop.ask(LockTenure("again")), Known)
    shop.done(UnlockTenure("compared"))
    assert isinstance(shop.ask(UnlockTenure("again")), Known)
    assert shop.done(sale("one", HONDURAN))["number"] == 4
    assert shop.breaches() == []


def test_locked_tenure_still_answers_repetitions_voids_and_counts():
    shop = restored()
    shop.stock("apple")
    shop.done(LockTenure("restored"))
    assert isinstance(shop.ask(sale("before-1", HONDURAN)), Known)
    shop.done(void("before-1"))
    shop.done(move("m1", ("apple", 1000)))
    assert shop.breaches() == []


def test_where_the_profile_says_so_a_clock_that_went_back_issues_with_the_last_time():
    shop = Shop()
    shop.done(sale("today"))
    document = shop.done(sale("yesterday"), at=NOON - DAY_MS)
    assert (document["fiscal_date"], document["issued_at"]) == ("2026-11-21", "2026-11-21T16:20:31.118Z")
    assert shop.breaches() == []


@pytest.mark.parametrize("asked", [sale("one", HONDURAN), void("before-0")], ids=["a sale", "a void"])
def test_honduras_issues_nothing_with_a_clock_that_went_back(asked):
    shop = restored()
    refusal = shop.refused(asked, at=NOON - CLOCK_BACK_MS_MAX - 1)
    assert (refusal.code, refusal.values["last"]) == ("clock_behind", "2026-11-21T16:20:31.118Z")
    shop.done(asked)


def test_a_step_of_the_time_service_is_no_trouble():
    shop = restored()
    document = shop.done(sale("one", HONDURAN), at=NOON - CLOCK_BACK_MS_MAX)
    assert document["issued_at"] == "2026-11-21T16:20:31.118Z"
    assert shop.breaches() == []


def test_a_machine_that_wakes_up_in_1970_does_not_sell_in_1970():
    assert restored().refused(sale("one", HONDURAN), at=0).code == "clock_behind"
    shop = Shop()
    assert shop.done(sale("one"), at=0)["fiscal_date"] == "2026-11-21"


def test_a_store_that_moves_to_a_western_time_zone_does_not_date_back():
    shop = Shop(house(zone=ZoneInfo("Pacific/Auckland")))
    assert shop.done(sale("one"))["fiscal_date"] == "2026-11-22"
    shop.house = house(zone=ZoneInfo("Pacific/Honolulu"))
    assert shop.done(sale("two"))["fiscal_date"] == "2026-11-22"
    assert shop.breaches() == []


def test_a_rebuilt_page_stands_where_the_page_stood():
    shop = restored(granted("r1", 1, 10), granted("r2", 11, 20))
    shop.refused(ahead(12))
    shop.done(confirmed(12))
    shop.done(sale("one", HONDURAN))
    shop.done(LockTenure("why"))
    rebuilt, tally = shop.rebuilt(), Tally()
    assert (rebuilt.heads, rebuilt.ranges, rebuilt.lock) == (shop.page.heads, shop.page.ranges, "why")
    assert shop.breaches(tally) == []
    assert tally.lock == "why"
    head = rebuilt.heads[SERIES]
    stand = tally.series[SERIES]
    assert (stand.last_number, stand.high_number, stand.range) == (head.last_number, head.high_number, head.range)


@pytest.mark.parametrize(
    ("wrap", "high", "seen", "ahead_of_books"),
    [
        (0, 0, 0, False),
        (0, 41, 41, False),
        (0, 41, 42, True),
        (0, 41, 99_999_999, True),
        (1, 41, 42, True),
        (1, 41, 50_000_040, True),
        (1, 41, 50_000_041, False),
        (1, 41, 99_999_999, False),
        (1, 60_000_000, 60_000_005, True),
        (1, 60_000_000, 99_999_999, True),
    ],
)
def test_later_is_told_from_earlier_round_the_circle(wrap, high, seen, ahead_of_books):
    head = Head(SERIES, last_number=high, high_number=high, wrap=wrap)
    assert is_ahead(head, seen, house()) is ahead_of_books


@pytest.mark.parametrize(
    ("number", "lost"),
    [
        (4, [(4, 4)]),
        (10, [(4, 10)]),
        (11, [(4, 10), (11, 11)]),
        (12, [(4, 10), (11, 11), (12, 12)]),
        (20, [(4, 10), (11, 11), (12, 20)]),
    ],
)
def test_every_number_up_to_the_confirmed_one_is_named_lost_and_none_beyond(number, lost):
    shop = restored(granted("r1", 1, 10), granted("r2", 11, 11), granted("r3", 12, 20), granted("r4", 31, 40))
    shop.done(confirmed(number))
    named = [body["lost"] for body in shop.page.bodies.values() if "last_number" in body]
    assert [(span["first"], span["last"]) for span in named] == lost
    assert shop.done(sale("after", HONDURAN))["number"] == (31 if number == 20 else number + 1)
    assert shop.breaches() == []


@pytest.mark.parametrize("number", [21, 30, 41])
def test_a_number_between_the_ranges_or_beyond_them_is_refused(number):
    shop = restored(granted("r1", 1, 10), granted("r2", 11, 20), granted("r4", 31, 40))
    assert shop.refused(confirmed(number)).code == "range_invalid"
    shop = Shop()
    shop.done(granted("r1", 1, 10))
    assert shop.refused(confirmed(number)).code == "range_invalid"


def test_a_confirmed_number_in_a_range_of_lower_numbers_leaves_the_highest_one_known():
    shop = restored(granted("r1", 501, 503), granted("r2", 1, 500), sold=4)
    shop.done(confirmed(100))
    assert shop.done(ahead(503))["number"] == 101
    assert shop.breaches() == []


def test_where_a_range_is_required_no_number_is_confirmed_without_one():
    assert Shop(house(honduras)).refused(confirmed(5)).code == "range_invalid"


def test_who_issues_is_declared_in_a_row_of_its_own():
    shop = Shop()
    answer = shop.done(DeclareIssuer((("name", "La Esquina"),)))
    assert answer == {"issuer": {"name": "La Esquina"}, "seq": shop.page.seq}
    assert (shop.page.issuer, shop.rebuilt().issuer) == (shop.page.seq, shop.page.seq)
    assert shop.breaches() == []
