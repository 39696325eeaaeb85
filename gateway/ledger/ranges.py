"""Authorised ranges: load without overlap, cancel with the tail as an explicit unused span (I2, I7)."""

from datetime import date

from gateway.ledger.commands import CancelRange, LoadRange
from gateway.ledger.facts import Fact, RangeEnded, RangeLoaded
from gateway.ledger.outcomes import Decided, Decision, Known, Refused
from gateway.ledger.page import Page, Range
from gateway.ledger.refusals import Refusal, refuse
from gateway.ledger.rules import House


def load_range(page: Page, command: LoadRange, house: House) -> Decision:
    """Take a range in; the same id with the same numbers again is the same answer."""
    body: RangeLoaded = {
        "id": command.id,
        "series": command.series,
        "wrap": 0,
        "authority_kind": command.authority_kind,
        "authority_ref": command.authority_ref,
        "first": command.first,
        "last": command.last,
        "valid_from": command.valid_from,
        "valid_until": command.valid_until,
        "by": command.by,
    }
    known = next((each for each in _all(page) if each.id == command.id), None)
    if known is not None:
        loaded = known.series, known.authority_kind, known.authority_ref, known.first, known.last
        asked = command.series, command.authority_kind, command.authority_ref, command.first, command.last
        dates = command.valid_from, command.valid_until
        if asked != loaded or dates != (known.valid_from, known.valid_until):
            return Refused(refuse("key_reused", id=command.id))
        return Known(known.position, {**body, "wrap": known.wrap})
    problem = _problem(command, house)
    if problem is not None:
        return Refused(problem)
    wrap = _wrap(page, command, house)
    overlap = _overlap(page, command, wrap)
    if overlap is not None:
        return Refused(overlap)
    body["wrap"] = wrap
    return Decided((Fact("range_loaded", body),), body)


def cancel_range(page: Page, command: CancelRange) -> Decision:
    """Stop using a range between two sales; not while its series is locked, as the last number is in doubt then."""
    known = next((each for each in _all(page) if each.id == command.id), None)
    if known is None:
        return Refused(refuse("range_unknown", id=command.id))
    if known.state not in {"loaded", "active"}:
        return Refused(refuse("range_ended", id=command.id, state=known.state))
    head = page.head(known.series)
    if head.locked_by is not None:
        return Refused(refuse("series_locked", series=known.series, seen=head.locked_by, last=head.high_number))
    first = head.last_number + 1 if head.range == known.id else known.first
    unused = {"first": first, "last": known.last, "cause": "cancelled"} if first <= known.last else None
    body: RangeEnded = {
        "id": known.id,
        "series": known.series,
        "state": "cancelled",
        "unused": unused,  # type: ignore[typeddict-item]
        "by": command.by,
        "reason": command.reason,
    }
    return Decided((Fact("range_ended", body),), body)


def _all(page: Page) -> list[Range]:
    return [each for ranges in page.ranges.values() for each in ranges]


def _problem(command: LoadRange, house: House) -> Refusal | None:
    if command.series not in house.series():
        return refuse("series_unknown", series=command.series, known=", ".join(house.series()))
    if not 1 <= command.first <= command.last <= house.rules.NUMBER_MAX:
        given, most = f"first {command.first}, last {command.last}", house.rules.NUMBER_MAX
        why = f"{given}: numbers run from 1 to {most}, first to last."
        why_es = f"{given}: los números van de 1 a {most}, de menor a mayor."
        return refuse("range_invalid", why=why, why_es=why_es)
    for given in (command.valid_from, command.valid_until):
        if given and not _is_date(given):
            why, why_es = f"{given} is not a day of the calendar.", f"{given} no es un día del calendario."
            return refuse("range_invalid", why=why, why_es=why_es)
    if command.valid_from and command.valid_until and command.valid_from > command.valid_until:
        why = f"valid_from {command.valid_from} is after valid_until {command.valid_until}."
        why_es = f"valid_from {command.valid_from} es posterior a valid_until {command.valid_until}."
        return refuse("range_invalid", why=why, why_es=why_es)
    return house.rules.range_problem(command)


def _is_date(given: str) -> bool:
    try:
        return date.fromisoformat(given).isoformat() == given
    except ValueError:
        return False


def _wrap(page: Page, command: LoadRange, house: House) -> int:
    """The turn of the correlative this range belongs to: a new one begins after the very last number was granted."""
    head = page.head(command.series)
    newest = head.wrap
    full = head.high_number >= house.rules.NUMBER_MAX
    for each in page.ranges.get(command.series, []):
        if each.wrap > newest:
            newest, full = each.wrap, False
        if each.wrap == newest and each.last == house.rules.NUMBER_MAX:
            full = True
    return newest + 1 if full else newest


def _overlap(page: Page, command: LoadRange, wrap: int) -> Refusal | None:
    """Whether numbers of this range were ever granted or issued in the same turn."""
    taken = [(each.first, each.last) for each in page.ranges.get(command.series, []) if each.wrap == wrap]
    head = page.head(command.series)
    if not taken and head.wrap == wrap and head.high_number:
        taken.append((1, head.high_number))
    for first, last in taken:
        if command.first <= last and first <= command.last:
            return refuse(
                "range_overlaps",
                first=command.first,
                last=command.last,
                other_first=first,
                other_last=last,
                series=command.series,
            )
    return None
