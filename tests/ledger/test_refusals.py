"""Every expected "no" has a case here or in a test beside this one, and reads well in both languages."""

import string
from pathlib import Path

import pytest

from gateway.fiscal import honduras, plain
from gateway.ledger.commands import (
    CancelRange,
    ConfirmSeries,
    Customer,
    DocumentType,
    Line,
    LockTenure,
    MovementKind,
    Payment,
    Reference,
)
from gateway.ledger.refusals import CATALOGUE, Advice, refuse
from tests.ledger.shop import (
    DAY_MS,
    NOON,
    SERIES,
    Shop,
    cash,
    credit,
    granted,
    house,
    line,
    move,
    sale,
    unlisted,
    void,
)

HONDURAN = unlisted(100, tax="isv15")


def shop_of(rules=plain, *before, **changes) -> Shop:
    shop = Shop(house(rules, **changes))
    shop.stock("apple", on_hand=1000)
    shop.stock("water", tracked=False)
    for command in before:
        shop.ask(command)
    return shop


CASES = {
    "key_reused": (lambda: shop_of(plain, sale("one")), sale("one", cashier="ana")),
    "document_type_not_issued": (lambda: shop_of(honduras), sale("one", type=DocumentType.RECEIPT)),
    "lines_missing": (lambda: shop_of(), sale("one", lines=())),
    "lines_not_allowed": (lambda: shop_of(plain, sale("one")), credit("note", "one", lines=(unlisted(100),))),
    "reference_missing": (lambda: shop_of(), credit("note", "one", references=())),
    "original_unknown": (lambda: shop_of(), sale("one", references=(Reference("nobody", "because"),))),
    "original_not_creditable": (lambda: shop_of(plain, sale("one"), void("one")), credit("note", "one")),
    "credit_exceeds_original": (lambda: shop_of(plain, sale("one")), credit("note", "one", (1, 1001))),
    "nothing_left_to_credit": (lambda: shop_of(plain, sale("one"), credit("note", "one")), credit("more", "one")),
    "product_unknown": (lambda: shop_of(allow_unlisted=False), sale("one", unlisted(100))),
    "line_incomplete": (lambda: shop_of(), sale("one", Line("ad-hoc", 1000, None, 0, "", "vat15"))),
    "tax_unknown": (lambda: shop_of(honduras), sale("one", unlisted(100, tax="iva19"))),
    "tax_mismatch": (lambda: shop_of(), sale("one", Line("apple", 1000, tax="exempt"))),
    "discount_exceeds_line": (lambda: shop_of(), sale("one", unlisted(100, discount=101))),
    "total_too_large": (lambda: shop_of(), sale("one", unlisted(10**13, 1_000_000))),
    "total_mismatch": (lambda: shop_of(), sale("one", unlisted(100), expected_total=99)),
    "payments_short": (lambda: shop_of(), sale("one", payments=cash(999))),
    "payments_exceed": (lambda: shop_of(), sale("one", payments=(Payment("card", 1001),))),
    "customer_required": (lambda: shop_of(honduras), sale("one", unlisted(1_000_001, tax="exempt"))),
    "stock_short": (lambda: shop_of(), sale("one", line("apple", 1001))),
    "stock_not_tracked": (lambda: shop_of(), move("m1", ("water", 1))),
    "device_unknown": (lambda: shop_of(), sale("one", print_to="kitchen")),
    "range_missing": (lambda: shop_of(honduras), sale("one", HONDURAN)),
    "range_exhausted": (lambda: shop_of(honduras, granted("r1", 1, 1), sale("one", HONDURAN)), sale("two", HONDURAN)),
    "range_expired": (lambda: shop_of(honduras, granted("r1", 1, 9, valid_until="2026-11-20")), sale("one", HONDURAN)),
    "range_not_yet_valid": (
        lambda: shop_of(honduras, granted("r1", 1, 9, valid_from="2026-11-22")),
        sale("one", HONDURAN),
    ),
    "range_cancelled": (lambda: shop_of(honduras, granted("r1", 1, 9), CancelRange("r1", "x")), sale("one", HONDURAN)),
    "range_invalid": (lambda: shop_of(), granted("r1", 9, 1)),
    "range_overlaps": (lambda: shop_of(plain, granted("r1", 1, 9)), granted("r2", 9, 10)),
    "range_unknown": (lambda: shop_of(), CancelRange("r1", "x")),
    "range_ended": (lambda: shop_of(plain, granted("r1", 1, 9), CancelRange("r1", "x")), CancelRange("r1", "x")),
    "document_unknown": (lambda: shop_of(), void("nobody")),
    "document_already_void": (lambda: shop_of(plain, sale("one"), void("one")), void("one", "other")),
    "document_has_credits": (lambda: shop_of(plain, sale("one"), credit("note", "one", (1, 1))), void("one")),
    "number_ahead": (lambda: shop_of(), sale("one", last_seen=((SERIES, 1),))),
    "series_locked": (lambda: shop_of(plain, sale("one", last_seen=((SERIES, 1),))), sale("two")),
    "series_unknown": (lambda: shop_of(), ConfirmSeries("other", 1, "x")),
    "confirm_below_books": (lambda: shop_of(plain, sale("one")), ConfirmSeries(SERIES, 0, "x")),
    "tenure_locked": (lambda: shop_of(plain, LockTenure("restored")), sale("one")),
    "clock_behind": (lambda: shop_of(honduras), sale("one", HONDURAN)),
}
"""Code → a shop, and what it refuses with this code."""


