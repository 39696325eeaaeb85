"""What somebody who watches the demonstration sees: filled in by watchers, drawn by `screen`."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.simulator.tally import Tally
from gateway.simulator.tills import Seller
from gateway.tongue import tr

STORY_LINES_MAX = 200
PAPER_LINES_MAX = 40


@dataclass(slots=True)
class Scene:
    """One moment of the demonstration."""

    tally: Tally
    say: Callable[[str], None] = print
    """Hears each line of the story as it happens."""
    now: Callable[[], float] = lambda: 0.0
    """Seconds since the curtain rose."""
    act: str = field(default_factory=lambda: tr("setting up", "preparando"))
    sellers: list[Seller] = field(default_factory=list)
    is_gateway_up: bool = False
    is_line_whole: bool = True
    status: dict[str, Any] = field(default_factory=dict)
    office: dict[str, Any] = field(default_factory=dict)
    stock: dict[str, tuple[str, str]] = field(default_factory=dict)
    """SKU → name and what is available."""
    paper: deque[str] = field(default_factory=lambda: deque(maxlen=PAPER_LINES_MAX))
    receipts: int = 0
    last_receipt: list[str] = field(default_factory=list)
    story: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=STORY_LINES_MAX))

    def tell(self, english: str, spanish: str | None = None) -> None:
        """One line of the story; without Spanish it is the same in both languages."""
        text = english if spanish is None else tr(english, spanish)
        at = self.now()
        self.story.append((at, text))
        self.say(f"[{at:5.1f} s] {text}")

    @property
    def link(self) -> dict[str, Any]:
        """The line as the gateway sees it."""
        found = self.status.get("link", {})
        return found if isinstance(found, dict) else {}
