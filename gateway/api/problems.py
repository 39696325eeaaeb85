"""Every "no" of the API as an RFC 9457 problem, in English or Spanish, by `Accept-Language`."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from aiohttp import web
from pydantic import ValidationError

from gateway.api.codes import CATALOGUE
from gateway.api.wire import MEANT
from gateway.devices.refusals import JobRefusal
from gateway.ledger.refusals import Refusal
from gateway.tills.refusals import TillRefusedError

MEDIA_TYPE = "application/problem+json"
SERVER = "store-gateway"
"""Who answers; which programs it is made of is nobody's business."""
ERRORS_SHOWN_MAX = 20
"""Entries of an `invalid_request`: enough to mend a request, too few to make the answer larger than the question."""

_RETRY_AFTER_S = {
    "busy": 1,
    "stopping": 5,
    "not_durable": 1,
    "answer_late": 1,
    "no_connection": 15,
    "too_many_attempts": 30,
}
_MEMBERS = frozenset({"type", "title", "status", "code", "detail", "advice", "instance"})
_RENAMED = {"type": "document_type", "status": "document_status"}
"""Values of a refusal whose names are members of every problem."""
_NOT_SHOWN = frozenset({"why", "why_es"})
"""Values that are the detail itself."""


class Problem(Exception):  # noqa: N818 - it is an answer, not always an error of ours
    """Raised anywhere on the way to an answer; becomes the answer."""

    def __init__(self, code: str, *, headers: Mapping[str, str] | None = None, **values: Any) -> None:
        """`values` fill the texts and are shown beside the standard members."""
        super().__init__(code)
        self.kind = CATALOGUE[code]
        self.values = values
        self.headers = dict(headers or {})
        if code in _RETRY_AFTER_S:
            self.headers.setdefault("Retry-After", str(values.get("seconds", _RETRY_AFTER_S[code])))


def of_refusal(refusal: Refusal | TillRefusedError | JobRefusal) -> Problem:
    """A refusal of the ledger, of the till list or of the devices, ready to raise."""
    problem = Problem(refusal.code)
    problem.values = refusal.values
    return problem


def invalid(where: str, what: str, what_es: str) -> Problem:
    """One thing that the models cannot see is wrong with a request."""
    return Problem("invalid_request", count=1, errors=[_Text(where, what, what_es)])


def of_validation(error: ValidationError, prefix: str = "") -> Problem:
    """What pydantic found wrong with a body or with the query."""
    found = error.errors(include_url=False, include_input=False)
    if found and found[0]["type"] == "json_invalid":
        return Problem("malformed_json", why=str(found[0].get("ctx", {}).get("error", "cannot be read"))[:200])
    errors = [_Text.of(prefix, each) for each in found[:ERRORS_SHOWN_MAX]]
    return Problem("invalid_request", count=len(found), errors=errors)


def answer(problem: Problem, language: str, instance: str) -> web.Response:
    """The problem on the wire."""
    response = web.Response(
        status=problem.kind.status,
        body=orjson.dumps(body(problem, language, instance)),
        headers={
            "Content-Type": MEDIA_TYPE,
            "Content-Language": language,
            "Cache-Control": "no-store",
            "Server": SERVER,
            **problem.headers,
        },
    )
    if problem.headers.get("Connection") == "close":
        response.force_close()
    return response


def body(problem: Problem, language: str, instance: str) -> dict[str, Any]:
    """The problem's members: the standard ones first, then the values."""
    kind, values = problem.kind, problem.values
    title, detail = (kind.title_es, kind.detail_es) if language == "es" else (kind.title_en, kind.detail_en)
    shown = {_RENAMED.get(name, name): value for name, value in values.items() if name not in _NOT_SHOWN}
    assert not shown.keys() & _MEMBERS, (kind.code, shown.keys())
    if "errors" in shown:
        shown["errors"] = [text.shown(language) for text in shown["errors"]]
    return {
        "type": type_of(kind.code),
        "title": title,
        "status": kind.status,
        "code": kind.code,
        "detail": detail.format(**values),
        "advice": kind.advice.value,
        "instance": instance,
        **shown,
    }


def problem_statuses(codes: Iterable[str]) -> dict[int, tuple[str, ...]]:
    """Codes by their HTTP status."""
    found: dict[int, tuple[str, ...]] = {}
    for code in sorted(codes):
        status = CATALOGUE[code].status
        found[status] = (*found.get(status, ()), code)
    return found


def type_of(code: str) -> str:
    """Where the readable page explains a code."""
    return f"/v1/docs#{code}"


@lru_cache(maxsize=256)
def language_of(accept_language: str) -> str:
    """`es` or `en`: the one of the two that the header likes better; English when it says nothing of either."""
    likes = {"en": 0.0, "es": 0.0}
    for entry in accept_language.lower().split(","):
        tag, _, rest = entry.partition(";")
        language = tag.strip().partition("-")[0]
        if language in likes:
            likes[language] = max(likes[language], _quality(rest))
    return "es" if likes["es"] > likes["en"] else "en"


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


class _Text:
    """One entry of `errors`, in both languages."""

    __slots__ = ("_what", "_what_es", "_where")

    def __init__(self, where: str, what: str, what_es: str) -> None:
        self._where, self._what, self._what_es = where, what, what_es

    @classmethod
    def of(cls, prefix: str, error: Any) -> "_Text":
        where = _place([*([prefix] if prefix else []), *error["loc"]])
        what = str(error["msg"]).removeprefix("Value error, ")
        context = error.get("ctx", {})
        if context.get("pattern") in MEANT:
            return cls(where, *MEANT[context["pattern"]])
        template = _SPANISH.get(error["type"])
        what_es = what if template is None else template.format(**context)
        return cls(where, what, what_es)

    def shown(self, language: str) -> dict[str, str]:
        return {"where": self._where, "what": self._what_es if language == "es" else self._what}


def _place(parts: Iterable[Any]) -> str:
    """`lines[3].quantity`; names that a client made up are shortened."""
    place = ""
    for part in parts:
        place += f"[{part}]" if isinstance(part, int) else f"{'.' if place else ''}{str(part)[:64]}"
    return place or "body"


_SPANISH = {
    "missing": "falta",
    "extra_forbidden": "no se conoce",
    "string_type": "debe ser un texto",
    "string_pattern_mismatch": "no tiene la forma {pattern}",
    "string_too_long": "tiene más de {max_length} caracteres",
    "string_too_short": "tiene menos de {min_length} caracteres",
    "too_long": "tiene más de {max_length} elementos",
    "too_short": "tiene menos de {min_length} elementos",
    "int_type": "debe ser un número entero",
    "int_parsing": "debe ser un número entero",
    "int_from_float": "debe ser un número entero",
    "bool_type": "debe ser true o false",
    "bool_parsing": "debe ser true o false",
    "list_type": "debe ser una lista",
    "dict_type": "debe ser un objeto",
    "model_type": "debe ser un objeto",
    "model_attributes_type": "debe ser un objeto",
    "enum": "debe ser uno de: {expected}",
    "literal_error": "debe ser uno de: {expected}",
    "greater_than": "debe ser mayor que {gt}",
    "greater_than_equal": "debe ser al menos {ge}",
    "less_than_equal": "debe ser como máximo {le}",
}
