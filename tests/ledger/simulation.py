"""A store on a bad day, from a seed: tills on a lossy network, crashes, a flapping line, a head office that copies.

`python -m tests.ledger.simulation SEED [STEPS]` replays a seed; with `--many COUNT` it tries many from SEED on.
"""

import hashlib
import random
import sys
from dataclasses import dataclass, field
from typing import Any

from gateway.fiscal import honduras
from gateway.ledger import chain
from gateway.ledger.commands import IssueDocument, VoidDocument
from gateway.ledger.decide import decide
from gateway.ledger.facts import Row
from gateway.ledger.invariants import breaches
from gateway.ledger.outcomes import Decided, Known
from gateway.ledger.page import Page
from tests.ledger.shop import CREDITS, SERIES, Shop, credit, granted, house, line, move, sale, void

SKUS = ("apple", "pear", "plum")
RANGE_NUMBERS = 40
TICK_MS = 700
PATIENCE_TICKS = 10
"""After so long a till asks again, under the same id."""


class BadDayError(AssertionError):
    """A checker found something; says how to see it again."""

    def __init__(self, seed: int, step: int, what: str) -> None:
        super().__init__(f"{what}\n  at step {step}; replay: python -m tests.ledger.simulation {seed}")


class ForkError(Exception):
    """A row does not follow those that head office holds."""


@dataclass(slots=True)
class Till:
    """Asks for one thing at a time and asks again until it is answered."""

    name: str
    asking: Any = None
    asked_at: int = 0
    serial: int = 0
    last_seen: dict[str, int] = field(default_factory=dict)
    sold: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Gateway:
    """The page in memory, and what a disk would hold: only what was committed outlives a crash."""

    shop: Shop
    disk: list[Row]
    inbox: list[tuple[str, Any]] = field(default_factory=list)

    def settle(self) -> list[tuple[str, Any, Any, bool]]:
        """Decide the whole inbox on the page: (till, command, answer or None, written now)."""
        replies = []
        for till, command in self.inbox:
            decision = decide(self.shop.page, command, self.shop.at, self.shop.house)
            if isinstance(decision, Known):
                replies.append((till, command, decision.answer, False))
                continue
            for fact in decision.facts:
                self.shop.page.turn(fact, self.shop.at)
            answer = decision.answer if isinstance(decision, Decided) else None
            replies.append((till, command, answer, answer is not None))
        self.inbox.clear()
        return replies

    def commit(self) -> None:
        """Everything decided is on the disk."""
        self.disk.extend(self.shop.page.rows[len(self.disk) :])

    def crash(self) -> None:
        """Power gone: what was not committed never happened; the page comes from the rows."""
        self.inbox.clear()
        page = Page(products=dict(self.shop.page.products))
        for row in self.disk:
            page.apply(row, chain.body_of(row))
        page.rows = list(self.disk)
        self.shop.page = page


@dataclass(slots=True)
class HeadOffice:
    """Keeps a copy that only ever grows by rows that follow its newest one."""

    rows: list[Row] = field(default_factory=list)

    def take(self, chunk: list[Row]) -> int:
        """Apply what follows; answer how far the copy goes."""
        for row in chunk:
            if row.seq == len(self.rows) + 1:
                if row.prev_hash != (self.rows[-1].hash if self.rows else chain.START):
                    raise ForkError(row.seq)
                self.rows.append(row)
            elif row.seq > len(self.rows) or self.rows[row.seq - 1] != row:
                raise ForkError(row.seq)
        return len(self.rows)


