"""What the gateway answers, as models: they make the OpenAPI document, and its fuzzing holds every answer to them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gateway.api.wire import IssuedBy
from gateway.devices.jobs import Kind, State
from gateway.ledger.commands import DocumentType


class Reply(BaseModel):
    """What the gateway answers; the models document the replies and tests hold the replies to them."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class JobsReply(Reply):
    """Jobs that are not at their end, oldest first."""

    items: list[JobReply]
    next: None


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
