"""The OpenAPI 3.1 document, made from the table of operations."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.api.auth import Who
from gateway.api.codes import CATALOGUE
from gateway.api.exchange import CSV, JSON, Ask, content
from gateway.api.operation import Operation
from gateway.api.problems import MEDIA_TYPE, problem_statuses
from gateway.api.replies import ProblemReply
from gateway.api.wire import PATH_TYPES

Schema = dict[str, Any]
DOCUMENT = web.AppKey("the OpenAPI document", bytes)
_TEMPLATE = "#/components/schemas/{model}"
_TOKENS = {
    "till": {"type": "http", "scheme": "bearer", "description": "A paired till's token."},
    "administrator": {"type": "http", "scheme": "bearer", "description": "The administrator's token."},
}


async def serve(ask: Ask) -> web.Response:
    """The document."""
    return content(ask.request.app[DOCUMENT], JSON)


@lru_cache(maxsize=2)
def render(operations: tuple[Operation, ...], version: str) -> bytes:
    """The document as JSON."""
    return orjson.dumps(document(operations, version))


def document(operations: Sequence[Operation], version: str) -> Schema:
    """The document as values."""
    paths: Schema = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, operations)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Store gateway: till API",
            "version": version,
            "summary": "PUT of the same id is the retry: 201 the first time, then 200 with the same bytes.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {"schemas": schemas(operations), "securitySchemes": _TOKENS},
    }


def schemas(operations: Iterable[Operation]) -> Schema:
    """All models by name."""
    models: dict[str, type[BaseModel]] = {ProblemReply.__name__: ProblemReply}
    for operation in operations:
        used = [operation.body, *(answer.model for answer in operation.answers)]
        models |= {model.__name__: model for model in used if isinstance(model, type)}
    _, shared = models_json_schema([(model, "validation") for model in models.values()], ref_template=_TEMPLATE)
    found: Schema = shared["$defs"]
    return dict(sorted(found.items()))


def query_schemas(query: type[BaseModel]) -> Schema:
    """The schema of each parameter behind the question mark, by name."""
    return {name: _without_null(schema) for name, schema in query.model_json_schema()["properties"].items()}


def _operation(operation: Operation, others: Sequence[Operation]) -> Schema:
    shown: Schema = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.en,
        "x-summary-es": operation.es,
        "x-who": operation.who.value,
        "security": _security(operation),
        "parameters": _parameters(operation),
        "responses": _responses(operation, others),
    }
    if operation.body is not None:
        media = (
            {CSV: {"schema": {"type": "string"}}}
            if operation.body == "csv"
            else {JSON: {"schema": _ref(operation.body)}}
        )
        shown["requestBody"] = {"required": True, "content": media}
    return shown


def _security(operation: Operation) -> list[Schema]:
    match operation.who:
        case Who.ANYONE:
            return []
        case Who.LOCAL:
            return [{}, {"administrator": []}]
        case Who.ADMIN:
            return [{"administrator": []}]
        case Who.EITHER:
            return [{"till": []}, {"administrator": []}]
        case Who.TILL:
            administrator: list[Schema] = [{"administrator": []}] if operation.method == "GET" else []
            return [{"till": []}, *administrator]


def _parameters(operation: Operation) -> list[Schema]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": PATH_TYPES[name].json_schema()}
        for name in operation.path_names
    ]
    if operation.query is not None:
        for name, schema in query_schemas(operation.query).items():
            found.append({"name": name, "in": "query", "required": False, "schema": schema})
    if operation.resumes:
        schema = {"type": "string", "pattern": "^[0-9]{1,15}$"}
        found.append({"name": "Last-Event-ID", "in": "header", "required": False, "schema": schema})
    return found


def _responses(operation: Operation, others: Sequence[Operation]) -> Schema:
    shown: dict[int, Schema] = {}
    links = _links(operation, others)
    for answer in operation.answers:
        schema = {} if answer.model is None else {"schema": _ref(answer.model)}
        shown[answer.status] = {
            "description": answer.en,
            "content": dict.fromkeys(answer.media, schema),
        }
        if links:
            shown[answer.status]["links"] = links
    for status, codes in problem_statuses(operation.codes).items():
        response = shown.setdefault(status, {"description": "; ".join(CATALOGUE[code].title_en for code in codes)})
        response.setdefault("content", {})[MEDIA_TYPE] = {
            "schema": {"allOf": [_ref(ProblemReply), {"properties": {"code": {"enum": list(codes)}}}]}
        }
    return {str(status): shown[status] for status in sorted(shown)}


def _links(operation: Operation, others: Sequence[Operation]) -> Schema:
    """What can be asked of a thing that was just put there, under the id it was put."""
    if operation.method != "PUT" or not operation.path.endswith("}"):
        return {}
    parameters = {name: f"$request.path.{name}" for name in operation.path_names}
    return {
        other.id: {"operationId": other.id, "parameters": parameters}
        for other in others
        if other.path.startswith(operation.path) and other is not operation
    }


def _ref(model: type[BaseModel]) -> Schema:
    return {"$ref": _TEMPLATE.format(model=model.__name__)}


def _without_null(schema: Schema) -> Schema:
    """A parameter that is not there is simply left out, so null is none of its values."""
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default", "title"}}
    kinds = [kind for kind in schema.get("anyOf", []) if kind.get("type") != "null"]
    shown = {**kinds[0], **rest} if kinds else rest
    if schema.get("default") is not None:
        shown["default"] = schema["default"]
    return shown
