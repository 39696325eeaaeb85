"""The verdict over what tills were told and what the store holds: unique, gapless, in order, nothing lost.

A fiscal counter is a fetch-and-increment register, so that linearizability needs no search. The rules:

- R1 unique: two different documents never get the same number
- R2 once: one document always gets the same number, however often it is asked for
- R3 gapless: the store holds first..last without a hole
- R4 kept: every number that was ever answered is in the store, under the same document
- R5 real time: a document that was answered before another was asked for has the smaller number
- R6 honest no: a document that was only ever refused is not in the store
- R7 bounded: the store holds no document that nobody asked for
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.simulator.history import Held, History, Record

SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Breach:
    """One broken rule, in words."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it: how much was looked at and what is wrong."""

    tries: int
    answered: int
    held: int
    breaches: tuple[Breach, ...]

    @property
    def is_clean(self) -> bool:
        """Whether no rule is broken."""
        return not self.breaches


def judge(history: History, finals: list[Held], first: int = 1) -> Verdict:
    """Judge every series; its numbers begin with `first`."""
    by_series = history.by_series(finals)
    held_by = {held.series: held for held in finals}
    found: list[Breach] = []
    for series in sorted(by_series):
        found += breaches(by_series[series], held_by.get(series, Held(series, {})), first)
    answered = len({record.key for record in history.records if record.status == "ok"})
    return Verdict(len(history.records), answered, sum(len(held.numbers) for held in finals), tuple(found))


def breaches(records: Sequence[Record], held: Held, first: int = 1) -> Iterator[Breach]:
    """All broken rules of one series."""
    answered = [record for record in records if record.status == "ok"]
    yield from _answers(answered)
    yield from _real_time(records, answered)
    yield from _gapless(held, first)
    yield from _kept(records, answered, held)


def _answers(answered: list[Record]) -> Iterator[Breach]:
    """R1 and R2."""
    key_of: dict[int, str] = {}
    number_of: dict[str, int] = {}
    for record in answered:
        other = key_of.setdefault(record.number, record.key)
        if other != record.key:
            yield Breach("R1", f"number {record.number} went to documents {other} and {record.key}")
        number = number_of.setdefault(record.key, record.number)
        if number != record.number:
            yield Breach("R2", f"document {record.key} got numbers {number} and {record.number}")


def _real_time(records: Sequence[Record], answered: list[Record]) -> Iterator[Breach]:
    """R5, by one sweep: everything answered before a document was first asked for must be smaller.

    Only a document's first answer counts: a retry repeats an old number, and rightly.
    """
    asked_at: dict[str, float] = {}
    for record in records:
        asked_at[record.key] = min(record.start, asked_at.get(record.key, record.start))
    first_answer: dict[str, Record] = {}
    for record in sorted(answered, key=_end):
        first_answer.setdefault(record.key, record)
    by_end = sorted(first_answer.values(), key=_end)
    highest: Record | None = None
    done = 0
    for record in sorted(first_answer.values(), key=lambda each: asked_at[each.key]):
        while done < len(by_end) and _end(by_end[done]) < asked_at[record.key]:
            if highest is None or by_end[done].number > highest.number:
                highest = by_end[done]
            done += 1
        if highest is not None and record.number <= highest.number and record.key != highest.key:
            yield Breach(
                "R5", f"{record.key} got {record.number} although {highest.key} had {highest.number} before it asked"
            )


def _gapless(held: Held, first: int) -> Iterator[Breach]:
    """R3."""
    numbers = sorted(held.numbers.values())
    if numbers != list(range(first, first + len(numbers))):
        missing = sorted(set(range(first, numbers[-1] + 1)) - set(numbers))[:SHOWN_MAX]
        twice = len(numbers) - len(set(numbers))
        yield Breach("R3", f"series {held.series}: missing {missing}, {twice} doubled, {len(numbers)} numbers")


def _kept(records: Sequence[Record], answered: list[Record], held: Held) -> Iterator[Breach]:
    """R4, R6 and R7."""
    for key, number in sorted({(record.key, record.number) for record in answered}, key=lambda pair: pair[1]):
        if held.numbers.get(key) != number:
            yield Breach("R4", f"answered number {number} (document {key}) is not in the store")
    asked = {record.key for record in records}
    perhaps = {record.key for record in records if record.status != "fail"}
    for key in held.numbers:
        if key not in asked:
            yield Breach("R7", f"document {key} in the store was never asked for")
        elif key not in perhaps:
            yield Breach("R6", f"document {key} was refused, yet it is in the store")


def _end(record: Record) -> float:
    assert record.end is not None, "an answered record has an end"
    return record.end
