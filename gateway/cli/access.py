"""The way into a store: the gateway that runs there, or its books opened by this command for a moment."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from amqtt.errors import BrokerError

from gateway.app import running
from gateway.cli.speech import MISUSED, StopError
from gateway.client.admin import Admin
from gateway.client.problem import NoAnswerError, Problem
from gateway.devices.profiles import ProfileError
from gateway.settings import Settings, SettingsError, load
from gateway.storage import folder
from gateway.storage.books import ForeignBooksError
from gateway.storage.folder import FolderInUseError
from gateway.storage.migrate import ForeignFileError
from gateway.tills.certificates import CertificateError

T = TypeVar("T")

ConfigFile = Annotated[Path, typer.Option("--config", help="The store's settings.", envvar="GATEWAY_CONFIG")]
Json = Annotated[bool, typer.Option("--json", help="Answer one JSON line.")]
DEFAULT_CONFIG = Path("config/gateway.toml")
ADMIN_TOKEN_FILE = "admin.token"  # noqa: S105 - a file's name
CA_FILE = "ca.pem"
SHOWN_MAX = 50
"""Mistakes named at once."""


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
    with explained():
        async with running.opened(settings, for_a_visit=True) as gateway, _client(settings, gateway.url) as admin:
            yield admin


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """What keeps a gateway from starting, in one line with what to do."""
    try:
        yield
    except FolderInUseError as error:
        raise StopError(
            str(error), "One gateway for one data directory. `gateway status` asks the running one."
        ) from error
    except ForeignBooksError as error:
        raise StopError(str(error), "Look with `gateway verify`; set storage.path to this store's data.") from error
    except ForeignFileError as error:
        raise StopError(str(error), "storage.path names a file of another program or a newer release.") from error
    except sqlite3.DatabaseError as error:
        raise StopError(
            f"the books cannot be read: {error}", "Look with `gateway verify`; do not delete anything."
        ) from error
    except CertificateError as error:
        raise StopError(error.detail, error.hint) from error
    except ProfileError as error:
        raise StopError(str(error), "Profiles are in firmware_profiles/.") from error
    except (OSError, BrokerError) as error:
        hint = "Is another program on this port, or the data directory not writable? gateway doctor"
        raise StopError(f"cannot start: {error}", hint) from error


def _client(settings: Settings, url: str) -> Admin:
    data = settings.storage.path
    try:
        token = (data / ADMIN_TOKEN_FILE).read_text(encoding="ascii").strip()
        ca = (data / CA_FILE).read_text(encoding="ascii") if url.startswith("https") else ""
    except OSError as error:
        raise StopError(str(error), "run this as the user the gateway runs as") from error
    return Admin.at(url, token, ca=ca)


def _hint(problem: Problem) -> str:
    """What the problem says beside its sentence: the fields or lines that are wrong."""
    fields = [f"{each['where']}: {each['what']}" for each in problem.extras.get("errors", ())]
    lines = [f"line {each['line']}: {each['column']}: {each['text']}" for each in problem.extras.get("problems", ())]
    return "\n  ".join([*fields, *lines][:SHOWN_MAX])


def _first_and_rest(lines: list[str]) -> tuple[str, str]:
    return lines[0], "\n  ".join(lines[1:])
