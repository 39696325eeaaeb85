"""What a decision can say: facts to write, an answer given before, or a refusal."""

from dataclasses import dataclass, field
from typing import Any

from gateway.ledger.facts import Fact
from gateway.ledger.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Decided:
    """Write these facts, in order; `answer` is what the asker hears once they are durable."""

    facts: tuple[Fact, ...]
    answer: Any


@dataclass(frozen=True, slots=True)
class Known:
    """The same request was answered before, by this journal row; write nothing, say the same."""

    seq: int
    answer: Any


@dataclass(frozen=True, slots=True)
class Refused:
    """No. `facts` is empty but for an alarm that the books must remember (I6)."""

    refusal: Refusal
    facts: tuple[Fact, ...] = field(default=())


Decision = Decided | Known | Refused
