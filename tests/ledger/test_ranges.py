from datetime import datetime

import pytest

from gateway.fiscal import honduras
from gateway.instants import iso
from gateway.ledger.commands import CancelRange, ConfirmSeries
from gateway.ledger.outcomes import Known
from tests.ledger.shop import CAI, DAY_MS, NOON, SERIES, Shop, granted, house, sale, unlisted

LAST = 99_999_999


def instant(text: str) -> int:
    """The milliseconds of an instant written as the wire does."""
    found = int(datetime.fromisoformat(text).timestamp() * 1000)
    assert iso(found) == text
    return found


def honduran(*ranges, at=NOON) -> Shop:
    shop = Shop(house(honduras), at=at)
    for each in ranges:
        shop.done(each)
    return shop


def sell(shop, count, prefix="sale") -> list[int]:
    start = shop.page.seq
    line = unlisted(100, tax="isv15")
    return [shop.done(sale(f"{prefix}-{start}-{step}", line))["number"] for step in range(count)]


def kinds(shop) -> list[str]:
    return [row.kind for row in shop.rows]


def bodies(shop, kind):
    return [shop.page.bodies[row.seq] for row in shop.rows if row.kind == kind]


def test_without_a_range_nothing_is_issued_where_one_is_required():
    shop = honduran()
    assert shop.refused(sale("one", unlisted(100, tax="isv15"))).code == "range_missing"


def test_where_none_is_required_a_series_counts_from_one():
    shop = Shop()
    assert sell(shop, 3) == [1, 2, 3]


def test_the_500th_number_is_given_and_the_501st_is_refused():
    shop = honduran(granted("r1", 499, 500))
    assert sell(shop, 2) == [499, 500]
    refusal = shop.refused(sale("more", unlisted(100, tax="isv15")))
    assert (refusal.code, refusal.values["last"]) == ("range_exhausted", 500)
    assert shop.breaches() == []


def test_the_successor_takes_over_between_two_sales():
    shop = honduran(granted("r1", 1, 2), granted("r2", 3, 500))
    assert sell(shop, 4) == [1, 2, 3, 4]
    assert [kind for kind in kinds(shop) if kind.startswith("range_")] == [
        "range_loaded", "range_loaded", "range_activated", "range_ended", "range_activated",
    ]  # fmt: skip
    assert bodies(shop, "range_ended")[0] == {
        "id": "r1", "series": SERIES, "state": "exhausted", "unused": None, "by": "gateway", "reason": "",
    }  # fmt: skip
    assert shop.breaches() == []


def test_a_document_shows_the_range_it_came_from():
    shop = honduran(granted("r1", 1, 1), granted("r2", 2, 500, authority_ref="other", valid_until="2027-01-31"))
    sell(shop, 1)
    document = shop.done(sale("two", unlisted(100, tax="isv15")))
    assert document["authority"] == {
        "kind": "CAI", "ref": "other", "first": 2, "last": 500, "valid_until": "2027-01-31",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("left", "warnings"),
    [(100, []), (99, [{"code": "range_low", "left": 99}]), (0, [{"code": "range_low", "left": 0}])],
)
def test_the_till_hears_when_few_numbers_are_left(left, warnings):
    shop = honduran(granted("r1", 1, 1 + left))
    assert shop.done(sale("one", unlisted(100, tax="isv15")))["warnings"] == warnings


@pytest.mark.parametrize(
    ("at", "fiscal_date"),
    [
        ("2026-07-01T05:59:59.000Z", "2026-06-30"),
        ("2026-07-01T05:59:59.999Z", "2026-06-30"),
        ("2026-06-30T23:59:59.000Z", "2026-06-30"),
    ],
    ids=["a second before local midnight", "a millisecond before", "UTC midnight is nothing"],
)
def test_the_last_day_lasts_until_local_midnight(at, fiscal_date):
    shop = honduran(granted("r1", 1, 500, valid_until="2026-06-30"), at=instant(at))
    assert shop.done(sale("one", unlisted(100, tax="isv15")))["fiscal_date"] == fiscal_date
    assert shop.breaches() == []


def test_from_local_midnight_on_the_range_is_refused():
    shop = honduran(granted("r1", 1, 500, valid_until="2026-06-30"), at=instant("2026-07-01T06:00:00.000Z"))
    refusal = shop.refused(sale("one", unlisted(100, tax="isv15")))
    assert (refusal.code, refusal.values["valid_until"]) == ("range_expired", "2026-06-30")


def test_a_range_is_not_used_before_its_first_day():
    shop = honduran(granted("r1", 1, 500, valid_from="2026-11-22", valid_until="2027-11-21"))
    assert shop.refused(sale("one", unlisted(100, tax="isv15"))).code == "range_not_yet_valid"
    assert shop.done(sale("one", unlisted(100, tax="isv15")), at=NOON + DAY_MS)["number"] == 1


