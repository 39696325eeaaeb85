"""Every "no" of the API as an RFC 9457 problem: the ledger's refusals, and the codes that belong to the edge alone.

Codes are stable for ever. Titles and details are in English or Spanish, by `Accept-Language`.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from aiohttp import web
from pydantic import ValidationError

from gateway.devices import refusals as device_refusals
from gateway.devices.refusals import JobRefusal
from gateway.ledger import refusals as ledger_refusals
from gateway.ledger.refusals import Advice, Kind, Refusal
from gateway.tills import refusals as till_refusals
from gateway.tills.refusals import TillRefusedError

MEDIA_TYPE = "application/problem+json"
ERRORS_SHOWN_MAX = 20
"""Entries of an `invalid_request`: enough to mend a request, too few to make the answer larger than the question."""

_AGAIN, _CHANGE, _CALL = Advice.SAME_REQUEST_AGAIN, Advice.CHANGE_AND_RETRY, Advice.CALL_MANAGER

EDGE: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "malformed_http",
            400,
            _CHANGE,
            "Not an HTTP request",
            "No es una solicitud HTTP",
            "The request could not be read: {why}.",
            "No se pudo leer la solicitud: {why}.",
        ),
        Kind(
            "malformed_json",
            400,
            _CHANGE,
            "The body is not JSON",
            "El cuerpo no es JSON",
            "The body is not valid JSON in UTF-8: {why}.",
            "El cuerpo no es JSON válido en UTF-8: {why}.",
        ),
        Kind(
            "malformed_csv",
            400,
            _CHANGE,
            "The body is not CSV in UTF-8",
            "El cuerpo no es CSV en UTF-8",
            "The body is not CSV in UTF-8: {why}.",
            "El cuerpo no es CSV en UTF-8: {why}.",
        ),
        Kind(
            "body_incomplete",
            400,
            _AGAIN,
            "The body was cut off",
            "El cuerpo llegó cortado",
            "The connection ended before the whole body was here; nothing was done.",
            "La conexión terminó antes de recibir todo el cuerpo; no se hizo nada.",
        ),
        Kind(
            "unauthorized",
            401,
            _CALL,
            "Who is asking is not known",
            "No se sabe quién pregunta",
            "Send the till's own token as Authorization: Bearer; a till without one must be paired.",
            "Envíe el token de la caja como Authorization: Bearer; una caja sin token debe emparejarse.",
        ),
        Kind(
            "forbidden",
            403,
            _CALL,
            "Not with this token",
            "No con este token",
            "This operation is for: {who}.",
            "Esta operación es para: {who}.",
        ),
        Kind(
            "not_found",
            404,
            _CHANGE,
            "No such address",
            "No existe esa dirección",
            "There is nothing under {path}; /v1/docs lists what there is.",
            "No hay nada en {path}; /v1/docs dice lo que hay.",
        ),
        Kind(
            "sku_unknown",
            404,
            _CHANGE,
            "No such product",
            "No existe ese producto",
            "SKU {sku} is not in the catalogue.",
            "El SKU {sku} no está en el catálogo.",
        ),
        Kind(
            "method_not_allowed",
            405,
            _CHANGE,
            "Not with this method",
            "No con este método",
            "{path} is asked with: {allowed}.",
            "{path} se pide con: {allowed}.",
        ),
        Kind(
            "not_acceptable",
            406,
            _CHANGE,
            "Not in that form",
            "No en ese formato",
            "This can be had as: {offered}.",
            "Esto se entrega como: {offered}.",
        ),
        Kind(
            "body_too_slow",
            408,
            _AGAIN,
            "The body took too long",
            "El cuerpo tardó demasiado",
            "The whole body must be here within {seconds} s; nothing was done.",
            "El cuerpo debe llegar completo en {seconds} s; no se hizo nada.",
        ),
        Kind(
            "too_large",
            413,
            _CHANGE,
            "The body is too large",
            "El cuerpo es demasiado grande",
            "A body may have {bytes_max} bytes (api.body_bytes_max); nothing was done.",
            "El cuerpo puede tener {bytes_max} bytes (api.body_bytes_max); no se hizo nada.",
        ),
        Kind(
            "unsupported_media_type",
            415,
            _CHANGE,
            "Not that kind of body",
            "Tipo de cuerpo no admitido",
            "Send the body as {wanted}.",
            "Envíe el cuerpo como {wanted}.",
        ),
        Kind(
            "expectation_failed",
            417,
            _CHANGE,
            "That cannot be expected",
            "No se puede esperar eso",
            "The only Expect is 100-continue.",
            "El único Expect es 100-continue.",
        ),
        Kind(
            "invalid_request",
            422,
            _CHANGE,
            "The request is not right",
            "La solicitud no es válida",
            "{count} thing(s) to mend; errors says where and what.",
            "{count} cosa(s) por corregir; errors dice dónde y qué.",
        ),
        Kind(
            "catalogue_invalid",
            422,
            _CHANGE,
            "The file has mistakes",
            "El archivo tiene errores",
            "{count} mistake(s); problems says where. Nothing was taken in.",
            "{count} error(es); problems dice dónde. No se importó nada.",
        ),
        Kind(
            "too_many_attempts",
            429,
            _CALL,
            "Too many wrong attempts",
            "Demasiados intentos fallidos",
            "Too many requests from {address} came without a right token or code; wait {seconds} s.",
            "Demasiadas solicitudes de {address} llegaron sin token o código válido; espere {seconds} s.",
        ),
        Kind(
            "internal",
            500,
            _CALL,
            "The gateway has a fault",
            "El gateway tiene una falla",
            "This should not happen; the log has it under {incident}. Asking again under the same id is safe.",
            "Esto no debería pasar; el registro lo tiene como {incident}. Repetir con el mismo id es seguro.",
        ),
        Kind(
            "busy",
            503,
            _AGAIN,
            "Too much at once",
            "Demasiado a la vez",
            "More requests wait than the gateway takes ({limit}); nothing was done.",
            "Esperan más solicitudes de las que admite el gateway ({limit}); no se hizo nada.",
        ),
        Kind(
            "stopping",
            503,
            _AGAIN,
            "The gateway is stopping",
            "El gateway se está deteniendo",
            "Nothing was done; ask again when it is back.",
            "No se hizo nada; repita cuando vuelva.",
        ),
        Kind(
            "not_durable",
            503,
            _AGAIN,
            "The disk did not keep it",
            "El disco no lo guardó",
            "Whether it was done is not known. Ask again under the same id: the answer settles it.",
            "No se sabe si se hizo. Repita con el mismo id: la respuesta lo aclara.",
        ),
        Kind(
            "answer_late",
            503,
            _AGAIN,
            "No answer in time",
            "Sin respuesta a tiempo",
            "No answer within {ms} ms (api.reply_wait_ms_max). Ask again under the same id: the answer settles it.",
            "Sin respuesta en {ms} ms (api.reply_wait_ms_max). Repita con el mismo id: la respuesta lo aclara.",
        ),
        Kind(
            "no_connection",
            503,
            _AGAIN,
            "No line to head office",
            "Sin conexión con la oficina central",
            "There is no line to head office now ({why}). Keep selling; everything is sent when it returns.",
            "No hay conexión con la oficina central ({why}). Siga vendiendo; todo se envía al volver la línea.",
        ),
        Kind(
            "disk_low",
            507,
            _CALL,
            "The disk is nearly full",
            "El disco está casi lleno",
            "Nothing new is accepted until there is space on the gateway's disk.",
            "No se acepta nada nuevo hasta que haya espacio en el disco del gateway.",
        ),
    )
}
"""One row for each code that only the HTTP edge gives."""

CATALOGUE: dict[str, Kind] = {
    **ledger_refusals.CATALOGUE,
    **till_refusals.CATALOGUE,
    **device_refusals.CATALOGUE,
    **EDGE,
}
"""Every code a client of the API may meet."""

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
        headers={"Content-Type": MEDIA_TYPE, "Content-Language": language, "Cache-Control": "no-store"}
        | problem.headers,
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
        template = _SPANISH.get(error["type"])
        what_es = what if template is None else template.format(**error.get("ctx", {}))
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
