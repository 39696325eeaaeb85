"""What store and head office say to each other, version 1: paths, headers and bodies. Both ends read this file.

Up, ordered: `POST chunks/{first}` (a frame of `codec`), answered 200 when head office holds those rows now and 409
when it does not, both with where it stands. Up, unordered: `PUT heartbeat`, before any backlog. Down, ordered:
`GET orders`, a long poll over head-office rows with a gapless sequence of their own. `GET cursor` opens a line: it
answers where head office stands and raises the session, so that what an older line still delivers is refused.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

VERSION = 1

CURSOR = "/v1/stores/{store}/cursor"
CHUNKS = "/v1/stores/{store}/chunks/{first}"
HEARTBEAT = "/v1/stores/{store}/heartbeat"
ORDERS = "/v1/stores/{store}/orders"
ENROL = "/v1/enrol"

PROTOCOL_HEADER = "Gateway-Protocol"
EPOCH_HEADER = "Gateway-Epoch"
SESSION_HEADER = "Gateway-Session"
PACKED = "application/vnd.store-gateway.orders+zstd"
"""Orders as JSON in one zstd frame (`codec.pack`)."""

HEARTBEAT_S = 15
"""How often a store says how it is; head office calls it offline after three of them are missing."""
HEARTBEAT_BYTES_MAX = 262_144
WAIT_S_MAX = 50
"""A long poll's end: below the minute after which many a router forgets a silent connection."""
ORDERS_BYTES_MAX = 262_144
"""Plain bytes of one answer of orders; one order alone may be larger, up to `ORDER_BYTES_MAX`."""
ORDER_BYTES_MAX = 4 * 2**20
PART_PRODUCTS_MAX = 500
"""Products of one catalogue order: some 15 kB on the wire, so that a poor line gets on part by part."""
PARTS_MAX = 10_000
SEQ_MAX = 2**53 - 1

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
StoreName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Epoch = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Seq = Annotated[int, Field(ge=0, le=SEQ_MAX, strict=True)]
Label = Annotated[str, StringConstraints(max_length=64, pattern=PRINTABLE)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE)]
Text = Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)]
Date = Annotated[str, StringConstraints(pattern=r"^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?$")]
"""`YYYY-MM-DD`, or empty where there is none."""
Price = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$")]


class Wire(BaseModel):
    """Everything that is said: immutable, and nothing beside what is written here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Standing(Wire):
    """Where head office stands: the row it wants next, the hash of the one before, whose stream, which line.

    `epoch` is None before the first row ever came. `session` is 0 in an answer to a store of another epoch: no line
    was opened for it.
    """

    next: Annotated[int, Field(ge=1, le=SEQ_MAX, strict=True)]
    hash: Hash
    epoch: Epoch | None
    session: Seq


class RefusedOrder(Wire):
    """A head-office row that the store could not accept; it was skipped."""

    seq: Seq
    code: Key
    detail: Annotated[str, StringConstraints(max_length=1000)]


class Heartbeat(Wire):
    """How the store is. `status` is what `GET /v1/status` answers there; `fork` says why the stream stands still."""

    sent_at: Seq
    seq: Seq
    orders_applied: Seq
    refused: Annotated[tuple[RefusedOrder, ...], Field(max_length=100)] = ()
    fork: Annotated[str, StringConstraints(max_length=500)] | None = None
    status: dict[str, Any]


class Order(Wire):
    """One head-office row. A kind the store does not know is refused, and the next one gets its turn."""

    seq: Annotated[int, Field(ge=1, le=SEQ_MAX, strict=True)]
    kind: Key
    body: dict[str, Any]


class Orders(Wire):
    """What follows in the stream, oldest first; empty when nothing came in time."""

    items: Annotated[tuple[Order, ...], Field(max_length=10_000)]


class RangeGranted(Wire):
    """Order `range_granted`: numbers this store may use. The id makes it happen once."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    series: Key
    authority_kind: Label
    authority_ref: Label
    first: Annotated[int, Field(ge=1, le=SEQ_MAX, strict=True)]
    last: Annotated[int, Field(ge=1, le=SEQ_MAX, strict=True)]
    valid_from: Date = ""
    valid_until: Date = ""


class Product(Wire):
    """A product as head office sells it; `unit_price` is a decimal string, tax included."""

    sku: Key
    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
    barcode: Key | None = None
    unit_price: Price
    tax: Key
    policy: Literal["tracked", "always_available"] = "tracked"
    sell_below_zero: Annotated[bool, Field(strict=True)] = False
    price_list: Key = "store"


class CatalogueDelta(Wire):
    """Order `catalogue_delta`: part `part` of `parts` of head office's version `version`.

    Parts are staged; the last one makes all of them visible in one transaction.
    """

    version: Annotated[int, Field(ge=1, le=SEQ_MAX, strict=True)]
    part: Annotated[int, Field(ge=1, le=PARTS_MAX, strict=True)] = 1
    parts: Annotated[int, Field(ge=1, le=PARTS_MAX, strict=True)] = 1
    products: Annotated[tuple[Product, ...], Field(max_length=PART_PRODUCTS_MAX)] = ()
    deleted: Annotated[tuple[Key, ...], Field(max_length=PART_PRODUCTS_MAX)] = ()


class Enrol(Wire):
    """A store's one-time code."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class Enrolled(Wire):
    """The store's name and its token, shown once."""

    store: StoreName
    token: str
