"""How long, and how often, the same request is sent again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits of one request with all its retries. The default rides out a restart, a pulled cable and a full disk."""

    tries_max: int = 40
    reply_ms_max: int = 15_000
    """For one try: longer than the gateway's own `api.reply_wait_ms_max`."""
    total_ms_max: int = 180_000
    pause_ms_min: int = 40
    pause_ms_max: int = 3_000
    retry_after_ms_max: int = 30_000
    """No server can make a till wait longer than this."""

    def pause_ms(self, tries: int, retry_after_ms: int | None, generator: random.Random) -> float:
        """Before try `tries` + 1: doubles each time, half of it by chance, and not less than the server asked for."""
        ceiling = min(self.pause_ms_max, self.pause_ms_min << min(tries - 1, 16))
        pause = ceiling * generator.uniform(0.5, 1.0)
        if retry_after_ms is not None:
            asked = min(retry_after_ms, self.retry_after_ms_max)
            return asked + pause
        return pause


ONCE = Patience(tries_max=1)
"""For a person who waits at a terminal, and for requests that must not be repeated."""
