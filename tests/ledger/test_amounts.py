import contextlib
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fiscal import honduras
from gateway.ledger import amounts
from gateway.ledger.amounts import AMOUNT_MAX

MINOR = st.integers(-AMOUNT_MAX, AMOUNT_MAX)
EXPONENT = st.integers(0, 4)


def exactly_half_up(value: Fraction) -> int:
    """Half away from zero, the slow way."""
    return floor(value + Fraction(1, 2)) if value >= 0 else -floor(-value + Fraction(1, 2))


@given(MINOR, EXPONENT)
def test_what_is_written_is_read_back(value, exponent):
    assert amounts.parse(amounts.text(value, exponent), exponent) == value


@given(MINOR, EXPONENT)
def test_a_text_has_all_decimals_and_no_more(value, exponent):
    whole, _, decimals = amounts.text(value, exponent).partition(".")
    assert len(decimals) == exponent
    assert str(int(whole)) == whole or whole == "-0"


@given(MINOR, MINOR, EXPONENT)
def test_equal_amounts_are_equal_texts_and_others_are_not(one, other, exponent):
    assert (amounts.text(one, exponent) == amounts.text(other, exponent)) == (one == other)


@pytest.mark.parametrize(
    ("written", "exponent", "value"),
    [("3.99", 2, 399), ("3.9", 2, 390), ("3", 2, 300), ("3.990000", 2, 399), ("-0.01", 2, -1), ("-0", 2, 0),
     ("007", 0, 7), ("3.0", 0, 3), ("0.001", 3, 1), ("10000000000000", 2, AMOUNT_MAX),
     ("1000000000000000", 0, AMOUNT_MAX)],
)  # fmt: skip
def test_a_plain_decimal_is_read(written, exponent, value):
    assert amounts.parse(written, exponent) == value


@pytest.mark.parametrize(
    "written",
    ["", " ", "3,99", "3.", ".5", "+3", "3e2", "0x10", "1_000", "NaN", "Infinity", "--1", "3.999", "٣", "3.99\n",
     "10000000000000.01", "99999999999999999999", "3.0000000"],
)  # fmt: skip
def test_anything_else_is_refused(written):
    with pytest.raises(ValueError):
        amounts.parse(written, 2)


@given(st.text(max_size=30))
def test_reading_answers_an_integer_or_a_value_error(written):
    with contextlib.suppress(ValueError):
        assert isinstance(amounts.parse(written, 2), int)


@given(MINOR, st.integers(1, 10**6))
def test_division_rounds_half_away_from_zero(numerator, denominator):
    assert amounts.half_up(numerator, denominator) == exactly_half_up(Fraction(numerator, denominator))


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_line_is_quantity_times_price_to_the_nearest_minor_unit(quantity, unit_price):
    assert amounts.line_amount(quantity, unit_price) == exactly_half_up(Fraction(quantity * unit_price, 1000))


@given(st.integers(0, AMOUNT_MAX), st.integers(0, 10_000))
def test_the_base_inside_a_price_is_exact_to_the_nearest_minor_unit(total, rate):
    base = amounts.base_of(total, rate)
    assert base == exactly_half_up(Fraction(total * 10_000, 10_000 + rate))
    assert 0 <= base <= total


@pytest.mark.parametrize(
    ("total", "rate", "base", "tax"),
    [("115.00", 1500, "100.00", "15.00"), ("118.00", 1800, "100.00", "18.00"), ("100.00", 1500, "86.96", "13.04"),
     ("50.00", 1500, "43.48", "6.52"), ("99.99", 1500, "86.95", "13.04"), ("250.00", 1800, "211.86", "38.14")],
)  # fmt: skip
def test_honduran_sales_tax_splits_as_the_vectors_say(total, rate, base, tax):
    assert rate in {honduras.tax_rate("isv15"), honduras.tax_rate("isv18")}
    minor = amounts.parse(total, 2)
    found = amounts.base_of(minor, rate)
    assert (amounts.text(found, 2), amounts.text(minor - found, 2)) == (base, tax)


@pytest.mark.parametrize(
    ("total", "base", "tax"),
    [(3500, 2941, 559), (990, 832, 158), (1000, 840, 160), (1190, 1000, 190), (9990, 8395, 1595),
     (119000, 100000, 19000), (50, 42, 8), (1, 1, 0)],
)  # fmt: skip
def test_chilean_amounts_without_decimals_split_as_the_vectors_say(total, base, tax):
    found = amounts.base_of(total, 1900)
    assert (found, total - found) == (base, tax)


@pytest.mark.parametrize(("rate", "shown"), [(1500, "15"), (750, "7.5"), (0, "0"), (1925, "19.25"), (1000, "10")])
def test_a_rate_is_shown_as_people_write_it(rate, shown):
    assert amounts.percent(rate) == shown
