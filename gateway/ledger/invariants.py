"""I1-I12, stated once and independently of the decisions: every check of every journal, anywhere, calls `breaches`.

It reads rows only, in one pass, and believes nothing it can recompute: this module looks at the chain, `judges` at what
the rows say. Head office, start-up, the audit and `gateway verify` all use it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.ledger import chain
from gateway.ledger.facts import Row
from gateway.ledger.judges import Books, judge
from gateway.ledger.reckoning import Say

_UNREADABLE = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError)
"""What a row of the wrong shape makes a judge stumble over."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One promise that a journal does not keep: which, at which row, and how."""

    rule: str
    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the journal leaves a series."""

    last_number: int
    high_number: int
    date: str
    wrap: int
    range: str
    locked_by: int | None


@dataclass(slots=True)
class Tally:
    """What a whole pass counted; the verdict shows it, and the tables beside a journal are held against it."""

    rows: int = 0
    documents: int = 0
    voids: int = 0
    movements: int = 0
    series: dict[str, Stand] = field(default_factory=dict)
    ranges: dict[str, str] = field(default_factory=dict)
    """Range id → state."""
    lock: str | None = None
    opened: dict[str, Any] = field(default_factory=dict)
    """Body of the first row: whose books these are."""
    issuer: int = 0
    """The newest row that says who issues."""
    credited: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """(Document, line) → (thousandths, minor units) on the notes that stand."""
    credited_taxes: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """(Document, tax code) → (base, tax) on the notes that stand."""
    on_hand: dict[str, int] = field(default_factory=dict)
    head: bytes = chain.START

    @property
    def last_numbers(self) -> dict[str, int]:
        """The last number of each series."""
        return {key: stand.last_number for key, stand in self.series.items()}


def breaches(rows: Iterable[Row], tally: Tally | None = None) -> Iterator[Breach]:
    """Every breach in a journal that begins with its first row, in order; nothing if it keeps all its promises.

    Rows that cannot be read are a breach of I12 and skipped. `tally`, when given, holds the counts afterwards.
    """
    books, previous = Books(), None
    counted = tally if tally is not None else Tally()
    for row in rows:
        found: list[Breach] = []

        def say(rule: str, text: str, seq: int = row.seq, found: list[Breach] = found) -> None:
            found.append(Breach(rule, seq, text))

        counted.rows += 1
        try:
            _check_chain(previous, row, say)
            judge(books, row, chain.body_of(row), say)
            counted.documents += row.kind == "document_issued"
            counted.voids += row.kind == "document_voided"
            counted.movements += row.kind == "stock_moved"
        except _UNREADABLE as error:
            say("I12", f"the row cannot be read: {type(error).__name__} {error}")
        previous = row
        yield from found
    counted.head = chain.START if previous is None else previous.hash
    _count(books, counted)


def _check_chain(previous: Row | None, row: Row, say: Say) -> None:
    expected = 1 if previous is None else previous.seq + 1
    if row.seq != expected:
        say("I12", f"row {expected} is missing before row {row.seq}")
    if row.prev_hash != (chain.START if previous is None else previous.hash):
        say("I12", "the row does not follow the one before it")
    if row.hash != chain.row_hash(row.prev_hash, row.seq, row.at, row.kind, row.text):
        say("I12", "the row was changed after it was written")
    if previous is not None and row.at < previous.at:
        say("I8", "the row is dated before the one before it")


def _count(books: Books, tally: Tally) -> None:
    tally.series = {
        key: Stand(series.next - 1, series.high, series.date, series.wrap, series.range, series.locked_by)
        for key, series in books.series.items()
    }
    tally.ranges, tally.lock, tally.on_hand = books.states, books.lock, books.on_hand
    tally.opened, tally.issuer = books.opened, books.issuer
    for document, credit in books.papers.credits.items():
        for line, (quantity, amount) in credit.lines.items():
            tally.credited[document, line] = (quantity, amount)
        for code, (base, tax) in credit.taxes.items():
            tally.credited_taxes[document, code] = (base, tax)
