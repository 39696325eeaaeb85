"""No country's rules: any store can number without asking an authority. A series needs no range.

A tax code says its own rate: `exempt`, `zero`, or letters and a percentage (`vat16`, `iva19`, `isv15`, `tax7.5`).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from gateway.ledger import amounts
from gateway.ledger.amounts import BasisPoints
from gateway.ledger.commands import DocumentType, LoadRange
from gateway.ledger.refusals import Refusal
from gateway.ledger.rules import Draft

COUNTRY: str = "plain"
CURRENCY = "USD"
EXPONENT = 2
NUMBER_MAX: int = 99_999_999
RANGE_REQUIRED: bool = False
CLOCK_BACK: Literal["last_date", "refuse"] = "last_date"
TYPE_CODES: Mapping[DocumentType, str] = {
    DocumentType.INVOICE: "01",
    DocumentType.RECEIPT: "02",
    DocumentType.CREDIT_NOTE: "06",
    DocumentType.DEBIT_NOTE: "07",
    DocumentType.DELIVERY_NOTE: "08",
}

_RATED = re.compile(r"[a-z]{1,8}(\d{1,2}(?:\.\d{1,2})?)", re.ASCII)


def format_number(series: str, number: int) -> str:
    """`000-001-01` and 42 is `000-001-01-00000042`."""
    return f"{series}-{number:08d}"


@lru_cache(maxsize=256)
def tax_rate(code: str) -> BasisPoints | None:
    """The rate that the code itself says."""
    if code in {"exempt", "zero"}:
        return BasisPoints(0)
    match = _RATED.fullmatch(code)
    return None if match is None else BasisPoints(amounts.parse(match.group(1), 2))


def tax_codes() -> str:
    """What `tax_rate` reads."""
    return "exempt, zero, or letters and a percentage such as vat16"


def range_problem(command: LoadRange) -> Refusal | None:  # noqa: ARG001
    """Any range will do."""
    return None


def buyer_problem(draft: Draft) -> Refusal | None:  # noqa: ARG001
    """Anybody may buy anonymously."""
    return None


def legend(document: Mapping[str, Any]) -> tuple[str, ...]:  # noqa: ARG001
    """Nothing is prescribed."""
    return ()
