"""From the table of operations to an aiohttp application: who asks, what is asked, and every error as a problem."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import StreamReader, web
from pydantic import BaseModel, TypeAdapter, ValidationError

from gateway.api import admin_ranges, auth, docs_page, openapi, problems
from gateway.api.auth import ATTEMPTS, Attempts
from gateway.api.exchange import CSV, JSON, Ask
from gateway.api.operation import Operation
from gateway.api.operations import OPERATIONS
from gateway.api.parts import Parts
from gateway.api.problems import Problem, invalid
from gateway.api.tail import TAIL, Tail
from gateway.api.wire import PATH_TYPES
from gateway.authority.desk import QUEUE_COMMANDS_MAX, DiskLowError
from gateway.health.metrics import Metrics
from gateway.storage.writer import ClosedError, NotDurableError, OverloadedError
from gateway.tills.refusals import TillRefusedError

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = structlog.get_logger("gateway.api")


def application(parts: Parts) -> web.Application:
    """All operations, ready to be served by `server.Server`."""
    app = web.Application(middlewares=[_without_operation])
    app[TAIL] = Tail(parts)
    app[ATTEMPTS] = Attempts(parts.clock, parts.limits.wrong_attempts_max)
    app[admin_ranges.VERIFYING] = asyncio.Lock()
    app[openapi.DOCUMENT] = openapi.render(OPERATIONS, parts.version)
    app[docs_page.PAGES] = {
        language: docs_page.render(OPERATIONS, language, parts.version) for language in ("en", "es")
    }
    expect = _expectation(parts.settings.api.body_bytes_max)
    for operation in OPERATIONS:
        respond = _responder(operation, parts, app[ATTEMPTS])
        path = operation.path.replace("}", ":[^/]+}")  # aiohttp's own pattern keeps braces out, a SKU may have them
        app.router.add_route(operation.method, path, respond, expect_handler=expect, name=operation.id)
    return app


@web.middleware
async def _without_operation(request: web.Request, handler: Respond) -> web.StreamResponse:
    """What no operation answers: unknown addresses and methods."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        problem = Problem("method_not_allowed", path=request.path, allowed=allowed, headers={"Allow": allowed})
    except web.HTTPNotFound:
        problem = Problem("not_found", path=request.path)
    return _answer(request, problem)


def _responder(operation: Operation, parts: Parts, attempts: Attempts) -> Respond:
    """The operation as aiohttp calls it."""
    count = _counter(operation.id, parts.metrics)
    who, registry, handler = operation.who, parts.registry, operation.handler
    path_types = [(name, PATH_TYPES[name]) for name in operation.path_names]
    query, body = operation.query, operation.body
    takes_body = None if body is None else CSV if body == "csv" else JSON

    async def respond(request: web.Request) -> web.StreamResponse:
        try:
            by = auth.asker(request, who, registry, attempts)
            values: list[object] = [_path_value(request, name, kind) for name, kind in path_types]
            if query is not None:
                values.append(_query(request, query))
            raw = b"" if takes_body is None else await _body(request, parts, takes_body)
            if isinstance(body, type):
                values.append(body.model_validate_json(raw))
            response = await handler(Ask(parts, request, by, raw), *values)
        except Exception as error:  # noqa: BLE001 - the HTTP edge: every error is told as a problem, and once
            response = _answer(request, _problem_of(error, request))
        count(response.status)
        return response

    return respond


def _problem_of(error: Exception, request: web.Request) -> Problem:
    match error:
        case Problem():
            return error
        case ValidationError():
            return problems.of_validation(error)
        case TillRefusedError():
            return problems.of_refusal(error)
        case NotDurableError():
            return Problem("not_durable")
        case OverloadedError():
            return Problem("busy", limit=f"{QUEUE_COMMANDS_MAX} commands")
        case ClosedError():
            return Problem("stopping")
        case DiskLowError():
            return Problem("disk_low")
        case ConnectionError():
            raise error  # the asker is gone: there is nobody to answer
        case _:
            pass
    incident = secrets.token_hex(4)
    _log.error("request_failed", incident=incident, method=request.method, path=request.path, exc_info=error)
    return Problem("internal", incident=incident)


