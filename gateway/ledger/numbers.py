"""The next number of a series: gapless, inside the range and its dates, none while a later may exist (I2, I6, I7)."""

from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.instants import iso
from gateway.ledger.commands import IssueDocument
from gateway.ledger.facts import Authority, Fact, RangeEnded, UnusedSpan
from gateway.ledger.outcomes import Refused
from gateway.ledger.page import Head, Page, Range
from gateway.ledger.refusals import Refusal, refuse
from gateway.ledger.rules import House

CLOCK_BACK_MS_MAX = 60_000
"""A clock that time synchronisation steps back by less than this is no trouble; more raises an alarm."""


@dataclass(slots=True)
class Place:
    """A number, and what must be written before it: the end of a range, the start of the next."""

    number: int
    wrap: int
    range: str | None = None
    authority: Authority | None = None
    facts: list[Fact] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)


def lock_problem(page: Page, command: IssueDocument, series: str, house: House) -> Refused | None:
    """Allocation is locked, or this very request shows that it must be: its till saw a number the books lack."""
    if page.lock is not None:
        return Refused(refuse("tenure_locked", reason=page.lock))
    for key, seen in command.last_seen:
        head = page.head(key)
        if key in house.series() and is_ahead(head, seen, house) and head.locked_by is None:
            last = head.high_number
            fact = Fact("series_locked", {"series": key, "seen": seen, "last": last, "till": command.till})
            return Refused(refuse("number_ahead", series=key, seen=seen, last=last), (fact,))
    head = page.head(series)
    if head.locked_by is not None:
        return Refused(refuse("series_locked", series=series, seen=head.locked_by, last=head.high_number))
    return None


def is_ahead(head: Head, seen: int, house: House) -> bool:
    """Whether `seen` is later than all the books know; after a wrap, numbers are compared round the circle."""
    if head.wrap and seen - head.high_number > house.rules.NUMBER_MAX // 2:
        return False
    return seen > head.high_number


def clock_problem(page: Page, at: int, house: House) -> Refusal | None:
    """Where the country refuses to issue with a clock that went back (elsewhere the last time is used, I8)."""
    if house.rules.CLOCK_BACK == "refuse" and at + CLOCK_BACK_MS_MAX < page.at:
        return refuse("clock_behind", now=iso(at), last=iso(page.at))
    return None


def next_number(page: Page, series: str, fiscal_date: str, house: House) -> Place | Refusal:
    """The next number, from the active range or from the next one loaded, on the fiscal date `YYYY-MM-DD`."""
    head, ranges = page.head(series), page.ranges.get(series, [])
    if not ranges:
        if house.rules.RANGE_REQUIRED:
            return refuse("range_missing", series=series)
        if head.last_number >= house.rules.NUMBER_MAX:
            return Place(1, head.wrap + 1)
        return Place(head.last_number + 1, head.wrap)
    facts: list[Fact] = []
    ended: Refusal | None = None
    for candidate in ranges:
        if candidate.state not in {"active", "loaded"}:
            ended = _ended(candidate)
            continue
        number = head.last_number + 1 if candidate.id == head.range else candidate.first
        end = _end_of(candidate, number, fiscal_date)
        if end is not None:
            facts.append(Fact("range_ended", end))
            ended = _ended(candidate, end["state"])
            continue
        if candidate.valid_from and fiscal_date < candidate.valid_from:
            return refuse("range_not_yet_valid", series=series, valid_from=candidate.valid_from)
        if candidate.id != head.range:
            facts.append(Fact("range_activated", {"id": candidate.id, "series": series}))
        left = candidate.last - number
        warnings = [{"code": "range_low", "left": left}] if left < house.range_low_numbers else []
        return Place(number, candidate.wrap, candidate.id, _authority(candidate), facts, warnings)
    return ended or refuse("range_missing", series=series)


def _end_of(candidate: Range, number: int, fiscal_date: str) -> RangeEnded | None:
    """How a range ends before `number` could be issued on this date, or None."""
    if number > candidate.last:
        return _range_ended(candidate, "exhausted", None)
    if candidate.valid_until and fiscal_date > candidate.valid_until:
        return _range_ended(candidate, "expired", {"first": number, "last": candidate.last, "cause": "expired"})
    return None


def _range_ended(candidate: Range, state: Literal["exhausted", "expired"], unused: UnusedSpan | None) -> RangeEnded:
    return {
        "id": candidate.id,
        "series": candidate.series,
        "state": state,
        "unused": unused,
        "by": "gateway",
        "reason": "",
    }


def _ended(candidate: Range, state: str | None = None) -> Refusal:
    match state or candidate.state:
        case "expired":
            return refuse("range_expired", series=candidate.series, valid_until=candidate.valid_until)
        case "cancelled":
            return refuse("range_cancelled", series=candidate.series)
        case _:
            return refuse("range_exhausted", series=candidate.series, last=candidate.last)


def _authority(candidate: Range) -> Authority:
    return {
        "kind": candidate.authority_kind,
        "ref": candidate.authority_ref,
        "first": candidate.first,
        "last": candidate.last,
        "valid_until": candidate.valid_until,
    }
