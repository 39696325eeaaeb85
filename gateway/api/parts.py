"""What the API is made of: the parts it is given, and what it bears."""

from dataclasses import dataclass, field

from gateway.authority.desk import Desk
from gateway.clock import Clock
from gateway.devices.dispatch import Devices
from gateway.devices.jobs import Kind
from gateway.devices.messages import Body
from gateway.health.metrics import Metrics
from gateway.health.warnings import Board
from gateway.settings import Settings
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer
from gateway.sync.connection import Link
from gateway.tills.registry import Registry


@dataclass(frozen=True, slots=True)
class JobOrder:
    """A job as a till asks for it over HTTP; `deadline_ms` counts from now, None: whenever."""

    id: str
    till: str
    kind: Kind
    device: str
    body: Body
    deadline_ms: int | None


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
    wrong_attempts_max: int = 60
    """Wrong tokens or codes from one address in a minute: a till that lost its token asks every few seconds."""
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
