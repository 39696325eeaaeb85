"""Verify: one JSON verdict on books, wherever they lie."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from rich.console import Console

from gateway.authority.audit import Verdict, verify_books, verify_rows
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
    store: Annotated[str, typer.Option(help="Which store at head office.")] = "",
    token: Annotated[str, typer.Option(help="A reader token of head office.", envvar="HEADOFFICE_TOKEN")] = "",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="Always so: one JSON verdict.")] = True,  # noqa: ARG001
) -> None:
    """Check every promise (I1-I12) and the hash chain; prints one JSON verdict, exits 1 when something is wrong.

    With a path and --headoffice both are judged, and head office must hold the same history as far as it goes.
    """
    console = Console(stderr=True)
    verdicts: list[Verdict] = []
    shown: dict[str, Any]
    if path is not None or not headoffice:
        verdicts.append(_books(path or settings_of(config).storage.path, console))
    if headoffice:
        name = store or settings_of(config).store.id
        verdicts.append(verify_rows(f"{headoffice} {name}", _office_rows(headoffice, name, token)))
    shown = verdicts[0].shown()
    sound = all(each.is_sound for each in verdicts)
    if len(verdicts) == 2:
        shown = {"sound": sound, "store": verdicts[0].shown(), "headoffice": verdicts[1].shown()}
        if verdicts[0].tally.rows == verdicts[1].tally.rows and verdicts[0].tally.head != verdicts[1].tally.head:
            sound = shown["sound"] = False
            shown["difference"] = "store and head office hold different histories"
        shown["behind"] = verdicts[0].tally.rows - verdicts[1].tally.rows
    print(json.dumps(shown))
    sys.exit(DONE if sound else REFUSED)


def _books(path: Path, console: Console) -> Verdict:
    try:
        if not console.is_terminal:
            return verify_books(path)
        with console.status("reading the journal") as line:
            return verify_books(path, lambda rows: line.update(f"{rows:,} rows read"))
    except (UnreadableError, sqlite3.Error) as error:
        raise StopError(str(error), "Name a data directory or a books file.", MISUSED) from error


def _office_rows(url: str, store: str, token: str) -> Iterator[Row]:
    """The rows that head office holds of a store, page after page over one connection."""
    address = f"{url.rstrip('/')}/v1/stores/{store}/journal"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with asyncio.Runner() as runner:
        session = runner.run(_session(headers))
        try:
            after = 0
            while items := runner.run(_page(session, address, after)):
                for each in items:
                    hashes = (bytes.fromhex(each["prev_hash"]), bytes.fromhex(each["hash"]))
                    yield Row(each["seq"], each["at"], each["kind"], each["body"], *hashes)
                after = items[-1]["seq"]
        finally:
            runner.run(session.close())


async def _session(headers: dict[str, str]) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers=headers)


async def _page(session: aiohttp.ClientSession, url: str, after: int) -> list[dict[str, Any]]:
    try:
        async with (
            asyncio.timeout(PAGE_WAIT_S_MAX),
            session.get(url, params={"after": str(after), "limit": str(PAGE_ROWS)}) as answer,
        ):
            found = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise StopError(f"{url}: {error}", "Is head office running?", MISUSED) from error
    if answer.status != 200:
        why = f"{url}: {found.get('title')}: {found.get('detail')}"
        raise StopError(why, "Give a reader token with --token.", MISUSED)
    return list(found["items"])
