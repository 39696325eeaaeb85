"""What happened: one journal row each. Bodies are JSON values, written once and hashed as written.

The snapshot of a document stands in its fact in the very form that tills are answered with, so that a retry after
years gives the same bytes (I4) and a reprint shows what was printed (I10).
"""

from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

Kind = Literal[
    "books_opened",
    "issuer_declared",
    "range_loaded",
    "range_activated",
    "range_ended",
    "document_issued",
    "document_voided",
    "stock_moved",
    "series_locked",
    "series_confirmed",
    "tenure_locked",
    "tenure_unlocked",
]


class BooksOpened(TypedDict):
    """The first row: whose books these are."""

    store: str
    epoch: str
    country: str
    currency: str
    exponent: int


class IssuerDeclared(TypedDict):
    """What the head of each paper says from here on."""

    issuer: dict[str, str]


class RangeLoaded(TypedDict):
    """A range the authority granted."""

    id: str
    series: str
    wrap: int
    authority_kind: str
    authority_ref: str
    first: int
    last: int
    valid_from: str
    valid_until: str
    by: str


class RangeActivated(TypedDict):
    """The series takes its numbers from this range now."""

    id: str
    series: str


class UnusedSpan(TypedDict):
    """Numbers that will never be issued."""

    first: int
    last: int
    cause: str


class RangeEnded(TypedDict):
    """A range is exhausted, expired or cancelled; its tail, if any, is an explicit unused span (I2)."""

    id: str
    series: str
    state: Literal["exhausted", "expired", "cancelled"]
    unused: UnusedSpan | None
    by: str
    reason: str


class Authority(TypedDict):
    """The range behind a number, as printed."""

    kind: str
    ref: str
    first: int
    last: int
    valid_from: NotRequired[str]
    valid_until: str


class DocumentLine(TypedDict):
    """One line as issued; amounts are decimal strings."""

    sku: str
    name: str
    quantity: str
    unit_price: str
    discount: str
    total: str
    tax: str


class TaxBucket(TypedDict):
    """All lines of one tax code."""

    code: str
    rate: str
    base: str
    amount: str


class Document(TypedDict):
    """A numbered paper, exactly as the till that asked was answered."""

    id: str
    type: str
    status: str
    series: str
    number: int
    formatted_number: str
    issued_at: str
    fiscal_date: str
    till: str
    issued_by: dict[str, str]
    price_list: str
    lines: list[DocumentLine]
    taxes: list[TaxBucket]
    total: str
    payments: list[dict[str, str]]
    change: str
    customer: dict[str, str] | None
    references: list[dict[str, Any]]
    authority: Authority | None
    seq: int
    warnings: list[dict[str, Any]]
    job: str | None


class DocumentIssued(TypedDict):
    """A number was given. `movements` are [sku, thousandths] and are stock's only source besides `stock_moved`."""

    digest: str
    wrap: int
    range: str | None
    print_to: str | None
    movements: list[list[Any]]
    document: Document


class DocumentVoided(TypedDict):
    """A document was annulled; its number stays spent."""

    document: str
    formatted_number: str
    digest: str
    till: str
    reason: str
    movements: list[list[Any]]


class StockMoved(TypedDict):
    """Stock changed outside a document."""

    id: str
    digest: str
    kind: str
    by: str
    reason: str
    movements: list[list[Any]]


class SeriesLocked(TypedDict):
    """A till saw a number that the books do not hold."""

    series: str
    seen: int
    last: int
    till: str


class SeriesConfirmed(TypedDict):
    """The last number that exists on paper, on an administrator's word; the numbers between are named lost."""

    series: str
    last_number: int
    lost: UnusedSpan | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened, before it has its place in the journal."""

    kind: Kind
    body: Any


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the journal; `text` is the body as hashed and stored."""

    seq: int
    at: int
    kind: str
    text: str
    prev_hash: bytes
    hash: bytes
