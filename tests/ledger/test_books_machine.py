"""The books against a model of dictionaries: Hypothesis looks for an order of events in which they disagree."""

from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.fiscal import honduras, plain
from gateway.instants import local_date
from gateway.ledger import amounts
from gateway.ledger.commands import CancelRange, ConfirmSeries, MovementKind
from gateway.ledger.invariants import Tally
from gateway.ledger.numbers import CLOCK_BACK_MS_MAX
from gateway.ledger.outcomes import Decided, Known, Refused
from tests.ledger.shop import CREDITS, DAY_MS, SERIES, Shop, cash, credit, granted, house, line, move, sale, void

SKUS = ["apple", "pear", "water"]
PRICES = {"apple": 33, "pear": 250, "water": 199}
BASKET = st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 3000)), min_size=1, max_size=3)


@dataclass
class ModelRange:
    """A range as a bookkeeper would write it on a card."""

    id: str
    first: int
    last: int
    until: str
    live: bool = True


@dataclass
class Model:
    """What the books ought to say, kept in the simplest way there is."""

    ranges: list[ModelRange] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    current: str = ""
    last: int = 0
    notes: int = 0
    on_hand: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SKUS[:2], 0))
    asked: dict[str, object] = field(default_factory=dict)
    answers: dict[str, object] = field(default_factory=dict)
    lines: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    left: dict[str, dict[int, int]] = field(default_factory=dict)
    credited: dict[str, tuple[str, dict[int, int]]] = field(default_factory=dict)
    void: set[str] = field(default_factory=set)
    locked: bool = False

    def next(self, today: str) -> int | None:
        """The number that comes next, or None."""
        for card in self.ranges:
            number = self.last + 1 if card.id == self.current else card.first
            if card.live and number <= card.last and today <= card.until:
                return number
        return None

    def take(self, number: int) -> None:
        """Give a number: the cards before its own are closed, wherever they stood."""
        for card in self.ranges:
            if card.live and card.first <= number <= card.last:
                self.current = card.id
                break
            card.live = False
        self.last = number
        self.used.append(number)


