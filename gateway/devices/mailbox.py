"""The MQTT side of the device bus: hears what tills ask, tells them what became of it.

The order of things: rows durable, then PUBACK, then `accepted`. Events go out from their rows: once when they are new,
and again, ever more slowly, to a till that is there and has not acknowledged them. What is answered without a row
(`ev_seq` 0) may be lost; asking again gives it again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, assert_never

import structlog
from pydantic import BaseModel, ValidationError

from gateway.clock import Clock
from gateway.devices import messages
from gateway.devices.bus import Bus, Message, Received
from gateway.devices.intake import Asked, Intake
from gateway.devices.messages import (
    AckMessage,
    CancelMessage,
    DeviceInfoMessage,
    DeviceStateMessage,
    EventMessage,
    GatewayStatusMessage,
    QueryMessage,
    SubmitMessage,
    TillStatusMessage,
)
from gateway.devices.refusals import JobRefusal, refuse
from gateway.devices.topics import AckTopic, EchoTopic, JobTopic, PresenceTopic, Tree, Verb
from gateway.health.warnings import Board
from gateway.storage import jobs
from gateway.storage.jobs import EventRow, JobRow
from gateway.storage.reader import Reader
from gateway.storage.writer import NotDurableError, OverloadedError, Writer

M = TypeVar("M", bound=BaseModel)
NO_JOB = "none"
"""Stands for the job's id in the answer to a message that has none."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often the mailbox looks and repeats."""

    look_s: float = 1.0
    repeat_s: float = 10.0
    """First repetition of an event; each further one waits twice as long."""
    repeat_s_max: float = 300.0
    broker_grace_s: float = 5.0
    durable_retry_s: float = 0.5
    batch: int = 200


@dataclass(slots=True)
class _Listener:
    """A till that is there."""

    repeat_at: float
    wait_s: float


