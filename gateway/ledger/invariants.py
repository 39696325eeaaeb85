"""I1-I12, stated once and independently of the decisions: every check of every journal, anywhere, calls `breaches`.

It reads rows only, in one pass, and believes nothing it can recompute. Head office, start-up, the audit and
`gateway verify` all use it. `domain.md` of the design and `docs/invariants.md` say what each one promises.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.ledger import amounts, chain
from gateway.ledger.amounts import BasisPoints, Minor
from gateway.ledger.facts import Row


@dataclass(frozen=True, slots=True)
class Breach:
    """One promise that a journal does not keep: which, at which row, and how."""

    rule: str
    seq: int
    text: str


@dataclass(slots=True)
class _Series:
    next: int = 1
    wrap: int = 0
    range: str = ""
    date: str = ""
    locked: bool = False
    had_range: bool = False


@dataclass(slots=True)
class _Issued:
    seq: int
    type: str
    lines: list[tuple[int, int, str]]
    """(thousandths, minor units, tax) of each line."""
    taxes: dict[str, tuple[int, int]]
    """Tax code → (base, amount)."""
    void: bool = False
    credited: dict[int, list[int]] = field(default_factory=dict)
    credited_taxes: dict[str, list[int]] = field(default_factory=dict)
    credits: list[tuple[int, int, int]] = field(default_factory=list)
    of: str = ""


@dataclass(slots=True)
class _Books:
    """What the pass has seen so far."""

    exponent: int = 2
    opened: bool = False
    lock: bool = False
    series: dict[str, _Series] = field(default_factory=dict)
    ranges: dict[str, dict[str, Any]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    taken: set[tuple[str, int, int]] = field(default_factory=set)
    issued: dict[str, _Issued] = field(default_factory=dict)
    movements: set[str] = field(default_factory=set)
    on_hand: dict[str, int] = field(default_factory=dict)


_Say = Callable[[str, str], None]


@dataclass(slots=True)
class Tally:
    """What a whole pass counted; the verdict shows it."""

    rows: int = 0
    documents: int = 0
    voids: int = 0
    last_numbers: dict[str, int] = field(default_factory=dict)
    on_hand: dict[str, int] = field(default_factory=dict)
    head: bytes = chain.START


def breaches(rows: Iterable[Row], tally: Tally | None = None) -> Iterator[Breach]:
    """Every breach in a journal that begins with its first row, in order; nothing if it keeps all its promises.

    Rows that cannot be read are a breach of I12 and skipped. `tally`, when given, holds the counts afterwards.
    """
    books, previous = _Books(), None
    counted = tally if tally is not None else Tally()
    for row in rows:
        yield from _chain_breaches(previous, row)
        previous = row
        counted.rows += 1
        try:
            body = chain.body_of(row)
            found: list[tuple[str, str]] = []
            _judge(books, row, body, lambda rule, text, found=found: found.append((rule, text)))  # type: ignore[misc]
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            yield Breach("I12", row.seq, f"the row cannot be read: {type(error).__name__} {error}")
            continue
        for rule, text in found:
            yield Breach(rule, row.seq, text)
        counted.documents += row.kind == "document_issued"
        counted.voids += row.kind == "document_voided"
    counted.head = chain.START if previous is None else previous.hash
    counted.last_numbers = {key: series.next - 1 for key, series in books.series.items()}
    counted.on_hand = books.on_hand


def _chain_breaches(previous: Row | None, row: Row) -> Iterator[Breach]:
    expected = 1 if previous is None else previous.seq + 1
    if row.seq != expected:
        yield Breach("I12", row.seq, f"row {expected} is missing before row {row.seq}")
    if row.prev_hash != (chain.START if previous is None else previous.hash):
        yield Breach("I12", row.seq, "the row does not follow the one before it")
    if row.hash != chain.row_hash(row.prev_hash, row.seq, row.at, row.kind, row.text):
        yield Breach("I12", row.seq, "the row was changed after it was written")
    if previous is not None and row.at < previous.at:
        yield Breach("I8", row.seq, "the row is dated before the one before it")


def _judge(books: _Books, row: Row, body: Any, say: _Say) -> None:
    if not books.opened and row.kind != "books_opened":
        say("I12", "the journal does not begin with books_opened")
        books.opened = True
    _JUDGES[row.kind](books, row, body, say)


def _books_opened(books: _Books, row: Row, body: Any, say: _Say) -> None:
    if books.opened or row.seq != 1:
        say("I5", "the books were opened a second time")
    books.opened, books.exponent = True, body["exponent"]


def _range_loaded(books: _Books, row: Row, body: Any, say: _Say) -> None:  # noqa: ARG001
    for other in books.ranges.values():
        same = other["series"] == body["series"] and other["wrap"] == body["wrap"]
        if same and body["first"] <= other["last"] and other["first"] <= body["last"]:
            say("I1", f"range {body['id']} overlaps range {other['id']}")
    books.ranges[body["id"]], books.states[body["id"]] = body, "loaded"
    books.series.setdefault(body["series"], _Series()).had_range = True


def _range_activated(books: _Books, row: Row, body: Any, say: _Say) -> None:  # noqa: ARG001
    series = books.series.setdefault(body["series"], _Series())
    if series.range and books.states.get(series.range) == "active":
        say("I2", f"range {body['id']} began before range {series.range} had ended")
    loaded = books.ranges[body["id"]]
    if books.states[body["id"]] != "loaded":
        say("I2", f"range {body['id']} began although it was {books.states[body['id']]}")
    books.states[body["id"]] = "active"
    series.range, series.next, series.wrap = body["id"], loaded["first"], loaded["wrap"]


def _range_ended(books: _Books, row: Row, body: Any, say: _Say) -> None:  # noqa: ARG001
    series, ended = books.series.setdefault(body["series"], _Series()), books.ranges[body["id"]]
    first = series.next if series.range == body["id"] else ended["first"]
    unused = body["unused"]
    tail = (first, ended["last"]) if first <= ended["last"] else None
    if (None if unused is None else (unused["first"], unused["last"])) != tail:
        say("I2", f"the tail of range {body['id']} is {tail}, the unused span says {unused}")
    books.states[body["id"]] = body["state"]
    if series.range == body["id"]:
        series.range = ""


def _document_issued(books: _Books, row: Row, body: Any, say: _Say) -> None:
    document = body["document"]
    number, key = document["number"], document["series"]
    series = books.series.setdefault(key, _Series())
    if books.lock or series.locked:
        say("I6", f"number {number} of {key} was given while allocation was locked")
    if series.had_range is False and body["wrap"] == series.wrap + 1 and number == 1:
        series.next, series.wrap = 1, body["wrap"]
    if (key, number, body["wrap"]) in books.taken:
        say("I1", f"number {number} of {key} was given twice")
    if (number, body["wrap"]) != (series.next, series.wrap):
        say("I2", f"number {number} of {key} was given where {series.next} was next")
    books.taken.add((key, number, body["wrap"]))
    series.next, series.wrap = number + 1, body["wrap"]
    _check_range(books, series, body, say)
    if document["fiscal_date"] < series.date:
        say("I8", f"number {number} of {key} is dated {document['fiscal_date']}, after one of {series.date}")
    series.date = max(series.date, document["fiscal_date"])
    if document["id"] in books.issued:
        say("I4", f"document {document['id']} has two numbers")
    if document["seq"] != row.seq:
        say("I10", f"the snapshot says row {document['seq']}")
    if document["lines"] == [] or len(body["digest"]) != 64:
        say("I4", "a document without lines or without the digest of its request")
    issued = _read_document(books, row, document, say)
    books.issued[document["id"]] = issued
    if document["type"] == "credit_note":
        _check_credit(books, issued, document, say)
    _move(books, body["movements"])


def _check_range(books: _Books, series: _Series, body: Any, say: _Say) -> None:
    document = body["document"]
    if body["range"] is None:
        if series.had_range:
            say("I7", f"number {document['number']} was given without a range in a series that has ranges")
        return
    inside = books.ranges.get(body["range"])
    if inside is None or body["range"] != series.range:
        say("I7", f"number {document['number']} names range {body['range']}, active is {series.range or 'none'}")
        return
    if not inside["first"] <= document["number"] <= inside["last"]:
        say("I7", f"number {document['number']} is outside {inside['first']}-{inside['last']}")
    late = inside["valid_until"] and document["fiscal_date"] > inside["valid_until"]
    if late or document["fiscal_date"] < inside["valid_from"]:
        say("I7", f"number {document['number']} is dated {document['fiscal_date']}, outside its range's dates")
    authority = document["authority"]
    if authority is None or (authority["ref"], authority["last"]) != (inside["authority_ref"], inside["last"]):
        say("I10", f"number {document['number']} shows another authority than its range")


def _read_document(books: _Books, row: Row, document: Any, say: _Say) -> _Issued:
    """I11: recompute lines, buckets and total from what is printed."""
    exponent = books.exponent
    lines: list[tuple[int, int, str]] = []
    totals: dict[str, int] = {}
    for position, line in enumerate(document["lines"], 1):
        quantity = amounts.parse(line["quantity"], 3)
        unit_price, discount, total = (
            amounts.parse(line[name], exponent) for name in ("unit_price", "discount", "total")
        )
        gross = amounts.line_amount(amounts.Milli(quantity), Minor(unit_price))
        if document["type"] != "credit_note" and gross - discount != total:
            say(
                "I11",
                f"line {position}: {line['quantity']} at {line['unit_price']} less {line['discount']}"
                f" is not {line['total']}",
            )
        if quantity <= 0 or total < 0:
            say("I11", f"line {position} is not positive")
        totals[line["tax"]] = totals.get(line["tax"], 0) + total
        lines.append((quantity, total, line["tax"]))
    taxes = {}
    for entry in document["taxes"]:
        base, amount = amounts.parse(entry["base"], exponent), amounts.parse(entry["amount"], exponent)
        rate = BasisPoints(amounts.parse(entry["rate"], 2))
        exact = amounts.base_of(Minor(totals.get(entry["code"], -1)), rate)
        if document["type"] != "credit_note" and base != exact:
            say("I11", f"tax {entry['code']}: base {entry['base']} is not {amounts.text(exact, exponent)}")
        taxes[entry["code"]] = (base, amount)
    if {code: base + amount for code, (base, amount) in taxes.items()} != totals:
        say("I11", "the tax buckets do not add up to the lines")
    if amounts.parse(document["total"], exponent) != sum(totals.values()):
        say("I11", f"the total {document['total']} is not the sum of the lines")
    return _Issued(row.seq, document["type"], lines, taxes)


def _check_credit(books: _Books, note: _Issued, document: Any, say: _Say) -> None:
    """I9: by line and by tax, never above the original."""
    reference = document["references"][0]
    original = books.issued.get(reference["document"])
    if original is None or original.void or original.type not in {"invoice", "receipt"}:
        say("I9", f"the note credits {reference['document']}, which is no issued invoice or receipt")
        return
    note.of = reference["document"]
    for entry, (quantity, amount, _) in zip(reference["lines"], note.lines, strict=True):
        so_far = original.credited.setdefault(entry["line"], [0, 0])
        so_far[0] += quantity
        so_far[1] += amount
        note.credits.append((entry["line"], quantity, amount))
        whole = original.lines[entry["line"] - 1]
        if so_far[0] > whole[0] or so_far[1] > whole[1]:
            say("I9", f"line {entry['line']} of {note.of} is credited {so_far}, it was {whole[:2]}")
    for code, (base, amount) in note.taxes.items():
        sums = original.credited_taxes.setdefault(code, [0, 0])
        sums[0] += base
        sums[1] += amount
        whole_base, whole_amount = original.taxes.get(code, (0, 0))
        if sums[0] > whole_base or sums[1] > whole_amount:
            say("I9", f"tax {code} of {note.of} is credited {sums}, it was {[whole_base, whole_amount]}")


def _document_voided(books: _Books, row: Row, body: Any, say: _Say) -> None:  # noqa: ARG001
    issued = books.issued.get(body["document"])
    if issued is None or issued.void:
        say("I9", f"document {body['document']} was voided twice, or was never issued")
        return
    if any(quantity for quantity, _ in issued.credited.values()):
        say("I9", f"document {body['document']} was voided although it is credited")
    issued.void = True
    if issued.of:
        original = books.issued[issued.of]
        for line, quantity, amount in issued.credits:
            original.credited[line][0] -= quantity
            original.credited[line][1] -= amount
        for code, (base, amount) in issued.taxes.items():
            original.credited_taxes[code][0] -= base
            original.credited_taxes[code][1] -= amount
    _move(books, body["movements"])


def _stock_moved(books: _Books, row: Row, body: Any, say: _Say) -> None:  # noqa: ARG001
    if body["id"] in books.movements:
        say("I4", f"movement {body['id']} was booked twice")
    books.movements.add(body["id"])
    _move(books, body["movements"])


def _series_locked(books: _Books, row: Row, body: Any, say: _Say) -> None:  # noqa: ARG001
    books.series.setdefault(body["series"], _Series()).locked = True


def _series_confirmed(books: _Books, row: Row, body: Any, say: _Say) -> None:  # noqa: ARG001
    series = books.series.setdefault(body["series"], _Series())
    lost, last = body["lost"], body["last_number"]
    span = (series.next, last) if last >= series.next else None
    if (None if lost is None else (lost["first"], lost["last"])) != span:
        say("I2", f"confirmed up to {last}, the lost span says {lost}, it is {span}")
    series.locked, series.next = False, max(series.next, last + 1)


def _tenure_locked(books: _Books, row: Row, body: Any, say: _Say) -> None:  # noqa: ARG001
    books.lock = True


def _tenure_unlocked(books: _Books, row: Row, body: Any, say: _Say) -> None:  # noqa: ARG001
    books.lock = False


def _issuer_declared(books: _Books, row: Row, body: Any, say: _Say) -> None:  # noqa: ARG001
    if not body["issuer"].get("name"):
        say("I10", "an issuer without a name")


def _move(books: _Books, movements: list[list[Any]]) -> None:
    for sku, quantity in movements:
        books.on_hand[sku] = books.on_hand.get(sku, 0) + quantity


_JUDGES: dict[str, Callable[[_Books, Row, Any, _Say], None]] = {
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
