"""Money, quantities and rates as integers, and their decimal form on the wire.

Never a float, never `round()`: half-up on integers (money in minor units, quantities in thousandths, rates in
hundredths of a percent).
"""

import re
from functools import lru_cache
from typing import NewType

Minor = NewType("Minor", int)
"""Money in the currency's smallest unit (HNL 3.99 = 399, CLP 3990 = 3990)."""
Milli = NewType("Milli", int)
"""Quantity in thousandths of the sales unit (1.250 kg = 1250)."""
BasisPoints = NewType("BasisPoints", int)
"""A tax rate in hundredths of a percent (15 % = 1500)."""

NOTHING = Minor(0)
"""No money."""

AMOUNT_MAX = 10**15
"""Beyond any till's total, and safely inside 64 bits after a multiplication by a quantity is divided out."""

_DECIMAL = re.compile(r"(-?)(\d{1,16})(?:\.(\d{1,6}))?", re.ASCII)


def parse(text: str, exponent: int) -> int:
    """`"3.99"` with exponent 2 is 399.

    Raises:
        ValueError: not a plain decimal, more decimals than the exponent holds, or beyond `AMOUNT_MAX`.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        message = f"{text[:40]!r} is not a decimal number such as 3.99"
        raise ValueError(message)
    sign, whole, decimals = match.group(1), match.group(2), match.group(3) or ""
    significant = decimals.rstrip("0")
    if len(significant) > exponent:
        message = f"{text!r} has more than {exponent} decimals"
        raise ValueError(message)
    scale: int = 10**exponent
    value = int(whole) * scale + int(significant.ljust(exponent, "0") or "0")
    if value > AMOUNT_MAX:
        message = f"{text!r} is larger than {AMOUNT_MAX}"
        raise ValueError(message)
    return -value if sign else value


@lru_cache(maxsize=8192)
def text(value: int, exponent: int) -> str:
    """399 with exponent 2 is `"3.99"`: always all decimals, so that equal amounts are equal texts."""
    if exponent == 0:
        return str(value)
    scale = 10**exponent
    whole, part = divmod(abs(value), scale)
    return f"{'-' if value < 0 else ''}{whole}.{part:0{exponent}d}"


def percent(rate: BasisPoints) -> str:
    """1500 is `"15"`, 750 is `"7.5"`."""
    shown = text(rate, 2).rstrip("0").rstrip(".")
    return shown or "0"


def half_up(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero; `denominator` is positive."""
    if numerator < 0:
        return -((-2 * numerator + denominator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


def line_amount(quantity: Milli, unit_price: Minor) -> Minor:
    """Quantity times price, rounded half-up to the minor unit."""
    return Minor(half_up(quantity * unit_price, 1000))


def base_of(total: Minor, rate: BasisPoints) -> Minor:
    """The base inside a price that includes tax: 3.00 at 15 % is 2.61 (and 0.39 tax)."""
    return Minor(half_up(total * 10_000, 10_000 + rate))
