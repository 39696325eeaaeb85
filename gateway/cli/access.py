"""The way into a store: the gateway that runs there, or its books opened by this command for a moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from gateway.cli.speech import MISUSED, StopError, heard_by_program
from gateway.client.admin import Admin
from gateway.client.problem import NoAnswerError, Problem
from gateway.clock import SystemClock
from gateway.settings import Settings, SettingsError, load
from gateway.storage import folder
from gateway.storage.folder import FolderInUseError
from gateway.tongue import tr

T = TypeVar("T")

ConfigFile = Annotated[
    Path,
    typer.Option(
        "--config", help=tr("The store's settings.", "La configuración de la tienda."), envvar="GATEWAY_CONFIG"
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help=tr("Answer one JSON line.", "Responder una línea JSON."),
        is_eager=True,
        callback=heard_by_program,
    ),
]
DEFAULT_CONFIG = Path("config/gateway.toml")
ADMIN_TOKEN_FILE = "admin.token"  # noqa: S105 - a file's name
CA_FILE = "ca.pem"
SHOWN_MAX = 50
"""Mistakes named at once."""
TURN_S_MAX = 5.0
"""How long a command waits for one that is in the books before it, or for a gateway that is starting."""
TURN_PAUSE_S = 0.1


def settings_of(config: Path) -> Settings:
    """The settings, or the end of the command."""
    try:
        return load(config)
    except SettingsError as error:
        raise StopError(error.lines[0], "\n  ".join(error.lines[1:]), status=MISUSED) from error


def ask(config: Path, question: Callable[[Admin], Awaitable[T]]) -> T:
    """Put a question to the store's gateway, running or not, and end the command with its reason if it says no."""
    settings = settings_of(config)

    async def once() -> T:
        async with administrator(settings) as admin:
            return await question(admin)

    try:
        return asyncio.run(once())
    except Problem as problem:
        raise _stop(problem) from problem
    except NoAnswerError as error:
        hint = tr("gateway doctor looks at every part", "gateway doctor revisa cada parte")
        text = tr(f"the gateway does not answer: {error}", f"el gateway no responde: {error}")
        raise StopError(text, hint) from error


@contextlib.asynccontextmanager
async def administrator(settings: Settings) -> AsyncIterator[Admin]:
    """The administrator's client to the running gateway, or to one that lives only as long as this command."""
    async with contextlib.AsyncExitStack() as stack:
        url = await _door(settings, stack)
        yield await stack.enter_async_context(_client(settings, url))


async def _door(settings: Settings, stack: contextlib.AsyncExitStack) -> str:
    """The address of the gateway that runs, or of our own; another command's turn is waited for."""
    clock, data = SystemClock(), settings.storage.path
    give_up = clock.monotonic() + TURN_S_MAX
    while True:
        ready = folder.running(data)
        if ready is not None:
            return str(ready["api"])
        from gateway.cli import visit  # noqa: PLC0415 - the whole program, which a running gateway makes unnecessary

        try:
            return await stack.enter_async_context(visit.opened(settings))
        except FolderInUseError as error:
            if clock.monotonic() > give_up:
                hint = tr(
                    "A gateway that does not become ready, or another command: ps -ef | grep gateway",
                    "Un gateway que no termina de iniciar, u otro comando: ps -ef | grep gateway",
                )
                raise StopError(in_use(error, data), hint) from error
        await asyncio.sleep(TURN_PAUSE_S)


def _client(settings: Settings, url: str) -> Admin:
    data = settings.storage.path
    try:
        token = (data / ADMIN_TOKEN_FILE).read_text(encoding="ascii").strip()
        ca = (data / CA_FILE).read_text(encoding="ascii") if url.startswith("https") else ""
    except OSError as error:
        raise StopError(str(error), as_its_user()) from error
    return Admin.at(url, token, ca=ca, language=tr("en", "es"))


def as_its_user() -> str:
    """What to do when the data directory is another user's."""
    return tr("Run this as the user the gateway runs as.", "Ejecútelo con el usuario con que corre el gateway.")


def in_use(error: FolderInUseError, data: Path) -> str:
    """That another process is in the data directory."""
    return tr(str(error), f"{data}: lo está usando un gateway en marcha")


def _stop(problem: Problem) -> StopError:
    """What the problem says, and beside its sentence the fields or lines that are wrong."""
    fields = [f"{each['where']}: {each['what']}" for each in problem.extras.get("errors", ())]
    lines = mistakes(problem.extras.get("problems", ()))
    if fields:
        return StopError(f"{fields[0]} ({problem.code})", "\n  ".join(fields[1:]))
    hint = "\n  ".join(lines[:SHOWN_MAX])
    if problem.code == "too_large":
        hint = tr(
            "Raise api.body_bytes_max in the settings, or split the file.",
            "Suba api.body_bytes_max en la configuración, o divida el archivo.",
        )
    return StopError(f"{problem.detail or problem.title} ({problem.code})", hint)


def mistakes(found: list[dict[str, str]]) -> list[str]:
    """A file's mistakes, one line each."""
    line = tr("line", "línea")
    return [": ".join(filter(None, (f"{line} {each['line']}", each["column"], each["text"]))) for each in found]
