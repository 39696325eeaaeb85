"""What one row of a journal may not say after all the rows before it (I1-I11): one judge for each kind of fact.

The money on a document is reckoned in `reckoning`. Nothing is shared with the decisions.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gateway.instants import iso
from gateway.ledger.facts import Row
from gateway.ledger.reckoning import Papers, Say, take_back, take_in

EXPONENT_MAX = 4
"""ISO 4217 has no currency with more decimals."""
TURN_NUMBER_MIN = 99_999_999
"""No country's correlative has fewer than eight digits: before this number none may begin again at 1."""


@dataclass(slots=True)
class Series:
    """Where a series stands, and every number it gave."""

    next: int = 1
    high: int = 0
    wrap: int = 0
    range: str = ""
    type: str = ""
    date: str = ""
    locked_by: int | None = None
    has_ranges: bool = False
    is_full: bool = False
    """The very last number of the newest turn is granted or given: a new turn may begin."""
    newest_wrap: int = 0
    given: dict[int, list[list[int]]] = field(default_factory=dict)
    """Wrap → spans [first, last] of numbers that were issued or named lost."""


@dataclass(slots=True)
class Books:
    """What a pass has seen so far."""

    exponent: int = 2
    begun: bool = False
    opened: dict[str, Any] = field(default_factory=dict)
    """Body of the first row."""
    issuer: int = 0
    lock: str | None = None
    series: dict[str, Series] = field(default_factory=dict)
    ranges: dict[str, dict[str, Any]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    papers: Papers = field(default_factory=Papers)
    movements: set[str] = field(default_factory=set)
    on_hand: dict[str, int] = field(default_factory=dict)


def judge(books: Books, row: Row, body: Any, say: Say) -> None:
    """Take one row in, and say what it breaks."""
    if not books.begun and row.kind != "books_opened":
        say("I12", "the journal does not begin with books_opened")
        books.begun = True
    _JUDGES[row.kind](books, row, body, say)


def _books_opened(books: Books, row: Row, body: Any, say: Say) -> None:
    if books.begun or row.seq != 1:
        say("I5", "the books were opened a second time")
    books.begun, books.opened = True, body
    if body["exponent"] in range(EXPONENT_MAX + 1):
        books.exponent = body["exponent"]
    else:
        say("I11", f"a currency has no {body['exponent']} decimals")


def _issuer_declared(books: Books, row: Row, body: Any, say: Say) -> None:
    books.issuer = row.seq
    if not body["issuer"].get("name"):
        say("I10", "an issuer without a name")


def _range_loaded(books: Books, row: Row, body: Any, say: Say) -> None:  # noqa: ARG001
    series = books.series.setdefault(body["series"], Series())
    identity, first, last, wrap = body["id"], body["first"], body["last"], body["wrap"]
    if identity in books.ranges:
        say("I4", f"range {identity} was loaded twice")
    if not 1 <= first <= last:
        say("I7", f"range {identity} runs from {first} to {last}")
    for other in books.ranges.values():
        same = other["series"] == body["series"] and other["wrap"] == wrap
        if same and first <= other["last"] and other["first"] <= last:
            say("I1", f"range {identity} overlaps range {other['id']}")
    if not series.has_ranges and _meets(series.given.get(wrap, []), first, last):
        say("I1", f"range {identity} holds numbers that were given before it was loaded")
    _check_turn(series, wrap, say)
    series.is_full = series.is_full or last >= TURN_NUMBER_MIN
    books.ranges[identity], books.states[identity] = body, "loaded"
    series.has_ranges = True


def _range_activated(books: Books, row: Row, body: Any, say: Say) -> None:  # noqa: ARG001
    identity = body["id"]
    series, loaded = books.series.setdefault(body["series"], Series()), books.ranges[identity]
    if loaded["series"] != body["series"]:
        say("I7", f"range {identity} of series {loaded['series']} began in series {body['series']}")
    if series.range:
        say("I2", f"range {identity} began before range {series.range} had ended")
    if books.states[identity] != "loaded":
        say("I2", f"range {identity} began although it was {books.states[identity]}")
    books.states[identity] = "active"
    if loaded["wrap"] > series.wrap:
        series.wrap, series.high = loaded["wrap"], 0
    series.range, series.next = identity, loaded["first"]


def _range_ended(books: Books, row: Row, body: Any, say: Say) -> None:
    identity, state, unused = body["id"], body["state"], body["unused"]
    series, ended = books.series.setdefault(body["series"], Series()), books.ranges[identity]
    first = series.next if series.range == identity else ended["first"]
    tail = (first, ended["last"]) if first <= ended["last"] else None
    if (None if unused is None else (unused["first"], unused["last"])) != tail:
        say("I2", f"the tail of range {identity} is {tail}, the unused span says {unused}")
    if books.states[identity] not in {"loaded", "active"}:
        say("I2", f"range {identity} ended although it was {books.states[identity]}")
    if state == "exhausted" and tail is not None:
        say("I2", f"range {identity} is called exhausted, {tail} was never given")
    # whatever the time zone, the local date is at most one day ahead of the UTC date
    if state == "expired" and not "" < ended["valid_until"] <= iso(row.at)[:10]:
        say("I2", f"range {identity} is called expired, it is good until {ended['valid_until'] or 'for ever'}")
    books.states[identity] = state
    if series.range == identity:
        series.range = ""


def _document_issued(books: Books, row: Row, body: Any, say: Say) -> None:
    document = body["document"]
    number, key = document["number"], document["series"]
    series = books.series.setdefault(key, Series())
    if books.lock is not None or series.locked_by is not None:
        say("I6", f"number {number} of {key} was given while allocation was locked")
    _check_number(series, number, body["wrap"], say)
    _check_range(books, series, body, say)
    _check_snapshot(series, row, body, say)
    take_in(books.papers, body, books.exponent, say)
    _move(books, body["movements"])


def _check_number(series: Series, number: int, wrap: int, say: Say) -> None:
    """I1, I2: each number once, one after the other."""
    if not series.has_ranges and wrap == series.wrap + 1 and number == 1:
        _check_turn(series, wrap, say)
        series.next, series.wrap, series.high = 1, wrap, 0
    if (number, wrap) != (series.next, series.wrap):
        say("I2", f"number {number} was given where {series.next} was next")
    if not _give(series, wrap, number, number):
        say("I1", f"number {number} was given twice")
    series.next, series.wrap, series.high = number + 1, wrap, max(series.high, number)
    if not series.has_ranges:
        series.is_full = number >= TURN_NUMBER_MIN


def _check_turn(series: Series, wrap: int, say: Say) -> None:
    """I1: the correlative begins again only after its very last number."""
    if wrap > series.newest_wrap:
        if wrap != series.newest_wrap + 1 or not series.is_full:
            say("I1", "the numbers began again before the last one was given")
        series.newest_wrap, series.is_full = wrap, False


def _check_range(books: Books, series: Series, body: Any, say: Say) -> None:
    """I7, and that the paper shows the range it comes from."""
    document, authority = body["document"], body["document"]["authority"]
    number = document["number"]
    if body["range"] is None:
        if series.has_ranges or authority is not None:
            say("I7", f"number {number} was given without a range in a series that has ranges")
        return
    inside = books.ranges.get(body["range"])
    if inside is None or body["range"] != series.range:
        say("I7", f"number {number} names range {body['range']}, active is {series.range or 'none'}")
        return
    if not inside["first"] <= number <= inside["last"]:
        say("I7", f"number {number} is outside {inside['first']}-{inside['last']}")
    late = inside["valid_until"] and document["fiscal_date"] > inside["valid_until"]
    if late or document["fiscal_date"] < inside["valid_from"]:
        say("I7", f"number {number} is dated {document['fiscal_date']}, outside its range's dates")
    shown = {
        "kind": inside["authority_kind"],
        "ref": inside["authority_ref"],
        "first": inside["first"],
        "last": inside["last"],
        "valid_until": inside["valid_until"],
    }
    if authority != shown:
        say("I10", f"number {number} shows another authority than its range")


def _check_snapshot(series: Series, row: Row, body: Any, say: Say) -> None:
    """I8 and I10: its dates, and what the paper says of itself."""
    document = body["document"]
    number, fiscal_date, issued_at = document["number"], document["fiscal_date"], document["issued_at"]
    if fiscal_date < series.date:
        say("I8", f"number {number} is dated {fiscal_date}, after one of {series.date}")
    series.date = max(series.date, fiscal_date)
    if issued_at != iso(row.at):
        say("I8", f"number {number} was issued at {issued_at}, its row was written at {iso(row.at)}")
    apart = date.fromisoformat(fiscal_date).toordinal() - date.fromisoformat(issued_at[:10]).toordinal()
    if not -1 <= apart <= 1:
        say("I8", f"number {number} of {issued_at} bears the date {fiscal_date}")
    if document["seq"] != row.seq or document["status"] != "issued":
        say("I10", f"the snapshot says row {document['seq']}, {document['status']}")
    if not document["formatted_number"].endswith(str(number)):
        say("I10", f"number {number} is printed as {document['formatted_number']}")
    series.type = series.type or document["type"]
    if document["type"] != series.type:
        say("I2", f"a {document['type']} took a number from the series of each {series.type}")
    if document["lines"] == [] or len(bytes.fromhex(body["digest"])) != 32:
        say("I4", "a document without lines or without the digest of its request")


def _document_voided(books: Books, row: Row, body: Any, say: Say) -> None:  # noqa: ARG001
    take_back(books.papers, body, say)
    _move(books, body["movements"])


def _stock_moved(books: Books, row: Row, body: Any, say: Say) -> None:  # noqa: ARG001
    if body["id"] in books.movements:
        say("I4", f"movement {body['id']} was booked twice")
    books.movements.add(body["id"])
    _move(books, body["movements"])


def _series_locked(books: Books, row: Row, body: Any, say: Say) -> None:  # noqa: ARG001
    books.series.setdefault(body["series"], Series()).locked_by = body["seen"]


def _series_confirmed(books: Books, row: Row, body: Any, say: Say) -> None:  # noqa: ARG001
    series = books.series.setdefault(body["series"], Series())
    lost, last = body["lost"], body["last_number"]
    span = (series.next, last) if last >= series.next else None
    if last < series.next - 1:
        say("I1", f"confirmed up to {last}, {series.next - 1} was given before")
    if (None if lost is None else (lost["first"], lost["last"])) != span:
        say("I2", f"confirmed up to {last}, the lost span says {lost}, it is {span}")
    if span is not None:
        inside = books.ranges.get(series.range)
        if series.has_ranges and (inside is None or last > inside["last"]):
            say("I7", f"confirmed up to {last}, outside the range in use")
        if not _give(series, series.wrap, *span):
            say("I1", f"numbers of {span} were given before")
    series.locked_by, series.next = None, max(series.next, last + 1)
    series.high = max(series.high, last)
    series.is_full = series.is_full or last >= TURN_NUMBER_MIN


def _tenure_locked(books: Books, row: Row, body: Any, say: Say) -> None:  # noqa: ARG001
    books.lock = body["reason"]


def _tenure_unlocked(books: Books, row: Row, body: Any, say: Say) -> None:  # noqa: ARG001
    books.lock = None


_JUDGES: dict[str, Callable[[Books, Row, Any, Say], None]] = {
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


def _meets(spans: list[list[int]], first: int, last: int) -> bool:
    return any(first <= span[1] and span[0] <= last for span in spans)


def _give(series: Series, wrap: int, first: int, last: int) -> bool:
    """Note numbers as given; whether none of them was given before."""
    spans = series.given.setdefault(wrap, [])
    if _meets(spans, first, last):
        return False
    if spans and spans[-1][1] + 1 == first:
        spans[-1][1] = last
    else:
        spans.append([first, last])
    return True


def _move(books: Books, movements: list[list[Any]]) -> None:
    for sku, quantity in movements:
        books.on_hand[sku] = books.on_hand.get(sku, 0) + quantity
