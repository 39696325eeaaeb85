"""Verify: one JSON verdict on books, wherever they lie."""

import asyncio
import json
import sqlite3
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import aiohttp
import typer
from rich.console import Console

from gateway.authority.audit import Verdict, holds, verify_books, verify_rows
from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, settings_of
from gateway.cli.speech import DONE, MISUSED, REFUSED, StopError
from gateway.ledger.facts import Row
from gateway.storage.audit import UnreadableError

PAGE_WAIT_S_MAX = 60
PAGE_ROWS = 500


def add_to(app: typer.Typer) -> None:
    """Put the command in."""
    app.command()(verify)


def verify(
    path: Annotated[
        Path | None, typer.Argument(help="A data directory or a books file; else the settings' one.")
    ] = None,
    headoffice: Annotated[str, typer.Option(help="URL of a head office: judge what it holds.")] = "",
    store: Annotated[str, typer.Option(help="Which store at head office; else the settings' one.")] = "",
    token: Annotated[str, typer.Option(help="A reader token of head office.", envvar="HEADOFFICE_TOKEN")] = "",
    ca_file: Annotated[Path | None, typer.Option(help="Trust this CA only (PEM), as headoffice.ca_file does.")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="Always so: one JSON verdict.")] = True,  # noqa: ARG001
) -> None:
    """Check every promise (I1-I12) and the hash chain; prints one JSON verdict.

    Exits 0 when all is well, 1 when something is wrong, 2 when it could not look. With a path and --headoffice both
    are judged, and head office must hold the store's own history as far as it goes.
    """
    office = None
    if headoffice:
        office = _office(headoffice, store or settings_of(config).store.id, token, ca_file)
    if path is None and office is not None:
        _end(office.shown(), sound=office.is_sound)
    place = path or settings_of(config).storage.path
    books = _books(place)
    if office is None:
        _end(books.shown(), sound=books.is_sound)
    is_same = holds(place, office.tally.rows, office.tally.head)
    sound = books.is_sound and office.is_sound and is_same
    shown: dict[str, Any] = {"sound": sound, "store": books.shown(), "headoffice": office.shown()}
    shown["behind"] = books.tally.rows - office.tally.rows
    if not is_same:
        shown["difference"] = "store and head office hold different histories"
    _end(shown, sound=sound)


def _end(shown: dict[str, Any], *, sound: bool) -> NoReturn:
    print(json.dumps(shown))
    sys.exit(DONE if sound else REFUSED)


def _books(path: Path) -> Verdict:
    console = Console(stderr=True)
    try:
        if not console.is_terminal:
            return verify_books(path)
        with console.status("reading the journal") as line:
            return verify_books(path, lambda rows: line.update(f"{rows:,} rows read"))
    except PermissionError as error:
        raise StopError(str(error), "Run this as the user the gateway runs as.", MISUSED) from error
    except (UnreadableError, sqlite3.Error, OSError) as error:
        raise StopError(str(error), "Name a data directory or a books file.", MISUSED) from error


def _office(url: str, store: str, token: str, ca_file: Path | None) -> Verdict:
    """The verdict on what head office holds. It is asked first: what the store adds meanwhile is no difference."""
    if not url.startswith(("http://", "https://")):
        raise StopError(f"{url!r} is not an address", "Such as https://office.example:8480.", MISUSED)
    try:
        trust = ssl.create_default_context(cafile=ca_file) if ca_file is not None else True
    except OSError as error:
        raise StopError(f"{ca_file}: {error}", "Name a CA certificate as PEM.", MISUSED) from error
    try:
        return verify_rows(f"{url} {store}", _office_rows(url, store, token, trust))
    except (KeyError, TypeError, ValueError) as error:
        raise StopError(f"{url} does not speak like a head office", "Check the address.", MISUSED) from error


def _office_rows(url: str, store: str, token: str, trust: ssl.SSLContext | bool) -> Iterator[Row]:
    """The rows that head office holds of a store, page after page over one connection."""
    address = f"{url.rstrip('/')}/v1/stores/{quote(store, safe='')}/journal"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with asyncio.Runner() as runner:
        session = runner.run(_session(headers, trust))
        try:
            after = 0
            while items := runner.run(_page(session, address, after)):
                for each in items:
                    hashes = (bytes.fromhex(each["prev_hash"]), bytes.fromhex(each["hash"]))
                    yield Row(each["seq"], each["at"], each["kind"], each["body"], *hashes)
                after = items[-1]["seq"]
        finally:
            runner.run(session.close())


async def _session(headers: dict[str, str], trust: ssl.SSLContext | bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(ssl=trust))


async def _page(session: aiohttp.ClientSession, url: str, after: int) -> list[dict[str, Any]]:
    try:
        async with (
            asyncio.timeout(PAGE_WAIT_S_MAX),
            session.get(url, params={"after": str(after), "limit": str(PAGE_ROWS)}) as answer,
        ):
            found = dict(await answer.json(content_type=None))
    except TimeoutError as error:
        raise StopError(f"{url}: no answer within {PAGE_WAIT_S_MAX} s", "Is head office running?", MISUSED) from error
    except aiohttp.ClientError as error:
        raise StopError(f"{url}: {error}", "Is head office running?", MISUSED) from error
    if answer.status != 200:
        why = f"{url}: {found.get('title')}: {found.get('detail')}"
        raise StopError(why, "Give a reader token with --token.", MISUSED)
    return list(found["items"])
