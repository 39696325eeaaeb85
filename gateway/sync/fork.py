"""Whether head office's history of this store and the store's own are one history. Pure.

Different histories mean that this file was restored from an older copy, or that another copy of it is alive: somebody
may already have issued the numbers that these books would give next (I6).
"""

from dataclasses import dataclass

from gateway.ledger.chain import START
from gateway.ledger.facts import Row
from gateway.sync.protocol import Standing


@dataclass(frozen=True, slots=True)
class Own:
    """What the store holds: its newest row, and the row before the one that head office wants next."""

    epoch: str
    last: int
    before_next: Row | None


def divergence(standing: Standing, own: Own) -> str | None:
    """Why the two histories are not one, or None when head office's is the beginning of the store's."""
    if standing.epoch not in (None, own.epoch):
        return f"head office follows another copy of these books (epoch {standing.epoch}, these are {own.epoch})"
    held = standing.next - 1
    if held > own.last:
        return f"head office holds {held} rows of these books, they end at row {own.last}"
    if held == 0:
        known = START
    else:
        assert own.before_next is not None, "row next - 1 is not beyond the end"
        assert own.before_next.seq == held, "the row asked for"
        known = own.before_next.hash
    if known.hex() != standing.hash:
        return f"row {held} is not the one that head office holds"
    return None


def evidence(standing: Standing) -> str:
    """What an administrator's word is given about: the same answer again is no new reason to lock."""
    return f"{standing.epoch} {standing.next} {standing.hash}"
