"""An ESC/POS printer on the network: carries bytes between a connection and the dialogue that decides.

A connection is opened for each job and kept until its outcome is known: network boards give one connection the paper,
so an open connection is itself the lock.
"""

from dataclasses import dataclass
from typing import Protocol, assert_never

from gateway.clock import Clock
from gateway.devices.drivers.escpos_dialogue import Claim, Command, Dialogue, Patience, Report, Seen, Send, Task
from gateway.devices.drivers.escpos_replies import ASK_STATUS, ASKED, RealTime, Replies, Status, status_of
from gateway.devices.drivers.transport import Link, TcpTransport, UnreachableError
from gateway.devices.jobs import Happening


class Errand(Protocol):
    """Whoever wants the job done: keeps the table, hears what happens."""

    async def claim(self) -> bool:
        """Write `sending`; whether the job is still to be done."""

    async def report(self, happening: Happening, detail: str) -> None:
        """This happened to the job; returns once it is durable."""

    def seen(self, status: Status) -> None:
        """The printer is like this."""

    async def pulse(self) -> bytes:
        """A drawer's real-time pulse that shall pass by the stalled job; empty when nobody wants one."""


@dataclass(frozen=True, slots=True)
class EscposPrinter:
    """One printer at the end of a transport."""

    transport: TcpTransport
    patience: Patience
    clock: Clock

    async def look(self) -> Status | None:
        """How the printer is; None when it does not answer."""
        try:
            link = await self.transport.connect()
        except UnreachableError:
            return None
        try:
            return await self._ask(link)
        finally:
            await link.close(self.transport.limits)

    async def is_there(self) -> bool:
        """Whether the printer takes a connection: all that one without status answers tells."""
        try:
            link = await self.transport.connect()
        except UnreachableError:
            return False
        await link.close(self.transport.limits)
        return True

    async def carry_out(self, task: Task, errand: Errand) -> None:
        """Do one job over one connection, to the end of what can be known.

        Raises:
            UnreachableError: nothing was sent.
        """
        link = await self.transport.connect()
        try:
            dialogue = Dialogue(task, self.patience)
            commands = dialogue.begin(self.clock.monotonic())
            while True:
                await self._obey(commands, dialogue, link, errand)
                if dialogue.is_over:
                    return
                commands = await self._next(dialogue, link)
                if dialogue.is_stalled:
                    link.send(await errand.pulse())
        finally:
            await link.close(self.transport.limits)

    async def _next(self, dialogue: Dialogue, link: Link) -> list[Command]:
        """Wait for the next event and let the dialogue judge it."""
        data = await link.receive(dialogue.wake_at - self.clock.monotonic())
        now = self.clock.monotonic()
        if data is None:
            return dialogue.tick(now)
        return dialogue.received(data, now) if data else dialogue.lost()

    async def _obey(self, commands: list[Command], dialogue: Dialogue, link: Link, errand: Errand) -> None:
        waiting = list(commands)
        while waiting:
            command = waiting.pop(0)
            match command:
                case Send():
                    link.send(command.data)
                case Claim():
                    granted = await errand.claim()
                    now = self.clock.monotonic()
                    waiting += dialogue.claimed(now, granted=granted, connected=not link.is_lost)
                case Seen():
                    errand.seen(command.status)
                case Report():
                    await errand.report(command.happening, command.detail)
                case _:
                    assert_never(command)

    async def _ask(self, link: Link) -> Status | None:
        replies, answers = Replies(), list[int]()
        until = self.clock.monotonic() + self.patience.status_s
        link.send(ASK_STATUS)
        while len(answers) < len(ASKED):
            data = await link.receive(until - self.clock.monotonic())
            if not data:
                return None
            answers += [reply.byte for reply in replies.feed(data) if isinstance(reply, RealTime)]
        return status_of(*answers[: len(ASKED)])
