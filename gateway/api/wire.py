"""What comes over the wire, as models: bodies, queries and paths are checked by them.

Amounts and quantities are decimal *strings*; a JSON number is refused, because a float has already lost the cent by
the time anybody can look at it. Everything has a bound.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from gateway.devices.jobs import Kind
from gateway.ledger.commands import DocumentType, MovementKind

LINES_MAX = 500
"""Lines of one document or movement: ten times the longest receipt anybody carries home."""
PAYMENTS_MAX = 20
REFERENCES_MAX = 10
SERIES_MAX = 50
NUMBER_MAX = 99_999_999
"""Eight digits: the longest correlative of any country module."""
PAGE_MAX = 500
PAGE_DEFAULT = 100
SEQ_MAX = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
NAME = r"^[a-z0-9][a-z0-9-]{0,31}$"
SERIES = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"
DAY = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
RANGE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
DATE = rf"^({DAY})?$"
AMOUNT = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"
QUANTITY = r"^([1-9][0-9]{0,8}(\.[0-9]{1,3}0{0,3})?|0\.([1-9][0-9]{0,2}|0[1-9][0-9]?|00[1-9])0{0,3})$"
CODE = r"^[0-9]{6}$"
SIGNED = r"^-?[0-9]{1,9}(\.[0-9]{1,3}0{0,3})?$"
MEANT = {
    PRINTABLE: ("has control characters in it", "tiene caracteres de control"),
    NAME: (
        "must be lower-case letters, digits and hyphens, at most 32, beginning with a letter or digit",
        "debe tener minúsculas, cifras y guiones, máximo 32, y empezar por letra o cifra",
    ),
    SERIES: ("is not a series such as 000-001-01", "no es una serie como 000-001-01"),
    UUID: ("is not a UUID", "no es un UUID"),
    RANGE: ("is not the id of a range", "no es el id de un rango"),
    DATE: ("is not a date such as 2027-06-30", "no es una fecha como 2027-06-30"),
    AMOUNT: ('is not an amount such as "3.99"', 'no es un importe como "3.99"'),
    QUANTITY: ('is not a quantity above zero such as "1.250"', 'no es una cantidad mayor que cero como "1.250"'),
    CODE: ("is not six digits", "no son seis cifras"),
    SIGNED: ('is not a quantity such as "-2.000"', 'no es una cantidad como "-2.000"'),
}
"""What a pattern wants, in words: English and Spanish."""

Text = Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)]
"""One line of text without control characters."""
Label = Annotated[str, StringConstraints(max_length=64, pattern=PRINTABLE)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE)]
Name = Annotated[str, StringConstraints(pattern=NAME)]
SeriesKey = Annotated[str, StringConstraints(pattern=SERIES)]
Uuid = Annotated[str, StringConstraints(pattern=UUID), Field(json_schema_extra={"format": "uuid"})]
RangeId = Annotated[str, StringConstraints(pattern=RANGE)]
"""Made by whoever loads the range: head office's may be a word, the command line's is a UUID."""
Date = Annotated[str, StringConstraints(pattern=DATE)]
"""`YYYY-MM-DD`, or empty where there is none."""
Amount = Annotated[
    str,
    StringConstraints(pattern=AMOUNT),
    Field(description='Money, never negative: "3.99"', examples=["3.99"]),
]
Quantity = Annotated[
    str,
    StringConstraints(pattern=QUANTITY),
    Field(description='More than nothing, thousandths at the finest: "1.250"', examples=["1.000"]),
]
SignedQuantity = Annotated[
    str,
    StringConstraints(pattern=SIGNED),
    Field(description='Thousandths at the finest: "-2.000"', examples=["12.000"]),
]


class Model(BaseModel):
    """What a client sends: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Query(BaseModel):
    """What stands behind the question mark: texts, read as the fields' types."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# Requests


class IssuedBy(Model):
    """Who stands at the till."""

    cashier: Label = ""
    shift: Label = ""


class LineRequest(Model):
    """A line of a sale; what is left out is as the catalogue says."""

    sku: Sku
    quantity: Quantity
    unit_price: Amount | None = None
    discount: Amount = "0"
    name: Text | None = None
    tax: Label | None = None


class PaymentRequest(Model):
    """What was tendered."""

    method: Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=PRINTABLE)]
    amount: Amount


class CustomerRequest(Model):
    """Who buys, as printed."""

    tax_id: Annotated[str, StringConstraints(max_length=30, pattern=PRINTABLE)] = ""
    name: Text = ""


class CreditedLineRequest(Model):
    """A line of the original (1 is the first) and how much of it comes back."""

    line: Annotated[int, Field(ge=1, le=LINES_MAX)]
    quantity: Quantity


class ReferenceRequest(Model):
    """The document a note speaks of; no lines means all that is left of it."""

    document: Uuid
    reason: Reason
    lines: Annotated[tuple[CreditedLineRequest, ...], Field(max_length=LINES_MAX)] = ()


class DocumentRequest(Model):
    """Issue a document under the id in the path."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "invoice",
                "issued_by": {"cashier": "ana", "shift": "0198f3c0-7b1e-7c44-9a55-3f1d2a6b7c10"},
                "lines": [
                    {"sku": "1082185", "quantity": "1.000", "unit_price": "0.99", "discount": "0.00"},
                    {"sku": "ad-hoc", "name": "Bolsa", "quantity": "2", "unit_price": "1.50", "tax": "isv15"},
                ],
                "payments": [{"method": "cash", "amount": "5.00"}],
                "expected_total": "3.99",
            }
        }
    )

    type: DocumentType
    issued_by: IssuedBy = IssuedBy()
    price_list: Name = "store"
    lines: Annotated[tuple[LineRequest, ...], Field(max_length=LINES_MAX)] = ()
    payments: Annotated[tuple[PaymentRequest, ...], Field(max_length=PAYMENTS_MAX)] = ()
    customer: CustomerRequest | None = None
    references: Annotated[tuple[ReferenceRequest, ...], Field(max_length=REFERENCES_MAX)] = ()
    expected_total: Amount | None = None
    last_seen: Annotated[
        dict[SeriesKey, Annotated[int, Field(ge=0, le=NUMBER_MAX)]],
        Field(max_length=SERIES_MAX, default_factory=dict),
    ]
    print_to: Name | None = None