def test_the_tail_of_an_expired_range_becomes_an_unused_span():
    shop = honduran(granted("r1", 1, 500, valid_until="2026-11-21"), granted("r2", 501, 1000))
    sell(shop, 3)
    assert shop.done(sale("next", unlisted(100, tax="isv15")), at=NOON + DAY_MS)["number"] == 501
    assert bodies(shop, "range_ended")[0]["unused"] == {"first": 4, "last": 500, "cause": "expired"}
    assert shop.breaches() == []


def test_a_range_that_expired_unused_is_an_unused_span_as_a_whole():
    shop = honduran(granted("r1", 1, 10, valid_until="2026-11-20"), granted("r2", 11, 1000))
    assert sell(shop, 1) == [11]
    assert bodies(shop, "range_ended")[0]["unused"] == {"first": 1, "last": 10, "cause": "expired"}
    assert shop.breaches() == []


def test_a_refusal_ends_no_range():
    shop = honduran(granted("r1", 1, 500, valid_until="2026-11-20"))
    assert shop.refused(sale("one", unlisted(100, tax="isv15"))).code == "range_expired"
    assert "range_ended" not in kinds(shop)


@pytest.mark.parametrize(
    ("first", "last"), [(1, 500), (500, 600), (250, 260), (1, 1), (499, 1000)], ids=lambda value: str(value)
)
def test_a_range_that_meets_another_is_refused(first, last):
    shop = honduran(granted("r1", 1, 500))
    assert shop.refused(granted("r2", first, last)).code == "range_overlaps"


def test_neither_a_cancelled_nor_an_exhausted_range_may_be_granted_again():
    shop = honduran(granted("r1", 1, 2), granted("r2", 3, 10))
    sell(shop, 3)
    shop.done(CancelRange("r2", "withdrawn"))
    assert shop.refused(granted("r3", 1, 2)).code == "range_overlaps"
    assert shop.refused(granted("r3", 4, 10)).code == "range_overlaps"


def test_the_same_numbers_in_another_series_are_other_numbers():
    shop = honduran(granted("r1", 1, 500))
    shop.done(granted("r2", 1, 500, series="000-001-06"))


def test_a_range_over_numbers_that_were_given_without_one_is_refused():
    shop = Shop()
    sell(shop, 10)
    assert shop.refused(granted("r1", 1, 1)).code == "range_overlaps"
    assert shop.refused(granted("r1", 10, 500)).code == "range_overlaps"
    shop.done(granted("r1", 11, 500))
    assert sell(shop, 1) == [11]
    assert shop.breaches() == []


def test_the_same_range_asked_again_is_loaded_once():
    shop = honduran(granted("r1", 1, 500))
    decision = shop.ask(granted("r1", 1, 500))
    assert isinstance(decision, Known)
    assert decision.answer == bodies(shop, "range_loaded")[0]
    assert kinds(shop).count("range_loaded") == 1


@pytest.mark.parametrize(
    "changes",
    [{"last": 501}, {"first": 2}, {"authority_ref": "other"}, {"valid_until": "2027-06-29"},
     {"valid_from": "2026-11-01"}, {"series": "000-001-06"}],
    ids=str,
)  # fmt: skip
def test_the_same_id_with_another_range_is_refused(changes):
    shop = honduran(granted("r1", 1, 500))
    asked = {"first": 1, "last": 500, "valid_until": "2027-06-30", **changes}
    assert shop.refused(granted("r1", **asked)).code == "key_reused"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"authority_kind": "resolution"}, "CAI"),
        ({"valid_until": ""}, "valid_until"),
        ({"valid_from": "2026-01-01", "valid_until": "2027-06-30"}, "one year"),
        ({"valid_from": "2026-12-01", "valid_until": "2026-11-30"}, "after"),
        ({"valid_until": "2026-02-31"}, "calendar"),
        ({"valid_until": "20260228"}, "calendar"),
        ({"first": 0}, "from 1"),
        ({"first": 11}, "first to last"),
        ({"last": LAST + 1}, str(LAST)),
    ],
    ids=str,
)
def test_a_range_that_no_authority_granted_is_refused_with_the_reason(changes, word):
    asked = {"first": 1, "last": 10, **changes}
    refusal = honduran().refused(granted("r1", **asked))
    assert refusal.code == "range_invalid"
    assert word in refusal.values["why"]
    assert refusal.values["why_es"] != refusal.values["why"]


def test_a_range_of_exactly_a_year_is_taken():
    honduran(granted("r1", 1, 10, valid_from="2026-06-30", valid_until="2027-06-30"))


