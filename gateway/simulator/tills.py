"""Tills that sell baskets as real ones do: one request in the air each, the same id again until there is an answer.

A till remembers the last number that it saw of each series and says so with every sale, as a real one must: books
that forgot a number are found out by the next sale (I6).
"""

import asyncio
import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.client.problem import NoAnswerError, Problem
from gateway.client.till import Till
from gateway.client.values import Document, DocumentRequest, LineRequest, PaymentRequest
from gateway.client.wire import Attempt
from gateway.simulator.baskets import Basket, BasketLine, money, quantity
from gateway.simulator.history import History, Record
from gateway.simulator.tally import Sale, Tally

CASHIERS = ("ana", "carlos", "dolores", "luis", "mirna", "oscar", "rosa", "wilmer")
NOTES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
"""Cents of the notes in a purse; cash is paid with the next larger multiple of one of them."""
CASH_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Manner:
    """How all tills of a run sell."""

    listed: frozenset[str] = frozenset()
    """SKUs in the store's catalogue; a line of any other is sent with name, price and tax."""
    tax: str = "exempt"
    document_type: str = "invoice"
    print_to: str | None = None
    speed: float = 0.0
    """Times the pace at which the baskets were really paid; 0 sells as fast as possible."""
    pause_ms: int = 0
    """Between two sales of one till, half of it by chance."""


class Seller:
    """One till with its cashier."""

    def __init__(self, till: Till, name: str, manner: Manner, history: History, tally: Tally) -> None:
        self.name = name
        self.basket: Basket | None = None
        """The one at the till, or the last one that was."""
        self.is_busy = False
        self._till = till
        self._manner = manner
        self._history = history
        self._tally = tally
        self._generator: random.Random = till.generator
        self._cashier = self._generator.choice(CASHIERS)
        self._seen: dict[str, int] = {}

    def new_id(self) -> str:
        """An id for a new request of this till."""
        return self._till.new_id()

    async def work(self, baskets: Iterable[Basket], stop: asyncio.Event, *, opened_at_ms: int | None = None) -> None:
        """Sell the baskets in turn until they end or `stop` is set; a sale that was begun is finished.

        `opened_at_ms` is when the first basket of all was paid: with a `speed` each sale waits for its turn.
        """
        began = self._till.clock.monotonic()
        for basket in baskets:
            due = 0.0
            if self._manner.speed and opened_at_ms is not None:
                due = began + (basket.at_ms - opened_at_ms) / 1000 / self._manner.speed - self._till.clock.monotonic()
            elif self._manner.pause_ms:
                due = self._manner.pause_ms / 1000 * self._generator.uniform(0.5, 1.0)
            if await _waited(stop, due):
                return
            self.basket, self.is_busy = basket, True
            await self.sell(basket)
            self.is_busy = False

    async def sell(self, basket: Basket) -> Document | None:
        """Sell one basket; what is out of stock is taken out of it. Answers None when nothing was sold."""
        lines = list(basket.lines)
        while lines:
            document, body = self._till.new_id(), self.request(lines)
            began = self._till.clock.monotonic()
            try:
                answer = await self.ask(document, body)
            except Problem as problem:
                self._tally.refused[problem.code] += 1
                lines = _without(lines, problem)
                continue
            except NoAnswerError:
                self._tally.unknown += 1
                return None
            waited_ms = (self._till.clock.monotonic() - began) * 1000
            self._tally.add(_sale(basket, self.name, answer, waited_ms))
            return answer
        self._tally.given_up += 1
        return None

    async def ask(self, document: str, body: DocumentRequest) -> Document:
        """Issue, with every try written into the history; raises as `Till.issue`."""
        tries = 0

        def write_down(attempt: Attempt) -> None:
            nonlocal tries
            tries += 1
            self._history.add(_record(self.name, document, attempt))

        try:
            answer = await self._till.issue(document, body, observe=write_down)
        finally:
            self._tally.retries += tries - 1
        series = answer["series"]
        self._seen[series] = max(self._seen.get(series, 0), answer["number"])
        return answer

    def request(self, lines: Iterable[BasketLine]) -> DocumentRequest:
        """The request for these lines, paid by this customer."""
        lines = list(lines)
        total = sum(line.total for line in lines)
        body: DocumentRequest = {
            "type": self._manner.document_type,
            "issued_by": {"cashier": self._cashier},
            "lines": [self._line(line) for line in lines],
            "payments": self._payments(total),
            "expected_total": money(total),
            "last_seen": dict(self._seen),
        }
        if self._manner.print_to is not None:
            body["print_to"] = self._manner.print_to
        return body

    def _line(self, line: BasketLine) -> LineRequest:
        asked: LineRequest = {
            "sku": line.sku,
            "quantity": quantity(line.quantity),
            "unit_price": money(line.unit_price),
            "discount": money(line.discount),
        }
        if line.sku not in self._manner.listed:
            asked["name"], asked["tax"] = line.name, self._manner.tax
        return asked

    def _payments(self, total: int) -> list[PaymentRequest]:
        if total == 0:
            return []
        if self._generator.random() >= CASH_SHARE:
            return [{"method": "card", "amount": money(total)}]
        note = self._generator.choice(NOTES)
        return [{"method": "cash", "amount": money(-(-total // note) * note)}]


def shares(baskets: Iterable[Basket], tills: int) -> list[list[Basket]]:
    """Deal the baskets out, one to each till in turn: the same file, the same share, whatever the tills' luck."""
    dealt: list[list[Basket]] = [[] for _ in range(tills)]
    for basket, share in zip(baskets, itertools.cycle(dealt), strict=False):
        share.append(basket)
    return dealt


def endless(baskets: list[Basket]) -> Iterator[Basket]:
    """The same customers again and again."""
    return itertools.cycle(baskets)


async def _waited(stop: asyncio.Event, seconds: float) -> bool:
    """Wait for the next sale's turn; True when it shall not come."""
    if seconds > 0 and not stop.is_set():
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            return False
    return stop.is_set()


def _without(lines: list[BasketLine], problem: Problem) -> list[BasketLine]:
    """What is left to sell after a refusal: all but the product that is out of stock; nothing for any other reason."""
    if problem.code != "stock_short":
        return []
    return [line for line in lines if line.sku != problem.extras.get("sku")]


def _record(client: str, document: str, attempt: Attempt) -> Record:
    """A 2xx is an answer, a 4xx is a "no" before anything was done; everything else may have been done or not."""
    status, answer = attempt.status, attempt.answer
    if status is not None and status < 300:
        number, series = int(answer["number"]), str(answer["series"])
        return Record(client, document, attempt.started, attempt.ended, "ok", series, number)
    if status is not None and 400 <= status < 500 and status not in {408, 429}:
        return Record(client, document, attempt.started, attempt.ended, "fail")
    return Record(client, document, attempt.started, None if status is None else attempt.ended, "unknown")


def _sale(basket: Basket, till: str, answer: Document, waited_ms: float) -> Sale:
    return Sale(
        basket.id,
        till,
        answer["id"],
        answer["series"],
        answer["number"],
        answer["formatted_number"],
        answer["total"],
        waited_ms,
    )