def _answer(request: web.Request, problem: Problem) -> web.Response:
    language = problems.language_of(request.headers.get("Accept-Language", ""))
    return problems.answer(problem, language, request.rel_url.raw_path)


def _path_value(request: web.Request, name: str, kind: TypeAdapter[str]) -> str:
    """What stands in a placeholder; ids are the same id in either case."""
    try:
        value = kind.validate_python(request.match_info[name])
    except ValidationError as error:
        raise problems.of_validation(error, name) from error
    return value.lower() if name == "id" else value


def _query(request: web.Request, model: type[BaseModel]) -> BaseModel:
    """What stands behind the question mark; a name twice is a mistake, not a list."""
    given = request.rel_url.query
    if len(given) != len(set(given)):
        twice = next(name for name in given if len(given.getall(name)) > 1)
        raise invalid(twice[:64], "stands there twice", "está dos veces")
    return model.model_validate(dict(given))


async def _body(request: web.Request, parts: Parts, media_type: str) -> bytes:
    """The whole body, or not one byte of it is used."""
    bytes_max = parts.settings.api.body_bytes_max
    _check_media_type(request, media_type)
    if (request.content_length or 0) > bytes_max:
        raise Problem("too_large", bytes_max=bytes_max)
    stream = request.content
    if stream.is_eof():
        found = stream.read_nowait()
    else:
        found = await _awaited(stream, bytes_max, parts.limits.body_s_max)
    if getattr(request.protocol, "cut_off", None) is stream:
        raise Problem("body_incomplete", headers={"Connection": "close"})
    if len(found) > bytes_max:
        raise Problem("too_large", bytes_max=bytes_max)
    return found


async def _awaited(stream: StreamReader, bytes_max: int, seconds: float) -> bytes:
    """A body that is still under way, until it is whole or too large."""
    found = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while len(found) <= bytes_max and (chunk := await stream.readany()):
                found += chunk
    except TimeoutError as error:
        raise Problem("body_too_slow", headers={"Connection": "close"}, seconds=seconds) from error
    except web.RequestPayloadError as error:
        raise Problem("body_incomplete", headers={"Connection": "close"}) from error
    return bytes(found)


def _check_media_type(request: web.Request, media_type: str) -> None:
    given = request.headers.get("Content-Type", "")
    if given == media_type and "Content-Encoding" not in request.headers:
        return
    charset = (request.charset or "utf-8").lower()
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if request.content_type != media_type or charset not in {"utf-8", "utf8"} or encoding not in {"", "identity"}:
        wanted = f"{media_type}, UTF-8, without Content-Encoding"
        raise Problem("unsupported_media_type", wanted=wanted, headers={"Accept": media_type})


def _expectation(bytes_max: int) -> Callable[[web.Request], Awaitable[web.StreamResponse | None]]:
    """`Expect: 100-continue`: a body that is too large need not even be sent."""

    async def expect(request: web.Request) -> web.StreamResponse | None:
        if request.headers.get("Expect", "").lower() != "100-continue":
            return _answer(request, Problem("expectation_failed", headers={"Connection": "close"}))
        if (request.content_length or 0) > bytes_max:
            return _answer(request, Problem("too_large", headers={"Connection": "close"}, bytes_max=bytes_max))
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
        return None

    return expect


def _counter(operation: str, metrics: Metrics) -> Callable[[int], None]:
    """Counts answers by status; the label's child is looked up once for each status."""
    kept: dict[int, Callable[[], None]] = {}

    def count(status: int) -> None:
        one_more = kept.get(status)
        if one_more is None:
            one_more = kept[status] = metrics.requests.labels(operation, str(status)).inc
        one_more()

    return count