class Mailbox:
    """`hear` and `tell` run side by side; `wake` says that rows or devices have changed."""

    def __init__(
        self,
        bus: Bus,
        tree: Tree,
        intake: Intake,
        *,
        writer: Writer,
        reader: Reader,
        clock: Clock,
        board: Board,
        infos: Sequence[DeviceInfoMessage],
        states: Callable[[], list[DeviceStateMessage]],
        version: str,
        rhythm: Rhythm,
    ) -> None:
        """Store the arguments; `states` answers how the devices are, with `seq` and `at` left open."""
        self._bus = bus
        self._tree = tree
        self._intake = intake
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._board = board
        self._infos = infos
        self._states = states
        self._version = version
        self._rhythm = rhythm
        self._epoch = 0
        self._cursor = 0
        self._ups = 0
        self._down_since = 0.0
        self._seq = 0
        self._late = 0
        """Messages up to this number have waited for the disk: nobody knows how old they are by now."""
        self._told: dict[str, DeviceStateMessage] = {}
        self._listeners: dict[str, _Listener] = {}
        self._wake = asyncio.Event()
        bus.on_change = self.wake

    def wake(self) -> None:
        """There may be something to tell."""
        self._wake.set()

    def begin(self, epoch: int, cursor: int) -> None:
        """A start of the gateway; events after `cursor` are new."""
        self._epoch, self._cursor = epoch, cursor
        self._down_since = self._clock.monotonic()

    async def connect(self) -> None:
        """Keep the connection, until cancelled."""
        will = self._gateway_status("offline", at=None)
        await self._bus.run(self._tree.listened, self._tree.echo, will)

    async def hear(self) -> None:
        """Take in what tills say, one message after another, until cancelled."""
        while True:
            received = await self._bus.next()
            answers = await self._taken(received)
            self._bus.acknowledge(received)
            for answer in answers:
                self._bus.publish(answer)
            self.wake()

    async def tell(self) -> None:
        """Publish new events, changed devices and repetitions, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._rhythm.look_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self.tell_once()

    async def tell_once(self) -> None:
        """Publish what is new now."""
        self._warn()
        if not self._bus.is_up:
            self._listeners.clear()
            return
        if self._ups != self._bus.ups:
            self._ups = self._bus.ups
            self._introduce()
        self._tell_states()
        await self._tell_events()
        await self._repeat()

    async def _taken(self, received: Received) -> list[Message]:
        """Handle a message until the disk has it: left unacknowledged, a few would stop the broker's deliveries."""
        while True:
            try:
                return await self._handle(replace(received, waited=received.waited or received.number <= self._late))
            except (NotDurableError, OverloadedError) as error:
                log.warning("message_not_taken", topic=received.topic, error=str(error))
            await asyncio.sleep(self._rhythm.durable_retry_s)
            self._late = self._bus.taken

    async def _handle(self, received: Received) -> list[Message]:
        match self._tree.parse(received.topic):
            case JobTopic(till, device, verb):
                match verb:
                    case Verb.SUBMIT:
                        return await self._submit(till, device, received)
                    case Verb.CANCEL:
                        return await self._cancel(till, device, received.payload)
                    case Verb.QUERY:
                        return await self._query(till, device, received.payload)
            case AckTopic(till):
                await self._acknowledged(till, received.payload)
            case PresenceTopic(till):
                await self._present(till, received.payload)
            case EchoTopic() | None:
                pass
            case topic:
                assert_never(topic)
        return []

    async def _submit(self, till: str, device: str, received: Received) -> list[Message]:
        message = _parsed(SubmitMessage, received.payload)
        if isinstance(message, JobRefusal):
            return [self._refused(till, device, messages.job_id_in(received.payload) or NO_JOB, message)]
        identity = str(message.job_id)
        if message.dev != device:
            refusal = refuse("job_invalid", problem="dev: not the device of the topic")
            return [self._refused(till, device, identity, refusal)]
        try:
            body = messages.BODIES[message.kind].model_validate(message.body)
        except ValidationError as error:
            refusal = refuse("job_invalid", problem=messages.problem_of(error))
            return [self._refused(till, device, identity, refusal)]
        outcome = await self._intake.submit(
            Asked(
                till,
                identity,
                message.kind,
                device,
                body,
                allowed_ms=message.allowed_ms,
                age_ms=message.age_ms,
                waited=received.waited,
            )
        )
        if isinstance(outcome, JobRefusal):
            return [self._refused(till, device, identity, outcome)]
        created, row = outcome
        return [] if created else [self._answer(row)]

    async def _cancel(self, till: str, device: str, payload: bytes) -> list[Message]:
        message = _parsed(CancelMessage, payload)
        if isinstance(message, JobRefusal):
            return [self._refused(till, device, messages.job_id_in(payload) or NO_JOB, message)]
        outcome = await self._intake.cancel(till, str(message.job_id))
        if isinstance(outcome, JobRefusal):
            return [self._refused(till, device, str(message.job_id), outcome)]
        cancelled, row = outcome
        return [] if cancelled else [self._answer(row)]

    async def _query(self, till: str, device: str, payload: bytes) -> list[Message]:
        message = _parsed(QueryMessage, payload)
        if isinstance(message, JobRefusal):
            return [self._refused(till, device, messages.job_id_in(payload) or NO_JOB, message)]
        identity = None if message.job_id is None else str(message.job_id)
        rows = await self._intake.look_up(till, identity)
        if isinstance(rows, JobRefusal):
            return [self._refused(till, device, identity or NO_JOB, rows)]
        return [self._answer(row) for row in rows]

    async def _acknowledged(self, till: str, payload: bytes) -> None:
        message = _parsed(AckMessage, payload)
        if isinstance(message, AckMessage):
            ev_seq = message.ev_seq
            await self._writer.run(lambda connection: jobs.acknowledge(connection, till, ev_seq))
            if till in self._listeners:
                self._listeners[till] = self._listener(self._rhythm.repeat_s)

    async def _present(self, till: str, payload: bytes) -> None:
        """A till that comes hears at once what it lacks."""
        message = _parsed(TillStatusMessage, payload)
        if isinstance(message, TillStatusMessage) and message.state == "online":
            self._listeners[till] = _Listener(self._clock.monotonic(), self._rhythm.repeat_s)
        else:
            self._listeners.pop(till, None)

    def _introduce(self) -> None:
        """A new connection: who is there, and how."""
        self._bus.publish(self._gateway_status("online", at=self._clock.now_ms()))
        for info in self._infos:
            self._bus.publish(Message(self._tree.device_info(info.dev), messages.dumps(info), retain=True))
        self._told.clear()

    def _tell_states(self) -> None:
        for state in self._states():
            if self._told.get(state.dev) != state:
                self._seq += 1
                said = state.model_copy(update={"gw_epoch": self._epoch, "seq": self._seq, "at": self._clock.now_ms()})
                if self._bus.publish(Message(self._tree.device_state(state.dev), messages.dumps(said), retain=True)):
                    self._told[state.dev] = state

    async def _tell_events(self) -> None:
        while True:
            events = await jobs.events_after(self._reader, self._cursor, self._rhythm.batch)
            for event in events:
                if not self._bus.publish(self._event(event)):
                    return
                self._cursor = event.ev_seq
            if len(events) < self._rhythm.batch:
                return

    async def _repeat(self) -> None:
        """Events that a till which is there has not acknowledged."""
        now = self._clock.monotonic()
        for till, listener in list(self._listeners.items()):
            if now < listener.repeat_at:
                continue
            for event in await jobs.events_of(self._reader, till, self._rhythm.batch):
                self._bus.publish(self._event(event))
            wait_s = min(listener.wait_s * 2, self._rhythm.repeat_s_max)
            self._listeners[till] = replace(self._listener(listener.wait_s), wait_s=wait_s)

    def _listener(self, wait_s: float) -> _Listener:
        return _Listener(self._clock.monotonic() + wait_s, wait_s)

    def _warn(self) -> None:
        now = self._clock.monotonic()
        if self._bus.is_up:
            self._down_since = now
            self._board.take_down("broker_down")
        elif now - self._down_since >= self._rhythm.broker_grace_s:
            self._board.put_up("broker_down")

    def _gateway_status(self, state: str, at: int | None) -> Message:
        status = GatewayStatusMessage.model_validate(
            {"state": state, "gw_epoch": self._epoch, "version": self._version, "at": at}
        )
        return Message(self._tree.gateway_status, messages.dumps(status), retain=True)

    def _event(self, row: EventRow) -> Message:
        event = EventMessage(
            ev_seq=row.ev_seq,
            job_id=row.job,
            dev=row.device,
            kind=row.kind,
            state=row.state,
            detail=row.detail,
            at=row.at,
            gw_epoch=self._epoch,
        )
        return Message(self._tree.event(row.till, row.job), messages.dumps(event))

    def _answer(self, row: JobRow) -> Message:
        """How a job stands, said once more."""
        return self._event(EventRow(0, row.till, row.id, row.kind, row.device, row.state, row.detail, row.changed_at))

    def _refused(self, till: str, device: str, identity: str, refusal: JobRefusal) -> Message:
        log.info("job_refused", till=till, job=identity, code=refusal.code, **refusal.values)
        return self._event(EventRow(0, till, identity, "", device, "refused", refusal.code, self._clock.now_ms()))


def _parsed(model: type[M], payload: bytes) -> M | JobRefusal:
    """A message, or why it is none."""
    if len(payload) > messages.PAYLOAD_BYTES_MAX:
        return refuse("job_invalid", problem=f"larger than {messages.PAYLOAD_BYTES_MAX} bytes")
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        return refuse("job_invalid", problem=messages.problem_of(error))
