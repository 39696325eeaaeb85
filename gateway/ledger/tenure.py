"""The right to allocate: locked when somebody knows more than these books, opened by an administrator's word (I6)."""

from gateway.ledger.commands import ConfirmSeries, DeclareIssuer, LockTenure, UnlockTenure
from gateway.ledger.facts import Fact, SeriesConfirmed
from gateway.ledger.outcomes import Decided, Decision, Known, Refused
from gateway.ledger.page import Page
from gateway.ledger.refusals import refuse
from gateway.ledger.rules import House


def confirm_series(page: Page, command: ConfirmSeries, house: House) -> Decision:
    """Say which number is the last on paper; those the books lack become a named span, and the series goes on after."""
    if command.series not in house.series():
        return Refused(refuse("series_unknown", series=command.series, known=", ".join(house.series())))
    head = page.head(command.series)
    if command.last_number < head.last_number:
        given = command.last_number
        return Refused(refuse("confirm_below_books", series=command.series, last=head.last_number, given=given))
    current = next((each for each in page.ranges.get(command.series, []) if each.id == head.range), None)
    ceiling = house.rules.NUMBER_MAX if current is None else current.last
    if command.last_number > ceiling:
        why = f"{command.last_number} is beyond {ceiling}, the last number that could have been issued."
        why_es = f"{command.last_number} supera {ceiling}, el último número que se pudo emitir."
        return Refused(refuse("range_invalid", why=why, why_es=why_es))
    if head.locked_by is None and command.last_number == head.last_number:
        return Known(page.seq, {"series": command.series, "last_number": head.last_number, "lost": None})
    lost = None
    if command.last_number > head.last_number:
        lost = {"first": head.last_number + 1, "last": command.last_number, "cause": "issued before a restore"}
    body: SeriesConfirmed = {
        "series": command.series,
        "last_number": command.last_number,
        "lost": lost,  # type: ignore[typeddict-item]
        "reason": command.reason,
        "by": command.by,
    }
    return Decided((Fact("series_confirmed", body),), body)


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
