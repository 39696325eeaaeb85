"""Who comes in: token, role, store; what a body may be. Everything else answers a problem."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError

from gateway.headoffice import accounts, problems
from gateway.headoffice.accounts import Caller, Role
from gateway.headoffice.database import BusyError, NotDurableError
from gateway.headoffice.office import OFFICE
from gateway.headoffice.problems import Problem
from gateway.sync import protocol

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Model = TypeVar("Model", bound=BaseModel)

BODY_WAIT_S = 300
"""The longest a body may take: a megabyte over 32 kbit/s."""

_log = structlog.get_logger("headoffice")


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every "no" into an RFC 9457 problem; a bug becomes `internal` and a line in the log."""
    try:
        return await handler(request)
    except Problem as problem:
        return problems.answer(problem, request)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        answer = problems.answer(Problem("method_not_allowed", path=request.path, allowed=allowed), request)
        answer.headers["Allow"] = allowed
        return answer
    except web.HTTPNotFound:
        return problems.answer(Problem("not_found", path=request.path), request)
    except web.HTTPException as error:
        return problems.answer(Problem("malformed_http", why=error.reason), request)
    except BusyError:
        return problems.answer(Problem("busy"), request)
    except NotDurableError as error:
        _log.error("disk_failed", detail=str(error))
        return problems.answer(Problem("not_durable"), request)
    except Exception:  # noqa: BLE001 - the HTTP edge: a bug is this request's alone
        _log.exception("request_failed", path=request.path, method=request.method)
        return problems.answer(Problem("internal"), request)


async def caller(request: web.Request, *roles: Role) -> Caller:
    """Whose request this is, if it is one of `roles`; a store's token opens that store's addresses only.

    Raises:
        Problem: `unauthorized`, `forbidden`, `store_unknown`.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    database = request.app[OFFICE].database
    found = await accounts.caller_of(database, token.strip()) if scheme.lower() == "bearer" and token else None
    if found is None:
        raise Problem("unauthorized")
    store = request.match_info.get("store", "")
    if found.role not in roles or (found.role == "store" and found.store != store):
        english, spanish = problems.WHO[roles[0]]
        raise Problem("forbidden", who=(english.format(store=store[:40]), spanish.format(store=store[:40])))
    if store and found.role != "store" and not await accounts.is_store(database, store):
        raise Problem("store_unknown", store=store[:40])
    return found


def spoken(request: web.Request) -> str:
    """The epoch of a store that speaks this protocol.

    Raises:
        Problem: `protocol_unknown`, `invalid_request`.
    """
    if request.headers.get(protocol.PROTOCOL_HEADER) != str(protocol.VERSION):
        raise Problem("protocol_unknown", spoken=protocol.VERSION, header=protocol.PROTOCOL_HEADER)
    epoch = request.headers.get(protocol.EPOCH_HEADER, "")
    if not (0 < len(epoch) <= 64 and epoch.isascii() and epoch.replace("-", "").isalnum()):
        raise problems.invalid([problems.Wrong(protocol.EPOCH_HEADER, "is not an epoch", "no es una época")])
    return epoch


def whole(name: str, value: str | None, least: int, most: int) -> int:
    """A whole number of a path, query or header.

    Raises:
        Problem: `invalid_request`.
    """
    if value is not None and value.isascii() and value.isdigit() and len(value) <= 16 and least <= int(value) <= most:
        return int(value)
    english, spanish = f"must be a whole number from {least} to {most}", f"debe ser un entero de {least} a {most}"
    raise problems.invalid([problems.Wrong(name, english, spanish)])


async def body(request: web.Request, bytes_max: int) -> bytes:
    """The whole body, within bounds of size and time.

    Raises:
        Problem: `too_large`, `unsupported_media_type`, `malformed_http`.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem("unsupported_media_type", wanted="identity")
    if request.content_length is not None and request.content_length > bytes_max:
        raise Problem("too_large", bytes_max=bytes_max)
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            async for part in request.content.iter_any():
                found += part
                if len(found) > bytes_max:
                    raise Problem("too_large", bytes_max=bytes_max)
    except TimeoutError as error:
        raise Problem("malformed_http", why=f"the body took more than {BODY_WAIT_S} s") from error
    except (ConnectionError, web.RequestPayloadError) as error:
        raise Problem("malformed_http", why="the body was cut off") from error
    return bytes(found)


async def model(request: web.Request, kind: type[Model], bytes_max: int) -> Model:
    """The body as a model.

    Raises:
        Problem: as `body`, and `invalid_request`.
    """
    if request.content_type != "application/json":
        raise Problem("unsupported_media_type", wanted="application/json")
    content = await body(request, bytes_max)
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise problems.invalid(problems.wrong_in(error)) from error
