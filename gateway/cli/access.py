"""The way into a store: the gateway that runs there, or its books opened by this command for a moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gateway import app as composition
from gateway.cli.speech import MISUSED, StopError
from gateway.client.admin import Admin
from gateway.client.problem import NoAnswerError, Problem
from gateway.settings import Settings, SettingsError, load
from gateway.storage import folder

T = TypeVar("T")

ConfigFile = Annotated[Path, typer.Option("--config", help="The store's settings.", envvar="GATEWAY_CONFIG")]
Json = Annotated[bool, typer.Option("--json", help="Answer one JSON line.")]
DEFAULT_CONFIG = Path("config/gateway.toml")
ADMIN_TOKEN_FILE = "admin.token"  # noqa: S105 - a file's name
CA_FILE = "ca.pem"


def settings_of(config: Path) -> Settings:
    """The settings, or the end of the command."""
    try:
        return load(config)
    except SettingsError as error:
        raise StopError(*_first_and_rest(error.lines), status=MISUSED) from error


def ask(config: Path, question: Callable[[Admin], Awaitable[T]]) -> T:
    """Put a question to the store's gateway, running or not, and end the command with its reason if it says no."""
    settings = settings_of(config)

    async def once() -> T:
        async with administrator(settings) as admin:
            return await question(admin)

    try:
        return asyncio.run(once())
    except Problem as problem:
        raise StopError(f"{problem.detail or problem.title} ({problem.code})", _hint(problem)) from problem
    except NoAnswerError as error:
        hint = "gateway doctor looks at every part"
        raise StopError(f"the gateway does not answer: {error}", hint) from error


@contextlib.asynccontextmanager
async def administrator(settings: Settings) -> AsyncIterator[Admin]:
    """The administrator's client to the running gateway, or to one that lives only as long as this command."""
    ready = folder.running(settings.storage.path)
    if ready is not None:
        async with _client(settings, ready["api"]) as admin:
            yield admin
        return
    with composition.explained():
        async with composition.opened(composition.quiet(settings)) as gateway, _client(settings, gateway.url) as admin:
            yield admin


def _client(settings: Settings, url: str) -> Admin:
    data = settings.storage.path
    try:
        token = (data / ADMIN_TOKEN_FILE).read_text(encoding="ascii").strip()
        ca = (data / CA_FILE).read_text(encoding="ascii") if url.startswith("https") else ""
    except OSError as error:
        raise StopError(str(error), "run this as the user the gateway runs as") from error
    return Admin.at(url, token, ca=ca)


def _hint(problem: Problem) -> str:
    extras: Any = getattr(problem, "extras", {})
    wrong = extras.get("errors") if isinstance(extras, dict) else None
    if isinstance(wrong, list):
        return "; ".join(f"{each.get('where')}: {each.get('what')}" for each in wrong[:5])
    return ""


def _first_and_rest(lines: list[str]) -> tuple[str, str]:
    return lines[0], "\n  ".join(lines[1:])