class BooksMachine(RuleBasedStateMachine):
    """One store, sold and meddled with."""

    @initialize(rules=st.sampled_from([plain, honduras]))
    def open(self, rules):
        self.shop = Shop(house(rules))
        self.model = Model()
        self.serial = 0
        self.newest = self.shop.at
        tax = "isv15"
        self.shop.stock("apple", PRICES["apple"], tax=tax)
        self.shop.stock("pear", PRICES["pear"], tax="exempt")
        self.shop.stock("water", PRICES["water"], tax=tax, tracked=False)
        self.shop.done(granted("credits", 1, 10_000, series=CREDITS, valid_until="2099-01-01"))
        self.load(length=3, days=300, gap=0)

    # what the store is like now

    def new_id(self, prefix):
        self.serial += 1
        return f"{prefix}-{self.serial}"

    def today(self):
        return local_date(max(self.shop.at, self.newest), self.shop.house.zone).isoformat()

    def is_late(self):
        """Whether Honduras issues nothing because the clock went back."""
        back = self.shop.page.at - self.shop.at
        return self.shop.house.rules is honduras and back > CLOCK_BACK_MS_MAX

    def originals(self):
        return sorted(self.model.left)

    # what people do

    @rule(length=st.integers(1, 4), days=st.integers(0, 3) | st.just(300), gap=st.integers(0, 2))
    def load(self, length, days, gap):
        first = max([0, *(card.last for card in self.model.ranges)]) + 1 + gap
        until = local_date(self.newest + days * DAY_MS, self.shop.house.zone).isoformat()
        card = ModelRange(self.new_id("range"), first, first + length - 1, until)
        self.shop.done(granted(card.id, card.first, card.last, valid_until=until))
        self.model.ranges.append(card)

    @precondition(lambda self: self.model.ranges)
    @rule(data=st.data())
    def load_what_is_taken(self, data):
        card = data.draw(st.sampled_from(self.model.ranges))
        first = data.draw(st.integers(1, card.last))
        last = data.draw(st.integers(max(first, card.first), card.last + 3))
        assert self.shop.refused(granted(self.new_id("range"), first, last)).code == "range_overlaps"

    @precondition(lambda self: self.model.ranges)
    @rule(data=st.data())
    def cancel(self, data):
        card = data.draw(st.sampled_from(self.model.ranges))
        decision = self.shop.ask(CancelRange(card.id, "withdrawn"))
        if self.model.locked or not card.live:
            assert isinstance(decision, Refused)
            return
        first = self.model.last + 1 if card.id == self.model.current else card.first
        expected = {"first": first, "last": card.last, "cause": "cancelled"} if first <= card.last else None
        assert decision.answer["unused"] == expected
        card.live = False

    @rule(basket=BASKET, paid=st.booleans())
    def sell(self, basket, paid):
        model, identity = self.model, self.new_id("sale")
        command = sale(identity, *(line(sku, quantity) for sku, quantity in basket), payments=cash(10**9) * paid)
        decision = self.shop.ask(command)
        wanted = {sku: sum(q for other, q in basket if other == sku) for sku, _ in basket if sku != "water"}
        number = model.next(self.today())
        if model.locked or self.is_late() or number is None or any(model.on_hand[s] < q for s, q in wanted.items()):
            assert isinstance(decision, Refused)
            return
        assert isinstance(decision, Decided)
        assert decision.answer["number"] == number
        exact = sum(amounts.half_up(quantity * PRICES[sku], 1000) for sku, quantity in basket)
        assert decision.answer["total"] == amounts.text(exact, 2)
        model.take(number)
        for sku, quantity in wanted.items():
            model.on_hand[sku] -= quantity
        model.lines[identity] = basket
        model.left[identity] = {position: quantity for position, (_, quantity) in enumerate(basket, 1)}
        self.remember(identity, command, decision)

    @precondition(lambda self: self.model.left)
    @rule(data=st.data())
    def give_back(self, data):
        model, identity = self.model, self.new_id("note")
        original = data.draw(st.sampled_from(self.originals()))
        left = model.left[original]
        if not left:
            assert isinstance(self.shop.ask(credit(identity, original)), Refused)
            return
        chosen = data.draw(st.lists(st.sampled_from(sorted(left)), min_size=1, unique=True))
        parts = {position: data.draw(st.integers(1, left[position] + 1)) for position in chosen}
        command = credit(identity, original, *parts.items())
        decision = self.shop.ask(command)
        too_much = any(quantity > left[position] for position, quantity in parts.items())
        if original in model.void or self.is_late() or too_much:
            assert isinstance(decision, Refused)
            return
        assert isinstance(decision, Decided), decision
        model.notes += 1
        assert decision.answer["number"] == model.notes
        self.put_back(original, parts, 1)
        model.credited[identity] = (original, parts)
        self.remember(identity, command, decision)

    @precondition(lambda self: self.model.answers)
    @rule(data=st.data())
    def annul(self, data):
        model = self.model
        identity = data.draw(st.sampled_from(sorted(model.answers)))
        has_credits = identity in model.left and model.left[identity] != {
            position: quantity for position, (_, quantity) in enumerate(model.lines[identity], 1)
        }
        decision = self.shop.ask(void(identity))
        if identity in model.void:
            assert isinstance(decision, Known)
        elif self.is_late() or has_credits:
            assert isinstance(decision, Refused)
        else:
            assert decision.answer["status"] == "void"
            model.void.add(identity)
            if identity in model.credited:
                original, parts = model.credited[identity]
                self.put_back(original, parts, -1)
            else:
                for sku, quantity in model.lines[identity]:
                    if sku != "water":
                        model.on_hand[sku] += quantity

    @precondition(lambda self: self.model.answers)
    @rule(data=st.data())
    def ask_again(self, data):
        identity = data.draw(st.sampled_from(sorted(self.model.answers)))
        decision = self.shop.ask(self.model.asked[identity])
        assert isinstance(decision, Known)
        assert decision.answer == self.model.answers[identity]

    @precondition(lambda self: self.model.answers)
    @rule(data=st.data())
    def use_an_id_twice(self, data):
        identity = data.draw(st.sampled_from(sorted(self.model.answers)))
        assert self.shop.refused(sale(identity, line("water", 7))).code == "key_reused"

    @rule(sku=st.sampled_from(SKUS[:2]), quantity=st.integers(1, 9000), kind=st.sampled_from(MovementKind))
    def move_stock(self, sku, quantity, kind):
        self.shop.done(move(self.new_id("move"), (sku, quantity), kind=kind))
        self.model.on_hand[sku] = quantity + (0 if kind is MovementKind.COUNT else self.model.on_hand[sku])

    @rule(days=st.integers(0, 2), ms=st.integers(0, DAY_MS))
    def time_passes(self, days, ms):
        self.shop.at = max(self.shop.at, self.newest) + days * DAY_MS + ms
        self.newest = self.shop.at

    @rule(ms=st.integers(1, CLOCK_BACK_MS_MAX) | st.integers(CLOCK_BACK_MS_MAX, 400 * DAY_MS))
    def the_clock_goes_back(self, ms):
        self.newest = self.shop.page.at
        self.shop.at = self.newest - ms

    @precondition(lambda self: not self.model.locked)
    @rule(more=st.integers(1, 4))
    def a_till_saw_more(self, more):
        high = max([0, *self.model.used])
        command = sale(self.new_id("ahead"), line("water"), last_seen=((SERIES, high + more),))
        assert self.shop.refused(command).code == "number_ahead"
        self.model.locked = True

    @precondition(lambda self: self.model.locked)
    @rule(data=st.data())
    def confirm(self, data):
        """The administrator says which is the last number: what the books hold, or one of the ranges that are left."""
        model = self.model
        live = [card for card in model.ranges if card.live]
        choices = [n for card in live for n in range(card.first, card.last + 1) if n > model.last]
        number = data.draw(st.sampled_from([model.last, *choices]))
        self.shop.done(ConfirmSeries(SERIES, number, "paper"))
        model.locked = False
        if number > model.last:
            model.take(number)

    # what must be true after each of these

    @invariant()
    def the_journal_keeps_every_promise(self):
        tally = Tally()
        assert self.shop.breaches(tally) == []
        assert tally.last_numbers.get(SERIES, 0) == self.shop.page.head(SERIES).last_number

    @invariant()
    def the_books_and_the_model_agree(self):
        page, model = self.shop.page, self.model
        assert len(set(model.used)) == len(model.used)
        assert {sku: page.on_hand.get(sku, 0) for sku in model.on_hand} == model.on_hand
        assert page.head(CREDITS).last_number == model.notes
        for original, left in model.left.items():
            lines = page.credits.get(original, {})
            whole = dict(enumerate((quantity for _, quantity in model.lines[original]), 1))
            assert {p: q - lines.get(p, (0, 0))[0] for p, q in whole.items() if q > lines.get(p, (0, 0))[0]} == left

    def teardown(self):
        if hasattr(self, "shop"):
            rebuilt = self.shop.rebuilt()
            for name in ("heads", "ranges", "papers", "on_hand", "credits", "credited_taxes", "lock", "movements"):
                assert getattr(rebuilt, name) == getattr(self.shop.page, name), name

    def remember(self, identity, command, decision):
        self.model.asked[identity] = command
        self.model.answers[identity] = decision.answer

    def put_back(self, original, parts, sign):
        left = self.model.left[original]
        for position, quantity in parts.items():
            left[position] = left.get(position, 0) - sign * quantity
            if not left[position]:
                del left[position]
            sku = self.model.lines[original][position - 1][0]
            if sku != "water":
                self.model.on_hand[sku] += sign * quantity


BooksMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestBooks = BooksMachine.TestCase
