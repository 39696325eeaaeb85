"""The state of the line, as tills are shown it.

Rules of this file: `STEPS` is the whole machine, one function for each event; a function answers the next `Line` and
nothing else; `since_ms` changes when, and only when, the state does; instants come with the events.

    none              no head office is configured
    offline           nothing reaches head office (also: it refuses this store, or the histories fork)
    catching_up       rows wait, older or more of them than one sale explains
    online            head office has what the store has, within seconds
    working_offline   by hand, until an instant or until it is switched back
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

BACKLOG_ROWS = 50
"""More rows than this waiting is a backlog: some seconds of a busy store."""
BACKLOG_MS = 10_000
"""An older row than this waiting is a backlog."""
DOUBLINGS_MAX = 16
"""Beyond it the pause has long reached any setting's maximum."""


class State(StrEnum):
    """What the banner says."""

    NONE = "none"
    OFFLINE = "offline"
    CATCHING_UP = "catching_up"
    ONLINE = "online"
    WORKING_OFFLINE = "working_offline"


@dataclass(frozen=True, slots=True)
class Line:
    """Where the line stands; fruitless lines in a row, `until_ms` of working offline (None: until switched back)."""

    state: State
    since_ms: int
    failures: int = 0
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """Head office answered, and `waiting` rows (the oldest `oldest_ms` old) are not there yet."""

    at: int
    waiting: int
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class Lost:
    """An attempt failed, or a line that stood broke. `was_useful`: something had got through meanwhile."""

    at: int
    was_useful: bool = False


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """Somebody wants to work offline, until `until_ms` or until further notice."""

    at: int
    until_ms: int | None


@dataclass(frozen=True, slots=True)
class SwitchedOn:
    """Somebody wants the line again, or `until_ms` has come."""

    at: int


Event = Reached | Lost | SwitchedOff | SwitchedOn


def begin(at: int, *, has_office: bool) -> Line:
    """The line when the gateway starts."""
    return Line(State.OFFLINE if has_office else State.NONE, at)


def step(line: Line, event: Event) -> Line:
    """The line after an event. Without a head office nothing happens; what a closed line still says is not heard."""
    if line.state is State.NONE:
        return line
    match event:
        case Reached():
            return _reached(line, event)
        case Lost():
            return _lost(line, event)
        case SwitchedOff():
            return replace(_to(line, State.WORKING_OFFLINE, event.at), until_ms=event.until_ms)
        case SwitchedOn():
            return line if line.state is not State.WORKING_OFFLINE else _to(line, State.OFFLINE, event.at)
    assert_never(event)


def is_due(line: Line, at: int) -> bool:
    """Whether working offline ends by itself now."""
    return line.state is State.WORKING_OFFLINE and line.until_ms is not None and at >= line.until_ms


def retry_ms(failures: int, ms_min: int, ms_max: int, jitter: float) -> int:
    """The pause before the next attempt: doubling from `ms_min` to `ms_max`, of which `jitter` (0 to 1) picks a part.

    At least half of the pause stays, so that a store never hammers; the other half spreads a chain of stores that all
    lost the same head office.
    """
    assert 0 <= jitter <= 1, jitter
    whole = min(ms_min << min(max(failures - 1, 0), DOUBLINGS_MAX), ms_max)
    return whole - int(whole * jitter / 2)


def _reached(line: Line, event: Reached) -> Line:
    if line.state is State.WORKING_OFFLINE:
        return line
    is_behind = event.waiting > BACKLOG_ROWS or (event.waiting > 0 and event.oldest_ms > BACKLOG_MS)
    if line.state is State.OFFLINE and event.waiting > 0:
        is_behind = True
    return replace(_to(line, State.CATCHING_UP if is_behind else State.ONLINE, event.at), failures=line.failures)


def _lost(line: Line, event: Lost) -> Line:
    if line.state is State.WORKING_OFFLINE:
        return line
    return replace(_to(line, State.OFFLINE, event.at), failures=1 if event.was_useful else line.failures + 1)


def _to(line: Line, state: State, at: int) -> Line:
    return line if line.state is state else Line(state, at)
