"""What is said over MQTT: JSON payloads as pydantic models. An unknown field is an error, never ignored.

Times are milliseconds UTC; `created` and `deadline` are two readings of the till's own clock and only their distance
counts. `v` is 1 in every message of this tree.
"""

import hashlib
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from gateway.devices import topics
from gateway.devices.jobs import Kind

PAYLOAD_BYTES_MAX = 65_536
LINES_MAX = 200
LINE_LENGTH_MAX = 200
_MS_MAX = 2**53

Name = Annotated[str, StringConstraints(pattern=f"^{topics.NAME}$")]
Instant = Annotated[int, Field(ge=0, le=_MS_MAX)]
TextLine = Annotated[str, StringConstraints(max_length=LINE_LENGTH_MAX)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReceiptBody(_Message):
    """Print a document's receipt; `copy` (a reprint) marks it as one."""

    document: UUID
    copy_: Annotated[bool, Field(alias="copy")] = False


class TextBody(_Message):
    """Print lines as they are, wrapped to the paper."""

    lines: Annotated[tuple[TextLine, ...], Field(min_length=1, max_length=LINES_MAX)]
    cut: bool = True


class KickBody(_Message):
    """Open the drawer."""


Body = ReceiptBody | TextBody | KickBody
BODIES: dict[Kind, type[ReceiptBody] | type[TextBody] | type[KickBody]] = {
    Kind.RECEIPT: ReceiptBody,
    Kind.TEXT: TextBody,
    Kind.KICK: KickBody,
}


class SubmitMessage(_Message):
    """A till's job. `job_id` is the key: sent twice it is done once."""

    v: Literal[1]
    job_id: UUID
    kind: Kind
    dev: Name
    created: Instant
    deadline: Instant | None = None
    age_ms: Instant = 0
    """What has passed at the till since `created`, by a clock that cannot be set."""
    body: dict[str, Any]

    @property
    def allowed_ms(self) -> int | None:
        """How long after its making the job may still be done."""
        return None if self.deadline is None else self.deadline - self.created


class CancelMessage(_Message):
    """A till's job shall not be done, if it is not too late."""

    v: Literal[1]
    job_id: UUID


class QueryMessage(_Message):
    """How does a job stand; without an id, all of the till's that are not at their end."""

    v: Literal[1]
    job_id: UUID | None = None


class AckMessage(_Message):
    """The till has stored its events up to this number."""

    v: Literal[1]
    ev_seq: Annotated[int, Field(ge=0, le=_MS_MAX)]


class TillStatusMessage(_Message):
    """A till comes (`online`) or goes (`offline`, also its last will)."""

    v: Literal[1]
    state: Literal["online", "offline"]
    session: Annotated[str, StringConstraints(max_length=64)] = ""


class EventMessage(_Message):
    """A job's state; `ev_seq` 0 is an answer that is not stored and needs no acknowledgement."""

    v: Literal[1] = 1
    ev_seq: int
    job_id: str
    dev: str
    kind: str
    state: str
    detail: str
    at: int
    gw_epoch: int


class GatewayStatusMessage(_Message):
    """Whether the gateway is there. A will of an epoch older than one already seen is an old will: ignore it."""

    v: Literal[1] = 1
    state: Literal["online", "offline"]
    gw_epoch: int
    version: str
    at: int | None
    """Milliseconds UTC; none in the last will, which nobody is there to date."""


class DeviceInfoMessage(_Message):
    """What a device is."""

    v: Literal[1] = 1
    dev: str
    device_class: Annotated[Literal["printer"], Field(serialization_alias="class")] = "printer"
    profile: str
    name: str
    columns: int
    jobs: tuple[str, ...]


class DeviceStateMessage(_Message):
    """How a printer is. `seq` grows with every message of one `gw_epoch`."""

    v: Literal[1] = 1
    dev: str
    online: bool | None
    paper: Literal["ok", "near_end", "out", "unknown"]
    cover: Literal["closed", "open", "unknown"]
    drawer: Literal["open", "closed", "unknown"]
    busy: bool
    blocked_by: str | None
    """The job that the printer holds back, if any."""
    waiting: int
    unknown: int
    gw_epoch: int
    seq: int
    at: int


_ID = TypeAdapter(UUID)


def problem_of(error: ValidationError) -> str:
    """What is wrong with a message, in one short line without its values."""
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'message'}: {each['msg']}" for each in error.errors()[:3])


def job_id_in(payload: bytes) -> str | None:
    """The job id of a message that is wrong otherwise, so that its till can be told; None where there is none."""
    try:
        value = orjson.loads(payload)
        return str(_ID.validate_python(value["job_id"]))
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def digest(kind: str, device: str, body: Body) -> bytes:
    """SHA-256 of what was asked: equal for the same request however its JSON was written, over MQTT and HTTP."""
    asked = [kind, device, body.model_dump(mode="json", by_alias=True)]
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).digest()


def dumps(message: BaseModel) -> bytes:
    """A message as it goes on the wire."""
    return message.model_dump_json(by_alias=True).encode()
