"""Every "no" of head office: a stable code, an HTTP status, texts in English and Spanish, RFC 9457 on the wire."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web
from pydantic import ValidationError

MEDIA_TYPE = "application/problem+json"
ERRORS_SHOWN_MAX = 20
"""Entries of an `invalid_request`: enough to mend a file, too few to make the answer larger than the question."""

AGAIN, CHANGE, CALL = "same_request_again", "change_and_retry", "call_manager"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the catalogue; the details take the problem's values."""

    code: str
    status: int
    advice: str
    title_en: str
    title_es: str
    detail_en: str
    detail_es: str


CATALOGUE: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "malformed_http", 400, CHANGE,
            "Not an HTTP request", "No es una solicitud HTTP",
            "The request could not be read: {why}.", "No se pudo leer la solicitud: {why}.",
        ),
        Kind(
            "protocol_unknown", 400, CALL,
            "Another version of the wire protocol", "Otra versión del protocolo",
            "Head office speaks version {spoken}; send it in {header}. Update the older side.",
            "La oficina central habla la versión {spoken}; envíela en {header}. Actualice el lado más antiguo.",
        ),
        Kind(
            "unauthorized", 401, CALL,
            "Who is asking is not known", "No se sabe quién pregunta",
            "Send a token that head office made as Authorization: Bearer.",
            "Envíe un token de la oficina central como Authorization: Bearer.",
        ),
        Kind(
            "forbidden", 403, CALL,
            "Not with this token", "No con este token",
            "This needs {who}.", "Esto necesita: {who}.",
        ),
        Kind(
            "code_refused", 403, CHANGE,
            "The code is not right", "El código no es correcto",
            "The code is wrong, used, or too old. Make a new one: gateway headoffice store code.",
            "El código es incorrecto, ya se usó o venció. Genere otro: gateway headoffice store code.",
        ),
        Kind(
            "not_found", 404, CHANGE,
            "No such address", "No existe esa dirección",
            "There is nothing under {path}.", "No hay nada en {path}.",
        ),
        Kind(
            "store_unknown", 404, CHANGE,
            "No such store", "No existe esa tienda",
            "Store {store} was not added; add it: gateway headoffice store add.",
            "La tienda {store} no fue agregada; agréguela: gateway headoffice store add.",
        ),
        Kind(
            "document_unknown", 404, CHANGE,
            "No such document", "No existe ese documento",
            "Store {store} has not sent a document {document}.",
            "La tienda {store} no ha enviado un documento {document}.",
        ),
        Kind(
            "sku_unknown", 404, CHANGE,
            "No such product", "No existe ese producto",
            "SKU {sku} never moved in store {store}.", "El SKU {sku} nunca se movió en la tienda {store}.",
        ),
        Kind(
            "method_not_allowed", 405, CHANGE,
            "Not with this method", "No con este método",
            "{path} is asked with: {allowed}.", "{path} se pide con: {allowed}.",
        ),
        Kind(
            "out_of_step", 409, CHANGE,
            "Those rows do not continue here", "Esas filas no continúan aquí",
            "Head office wants row {next}; nothing was stored.",
            "La oficina central espera la fila {next}; no se guardó nada.",
        ),
        Kind(
            "session_stale", 409, CHANGE,
            "A newer line is open", "Hay una línea más nueva",
            "Another connection of this store said hello later; nothing was stored.",
            "Otra conexión de esta tienda saludó después; no se guardó nada.",
        ),
        Kind(
            "epoch_unknown", 409, CALL,
            "Not the history head office knows", "No es la historia que conoce la oficina central",
            "Head office follows another copy of this store's books; nothing was stored.",
            "La oficina central sigue otra copia de los libros de esta tienda; no se guardó nada.",
        ),
        Kind(
            "key_reused", 409, CHANGE,
            "This id was used for something else", "Este id ya se usó para otra cosa",
            "Id {id} already stands for another request; make a new id for a new request.",
            "El id {id} ya corresponde a otra solicitud; use un id nuevo para una solicitud nueva.",
        ),
        Kind(
            "too_large", 413, CHANGE,
            "The body is too large", "El cuerpo es demasiado grande",
            "A body may have {bytes_max} bytes; nothing was done.",
            "El cuerpo puede tener {bytes_max} bytes; no se hizo nada.",
        ),
        Kind(
            "unsupported_media_type", 415, CHANGE,
            "Not that kind of body", "Tipo de cuerpo no admitido",
            "Send the body as {wanted}.", "Envíe el cuerpo como {wanted}.",
        ),
        Kind(
            "invalid_request", 422, CHANGE,
            "The request is not right", "La solicitud no es válida",
            "{count} thing(s) to mend; errors says where and what.",
            "{count} cosa(s) por corregir; errors dice dónde y qué.",
        ),
        Kind(
            "chunk_invalid", 422, CHANGE,
            "Not a chunk", "No es un bloque",
            "The bytes are not a chunk of journal rows: {why}.",
            "Los bytes no son un bloque de filas del diario: {why}.",
        ),
        Kind(
            "wrong_store", 422, CALL,
            "Another store's books", "Libros de otra tienda",
            "These are the books of {named}, the token is of {store}; nothing was stored.",
            "Estos son los libros de {named}, el token es de {store}; no se guardó nada.",
        ),
        Kind(
            "row_not_understood", 422, CALL,
            "A row is not understood", "No se entiende una fila",
            "Row {seq} ({kind}) has not the form head office knows: {why}. Update head office first.",
            "La fila {seq} ({kind}) no tiene la forma conocida: {why}. Actualice primero la oficina central.",
        ),
        Kind(
            "too_many_attempts", 429, CALL,
            "Too many wrong codes", "Demasiados códigos incorrectos",
            "Too many wrong codes were tried; wait {seconds} s.",
            "Se probaron demasiados códigos incorrectos; espere {seconds} s.",
        ),
        Kind(
            "internal", 500, CALL,
            "Head office has a fault", "La oficina central tiene una falla",
            "This should not happen; the log says more.", "Esto no debería pasar; el registro dice más.",
        ),
        Kind(
            "busy", 503, AGAIN,
            "Too much at once", "Demasiado a la vez",
            "More works wait than head office takes; nothing was done.",
            "Esperan más trabajos de los que admite la oficina central; no se hizo nada.",
        ),
        Kind(
            "not_durable", 503, AGAIN,
            "The disk did not keep it", "El disco no lo guardó",
            "Whether it was done is not known: ask again.", "No se sabe si se hizo: repita la solicitud.",
        ),
    )
}  # fmt: skip
"""One row for each code. Codes are stable for ever."""

