"""Up: journal rows above what head office holds, in order, as chunks that suit the line.

Head office's answer is the only truth about where it stands: after every error it is asked again, never guessed, and
every answer is compared with the own journal before another row is sent. The journal itself is the queue.
"""

import asyncio
from collections.abc import Sequence

import structlog

from gateway.ledger.commands import LockTenure
from gateway.ledger.facts import Row
from gateway.storage import cursors
from gateway.storage.documents import journal_after
from gateway.sync import codec, fork, link, plan
from gateway.sync.backlog import Backlog
from gateway.sync.fork import Own
from gateway.sync.plan import Bounds, Pace, Sent
from gateway.sync.protocol import Standing
from gateway.sync.store import Store
from gateway.sync.uplink import LinkError, Uplink

FORKED = "fork"
"""The cursor under which the answer that locked the books is kept."""
OUT_OF_STEP_MAX = 8
"""Hellos in a row that lead nowhere before the line counts as lost: somebody else pushes the same books."""
RETRY_MS_MIN, RETRY_MS_MAX = 20, 2_000
"""The pause before the next hello after head office stood elsewhere than expected."""

_log = structlog.get_logger("sync")


class ForkError(LinkError):
    """Head office and the store have different histories; nothing more is sent."""


class OutOfStepError(LinkError):
    """Head office keeps standing elsewhere than the chunks begin."""


class Push:
    """The sending half of the link. `pace` outlives a lost line."""

    def __init__(self, store: Store, uplink: Uplink, backlog: Backlog, bounds: Bounds) -> None:
        self.pace = Pace()
        self.bounds = bounds
        self._store = store
        self._uplink = uplink
        self._backlog = backlog

    async def meet(self) -> Standing:
        """Say hello and compare histories; answers where head office stands.

        Raises:
            ForkError: the books are locked now. Or what the uplink raises.
        """
        began = self._store.clock.monotonic()
        standing = await self._uplink.hello()
        self.pace = plan.answered(self.pace, self._store.clock.monotonic() - began)
        await self._compare(standing)
        return standing

    async def run(self, standing: Standing) -> None:
        """Send what is there and what comes, until the line breaks or the histories fork.

        Raises:
            ForkError, OutOfStepError, or what the uplink raises.
        """
        misses = 0
        while True:
            await self._store.desk.wait_change(standing.next - 1)
            rows = await self._next_rows(standing)
            answer = await self._send(rows, standing)
            misses = 0 if answer.session == standing.session and answer.next > standing.next else misses + 1
            if misses == 0:
                standing = answer
                continue
            if misses > OUT_OF_STEP_MAX:
                message = f"head office wants row {answer.next} after chunks that began with row {standing.next}"
                raise OutOfStepError(message)
            pause_ms = link.retry_ms(misses, RETRY_MS_MIN, RETRY_MS_MAX, self._store.chance.random())
            await asyncio.sleep(pause_ms / 1000)
            standing = await self.meet()

    async def _next_rows(self, standing: Standing) -> Sequence[Row]:
        wanted = plan.rows_wanted(self.pace, self.bounds)
        rows = await journal_after(self._store.reader, standing.next - 1, wanted)
        assert rows, "the desk has said that there are rows"
        assert rows[0].prev_hash.hex() == standing.hash, "the rows continue what head office holds"
        return rows[: plan.rows_taken(rows, self.pace, self.bounds)]

    async def _send(self, rows: Sequence[Row], standing: Standing) -> Standing:
        was_full = self._store.desk.seq > rows[-1].seq
        frame = await asyncio.to_thread(codec.encode, rows)
        began = self._store.clock.monotonic()
        taken = await self._uplink.send(frame, rows[0].seq, standing.session, len(frame) / self.pace.rate)
        seconds = self._store.clock.monotonic() - began
        if not taken.is_there:
            _log.info("chunk_not_taken", first=rows[0].seq, last=rows[-1].seq, wanted=taken.standing.next)
        await self._compare(taken.standing)
        if not taken.is_there:
            return taken.standing
        plain = sum(codec.plain_size(row) for row in rows)
        sent = Sent(len(rows), plain, len(frame), seconds, was_full)
        self.pace = plan.acknowledged(self.pace, sent, self.bounds)
        pause_s = plan.pause_s(len(frame), seconds, self.bounds)
        if pause_s:
            await asyncio.sleep(pause_s)
        return taken.standing

    async def _compare(self, standing: Standing) -> None:
        """Look for a fork in what head office says; otherwise note how far it is."""
        around = await journal_after(self._store.reader, max(standing.next - 2, 0), 2)
        held = next((row for row in around if row.seq == standing.next - 1), None)
        following = next((row for row in around if row.seq == standing.next), None)
        end = self._store.desk.seq  # a hint: under load the journal is read ahead of it
        if held is not None:
            end = max(end, held.seq)
        elif standing.next > 1:
            end = min(end, standing.next - 2)
        reason = fork.divergence(standing, Own(self._uplink.epoch, end, held))
        if reason is not None:
            await self._lock(reason, standing)
            raise ForkError(reason)
        self._backlog.move(standing.next - 1, None if following is None else following.at)

    async def _lock(self, reason: str, standing: Standing) -> None:
        """Lock the books, once for each answer: an administrator who unlocks them has seen this one."""
        found = fork.evidence(standing)
        if (await cursors.read(self._store.reader, FORKED)).note == found:
            return
        _log.error("fork_seen", reason=reason, wanted=standing.next)
        await self._store.desk.submit(LockTenure(reason))
        await self._store.writer.run(lambda connection: cursors.put(connection, FORKED, standing.next, found))
