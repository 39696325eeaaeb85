"""What may be asked of devices, over MQTT and HTTP alike: submit, cancel, look up, settle. Rows first, words later."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from gateway.clock import Clock
from gateway.devices import jobs as life
from gateway.devices import messages
from gateway.devices.jobs import Happening, Kind, State
from gateway.devices.messages import Body, ReceiptBody
from gateway.devices.refusals import JobRefusal, refuse
from gateway.devices.station import DocumentOf
from gateway.storage import jobs
from gateway.storage.jobs import Connection, JobRow, NewJob
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer

OPEN_JOBS_SHOWN_MAX = 200
Outcome = Literal["printed", "reprint"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A job as somebody asks for it; `allowed_ms` from now on, `waited` in a broker nobody knows how long."""

    till: str
    id: str
    kind: Kind
    device: str
    body: Body
    allowed_ms: int | None = None
    age_ms: int = 0
    waited: bool = False


class Intake:
    """The table of jobs as askers see it. `devices`: the known names, and whether each has a drawer."""

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        clock: Clock,
        *,
        devices: Mapping[str, bool],
        document_of: DocumentOf,
        kick_deadline_ms: int,
        wake: Callable[[], None],
    ) -> None:
        """Store the arguments; `wake` is called after rows have changed."""
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._devices = devices
        self._document_of = document_of
        self._kick_deadline_ms = kick_deadline_ms
        self._wake = wake

    async def submit(self, asked: Asked) -> tuple[bool, JobRow] | JobRefusal:
        """Queue a job: whether it is new, and its row; durable once this returns.

        Raises:
            what `Writer.run` raises: the outcome is unknown, the same request again settles it.
        """
        new = self._new(asked)
        before = await jobs.job(self._reader, asked.id)
        if before is None:
            refusal = await self._problem(asked, new)
            if refusal is not None:
                return refusal
        now = self._clock.now_ms()
        outcome = await self._writer.run(lambda connection: jobs.insert(connection, new, now))
        self._wake()
        return refuse("key_reused", id=asked.id) if outcome is None else outcome

    async def cancel(self, till: str, identity: str) -> tuple[bool, JobRow] | JobRefusal:
        """Take a job back that has not been sent: whether this did it, and its row."""
        now = self._clock.now_ms()
        sources, state = life.sources(Happening.CANCELLED), life.target(Happening.CANCELLED)

        def work(connection: Connection) -> tuple[bool, JobRow] | None:
            row = jobs.job_in(connection, identity)
            if row is None or row.till != till:
                return None
            turned = jobs.turn(connection, identity, sources, state, now, detail="cancelled")
            return (False, row) if turned is None else (True, turned)

        outcome = await self._writer.run(work)
        self._wake()
        return refuse("job_unknown", id=identity) if outcome is None else outcome

    async def look_up(self, till: str, identity: str | None) -> list[JobRow] | JobRefusal:
        """One job of a till, or all that are not at their end."""
        if identity is None:
            return await jobs.open_jobs(self._reader, till, OPEN_JOBS_SHOWN_MAX)
        row = await jobs.job(self._reader, identity)
        return refuse("job_unknown", id=identity) if row is None or row.till != till else [row]

    async def settle(self, identity: str, outcome: Outcome, by: str) -> JobRow | JobRefusal:
        """A person's word on an unknown job: it was printed, or a copy is to be printed. Saying it twice is fine."""
        now = self._clock.now_ms()

        def work(connection: Connection) -> JobRow | JobRefusal:
            row = jobs.job_in(connection, identity)
            if row is None:
                return refuse("job_unknown", id=identity)
            happening = Happening.SAID_PRINTED if outcome == "printed" else Happening.COPIED
            if row.state == life.target(happening) and row.settled_by is not None:
                return row
            if life.after(State(row.state), happening) is None or (outcome == "reprint" and row.kind == Kind.KICK):
                return refuse("job_settled", id=identity, state=row.state)
            detail = _insert_copy(connection, row, now) if outcome == "reprint" else "said_printed"
            turned = jobs.turn(
                connection, identity, life.sources(happening), life.target(happening), now, detail=detail, settled_by=by
            )
            assert turned is not None, row
            return turned

        settled = await self._writer.run(work)
        self._wake()
        return settled

    def _new(self, asked: Asked) -> NewJob:
        body = asked.body
        allowed_ms = (
            self._kick_deadline_ms if asked.kind is Kind.KICK and asked.allowed_ms is None else asked.allowed_ms
        )
        return NewJob(
            id=asked.id,
            digest=messages.digest(asked.kind, asked.device, body),
            kind=asked.kind.value,
            device=asked.device,
            till=asked.till,
            body=orjson.dumps(body.model_dump(mode="json", by_alias=True)).decode(),
            document=str(body.document) if isinstance(body, ReceiptBody) else None,
            deadline=life.due_at(self._clock.now_ms(), allowed_ms, asked.age_ms, waited=asked.waited),
        )

    async def _problem(self, asked: Asked, new: NewJob) -> JobRefusal | None:
        """Why a job that is not in the table cannot be queued."""
        has_drawer = self._devices.get(asked.device)
        if has_drawer is None:
            return refuse("device_unknown", device=asked.device, known=", ".join(sorted(self._devices)) or "-")
        if asked.kind is Kind.KICK and not has_drawer:
            return refuse("drawer_missing", device=asked.device)
        if life.is_late(self._clock.now_ms(), new.deadline):
            return refuse("job_late")
        if new.document is not None and await self._document_of(new.document) is None:
            return refuse("document_unknown", document=new.document)
        return None


def copy_id(identity: str) -> str:
    """The job that prints a copy in place of an unknown one: asked for twice, it is the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"copy:{identity}"))


def _insert_copy(connection: Connection, row: JobRow, now: int) -> str:
    """Queue the same again, marked as a copy where it is a document's receipt; answers the new job's id."""
    body = orjson.loads(row.body)
    if row.kind == Kind.RECEIPT:
        body["copy"] = True
    identity = copy_id(row.id)
    text = orjson.dumps(body).decode()
    new = NewJob(identity, row.digest, row.kind, row.device, row.till, text, row.document)
    jobs.insert(connection, new, now)
    return identity
