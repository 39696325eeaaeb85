"""A whole store as one page, and short ways to ask it things: for tests of the pure core."""

import hashlib
from dataclasses import replace
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from gateway.fiscal import honduras, plain
from gateway.ledger import chain
from gateway.ledger.amounts import NOTHING, Milli, Minor
from gateway.ledger.commands import (
    CreditedLine,
    Customer,
    DocumentType,
    IssueDocument,
    Line,
    LoadRange,
    MovementKind,
    MoveStock,
    Payment,
    Reference,
    VoidDocument,
)
from gateway.ledger.decide import decide
from gateway.ledger.facts import Fact, Row
from gateway.ledger.invariants import Breach, Stand, Tally, breaches
from gateway.ledger.outcomes import Decision, Known, Refused
from gateway.ledger.page import Page, Product
from gateway.ledger.rules import House

NOON = 1_795_278_031_118
"""2026-11-21T16:20:31.118Z, the instant of the contract's example."""
DAY_MS = 86_400_000
SERIES = "000-001-01"
CREDITS = "000-001-06"
BUYER = Customer("08011999123456", "Ana López")
CAI = "672002-A60EB4-6946A1-E1437B-9925CE-35"


def house(rules: ModuleType = plain, **changes: Any) -> House:
    """A store in Tegucigalpa under a country's rules."""
    made = House(
        rules=rules,
        establishment="000",
        emission_point="001",
        zone=ZoneInfo("America/Tegucigalpa"),
        currency=rules.CURRENCY,
        exponent=rules.EXPONENT,
        allow_unlisted=True,
        printers=frozenset({"front"}),
    )
    if rules is honduras:
        made = replace(made, consumer_limit=Minor(1_000_000))
    return replace(made, **changes)


class Shop:
    """The books of one store in memory; `ask` decides and turns the page as the desk does."""

    def __init__(self, rules: House | None = None, *, at: int = NOON) -> None:
        self.house = rules or house()
        self.at = at
        self.page = Page()
        opened = {"store": "shop", "epoch": "e1", "country": self.house.rules.COUNTRY}
        self.page.turn(
            Fact("books_opened", {**opened, "currency": self.house.currency, "exponent": self.house.exponent}), at
        )

    @property
    def rows(self) -> list[Row]:
        """The journal."""
        return self.page.rows

    def stock(self, sku: str, unit_price: int = 1000, on_hand: int = 0, **product: Any) -> None:
        """Put a product in the catalogue, and receive what is on hand."""
        given = {"name": sku.title(), "tax": "vat15", "tracked": True, "sell_below_zero": False, **product}
        self.page.products[sku] = Product(sku, given.pop("name"), unit_price, **given)
        if on_hand:
            self.done(move(f"stock-{sku}-{self.page.seq}", (sku, on_hand)))

    def ask(self, command: Any, *, at: int | None = None) -> Decision:
        """Decide a command and write what follows."""
        now = self.at if at is None else at
        decision = decide(self.page, command, now, self.house)
        if not isinstance(decision, Known):
            for fact in decision.facts:
                self.page.turn(fact, now)
        return decision

    def done(self, command: Any, *, at: int | None = None) -> Any:
        """The answer to a command that is carried out, now or before."""
        decision = self.ask(command, at=at)
        assert not isinstance(decision, Refused), decision
        return decision.answer

    def refused(self, command: Any, *, at: int | None = None) -> Any:
        """The refusal of a command; nothing but an alarm is written."""
        seq = self.page.seq
        decision = self.ask(command, at=at)
        assert isinstance(decision, Refused), decision
        assert self.page.seq == seq + len(decision.facts)
        return decision.refusal

    def breaches(self, tally: Tally | None = None) -> list[Breach]:
        """What is wrong with the journal; if nothing is, the page says what the journal adds up to."""
        counted = Tally() if tally is None else tally
        found = list(breaches(self.rows, counted))
        if not found:
            self._agree(counted)
        return found

    def _agree(self, tally: Tally) -> None:
        page = self.page
        for key in page.heads.keys() | tally.series.keys():
            head, stand = page.head(key), tally.series.get(key, Stand(0, 0, "", 0, "", None))
            stands = head.last_number, head.high_number, head.last_date, head.wrap, head.range, head.locked_by
            assert stands == tuple(getattr(stand, name) for name in stand.__slots__), key
        assert {each.id: each.state for ranges in page.ranges.values() for each in ranges} == tally.ranges
        assert (page.lock, page.issuer) == (tally.lock, tally.issuer)
        assert page.on_hand == tally.on_hand
        credited = {(of, line): sums for of, lines in page.credits.items() for line, sums in lines.items()}
        assert credited == tally.credited
        taxes = {(of, code): sums for of, codes in page.credited_taxes.items() for code, sums in codes.items()}
        assert taxes == tally.credited_taxes

    def rebuilt(self) -> Page:
        """The page as a restart finds it: from the rows alone."""
        page = Page(products=dict(self.page.products))
        for row in self.rows:
            page.apply(row, chain.body_of(row))
        return page


def digest(*what: Any) -> bytes:
    """The digest of a request."""
    return hashlib.sha256(repr(what).encode()).digest()


def line(sku: str = "apple", quantity: int = 1000, unit_price: int | None = None, discount: int = 0) -> Line:
    """A line of a listed product."""
    price = None if unit_price is None else Minor(unit_price)
    return Line(sku, Milli(quantity), price, Minor(discount))


def unlisted(unit_price: int, quantity: int = 1000, tax: str = "vat15", discount: int = NOTHING) -> Line:
    """A line that says everything itself."""
    return Line("ad-hoc", Milli(quantity), Minor(unit_price), Minor(discount), "Something", tax)


def sale(identity: str, *lines: Line, **more: Any) -> IssueDocument:
    """An invoice; a single apple unless lines are given."""
    given = {"type": DocumentType.INVOICE, "till": "front-1", "lines": lines or (unlisted(1000),), **more}
    return IssueDocument(identity, digest(identity, sorted(more.items(), key=str), lines), **given)


def credit(identity: str, of: str, *lines: tuple[int, int], **more: Any) -> IssueDocument:
    """A credit note over (line, thousandths) of an original, or over all that is left of it."""
    named = Reference(of, "came back", tuple(CreditedLine(position, Milli(quantity)) for position, quantity in lines))
    given = {"till": "front-1", "lines": (), "customer": BUYER, "references": (named,), **more}
    return IssueDocument(identity, digest(identity, of, lines), type=DocumentType.CREDIT_NOTE, **given)


def void(document: str, reason: str = "typed wrong", till: str = "front-1") -> VoidDocument:
    """Annul a document."""
    return VoidDocument(document, digest(document, reason), till, reason)


def move(identity: str, *lines: tuple[str, int], kind: MovementKind = MovementKind.RECEIPT) -> MoveStock:
    """A movement of stock outside documents."""
    given = tuple((sku, Milli(quantity)) for sku, quantity in lines)
    return MoveStock(identity, digest(identity, lines, kind), "front-1", kind, given)


def cash(amount: int) -> tuple[Payment, ...]:
    """Paid in notes and coins."""
    return (Payment("cash", Minor(amount)),)


def granted(identity: str, first: int, last: int, series: str = SERIES, **more: Any) -> LoadRange:
    """A range the authority granted."""
    given = {"authority_kind": "CAI", "authority_ref": CAI, "valid_until": "2027-06-30", **more}
    return LoadRange(identity, series, first=first, last=last, **given)
