"""The shapes of requests and answers, as dictionaries: a newer gateway's new fields do not break an older till."""

from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict


class LineRequest(TypedDict):
    """One line to sell; without price, name or tax it is the catalogue's."""

    sku: str
    quantity: str
    unit_price: NotRequired[str]
    discount: NotRequired[str]
    name: NotRequired[str]
    tax: NotRequired[str]


class PaymentRequest(TypedDict):
    """What was tendered."""

    method: str
    amount: str


class DocumentRequest(TypedDict):
    """A document to issue."""

    type: str
    lines: NotRequired[list[LineRequest]]
    payments: NotRequired[list[PaymentRequest]]
    issued_by: NotRequired[dict[str, str]]
    price_list: NotRequired[str]
    customer: NotRequired[dict[str, str]]
    references: NotRequired[list[dict[str, Any]]]
    expected_total: NotRequired[str]
    last_seen: NotRequired[dict[str, int]]
    print_to: NotRequired[str]


class Document(TypedDict):
    """A numbered paper."""

    id: str
    type: str
    status: str
    series: str
    number: int
    formatted_number: str
    issued_at: str
    fiscal_date: str
    till: str
    lines: list[dict[str, str]]
    taxes: list[dict[str, str]]
    total: str
    change: str
    authority: dict[str, Any] | None
    seq: int
    warnings: list[dict[str, Any]]
    job: NotRequired[str | None]


class Page(TypedDict):
    """A piece of a list; `next` is None at its end."""

    items: list[dict[str, Any]]
    next: str | None


class Product(TypedDict):
    """One article of the catalogue."""

    sku: str
    name: str
    barcode: str | None
    unit_price: str
    tax: str
    policy: str
    sell_below_zero: bool
    price_list: str
    version: int


class StockLevel(TypedDict):
    """What is there of one article."""

    sku: str
    on_hand: str
    available: str


class Status(TypedDict):
    """The banner."""

    store: str
    link: dict[str, Any]
    seq: int
    epoch: str
    catalogue_version: int
    ranges: list[dict[str, Any]]
    warnings: list[dict[str, Any]]


class Pairing(TypedDict):
    """What a till gets when it is paired, once."""

    token: str
    till: str
    ca: NotRequired[str | None]
    mqtt: NotRequired[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event; `id` is what to resume after."""

    id: str
    kind: str
    data: Any