WHO = {
    "store": ("the token of store {store}", "el token de la tienda {store}"),
    "reader": ("a reader's token", "un token de lectura"),
    "writer": ("a writer's token", "un token de escritura"),
}
"""Who may ask, for the texts of `forbidden`."""

_RETRY_AFTER_S = {"busy": "1", "not_durable": "2", "too_many_attempts": "60"}
_SPANISH = {
    "missing": "falta",
    "extra_forbidden": "no se conoce",
    "json_invalid": "no es JSON válido",
    "string_type": "debe ser un texto",
    "string_pattern_mismatch": "no tiene la forma {pattern}",
    "string_too_long": "tiene más de {max_length} caracteres",
    "string_too_short": "tiene menos de {min_length} caracteres",
    "too_long": "tiene más de {max_length} elementos",
    "int_type": "debe ser un número entero",
    "int_parsing": "debe ser un número entero",
    "bool_type": "debe ser true o false",
    "bool_parsing": "debe ser true o false",
    "tuple_type": "debe ser una lista",
    "list_type": "debe ser una lista",
    "dict_type": "debe ser un objeto",
    "model_type": "debe ser un objeto",
    "literal_error": "debe ser uno de: {expected}",
    "greater_than_equal": "debe ser al menos {ge}",
    "less_than_equal": "debe ser como máximo {le}",
}
_RENAMED = {"type": "document_type", "status": "document_status"}


class Problem(Exception):  # noqa: N818 - it is an answer, not always an error of ours
    """Raised anywhere on the way to an answer; becomes the answer."""

    def __init__(self, code: str, *, shown: Mapping[str, Any] | None = None, **values: Any) -> None:
        """`values` fill the texts; they and `shown` stand beside the standard members."""
        super().__init__(code)
        self.kind = CATALOGUE[code]
        self.values = values
        self.shown = {**values, **(shown or {})}
        self.wrong: list[Wrong] = []


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing to mend in a request, in both languages."""

    where: str
    what_en: str
    what_es: str


def invalid(errors: Iterable[Wrong]) -> Problem:
    """What cannot be right about a request."""
    found = list(errors)
    problem = Problem("invalid_request", count=len(found))
    problem.wrong = found[:ERRORS_SHOWN_MAX]
    return problem


def wrong_in(error: ValidationError, prefix: str = "") -> list[Wrong]:
    """What pydantic found wrong; `prefix` says where it looked."""
    found = []
    for each in error.errors(include_url=False, include_input=False):
        what = str(each["msg"]).removeprefix("Value error, ")
        spanish = _SPANISH.get(each["type"], what).format(**each.get("ctx", {}))
        found.append(Wrong(place([*([prefix] if prefix else []), *each["loc"]]), what, spanish))
    return found


def answer(problem: Problem, request: web.BaseRequest) -> web.Response:
    """The problem on the wire, in the language the request likes better."""
    kind = problem.kind
    language = language_of(request.headers.get("Accept-Language", ""))
    title, detail = (kind.title_es, kind.detail_es) if language == "es" else (kind.title_en, kind.detail_en)
    values = {
        name: value[language == "es"] if isinstance(value, tuple) else value for name, value in problem.values.items()
    }
    shown = {_RENAMED.get(name, name): value for name, value in problem.shown.items() if not isinstance(value, tuple)}
    body = {
        "type": f"urn:store-gateway:problem:{kind.code}",
        "title": title,
        "status": kind.status,
        "code": kind.code,
        "detail": detail.format(**values),
        "advice": kind.advice,
        "instance": request.path,
        **shown,
    }
    if problem.wrong:
        texts = [(each.where, each.what_es if language == "es" else each.what_en) for each in problem.wrong]
        body["errors"] = [{"where": where, "what": what} for where, what in texts]
    headers = {"Content-Type": MEDIA_TYPE, "Content-Language": language, "Cache-Control": "no-store"}
    if kind.code in _RETRY_AFTER_S:
        headers["Retry-After"] = _RETRY_AFTER_S[kind.code]
    return web.Response(status=kind.status, body=orjson.dumps(body), headers=headers)


def language_of(accept_language: str) -> str:
    """`es` when the header names Spanish before English, else `en`."""
    named = [part.split(";")[0].strip().partition("-")[0] for part in accept_language.lower().split(",")]
    return next((tag for tag in named if tag in {"en", "es"}), "en")


def place(parts: Iterable[Any]) -> str:
    """`products[3].sku`; names that a client made up are shortened."""
    found = ""
    for part in parts:
        found += f"[{part}]" if isinstance(part, int) else f"{'.' if found else ''}{str(part)[:64]}"
    return found or "body"
