"""The life of a job as a data table.

Rules of this file:

- What is not in `LIFE` cannot happen; `after` answers None and the caller writes nothing.
- A job is `sending` before the first byte leaves, so whatever dies from there on leaves at worst an `unknown`.
- From `unknown`, `held` and `sending` no road leads back to `queued`, but for `unsent`: not one byte had left.
- `done`, `refused`, `failed_before_send` and `replaced` are ends.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What a device can be asked for."""

    RECEIPT = "receipt"
    TEXT = "text"
    KICK = "kick"


class State(StrEnum):
    """Where a job stands. `accepted` is only ever told, never stored: the row is `queued` from its first moment."""

    ACCEPTED = "accepted"
    QUEUED = "queued"
    SENDING = "sending"
    HELD = "held"
    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"
    FAILED_BEFORE_SEND = "failed_before_send"
    REPLACED = "replaced"


class Happening(StrEnum):
    """What can happen to a job."""

    TAKEN_IN = "taken_in"
    WAITS = "waits"
    CLAIMED = "claimed"
    UNSENT = "unsent"
    CONFIRMED = "confirmed"
    STALLED = "stalled"
    LOST = "lost"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNPRINTABLE = "unprintable"
    SAID_PRINTED = "said_printed"
    COPIED = "copied"


LIFE: dict[tuple[State, Happening], State] = {
    (State.ACCEPTED, Happening.TAKEN_IN): State.QUEUED,
    # Nothing was sent: wait, retry and give up freely.
    (State.QUEUED, Happening.WAITS): State.QUEUED,
    (State.QUEUED, Happening.CLAIMED): State.SENDING,
    (State.QUEUED, Happening.CANCELLED): State.FAILED_BEFORE_SEND,
    (State.QUEUED, Happening.EXPIRED): State.FAILED_BEFORE_SEND,
    (State.QUEUED, Happening.UNPRINTABLE): State.REFUSED,
    # The first byte may have left: only the printer's own word makes it done.
    (State.SENDING, Happening.UNSENT): State.QUEUED,
    (State.SENDING, Happening.CONFIRMED): State.DONE,
    (State.SENDING, Happening.STALLED): State.HELD,
    (State.SENDING, Happening.LOST): State.UNKNOWN,
    (State.HELD, Happening.STALLED): State.HELD,
    (State.HELD, Happening.CONFIRMED): State.DONE,
    (State.HELD, Happening.LOST): State.UNKNOWN,
    # A person looks at the paper.
    (State.UNKNOWN, Happening.SAID_PRINTED): State.DONE,
    (State.UNKNOWN, Happening.COPIED): State.REPLACED,
}

ENDS = frozenset({State.DONE, State.REFUSED, State.FAILED_BEFORE_SEND, State.REPLACED})


def after(state: State, happening: Happening) -> State | None:
    """The state that follows, or None where this cannot happen."""
    return LIFE.get((state, happening))


def sources(happening: Happening) -> frozenset[State]:
    """The states in which this can happen."""
    return frozenset(state for state, what in LIFE if what is happening)


def target(happening: Happening) -> State:
    """The state to which this leads, from wherever it can happen."""
    (state,) = {to for (_, what), to in LIFE.items() if what is happening}
    return state


def due_at(now_ms: int, allowed_ms: int | None, age_ms: int, *, waited: bool) -> int | None:
    """The instant, on the gateway's clock, after which a job is late; None: never.

    `allowed_ms` is the till's deadline less its time of making, two readings of one clock, so that the till's clock
    may be as wrong as it likes; `age_ms` is what has passed at the till since. A message that waited in the broker
    while the gateway was away has been under way for nobody knows how long: with a deadline it is late.
    """
    if allowed_ms is None:
        return None
    return now_ms - 1 if waited else now_ms + allowed_ms - age_ms


def is_late(now_ms: int, due_ms: int | None) -> bool:
    """Whether a deadline has passed."""
    return due_ms is not None and now_ms > due_ms
