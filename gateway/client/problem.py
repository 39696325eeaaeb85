"""The two ways in which a request does not succeed."""

from collections.abc import Mapping
from typing import Any

_NAMED = frozenset({"type", "title", "status", "code", "detail", "advice", "instance"})


class Problem(Exception):  # noqa: N818 - the word of RFC 9457 and of the API
    """The gateway's "no" (RFC 9457): `code` is stable, `advice` says what to do, `extras` is what else came."""

    def __init__(self, status: int, body: Mapping[str, Any], retry_after_ms: int | None = None) -> None:
        self.status = status
        self.retry_after_ms = retry_after_ms
        self.code = str(body.get("code", f"http_{status}"))
        self.title = str(body.get("title", ""))
        self.detail = str(body.get("detail", ""))
        self.advice = str(body.get("advice", ""))
        self.instance = str(body.get("instance", ""))
        self.extras = {key: value for key, value in body.items() if key not in _NAMED}
        super().__init__(f"{status} {self.code}: {self.detail or self.title}")

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later: busy, stopping, the disk not answering, a proxy's time-out."""
        return self.status in {429, 502, 503, 504} or self.advice == "same_request_again"


class NoAnswerError(Exception):
    """Patience ended without an answer. Whether it was done is unknown: ask again under the same id, later."""