class ReasonRequest(Model):
    """Why."""

    reason: Reason


class MovedLine(Model):
    """A SKU and how much of it: added for a receipt, the new figure for a count, the change for an adjustment."""

    sku: Sku
    quantity: SignedQuantity


class MovementRequest(Model):
    """Receive, count or adjust stock."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"kind": "receipt", "lines": [{"sku": "1082185", "quantity": "12"}]}}
    )

    kind: MovementKind
    lines: Annotated[tuple[MovedLine, ...], Field(min_length=1, max_length=LINES_MAX)]
    reason: Text = ""


class PairingRequest(Model):
    """The code shown on the gateway, and the name the till shall have."""

    code: Annotated[str, StringConstraints(pattern=CODE)]
    till_name: Name
    model: Label = ""


class JobRequest(Model):
    """The same jobs as over MQTT: print a document's receipt or lines of text, or kick a drawer."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"kind": "text", "device": "front", "body": {"lines": ["Hello"]}}}
    )

    kind: Kind
    device: Name
    body: Annotated[dict[str, Any], Field(default_factory=dict)]
    """For `receipt`: document and copy; for `text`: lines and cut; for `kick`: nothing."""
    deadline_ms: Annotated[int, Field(ge=500, le=86_400_000)] | None = None
    """Refused if it cannot begin within this time; null: it waits for ever."""


class OutcomeRequest(Model):
    """A person looked at the paper."""

    outcome: Literal["printed", "reprint"]


class LinkModeRequest(Model):
    """Work without head office on purpose, or as the line allows."""

    mode: Literal["automatic", "working_offline"]


class RangeRequest(Model):
    """An authorised range, as the authority granted it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "series": "000-001-01",
                "authority_kind": "CAI",
                "authority_ref": "A1B2C3-D4E5F6-A1B2C3-D4E5F6-A1B2C3-D4",
                "first": 501,
                "last": 1000,
                "valid_until": "2027-06-30",
            }
        }
    )

    series: SeriesKey
    authority_kind: Annotated[str, StringConstraints(max_length=16, pattern=PRINTABLE)] = ""
    authority_ref: Label = ""
    first: Annotated[int, Field(ge=1, le=NUMBER_MAX)]
    last: Annotated[int, Field(ge=1, le=NUMBER_MAX)]
    valid_from: Date = ""
    valid_until: Date = ""


class ConfirmRequest(Model):
    """An administrator's word on the last number that exists on paper."""

    last_number: Annotated[int, Field(ge=0, le=NUMBER_MAX)]
    reason: Reason


# Queries

Cursor = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_=-]+$")]
Limit = Annotated[int, Field(ge=1, le=PAGE_MAX)]


class PageQuery(Query):
    """A page of a list."""

    limit: Limit = PAGE_DEFAULT
    cursor: Cursor | None = None


class ProductsQuery(PageQuery):
    """What changed since a catalogue version, or who has this barcode."""

    since: Annotated[int, Field(ge=0, le=SEQ_MAX)] = 0
    barcode: Sku | None = None


class DocumentsQuery(PageQuery):
    """Which documents: `number` as printed or bare; `from` the first number, or the first date (`YYYY-MM-DD`)."""

    series: SeriesKey | None = None
    number: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,60}$")] | None = None
    from_: Annotated[str | None, Field(alias="from", pattern=rf"^([0-9]{{1,8}}|{DAY})$")] = None


class EventsQuery(Query):
    """Where the stream begins: after this journal row."""

    after: Annotated[int, Field(ge=0, le=SEQ_MAX)] | None = None


class CatalogueQuery(Query):
    """Only say what would happen."""

    dry_run: bool = False


# Paths

PATH_TYPES: dict[str, TypeAdapter[str]] = {
    "id": TypeAdapter(Uuid),
    "range": TypeAdapter(RangeId),
    "sku": TypeAdapter(Sku),
    "series": TypeAdapter(SeriesKey),
    "name": TypeAdapter(Name),
}
"""What may stand in a path's placeholder, by its name."""
