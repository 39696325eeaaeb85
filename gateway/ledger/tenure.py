"""The right to allocate: locked when somebody knows more than these books, opened by an administrator's word (I6)."""

from gateway.ledger.commands import ConfirmSeries, DeclareIssuer, LockTenure, UnlockTenure
from gateway.ledger.facts import Fact, SeriesConfirmed
from gateway.ledger.outcomes import Decided, Decision, Known, Refused
from gateway.ledger.page import Head, Page, Range
from gateway.ledger.refusals import Refusal, refuse
from gateway.ledger.rules import House


def confirm_series(page: Page, command: ConfirmSeries, house: House) -> Decision:
    """Say which number is the last on paper; those the books lack become named spans, and the series goes on after.

    The last on paper may lie in a later range than the books know to be in use: the ranges before it end here.
    """
    if command.series not in house.series():
        return Refused(refuse("series_unknown", series=command.series, known=", ".join(house.series())))
    head = page.head(command.series)
    if command.last_number < head.last_number:
        given = command.last_number
        return Refused(refuse("confirm_below_books", series=command.series, last=head.last_number, given=given))
    if command.last_number == head.last_number:
        fact = _confirmed(command, head.last_number + 1, command.last_number)
        return Known(page.seq, fact.body) if head.locked_by is None else Decided((fact,), fact.body)
    ranges = page.ranges.get(command.series, [])
    if ranges or house.rules.RANGE_REQUIRED:
        facts = _through_ranges(command, head, [each for each in ranges if each.state in {"loaded", "active"}])
    elif command.last_number <= house.rules.NUMBER_MAX:
        facts = [_confirmed(command, head.last_number + 1, command.last_number)]
    else:
        facts = []
    if not facts:
        return Refused(_unauthorised(command))
    return Decided(tuple(facts), facts[-1].body)


def lock_tenure(page: Page, command: LockTenure) -> Decision:
    """Lock every series; locked for one reason is locked."""
    if page.lock is not None:
        return Known(page.seq, {"reason": page.lock})
    return Decided((Fact("tenure_locked", {"reason": command.reason}),), {"reason": command.reason})


def unlock_tenure(page: Page, command: UnlockTenure) -> Decision:
    """Open again, on an administrator's word."""
    body = {"reason": command.reason, "by": command.by}
    if page.lock is None:
        return Known(page.seq, body)
    return Decided((Fact("tenure_unlocked", body),), body)


def declare_issuer(page: Page, command: DeclareIssuer) -> Decision:
    """What the head of each paper says from here on; written only when it changed (the desk compares)."""
    body = {"issuer": dict(command.issuer)}
    return Decided((Fact("issuer_declared", body),), {**body, "seq": page.seq + 1})


def _through_ranges(command: ConfirmSeries, head: Head, live: list[Range]) -> list[Fact]:
    """Walk from the range in use to the one that holds the confirmed number; nothing if none does."""
    facts: list[Fact] = []
    for each in live:
        first = each.first
        if each.id == head.range:
            first = head.last_number + 1
        else:
            facts.append(Fact("range_activated", {"id": each.id, "series": each.series}))
        if first <= command.last_number <= each.last:
            return [*facts, _confirmed(command, first, command.last_number)]
        if first <= each.last:
            facts.append(_confirmed(command, first, each.last))
        ended = {"id": each.id, "series": each.series, "state": "exhausted", "unused": None}
        facts.append(Fact("range_ended", {**ended, "by": command.by, "reason": command.reason}))
    return []


def _confirmed(command: ConfirmSeries, first: int, last: int) -> Fact:
    """The series goes on after `last`; `first` to `last` are named lost, if there are any."""
    body: SeriesConfirmed = {
        "series": command.series,
        "last_number": last,
        "lost": {"first": first, "last": last, "cause": "issued before a restore"} if first <= last else None,
        "reason": command.reason,
        "by": command.by,
    }
    return Fact("series_confirmed", body)


def _unauthorised(command: ConfirmSeries) -> Refusal:
    given, series = command.last_number, command.series
    return refuse(
        "range_invalid",
        why=f"{given} is in no range of series {series} that is in use or waits; load its range first.",
        why_es=f"{given} no está en ningún rango vigente de la serie {series}; cargue antes su rango.",
    )
