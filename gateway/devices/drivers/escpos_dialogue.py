"""One job's talk with a printer as a pure state machine: events in, commands out, no input or output of its own.

Rules of this file:

- Nothing is sent before the printer has said that it can print and the table has said `sending` (`Claim`).
- What the paper shows is known from the barrier alone. It comes after the last byte and sends the job's letters back.
- Lost after the first byte is `lost`. No barrier while the printer says why is `stalled`: never sent again, the job
  waits in the printer, and its barrier comes late.
- A pulse for the drawer may pass by a job that is stalled: it is a real-time command.

Times are seconds of a monotonic clock, given with every event.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.devices.drivers.escpos_replies import ASK_STATUS, ASKED, Completed, Passed, RealTime, Replies, Status
from gateway.devices.drivers.escpos_replies import status_of as status_of_answers
from gateway.devices.jobs import Happening


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the dialogue waits for what."""

    status_s: float = 2.0
    """For the answers to DLE EOT, which come at once even without paper."""
    barrier_s: float = 20.0
    """For the barrier of a printer that says it is well."""
    poll_s: float = 1.0
    """Between questions while a barrier is awaited."""
    silence_s: float = 10.0
    """Without any answer, until the printer is taken for gone."""


@dataclass(frozen=True, slots=True)
class Task:
    """What shall be sent. `urgent`: a real-time form of the same, obeyed also by a printer that cannot print."""

    payload: bytes
    barrier: bytes
    """The question at the end; empty where the printer has none."""
    letters: bytes = b""
    """What `GS ( H` sends back; empty for `GS r`."""
    asks_status: bool = True
    urgent: bytes = b""


@dataclass(frozen=True, slots=True)
class Send:
    """Put these bytes on the wire."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """Write `sending` to the table, then say `claimed`."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The printer said how it is."""

    status: Status


@dataclass(frozen=True, slots=True)
class Report:
    """This happened to the job."""

    happening: Happening
    detail: str = ""


Command = Send | Claim | Seen | Report


class Phase(StrEnum):
    """Where the talk is."""

    ASKING = "asking"
    CLAIMING = "claiming"
    AWAITING = "awaiting"
    OVER = "over"


class Dialogue:
    """The talk about one task over one connection."""

    def __init__(self, task: Task, patience: Patience) -> None:
        """Store the arguments; `begin` comes first."""
        self.phase = Phase.ASKING
        self._task = task
        self._patience = patience
        self._replies = Replies()
        self._answers: list[int] = []
        self._asked_at: float | None = None
        self._heard_at = 0.0
        self._poll_at = 0.0
        self._barrier_at = 0.0
        self._stalled = ""
        self._urgently = False

    @property
    def is_over(self) -> bool:
        """Whether the connection can be closed."""
        return self.phase is Phase.OVER

    @property
    def is_stalled(self) -> bool:
        """Whether the job waits in the printer; a real-time command may pass it."""
        return self.phase is Phase.AWAITING and self._stalled != ""

    @property
    def wake_at(self) -> float:
        """When `tick` is due if nothing comes."""
        if self.phase is Phase.ASKING:
            return self._heard_at + self._patience.status_s
        due = [self._barrier_at] if not self._stalled else []
        if self._task.asks_status:
            due.append(self._heard_at + self._patience.silence_s if self._asked_at is not None else self._poll_at)
        return min(due)

    def begin(self, now: float) -> list[Command]:
        """Connected: ask how the printer is, where it answers that."""
        self._heard_at = now
        if not self._task.asks_status:
            self.phase = Phase.CLAIMING
            return [Claim()]
        return [self._ask(now)]

    def claimed(self, now: float, *, granted: bool, connected: bool) -> list[Command]:
        """The table says `sending` (or the job is no longer ours); the connection still stands, or broke meanwhile."""
        assert self.phase is Phase.CLAIMING, self.phase
        if not granted:
            return self._end()
        if not connected:
            return self._end(Report(Happening.UNSENT, "offline"))
        self.phase = Phase.AWAITING
        self._heard_at = now
        self._poll_at = now + self._patience.poll_s
        self._barrier_at = now + self._patience.barrier_s
        if not self._urgently:
            return [Send(self._task.payload + self._task.barrier)]
        return [Send(self._task.urgent), self._ask(now)]

    def received(self, data: bytes, now: float) -> list[Command]:
        """Bytes from the printer."""
        commands: list[Command] = []
        for reply in self._replies.feed(data):
            self._heard_at = now
            if self.is_over:
                break
            match reply:
                case RealTime():
                    commands += self._answered(reply, now)
                case Completed() | Passed():
                    commands += self._passed(reply)
        return commands

    def lost(self) -> list[Command]:
        """The connection broke."""
        if self.phase is Phase.AWAITING:
            return self._end(Report(Happening.LOST, "connection_lost"))
        return self._end(Report(Happening.WAITS, "offline"))

    def tick(self, now: float) -> list[Command]:
        """Time has passed."""
        if now < self.wake_at:
            return []
        if self.phase is Phase.ASKING:
            return self._end(Report(Happening.WAITS, "offline"))
        if not self._stalled and now >= self._barrier_at:
            return self._end(Report(Happening.LOST, "no_barrier"))
        if self._asked_at is None:
            return [self._ask(now)]
        return self._end(Report(Happening.LOST, "silent"))

    def _ask(self, now: float) -> Send:
        self._asked_at = now
        self._answers = []
        return Send(ASK_STATUS)

    def _answered(self, reply: RealTime, now: float) -> list[Command]:
        if self._asked_at is None:
            return []
        self._answers.append(reply.byte)
        if len(self._answers) < len(ASKED):
            return []
        self._asked_at = None
        self._poll_at = now + self._patience.poll_s
        status = status_of_answers(*self._answers)
        return [Seen(status), *self._judged(status.stops, now)]

    def _judged(self, stops: str, now: float) -> list[Command]:
        """What the printer's state means for the job."""
        if self.phase is Phase.ASKING:
            if stops and not self._task.urgent:
                return self._end(Report(Happening.WAITS, stops))
            self.phase = Phase.CLAIMING
            self._urgently = bool(stops)
            return [Claim()]
        if self._urgently:
            return self._end(Report(Happening.CONFIRMED))
        if stops:
            changed, self._stalled = stops != self._stalled, stops
            return [Report(Happening.STALLED, stops)] if changed else []
        if self._stalled:
            self._stalled = ""
            self._barrier_at = now + self._patience.barrier_s
        if not self._task.barrier:
            return self._end(Report(Happening.CONFIRMED, "unconfirmed"))
        return []

    def _passed(self, reply: Completed | Passed) -> list[Command]:
        if self.phase is not Phase.AWAITING or not self._task.barrier or self._urgently:
            return []
        letters = reply.letters if isinstance(reply, Completed) else b""
        if letters != self._task.letters:
            return []
        return self._end(Report(Happening.CONFIRMED))

    def _end(self, *last: Command) -> list[Command]:
        self.phase = Phase.OVER
        return list(last)