def test_every_code_of_the_catalogue_has_its_case():
    assert set(CASES) == set(CATALOGUE)


@pytest.mark.parametrize("code", CASES)
def test_the_refusal_is_reached_writes_nothing_and_reads_well(code):
    shop, command = CASES[code][0](), CASES[code][1]
    seq, heads = shop.page.seq, repr(shop.page.heads)
    refusal = shop.refused(command, at=NOON - DAY_MS if code == "clock_behind" else None)
    assert refusal.code == code
    if code != "number_ahead":
        assert (shop.page.seq, repr(shop.page.heads)) == (seq, heads)
    kind = refusal.kind
    english = kind.detail_en.format(**refusal.values)
    spanish = kind.detail_es.format(**refusal.values)
    assert english != spanish
    for written in (english, spanish):
        assert written
        assert not any(mark in written for mark in ("{", "}", "None", "MovementKind", "DocumentType"))


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.code)
def test_a_row_of_the_catalogue_is_complete(kind):
    assert kind.status in {404, 409, 422}
    assert kind.advice in Advice
    assert kind.title_en != kind.title_es
    assert kind.code.replace("_", "").isalpha()

    def names(template):
        return {name for _, name, _, _ in string.Formatter().parse(template) if name}

    english, spanish = names(kind.detail_en), names(kind.detail_es)
    assert spanish == ({"why_es"} if english == {"why"} else english)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (Line("nobody", 1000), 2),
        (Line("apple", 1000, tax="exempt"), 2),
        (unlisted(100, tax="no tax"), 2),
        (unlisted(100, discount=101), 2),
    ],
)
def test_the_line_that_is_wrong_is_named(wrong, line):
    refusal = shop_of().refused(sale("one", unlisted(100), wrong, unlisted(100)))
    assert refusal.values["line"] == line


def test_the_reasons_of_every_country_read_well_in_both_languages():
    asked = granted("r1", 1, 9, authority_ref="", valid_until="")
    refusal = shop_of(honduras).refused(asked)
    assert refusal.values["why"] != refusal.values["why_es"]


def test_an_unknown_code_is_a_bug_and_says_so():
    with pytest.raises(AssertionError, match="no_such_code"):
        refuse("no_such_code")


def test_no_country_refuses_with_a_code_outside_the_catalogue():
    folder = Path(honduras.__file__).parent
    used = {part.split('"')[1] for file in folder.glob("*.py") for part in file.read_text().split("refuse(")[1:]}
    assert used <= set(CATALOGUE)


def test_a_buyer_is_named_in_full_or_the_reason_is_said_in_both_languages():
    shop = shop_of(honduras)
    half = sale("one", unlisted(1_000_001, tax="exempt"), customer=Customer("0801", ""))
    refusal = shop.refused(half)
    assert refusal.values.keys() == {"why", "why_es"}


def test_a_movement_of_an_unknown_product_is_refused_too():
    refusal = shop_of().refused(move("m1", ("pear", 1), kind=MovementKind.COUNT))
    assert refusal.code == "product_unknown"
