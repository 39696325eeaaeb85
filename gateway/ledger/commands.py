"""What somebody may ask of the books. Imperative, immutable, already well formed; whether it is allowed is `decide`'s.

`digest` is the SHA-256 of the request as it came: the same id with another digest is refused (I4).
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.ledger.amounts import NOTHING, Milli, Minor


class DocumentType(StrEnum):
    """The papers a store issues."""

    INVOICE = "invoice"
    RECEIPT = "receipt"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"
    DELIVERY_NOTE = "delivery_note"


class MovementKind(StrEnum):
    """Why stock changes outside a document."""

    RECEIPT = "receipt"
    COUNT = "count"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Line:
    """One line as a till asks for it; None means "as the catalogue says"."""

    sku: str
    quantity: Milli
    unit_price: Minor | None = None
    discount: Minor = NOTHING
    name: str | None = None
    tax: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """What was tendered."""

    method: str
    amount: Minor


@dataclass(frozen=True, slots=True)
class Customer:
    """Who buys, as printed."""

    tax_id: str
    name: str


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """A line of the original (1 is the first) and how much of it comes back."""

    line: int
    quantity: Milli


@dataclass(frozen=True, slots=True)
class Reference:
    """The document a note speaks of; no lines means all that is left of it."""

    document: str
    reason: str
    lines: tuple[CreditedLine, ...] = ()


@dataclass(frozen=True, slots=True)
class IssueDocument:
    """Give this document a number."""

    id: str
    digest: bytes
    till: str
    type: DocumentType
    lines: tuple[Line, ...]
    payments: tuple[Payment, ...] = ()
    customer: Customer | None = None
    references: tuple[Reference, ...] = ()
    expected_total: Minor | None = None
    last_seen: tuple[tuple[str, int], ...] = ()
    print_to: str | None = None
    cashier: str = ""
    shift: str = ""
    price_list: str = "store"


@dataclass(frozen=True, slots=True)
class VoidDocument:
    """Annul a document; its number stays spent (I9)."""

    document: str
    digest: bytes
    till: str
    reason: str


@dataclass(frozen=True, slots=True)
class MoveStock:
    """Receive (adds), count (sets) or adjust (adds or takes) stock; quantities by SKU."""

    id: str
    digest: bytes
    by: str
    kind: MovementKind
    lines: tuple[tuple[str, Milli], ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LoadRange:
    """Take an authorised range into the series; dates are `YYYY-MM-DD`, inclusive, or empty."""

    id: str
    series: str
    authority_kind: str
    authority_ref: str
    first: int
    last: int
    valid_from: str = ""
    valid_until: str = ""
    by: str = "administrator"


@dataclass(frozen=True, slots=True)
class CancelRange:
    """Stop using a range: the authority or the owner withdrew it."""

    id: str
    reason: str
    by: str = "administrator"


@dataclass(frozen=True, slots=True)
class ConfirmSeries:
    """An administrator's word on the last number that really exists on paper; opens a locked series again (I6)."""

    series: str
    last_number: int
    reason: str
    by: str = "administrator"


@dataclass(frozen=True, slots=True)
class LockTenure:
    """Somebody knows more of this store's history than these books: allocate nothing until confirmed (I6)."""

    reason: str


@dataclass(frozen=True, slots=True)
class UnlockTenure:
    """An administrator's word that the books are the right ones."""

    reason: str
    by: str = "administrator"


@dataclass(frozen=True, slots=True)
class DeclareIssuer:
    """Who issues, as printed from now on (the settings' `store` section)."""

    issuer: tuple[tuple[str, str], ...]


Command = (
    IssueDocument
    | VoidDocument
    | MoveStock
    | LoadRange
    | CancelRange
    | ConfirmSeries
    | LockTenure
    | UnlockTenure
    | DeclareIssuer
)