class Simulation:
    """One seed: `run` it, and every promise was watched at every step."""

    def __init__(self, seed: int, *, tills: int = 8, gateway: type[Gateway] = Gateway) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        shop = Shop(house(honduras))
        for sku in SKUS:
            shop.stock(sku, self.chance.randint(5, 900), tax=self.chance.choice(["isv15", "exempt"]), on_hand=30_000)
        shop.done(granted("range-1", 1, RANGE_NUMBERS))
        shop.done(granted("credits", 1, 9_000, series=CREDITS))
        self.gateway = gateway(shop, list(shop.rows))
        self.office = HeadOffice()
        self.acknowledged = 0
        self.line_is_up = True
        self.tills = {f"till-{number}": Till(f"till-{number}") for number in range(tills)}
        self.wire: list[tuple[int, str, str, Any]] = []
        """(Due tick, "request" or "reply", till, what)."""
        self.answered: dict[tuple[str, str], bytes] = {}
        """(Kind, id) → what some till heard, as bytes."""
        self.checked = 0
        self.numbers: dict[str, list[int]] = {}
        self.stock: dict[str, int] = {}
        self.head = chain.START
        self.step = 0
        self.calm = False

    def run(self, steps: int) -> None:
        """A bad day of so many steps, then calm until everybody is served."""
        for self.step in range(steps):
            self.tick()
        self.calm = self.line_is_up = True
        while any(till.asking for till in self.tills.values()) or self.acknowledged < len(self.gateway.disk):
            self.step += 1
            self.tick()
            self.expect(self.step < steps + 1000, "somebody is never served")
        self.check_answers()
        self.expect(self.office.rows == self.gateway.disk, "head office lacks something at the end")
        found = list(breaches(self.gateway.disk))
        self.expect(not found, f"the journal breaks its promises: {found[:3]}")

    def tick(self) -> None:
        """A moment in the life of the store."""
        self.gateway.shop.at += TICK_MS
        for till in self.tills.values():
            self.till_acts(till)
        self.deliver()
        self.gateway_acts()
        self.link_acts()
        self.check()

    def expect(self, is_true: bool, what: str) -> None:
        """Raise with the seed unless it is true."""
        if not is_true:
            raise BadDayError(self.seed, self.step, what)

    # tills and the network

    def happens(self, probability: float) -> bool:
        return not self.calm and self.chance.random() < probability

    def send(self, kind: str, till: str, what: Any) -> None:
        """Lose it, deliver it late, deliver it twice."""
        if self.happens(0.12):
            return
        for _ in range(2 if self.happens(0.1) else 1):
            self.wire.append((self.step + self.chance.randint(0, 3), kind, till, what))

    def till_acts(self, till: Till) -> None:
        if till.asking is None and not self.calm and self.chance.random() < 0.5:
            till.asking, till.asked_at = self.new_command(till), self.step
            self.send("request", till.name, till.asking)
        elif till.asking is not None and self.step - till.asked_at >= PATIENCE_TICKS:
            till.asked_at = self.step
            self.send("request", till.name, till.asking)

    def new_command(self, till: Till) -> Any:
        till.serial += 1
        identity = f"{till.name}/{till.serial}"
        seen = tuple(till.last_seen.items())
        turn = self.chance.random()
        if till.sold and turn < 0.15:
            return credit(identity, self.chance.choice(till.sold), till=till.name, last_seen=seen)
        if till.sold and turn < 0.25:
            return void(self.chance.choice(till.sold), till=till.name)
        if turn < 0.35:
            return move(identity, (self.chance.choice(SKUS), self.chance.randint(1, 9) * 1000))
        lines = [line(self.chance.choice(SKUS), self.chance.randint(1, 3000)) for _ in range(self.chance.randint(1, 3))]
        return sale(identity, *lines, till=till.name, last_seen=seen)

    def deliver(self) -> None:
        due = [message for message in self.wire if message[0] <= self.step]
        self.wire = [message for message in self.wire if message[0] > self.step]
        self.chance.shuffle(due)
        for _, kind, name, what in due:
            if kind == "request":
                self.gateway.inbox.append((name, what))
            else:
                self.till_hears(self.tills[name], *what)

    def till_hears(self, till: Till, command: Any, answer: Any) -> None:
        if answer is not None:
            key = (type(command).__name__, command.document if isinstance(command, VoidDocument) else command.id)
            heard = chain.body_text(answer).encode()
            self.expect(self.answered.setdefault(key, heard) == heard, f"{key} was answered in two ways")
            if isinstance(command, IssueDocument):
                till.last_seen[answer["series"]] = max(till.last_seen.get(answer["series"], 0), answer["number"])
                if answer["series"] == SERIES and answer["id"] not in till.sold:
                    till.sold.append(answer["id"])
        if command is till.asking:
            till.asking = None

    # the gateway and its line

    def gateway_acts(self) -> None:
        if self.gateway.inbox and (self.calm or self.chance.random() < 0.6):
            replies = self.gateway.settle()
            if self.happens(0.02):
                self.gateway.crash()
                return
            self.gateway.commit()
            if self.happens(0.02):
                self.gateway.crash()
                return
            for till, command, answer, _ in replies:
                self.send("reply", till, (command, answer))
        head = self.gateway.shop.page.head(SERIES)
        ranges = self.gateway.shop.page.ranges[SERIES]
        if ranges[-1].last - head.last_number < RANGE_NUMBERS // 2:
            first = ranges[-1].last + 1
            self.gateway.shop.done(granted(f"range-{first}", first, first + RANGE_NUMBERS - 1))
            self.gateway.commit()

    def link_acts(self) -> None:
        if self.happens(0.03):
            self.line_is_up = not self.line_is_up
        if not self.line_is_up or self.happens(0.5):
            return
        length = self.chance.randint(1, 20)
        chunk = self.gateway.disk[self.acknowledged : self.acknowledged + length]
        if self.happens(0.1):
            return
        try:
            reached = self.office.take(chunk)
        except ForkError as error:
            raise BadDayError(self.seed, self.step, f"the books and their copy part at row {error}") from error
        if not self.happens(0.1):
            self.acknowledged = reached

    # the checkers: each knows nothing of how the books work

    def check(self) -> None:
        """Look at what was committed since the last step."""
        disk = self.gateway.disk
        for row in disk[self.checked :]:
            text = f"{row.seq}\n{row.at}\n{row.kind}\n{row.text}"
            self.expect(row.prev_hash == self.head, f"row {row.seq} does not follow")
            self.head = hashlib.sha256(self.head + text.encode()).digest()
            self.expect(row.hash == self.head, f"row {row.seq} has another hash")
            body = chain.body_of(row)
            if row.kind == "document_issued":
                given = self.numbers.setdefault(body["document"]["series"], [])
                given.append(body["document"]["number"])
                self.expect(given[-1] == len(given), f"number {given[-1]} came where {len(given)} was next")
            for sku, quantity in body.get("movements", ()):
                self.stock[sku] = self.stock.get(sku, 0) + quantity
                self.expect(self.stock[sku] >= 0, f"{sku} was sold below zero")
        self.checked = len(disk)
        copied = len(self.office.rows)
        self.expect(self.office.rows[-3:] == disk[max(copied - 3, 0) : copied], "head office holds no prefix")
        if self.step % 100 == 0:
            self.check_answers()

    def check_answers(self) -> None:
        """Whatever a till heard stands in the journal, once, in the very bytes; stock is what was moved."""
        stands: dict[str, bytes] = {}
        for row in self.gateway.disk:
            if row.kind == "document_issued":
                document = chain.body_of(row)["document"]
                self.expect(document["id"] not in stands, f"{document['id']} has two numbers")
                stands[document["id"]] = chain.body_text(document).encode()
        for (kind, identity), heard in self.answered.items():
            if kind == "IssueDocument":
                self.expect(stands.get(identity) == heard, f"{identity} is not what its till was told")
        self.expect(self.gateway.shop.page.on_hand == self.stock, "stock is not the sum of its movements")


def main() -> None:
    """Replay one seed, or try many."""
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    many = "--many" in sys.argv
    seed, steps = numbers[0], 400 if many or len(numbers) < 2 else numbers[1]
    for each in range(seed, seed + (numbers[1] if many else 1)):
        simulation = Simulation(each)
        simulation.run(steps)
        print(f"seed {each}: {len(simulation.gateway.disk)} rows, {simulation.head.hex()[:16]}")


if __name__ == "__main__":
    main()
