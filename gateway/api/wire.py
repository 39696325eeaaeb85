"""What goes over the wire, as models: requests are checked by them, replies are documented by them.

Amounts and quantities are decimal *strings*; a JSON number is refused, because a float has already lost the cent by
the time anybody can look at it. Everything has a bound.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from gateway.devices.jobs import Kind, State
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

Text = Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)]
"""One line of text without control characters."""
Label = Annotated[str, StringConstraints(max_length=64, pattern=PRINTABLE)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE)]
Name = Annotated[str, StringConstraints(pattern=NAME)]
SeriesKey = Annotated[str, StringConstraints(pattern=SERIES)]
Uuid = Annotated[str, StringConstraints(pattern=UUID), Field(json_schema_extra={"format": "uuid"})]
Date = Annotated[str, StringConstraints(pattern=rf"^({DAY})?$")]
"""`YYYY-MM-DD`, or empty where there is none."""
Amount = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$"),
    Field(description='Money, never negative: "3.99"', examples=["3.99"]),
]
Quantity = Annotated[
    str,
    StringConstraints(
        pattern=(
            r"^(0{0,8}[1-9][0-9]{0,8}(\.[0-9]{1,3}0{0,3})?"
            r"|0{1,9}\.([1-9][0-9]{0,2}|0[1-9][0-9]?|00[1-9])0{0,3})$"
        ),
        max_length=20,
    ),
    Field(description='More than nothing, thousandths at the finest: "1.250"', examples=["1.000"]),
]
SignedQuantity = Annotated[
    str,
    StringConstraints(pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,3}0{0,3})?$"),
    Field(description='Thousandths at the finest: "-2.000"', examples=["12.000"]),
]


class Model(BaseModel):
    """What a client sends: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Query(BaseModel):
    """What stands behind the question mark: texts, read as the fields' types."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reply(BaseModel):
    """What the gateway answers; the models document the replies and tests hold the replies to them."""

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

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
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


# Replies


class ProblemReply(BaseModel):
    """RFC 9457, with a stable code and what to do about it; what the code needs stands beside these members."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    code: str
    detail: str
    advice: Literal["same_request_again", "change_and_retry", "call_manager"]
    instance: str


class HealthReply(Reply):
    """Whether the gateway is alive, or ready."""

    status: Literal["ok", "not_ready"]
    why: list[str] = []


class LinkReply(BaseModel):
    """The line to head office."""

    model_config = ConfigDict(extra="allow", frozen=True)

    state: Literal["online", "catching_up", "offline", "working_offline", "none"]
    since: str | int | None
    waiting: int
    oldest_ms: int | None
    eta_s: float | None


class SeriesReply(Reply):
    """Where a series stands; `last`, `left` and `valid_until` are null where no range is needed."""

    series: str
    next: int | None
    last: int | None
    left: int | None
    reserve: int
    """Numbers of ranges that are loaded and come next."""
    valid_until: str | None
    state: Literal["active", "loaded", "open", "missing", "locked"]


class WarningReply(BaseModel):
    """Something that is wrong now, in the asked language, with the values of its text."""

    model_config = ConfigDict(extra="allow", frozen=True)

    code: str
    severity: Literal["info", "warning", "alarm"]
    text: str
    hint: str
    since_ms: int


class StatusReply(Reply):
    """The banner."""

    store: str
    name: str
    country: str
    currency: str
    version: str
    now: str
    link: LinkReply
    seq: int
    epoch: str
    lock: str | None
    catalogue_version: int
    ranges: list[SeriesReply]
    warnings: list[WarningReply]


class MqttReply(Reply):
    """How a till reaches the device bus."""

    host: str
    port: int
    tls: bool
    user: str
    password: str


class PairedReply(Reply):
    """A paired till's own secrets; they are shown once."""

    till: str
    token: str
    store: str
    api: str
    ca: str | None
    ca_fingerprint: str | None
    mqtt: MqttReply | None


class ProductReply(Reply):
    """A row of the catalogue; a deleted one stays as a tombstone."""

    sku: str
    name: str
    barcode: str | None
    unit_price: str
    tax: str
    policy: Literal["tracked", "always_available"]
    sell_below_zero: bool
    price_list: str
    version: int
    deleted: bool


class ProductsReply(Reply):
    """A page of what changed, in the order of versions."""

    items: list[ProductReply]
    next: str | None
    version: int


