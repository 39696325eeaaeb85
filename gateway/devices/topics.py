"""The topic tree of the device bus, and who may use which branch. Pure: build, parse, match.

| topic below `root/v1/{store}/` | who publishes | |
|---|---|---|
| `gw/status` | gateway | retained, last will |
| `gw/echo` | gateway, to itself | a message that comes after it did not wait in the broker |
| `dev/{device}/info`, `dev/{device}/state` | gateway | retained |
| `till/{till}/status` | till | retained, last will |
| `till/{till}/job/{device}/submit`, `cancel`, `query` | till | |
| `till/{till}/evt/job/{job}` | gateway | |
| `till/{till}/evt/ack` | till | highest `ev_seq` it has stored |
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

ROOT = "root/v1"
GATEWAY_USER = "gateway"
"""The gateway's own user at the broker; `gateway.tills` lets no till have this name."""

NAME = r"[a-z0-9][a-z0-9-]{0,31}"
_NAME = re.compile(NAME, re.ASCII)


class Verb(StrEnum):
    """What a till can do with a job."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    QUERY = "query"


_VERBS = frozenset(Verb)


@dataclass(frozen=True, slots=True)
class JobTopic:
    """A till speaks of a job."""

    till: str
    device: str
    verb: Verb


@dataclass(frozen=True, slots=True)
class AckTopic:
    """A till has stored events."""

    till: str


@dataclass(frozen=True, slots=True)
class PresenceTopic:
    """A till comes or goes."""

    till: str


@dataclass(frozen=True, slots=True)
class EchoTopic:
    """The gateway's own marker comes back."""


TillTopic = JobTopic | AckTopic | PresenceTopic | EchoTopic

WRITES = (
    "till/{user}/status",
    "till/{user}/job/+/submit",
    "till/{user}/job/+/cancel",
    "till/{user}/job/+/query",
    "till/{user}/evt/ack",
)
"""What a till may publish: below its own name and nowhere else."""
READS = ("till/{user}/evt/#", "dev/+/state", "dev/+/info", "gw/status")
"""What a till may read."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The topics of one store."""

    store: str

    @property
    def root(self) -> str:
        """What every topic of this store begins with."""
        return f"{ROOT}/{self.store}"

    @property
    def gateway_client(self) -> str:
        """The gateway's client id: the session that keeps what tills say while it is away."""
        return f"gateway-{self.store}"

    @property
    def gateway_status(self) -> str:
        """Whether the gateway is there."""
        return f"{self.root}/gw/status"

    @property
    def echo(self) -> str:
        """The gateway's marker to itself."""
        return f"{self.root}/gw/echo"

    @property
    def listened(self) -> tuple[str, ...]:
        """What the gateway subscribes to; no two of them meet, so that nothing comes twice."""
        return (
            f"{self.root}/till/+/job/+/+",
            f"{self.root}/till/+/evt/ack",
            f"{self.root}/till/+/status",
            self.echo,
        )

    def device_info(self, device: str) -> str:
        """What a device is."""
        return f"{self.root}/dev/{device}/info"

    def device_state(self, device: str) -> str:
        """How a device is."""
        return f"{self.root}/dev/{device}/state"

    def till_status(self, till: str) -> str:
        """Whether a till is there."""
        return f"{self.root}/till/{till}/status"

    def job(self, till: str, device: str, verb: Verb) -> str:
        """Where a till speaks of jobs."""
        return f"{self.root}/till/{till}/job/{device}/{verb}"

    def event(self, till: str, job: str) -> str:
        """Where a till hears of a job."""
        return f"{self.root}/till/{till}/evt/job/{job}"

    def acknowledgement(self, till: str) -> str:
        """Where a till says what it has stored."""
        return f"{self.root}/till/{till}/evt/ack"

    def parse(self, topic: str) -> TillTopic | None:
        """What a message to the gateway is about; None for a topic that is not of this tree."""
        if topic == self.echo:
            return EchoTopic()
        if not topic.startswith(f"{self.root}/till/"):
            return None
        match topic.removeprefix(f"{self.root}/till/").split("/"):
            case [till, "status"] if _NAME.fullmatch(till):
                return PresenceTopic(till)
            case [till, "evt", "ack"] if _NAME.fullmatch(till):
                return AckTopic(till)
            case [till, "job", device, verb] if _NAME.fullmatch(till) and _NAME.fullmatch(device) and verb in _VERBS:
                return JobTopic(till, device, Verb(verb))
        return None

    def may_publish(self, user: str, topic: str) -> bool:
        """Whether a user may publish here; the gateway may, everywhere in its tree."""
        if user == GATEWAY_USER:
            return covers(f"{self.root}/#", topic)
        return any(covers(pattern, topic) for pattern in self._patterns(WRITES, user))

    def may_read(self, user: str, topic: str) -> bool:
        """Whether a user may subscribe to a filter, or be sent a message of this topic."""
        if user == GATEWAY_USER:
            return covers(f"{self.root}/#", topic)
        return any(covers(pattern, topic) for pattern in self._patterns(READS, user))

    def _patterns(self, patterns: tuple[str, ...], user: str) -> Iterator[str]:
        if _NAME.fullmatch(user):
            for pattern in patterns:
                yield f"{self.root}/{pattern.format(user=user)}"


def covers(pattern: str, topic: str) -> bool:
    """Whether everything that matches `topic` (a topic or a filter) matches `pattern` too."""
    wanted, given = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(given) or given[index] == "#":
            return False
        if level not in {"+", given[index]}:
            return False
    return len(wanted) == len(given)
