"""The open page of the books: the rows a decision reads, and the rows decided on it so far.

Storage opens a page inside its transaction with just the rows that a group of commands needs, lets `decide` answer
each command in turn (so that the second of a group sees what the first did) and writes `rows` and what changed in one
go. A simulation, a model or a rebuild holds the whole store as one page. `turn` is the only way a page changes.
"""

from dataclasses import dataclass, field
from typing import Any

from gateway.ledger import amounts, chain
from gateway.ledger.facts import Fact, Row


@dataclass(slots=True)
class Head:
    """Where a series stands."""

    key: str
    last_number: int = 0
    high_number: int = 0
    """The highest number of this wrap: a till that saw a higher one knows more than these books (I6)."""
    last_date: str = ""
    wrap: int = 0
    range: str = ""
    locked_by: int | None = None


@dataclass(slots=True)
class Range:
    """An authorised range and its state."""

    position: int
    id: str
    series: str
    wrap: int
    authority_kind: str
    authority_ref: str
    first: int
    last: int
    valid_from: str
    valid_until: str
    state: str = "loaded"


@dataclass(slots=True)
class Paper:
    """A document that has a number."""

    id: str
    digest: bytes
    seq: int
    type: str
    status: str
    document: Any
    """The snapshot (`facts.Document`)."""
    movements: list[list[Any]]
    void_digest: bytes | None = None
    void_seq: int | None = None
    void: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A row of the catalogue as the desk sees it."""

    sku: str
    name: str
    unit_price: int
    tax: str
    tracked: bool
    sell_below_zero: bool


@dataclass(slots=True)
class Page:
    """Rows in, rows out. Absent keys mean "there is no such row": whoever opens a page puts in all that is needed."""

    store: str = ""
    epoch: str = ""
    exponent: int = 2
    lock: str | None = None
    issuer: int = 0
    last: Row | None = None
    heads: dict[str, Head] = field(default_factory=dict)
    ranges: dict[str, list[Range]] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    on_hand: dict[str, int] = field(default_factory=dict)
    credits: dict[str, dict[int, tuple[int, int]]] = field(default_factory=dict)
    """Document → line → (thousandths, minor units) credited so far."""
    credited_taxes: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    """Document → tax code → (base, tax) credited so far, as printed on the notes that stand."""
    movements: dict[str, tuple[bytes, int, Any]] = field(default_factory=dict)
    """Movement id → (digest, seq, body)."""

    rows: list[Row] = field(default_factory=list)
    """Journal rows decided on this page, not yet stored."""
    bodies: dict[int, Any] = field(default_factory=dict)
    """Their bodies, by seq."""
    stock_changes: dict[str, int] = field(default_factory=dict)
    changed: set[tuple[str, str]] = field(default_factory=set)
    """(table, key) of the projections that `turn` touched."""

    @property
    def seq(self) -> int:
        """The newest journal row."""
        return 0 if self.last is None else self.last.seq

    @property
    def at(self) -> int:
        """When the newest row was written: the last trusted time (I8)."""
        return 0 if self.last is None else self.last.at

    def head(self, series: str) -> Head:
        """Where a series stands; a series that never issued stands at 0."""
        return self.heads.get(series) or Head(series)

    def turn(self, fact: Fact, at: int) -> Row:
        """Write a fact: its journal row, and every projection of it. `at` never goes back on a page."""
        row = chain.next_row(self.last, max(at, self.at), fact.kind, fact.body)
        self.rows.append(row)
        self.bodies[row.seq] = fact.body
        self.apply(row, fact.body)
        return row

    def apply(self, row: Row, body: Any) -> None:
        """Project a row that stands in the journal."""
        self.last = row
        _PROJECTIONS[row.kind](self, row, body)

    def _head_for_change(self, series: str) -> Head:
        self.changed.add(("series", series))
        return self.heads.setdefault(series, Head(series))

    def _move(self, movements: list[list[Any]], sign: int = 1) -> None:
        for sku, quantity in movements:
            self.on_hand[sku] = self.on_hand.get(sku, 0) + sign * quantity
            self.stock_changes[sku] = self.stock_changes.get(sku, 0) + sign * quantity

    def _credit(self, document: Any, sign: int) -> None:
        if document["type"] != "credit_note":
            return
        reference = document["references"][0]
        lines = self.credits.setdefault(reference["document"], {})
        for entry, line in zip(reference["lines"], document["lines"], strict=True):
            quantity, amount = lines.get(entry["line"], (0, 0))
            lines[entry["line"]] = (
                quantity + sign * amounts.parse(line["quantity"], 3),
                amount + sign * amounts.parse(line["total"], self.exponent),
            )
        taxes = self.credited_taxes.setdefault(reference["document"], {})
        for bucket in document["taxes"]:
            base, tax = taxes.get(bucket["code"], (0, 0))
            taxes[bucket["code"]] = (
                base + sign * amounts.parse(bucket["base"], self.exponent),
                tax + sign * amounts.parse(bucket["amount"], self.exponent),
            )
        self.changed.add(("credits", reference["document"]))

    def _find_range(self, series: str, identity: str) -> Range:
        self.changed.add(("ranges", identity))
        return next(each for each in self.ranges[series] if each.id == identity)


def _books_opened(page: Page, row: Row, body: Any) -> None:  # noqa: ARG001
    page.store, page.epoch, page.exponent = body["store"], body["epoch"], body["exponent"]
    page.changed.add(("tenure", ""))


def _issuer_declared(page: Page, row: Row, body: Any) -> None:  # noqa: ARG001
    page.issuer = row.seq
    page.changed.add(("tenure", ""))


def _range_loaded(page: Page, row: Row, body: Any) -> None:
    grown = Range(
        row.seq, body["id"], body["series"], body["wrap"], body["authority_kind"], body["authority_ref"],
        body["first"], body["last"], body["valid_from"], body["valid_until"],
    )  # fmt: skip
    page.ranges.setdefault(body["series"], []).append(grown)
    page.changed.add(("ranges", body["id"]))


def _range_activated(page: Page, row: Row, body: Any) -> None:  # noqa: ARG001
    active = page._find_range(body["series"], body["id"])  # noqa: SLF001
    active.state = "active"
    head = page._head_for_change(body["series"])  # noqa: SLF001
    if active.wrap > head.wrap:
        head.wrap, head.high_number = active.wrap, 0
    head.range, head.last_number = active.id, active.first - 1


def _range_ended(page: Page, row: Row, body: Any) -> None:  # noqa: ARG001
    page._find_range(body["series"], body["id"]).state = body["state"]  # noqa: SLF001
    head = page._head_for_change(body["series"])  # noqa: SLF001
    if head.range == body["id"]:
        head.range = ""


def _document_issued(page: Page, row: Row, body: Any) -> None:
    document = body["document"]
    head = page._head_for_change(document["series"])  # noqa: SLF001
    if body["wrap"] > head.wrap:
        head.wrap, head.high_number = body["wrap"], 0
    head.last_number, head.last_date = document["number"], document["fiscal_date"]
    head.high_number = max(head.high_number, document["number"])
    page.papers[document["id"]] = Paper(
        document["id"], bytes.fromhex(body["digest"]), row.seq, document["type"], "issued", document, body["movements"]
    )
    page._move(body["movements"])  # noqa: SLF001
    page._credit(document, 1)  # noqa: SLF001


def _document_voided(page: Page, row: Row, body: Any) -> None:
    paper = page.papers[body["document"]]
    paper.status, paper.void_seq, paper.void_digest = "void", row.seq, bytes.fromhex(body["digest"])
    paper.void = {"reason": body["reason"], "till": body["till"]}
    page.changed.add(("documents", paper.id))
    page._move(body["movements"])  # noqa: SLF001
    page._credit(paper.document, -1)  # noqa: SLF001


def _stock_moved(page: Page, row: Row, body: Any) -> None:
    page.movements[body["id"]] = (bytes.fromhex(body["digest"]), row.seq, body)
    page.changed.add(("movements", body["id"]))
    page._move(body["movements"])  # noqa: SLF001


def _series_locked(page: Page, row: Row, body: Any) -> None:  # noqa: ARG001
    page._head_for_change(body["series"]).locked_by = body["seen"]  # noqa: SLF001


def _series_confirmed(page: Page, row: Row, body: Any) -> None:  # noqa: ARG001
    head = page._head_for_change(body["series"])  # noqa: SLF001
    head.locked_by, head.last_number = None, body["last_number"]
    head.high_number = max(head.high_number, body["last_number"])


def _tenure_locked(page: Page, row: Row, body: Any) -> None:  # noqa: ARG001
    page.lock = body["reason"]
    page.changed.add(("tenure", ""))


def _tenure_unlocked(page: Page, row: Row, body: Any) -> None:  # noqa: ARG001
    page.lock = None
    page.changed.add(("tenure", ""))


_PROJECTIONS = {
    "books_opened": _books_opened,
    "issuer_declared": _issuer_declared,
    "range_loaded": _range_loaded,
    "range_activated": _range_activated,
    "range_ended": _range_ended,
    "document_issued": _document_issued,
    "document_voided": _document_voided,
    "stock_moved": _stock_moved,
    "series_locked": _series_locked,
    "series_confirmed": _series_confirmed,
    "tenure_locked": _tenure_locked,
    "tenure_unlocked": _tenure_unlocked,
}