class StockReply(Reply):
    """A product's stock; `seq` is the journal row that moved it last, 0 before the first."""

    sku: str
    on_hand: str
    available: str
    policy: Literal["tracked", "always_available"]
    sell_below_zero: bool
    seq: int


class StocksReply(Reply):
    """A page of stock, by SKU."""

    items: list[StockReply]
    next: str | None


class ChangeReply(Reply):
    """A SKU and the signed change of its stock."""

    sku: str
    quantity: str


class MovementReply(Reply):
    """A movement that is in the books; `lines` are the changes."""

    id: str
    seq: int
    kind: str
    by: str
    reason: str
    lines: list[ChangeReply]


class DocumentLineReply(Reply):
    """One line as issued."""

    sku: str
    name: str
    quantity: str
    unit_price: str
    discount: str
    total: str
    tax: str


class TaxReply(Reply):
    """All lines of one tax code."""

    code: str
    rate: str
    base: str
    amount: str


class AuthorityReply(Reply):
    """The range behind a number, as printed."""

    kind: str
    ref: str
    first: int
    last: int
    valid_from: str | None = None
    valid_until: str


class DocumentReply(Reply):
    """A numbered paper."""

    id: str
    type: DocumentType
    status: Literal["issued", "void"]
    series: str
    number: int
    formatted_number: str
    issued_at: str
    fiscal_date: str
    till: str
    issued_by: IssuedBy
    price_list: str
    lines: list[DocumentLineReply]
    taxes: list[TaxReply]
    total: str
    payments: list[dict[str, str]]
    change: str
    customer: dict[str, str] | None
    references: list[dict[str, Any]]
    authority: AuthorityReply | None
    seq: int
    warnings: list[dict[str, Any]]
    job: str | None
    void: dict[str, Any] | None = None


class DocumentsReply(Reply):
    """A page of documents."""

    items: list[DocumentReply]
    next: str | None


class DeviceReply(BaseModel):
    """A printer: what it is, what it can be asked for, and how it is."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    kind: Literal["printer"]
    profile: str
    title: str
    address: str
    jobs: list[Kind]
    state: dict[str, Any]


class DevicesReply(Reply):
    """All devices."""

    items: list[DeviceReply]
    next: None


class JobReply(Reply):
    """One print or kick, and where it is."""

    id: str
    kind: Kind
    device: str
    till: str
    document: str | None
    state: State
    detail: str
    settled_by: str | None
    created_at: str
    changed_at: str
    deadline: str | None


class LinkStateReply(Reply):
    """The line as it is now."""

    link: LinkReply


class RangeReply(Reply):
    """An authorised range."""

    id: str
    series: str
    authority_kind: str
    authority_ref: str
    first: int
    last: int
    valid_from: str
    valid_until: str
    state: Literal["loaded", "active", "exhausted", "expired", "cancelled"]
    wrap: int
    next: int
    left: int


class RangesReply(Reply):
    """All ranges, in the order in which they were loaded."""

    items: list[RangeReply]
    next: str | None


class FactReply(BaseModel):
    """What the administrator's word did: the fact as it stands in the books, and its journal row."""

    model_config = ConfigDict(extra="allow", frozen=True)

    seq: int


class TillReply(Reply):
    """A till."""

    name: str
    model: str
    paired_at: str
    revoked_at: str | None


class TillsReply(Reply):
    """All tills."""

    items: list[TillReply]
    next: None


class CodeReply(Reply):
    """A pairing code, to be typed into a till."""

    code: str
    expires_at: str
    tries: int
    link: str


class CatalogueProblemReply(Reply):
    """What is wrong in a file, and where: line 1 is the header."""

    line: int
    column: str
    text: str


class CatalogueReply(Reply):
    """What an import did, or would do: products in the file, products that get their first stock, mistakes."""

    products: int
    received: int
    version: int
    problems: list[CatalogueProblemReply]
    dry_run: bool


class BreachReply(Reply):
    """A promise that the books break, and where."""

    rule: str
    seq: int
    text: str


class VerdictReply(Reply):
    """What an audit found."""

    subject: str
    sound: bool
    rows: int
    documents: int
    voids: int
    last_numbers: dict[str, int]
    head: str
    breaches: list[BreachReply]


# Paths

PATH_TYPES: dict[str, TypeAdapter[str]] = {
    "id": TypeAdapter(Uuid),
    "sku": TypeAdapter(Sku),
    "series": TypeAdapter(SeriesKey),
    "name": TypeAdapter(Name),
}
"""What may stand in a path's placeholder, by its name."""
