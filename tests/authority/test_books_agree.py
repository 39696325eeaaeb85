"""The books on disk, in groups, decide what one page in memory decides, one command after the other: to the byte."""

import asyncio
import random

import orjson
import pytest

from gateway.authority.desk import Done
from gateway.ledger import chain
from gateway.ledger.commands import CancelRange, ConfirmSeries, LockTenure, MovementKind, UnlockTenure
from gateway.ledger.decide import decide
from gateway.ledger.outcomes import Decided, Known
from gateway.ledger.page import Page, Product
from gateway.storage import documents
from tests.authority.counter import opened, stocked
from tests.ledger.shop import SERIES, credit, granted, line, move, sale, unlisted, void
from tests.storage.plug import Plug

GROUPS = 60


class Stream:
    """Commands of every kind, from a seed; often about the same few documents, so that they meet."""

    def __init__(self, chance) -> None:
        self.chance = chance
        self.serial = 0
        self.sales: list[str] = []
        self.asked: list = []
        self.next_first = 31

    def next(self):
        command = self.new()
        self.asked.append(command)
        return command

    def new(self):
        chance, turn = self.chance, self.chance.random()
        self.serial += 1
        identity = f"c-{self.serial}"
        known = self.sales[-8:] or ["nobody"]
        if turn < 0.10 and self.asked:
            return chance.choice(self.asked[-12:])
        if turn < 0.14:
            return sale(chance.choice(known), line("water", 9000))
        if turn < 0.30:
            lines = [(chance.randint(1, 2), chance.randint(1, 1500))] * chance.randint(0, 1)
            self.sales.append(identity)
            return credit(identity, chance.choice(known), *lines)
        if turn < 0.38:
            return void(
                chance.choice(known), chance.choice(["typed wrong", "other"]), till=f"till-{chance.randint(1, 2)}"
            )
        if turn < 0.48:
            return move(identity, ("apple", chance.randint(0, 9000)), kind=chance.choice(list(MovementKind)))
        if turn < 0.52:
            first = self.next_first + chance.randint(-3, 2)
            self.next_first = max(self.next_first, first + 20)
            return granted(f"range-{first}", first, first + 19, valid_until=chance.choice(["2026-11-22", "2027-06-30"]))
        if turn < 0.53:
            return CancelRange(f"range-{chance.randint(25, self.next_first)}", "withdrawn")
        if turn < 0.56:
            return ConfirmSeries(SERIES, chance.randint(1, self.next_first // 2), "paper")
        if turn < 0.59:
            return LockTenure("restored") if turn < 0.565 else UnlockTenure("compared")
        self.sales.append(identity)
        seen = ((SERIES, chance.randint(0, self.next_first)),) if chance.random() < 0.05 else ()
        lines = [
            chance.choice(
                [line("apple", chance.randint(1, 3000)), line("water"), line("plum"), unlisted(77, tax="zero")]
            )
            for _ in range(chance.randint(1, 3))
        ]
        return sale(identity, *lines, last_seen=seen, print_to=chance.choice([None, "front"]))


async def page_of(counter) -> Page:
    """The whole store as one page, from the journal alone."""
    page = Page()
    for row in await documents.journal_after(counter.reader, 0, 1_000_000):
        page.apply(row, chain.body_of(row))
    page.products = {
        "apple": Product("apple", "Apple", 250, "isv15", True, False),
        "water": Product("water", "Water", 100, "isv15", False, False),
    }
    return page


def decided(page, command, now, house) -> bytes:
    """What the page in memory answers; it is turned."""
    decision = decide(page, command, now, house)
    if isinstance(decision, Known):
        return orjson.dumps([decision.seq, False, decision.answer])
    for fact in decision.facts:
        page.turn(fact, now)
    if isinstance(decision, Decided):
        return orjson.dumps([page.seq, True, decision.answer])
    return orjson.dumps([decision.refusal.code, decision.refusal.values])


def heard(outcome) -> bytes:
    """What the desk answers, in the same form."""
    if isinstance(outcome, Done):
        return orjson.dumps([outcome.seq, outcome.created, outcome.body])
    return orjson.dumps([outcome.code, outcome.values])


@pytest.mark.parametrize("seed", range(4))
async def test_disk_and_memory_agree_on_every_answer_and_every_row(tmp_path, seed):
    chance = random.Random(seed)
    stream = Stream(chance)
    async with opened(tmp_path) as counter:
        await stocked(counter, apples=60_000, ranges=[(1, 30)])
        memory = await page_of(counter)
        for _ in range(GROUPS):
            counter.clock.advance(chance.choice([0, 1000, 3_600_000, -5000]))
            commands = [stream.next() for _ in range(chance.randint(1, 12))]
            async with Plug(counter.writer):
                asked = [asyncio.ensure_future(counter.desk.submit(command)) for command in commands]
                await asyncio.sleep(0)
            for command, outcome in zip(commands, await asyncio.gather(*asked), strict=True):
                expected = decided(memory, command, counter.clock.now_ms(), counter.desk.house)
                assert heard(outcome) == expected, command
        journal = await documents.journal_after(counter.reader, 0, 1_000_000)
        assert journal[-len(memory.rows) :] == memory.rows
        assert {row.kind for row in journal} >= {
            "document_issued", "document_voided", "stock_moved", "range_loaded", "range_ended", "series_locked",
            "series_confirmed", "tenure_locked", "tenure_unlocked",
        }  # fmt: skip
        verdict = counter.verdict()
        assert verdict.found == ()
        assert verdict.tally.on_hand == memory.on_hand


async def last_number(counter) -> int:
    """Where the invoices stand."""
    return next(each["last_number"] for each in await documents.series(counter.reader) if each["key"] == SERIES)


async def test_every_document_is_answered_with_the_same_bytes_after_the_books_were_opened_again(tmp_path):
    chance = random.Random(9)
    stream = Stream(chance)
    told = {}
    async with opened(tmp_path) as counter:
        await stocked(counter, ranges=[(1, 1000)])
        for _ in range(300):
            command = stream.next()
            outcome = await counter.desk.submit(command)
            if isinstance(outcome, Done) and hasattr(command, "lines"):
                told.setdefault(command.id, (command, orjson.dumps(outcome.body)))
            elif getattr(outcome, "code", "") in {"series_locked", "tenure_locked"}:
                await counter.done(UnlockTenure("compared"))
                await counter.done(ConfirmSeries(SERIES, await last_number(counter), "paper"))
    async with opened(tmp_path) as counter:
        for command, first in told.values():
            outcome = await counter.done(command)
            assert (outcome.created, orjson.dumps(outcome.body)) == (False, first)
    assert len(told) > 60