def test_any_authority_will_do_where_the_country_prescribes_none():
    shop = Shop()
    shop.done(granted("r1", 7, 10, authority_kind="", authority_ref="", valid_until=""))
    assert sell(shop, 4) == [7, 8, 9, 10]
    assert shop.refused(sale("more")).code == "range_exhausted"


def test_a_cancelled_range_leaves_its_tail_as_an_unused_span():
    shop = honduran(granted("r1", 1, 500))
    sell(shop, 2)
    body = shop.done(CancelRange("r1", "shop moved"))
    assert body["unused"] == {"first": 3, "last": 500, "cause": "cancelled"}
    assert shop.refused(sale("more", unlisted(100, tax="isv15"))).code == "range_cancelled"
    shop.done(granted("r2", 501, 600))
    assert sell(shop, 1) == [501]
    assert shop.breaches() == []


def test_a_range_that_never_began_can_be_cancelled():
    shop = honduran(granted("r1", 1, 1), granted("r2", 2, 500), granted("r3", 501, 600))
    assert shop.done(CancelRange("r2", "typed wrong"))["unused"] == {"first": 2, "last": 500, "cause": "cancelled"}
    assert sell(shop, 2) == [1, 501]
    assert shop.breaches() == []


def test_a_range_used_to_its_last_number_has_no_tail_to_cancel():
    shop = honduran(granted("r1", 1, 2))
    sell(shop, 2)
    assert shop.done(CancelRange("r1", "done"))["unused"] is None
    assert shop.breaches() == []


def test_a_range_ends_once():
    shop = honduran(granted("r1", 1, 2))
    assert shop.refused(CancelRange("nobody", "")).code == "range_unknown"
    shop.done(CancelRange("r1", "done"))
    assert shop.refused(CancelRange("r1", "again")).code == "range_ended"


def test_after_99999999_the_correlative_begins_again_at_1():
    shop = honduran(granted("r1", LAST - 1, LAST), granted("r2", 1, 3))
    assert sell(shop, 5) == [LAST - 1, LAST, 1, 2, 3]
    assert [body["wrap"] for body in bodies(shop, "document_issued")] == [0, 0, 1, 1, 1]
    assert shop.breaches() == []


def test_it_begins_again_without_ranges_too():
    shop = Shop()
    shop.done(ConfirmSeries(SERIES, LAST - 1, "paper"))
    assert sell(shop, 3) == [LAST, 1, 2]
    assert [body["wrap"] for body in bodies(shop, "document_issued")] == [0, 1, 1]
    assert shop.breaches() == []


def test_numbers_of_the_turn_before_are_free_again_and_those_of_this_turn_are_not():
    shop = honduran(granted("r1", 1, 5), granted("r2", LAST, LAST))
    sell(shop, 6)
    shop.done(granted("r3", 1, 5))
    assert shop.refused(granted("r4", 5, 9)).code == "range_overlaps"
    assert sell(shop, 2) == [1, 2]
    assert shop.breaches() == []


def test_a_series_of_another_store_takes_no_range():
    refusal = honduran().refused(granted("r1", 1, 5, series="009-001-01"))
    assert (refusal.code, refusal.values["series"]) == ("series_unknown", "009-001-01")


def test_the_shape_of_a_cai_is_advice_and_never_a_refusal():
    assert not honduras.is_usual_cai("anything")
    honduran(granted("r1", 1, 5, authority_ref="anything"))
    assert honduras.is_usual_cai(CAI)


def test_the_correlative_begins_again_in_a_range_after_one_that_needed_none():
    shop = Shop()
    shop.page.heads[SERIES] = head = shop.page.head(SERIES)
    head.last_number = head.high_number = LAST
    assert shop.done(granted("r1", 1, 5))["wrap"] == 1
    assert sell(shop, 2) == [1, 2]


def test_a_tail_of_one_number_is_accounted_for():
    shop = honduran(granted("r1", 1, 3))
    sell(shop, 2)
    assert shop.done(CancelRange("r1", "done"))["unused"] == {"first": 3, "last": 3, "cause": "cancelled"}
    assert shop.breaches() == []


def test_a_range_may_be_good_for_a_single_day():
    shop = honduran(granted("r1", 1, 3, valid_from="2026-11-21", valid_until="2026-11-21"))
    assert sell(shop, 1) == [1]
    assert shop.breaches() == []


def test_ranges_loaded_for_the_next_turn_are_held_against_each_other():
    shop = honduran(granted("r1", LAST, LAST), granted("r2", 1, 5))
    assert shop.refused(granted("r3", 5, 9)).code == "range_overlaps"
    assert shop.done(granted("r4", 6, 9))["wrap"] == 1
    assert sell(shop, 10) == [LAST, *range(1, 10)]
    assert shop.breaches() == []
