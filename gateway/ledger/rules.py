"""What a decision needs to know beside the rows: the country's rules and what the shop's settings say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

from gateway.ledger.amounts import BasisPoints, Minor
from gateway.ledger.commands import Customer, DocumentType, LoadRange
from gateway.ledger.refusals import Refusal

NO_LIMIT = Minor(10**15)
"""Anybody may stay anonymous."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that is priced and not yet numbered."""

    type: DocumentType
    total: Minor
    customer: Customer | None
    consumer_limit: Minor


class CountryRules(Protocol):
    """The functions every country module has, under the same names (`gateway.fiscal`)."""

    COUNTRY: str
    NUMBER_MAX: int
    """The correlative begins again at 1 after this one."""
    RANGE_REQUIRED: bool
    CLOCK_BACK: Literal["last_date", "refuse"]
    """What happens when the clock says an earlier time than the last document (I8)."""
    TYPE_CODES: Mapping[DocumentType, str]
    """The papers this country's software may issue, and their code in the number."""

    def format_number(self, series: str, number: int) -> str:
        """The number as printed."""

    def tax_rate(self, code: str) -> BasisPoints | None:
        """The rate behind a tax code, or None where the country has no such tax."""

    def tax_codes(self) -> str:
        """The codes `tax_rate` knows, for a person to read."""

    def range_problem(self, command: LoadRange) -> Refusal | None:
        """Why a range cannot have come from this country's authority."""

    def buyer_problem(self, draft: Draft) -> Refusal | None:
        """Why the document cannot be issued to this buyer (checked before a number is taken)."""

    def legend(self, document: Mapping[str, Any]) -> tuple[str, ...]:
        """Lines the law wants on the paper of this document (`facts.Document`)."""


@dataclass(frozen=True, slots=True)
class House:
    """One store's rules: a country and the choices of its settings."""

    rules: CountryRules
    establishment: str
    emission_point: str
    zone: ZoneInfo
    currency: str
    exponent: int
    allow_unlisted: bool = False
    printers: frozenset[str] = frozenset()
    consumer_limit: Minor = NO_LIMIT
    range_low_numbers: int = 100

    def series_of(self, document_type: DocumentType) -> str | None:
        """The series a paper of this type is numbered in; None where the country does not issue it."""
        code = self.rules.TYPE_CODES.get(document_type)
        return None if code is None else f"{self.establishment}-{self.emission_point}-{code}"

    def series(self) -> tuple[str, ...]:
        """All series of the store."""
        return tuple(f"{self.establishment}-{self.emission_point}-{code}" for code in self.rules.TYPE_CODES.values())
