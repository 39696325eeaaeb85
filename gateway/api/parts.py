"""What the API is made of: the parts it is given, and the shape of those that other packages bring."""

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from gateway.authority.desk import Desk
from gateway.clock import Clock
from gateway.devices.jobs import Kind
from gateway.devices.messages import Body
from gateway.health.metrics import Metrics
from gateway.health.warnings import Board
from gateway.ledger.refusals import Refusal
from gateway.settings import Settings
from gateway.storage.jobs import JobRow
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer
from gateway.tills.registry import Registry

ReceiptForm = Literal["text", "escpos"]


@dataclass(frozen=True, slots=True)
class JobOrder:
    """A job as a till asks for it over HTTP; `deadline_ms` is how long it may wait, None for ever."""

    id: str
    till: str
    kind: Kind
    device: str
    body: Body
    deadline_ms: int | None


class Devices(Protocol):
    """Printers and drawers, and the jobs for them."""

    def listing(self) -> list[dict[str, Any]]:
        """Each device (`wire.DeviceReply`): name, kind, profile, state."""

    async def submit_job(self, order: JobOrder) -> tuple[bool, JobRow] | Refusal:
        """Queue a job durably: whether it is new, and how it stands; or why not."""

    async def receipt(self, document: dict[str, Any], form: ReceiptForm) -> bytes:
        """A document's paper, marked as a copy: UTF-8 text, or what a printer is sent."""


class Link(Protocol):
    """The line to head office."""

    def state(self) -> dict[str, Any]:
        """At least state, since, waiting, oldest_ms, eta_s (`wire.LinkReply`)."""

    async def sync_now(self) -> bool:
        """Try now to be in step; False when there is no line."""

    async def set_mode(self, mode: Literal["automatic", "working_offline"]) -> None:
        """Work without head office on purpose, or as the line allows."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the edge bears. Times in seconds."""

    connections_max: int = 1_000
    """Tills, streams and a scraper: far above a store's 200 tills with a stream each, far below the descriptors."""
    keepalive_s_max: float = 75
    """Idle, or trickling the head of a request, for longer than this: closed."""
    body_s_max: float = 10
    """From a request's head to the last byte of its body."""
    unread_s_max: float = 30
    """Bytes the other end does not take for longer than this: closed (TCP_USER_TIMEOUT)."""
    streams_max: int = 512
    stream_write_s_max: float = 10
    """A stream whose reader takes nothing for this long is cut; it resumes where it was."""
    stop_s_max: float = 5
    """For the requests in hand when the gateway stops."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the API works with; made by the composition root."""

    settings: Settings
    clock: Clock
    board: Board
    desk: Desk
    reader: Reader
    writer: Writer
    registry: Registry
    devices: Devices
    link: Link
    metrics: Metrics
    version: str
    limits: Limits = field(default_factory=Limits)
