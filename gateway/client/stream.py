"""Server-sent events (HTML Living Standard, 9.2): lines in, events out."""

import json
from typing import Any

from gateway.client.values import Event

EVENT_BYTES_MAX = 4_000_000
"""All data lines of one event together."""


class EventTooLargeError(Exception):
    """An event without end: the stream is not one of a gateway."""


class Reader:
    """Takes the lines of a stream; `last_id` survives reconnects."""

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self._kind = ""
        self._data: list[str] = []
        self._bytes = 0

    def forget(self) -> None:
        """Drop a half-read event: its connection is gone."""
        self._kind, self._data, self._bytes = "", [], 0

    def line(self, raw: bytes) -> Event | None:
        """Take one line (without or with its end); answers the event that it completes.

        Raises:
            EventTooLargeError: more than `EVENT_BYTES_MAX` without an empty line.
        """
        text = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            return self._complete()
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._bytes += len(raw)
            if self._bytes > EVENT_BYTES_MAX:
                raise EventTooLargeError
            self._data.append(value)
        elif name == "event":
            self._kind = value
        elif name == "id" and "\0" not in value:
            self.last_id = value
        return None

    def _complete(self) -> Event | None:
        kind, data = self._kind or "message", "\n".join(self._data)
        self.forget()
        return Event(self.last_id, kind, _value(data)) if data else None


def _value(text: str) -> Any:
    """The data as JSON; as text where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text
