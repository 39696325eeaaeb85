"""The shape of a row of the table of operations."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web
from pydantic import BaseModel

from gateway.api.auth import Who
from gateway.api.exchange import JSON

Method = Literal["GET", "PUT", "POST", "DELETE"]
Handler = Callable[..., Awaitable[web.StreamResponse]]
"""Called with the `Ask`, the values of the path, then the query and the body where the operation has them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One way in which an operation succeeds."""

    status: int
    model: type[BaseModel] | None = None
    media: tuple[str, ...] = (JSON,)
    en: str = "Done."
    es: str = "Hecho."


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table."""

    method: Method
    path: str
    id: str
    tag: str
    who: Who
    en: str
    es: str
    handler: Handler
    answers: tuple[Answer, ...]
    query: type[BaseModel] | None = None
    body: type[BaseModel] | Literal["csv"] | None = None
    refusals: tuple[str, ...] = ()
    """Codes beyond those that follow from the rest of the row."""
    resumes: bool = False
    """Takes `Last-Event-ID`."""

    @property
    def path_names(self) -> tuple[str, ...]:
        """The path's placeholders, in order."""
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def codes(self) -> tuple[str, ...]:
        """Every problem that may come, by the row's own words."""
        implied: list[str] = ["internal"]
        if self.who is not Who.ANYONE:
            implied += ["unauthorized", "too_many_attempts"]
            if self.who is not Who.EITHER and (self.who is not Who.TILL or self.method != "GET"):
                implied.append("forbidden")
        if self.path_names or self.query is not None:
            implied.append("invalid_request")
        if self.body is not None:
            implied += ["too_large", "body_too_slow", "body_incomplete", "unsupported_media_type", "invalid_request"]
            implied.append("malformed_csv" if self.body == "csv" else "malformed_json")
        return tuple(sorted({*implied, *self.refusals}))


WRITES = ("busy", "stopping", "not_durable")
"""What may come of any write."""
DESK = (*WRITES, "answer_late")
"""What may come of any command to the desk."""


def ok(model: type[BaseModel] | None, *media: str) -> tuple[Answer, ...]:
    """200 with a model, or with something other than JSON."""
    return (Answer(200, model, media or (JSON,)),)


def made(model: type[BaseModel]) -> tuple[Answer, ...]:
    """201 the first time, 200 afterwards."""
    return (
        Answer(201, model, en="Done now.", es="Hecho ahora."),
        Answer(200, model, en="Done before; the same answer.", es="Hecho antes; la misma respuesta."),
    )
