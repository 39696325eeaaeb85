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
from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, as_its_user, settings_of
from gateway.cli.speech import DONE, MISUSED, REFUSED, StopError, command
from gateway.ledger.facts import Row
from gateway.storage.audit import UnreadableError
from gateway.tongue import tr

PAGE_WAIT_S_MAX = 60
PAGE_ROWS = 500


def add_to(app: typer.Typer) -> None:
    """Put the command in."""
    command(
        app,
        "Revisa cada promesa (I1-I12) y la cadena de hashes; imprime un veredicto JSON.\n\n"
        "Termina con 0 si todo está bien, con 1 si algo está mal, con 2 si no se pudo mirar. Con una ruta y "
        "--headoffice se juzgan ambas, y la casa matriz debe tener la misma historia de la tienda, hasta donde llegue.",
    )(verify)


def verify(
    path: Annotated[
        Path | None,
        typer.Argument(
            help=tr(
                "A data directory or a books file; else the settings' one.",
                "Un directorio de datos o un archivo de libros; si no, el de la configuración.",
            )
        ),
    ] = None,
    headoffice: Annotated[
        str,
        typer.Option(
            help=tr("URL of a head office: judge what it holds.", "URL de una casa matriz: juzgar lo que ella tiene.")
        ),
    ] = "",
    store: Annotated[
        str,
        typer.Option(
            help=tr(
                "Which store at head office; else the settings' one.",
                "Qué tienda en la casa matriz; si no, la de la configuración.",
            )
        ),
    ] = "",
    token: Annotated[
        str,
        typer.Option(
            help=tr("A reader token of head office.", "Un token reader de la casa matriz."), envvar="HEADOFFICE_TOKEN"
        ),
    ] = "",
    ca_file: Annotated[
        Path | None,
        typer.Option(
            help=tr(
                "Trust this CA only (PEM), as headoffice.ca_file does.",
                "Confiar solo en esta CA (PEM), como headoffice.ca_file.",
            )
        ),
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Annotated[  # noqa: ARG001
        bool,
        typer.Option("--json", help=tr("Always so: one JSON verdict.", "Siempre es así: un veredicto JSON.")),
    ] = True,
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
        with console.status(tr("reading the journal", "leyendo el diario")) as line:
            return verify_books(path, lambda rows: line.update(f"{rows:,} {tr('rows read', 'filas leídas')}"))
    except PermissionError as error:
        raise StopError(str(error), as_its_user(), MISUSED) from error
    except (UnreadableError, sqlite3.Error, OSError) as error:
        hint = tr("Name a data directory or a books file.", "Indique un directorio de datos o un archivo de libros.")
        raise StopError(str(error), hint, MISUSED) from error


def _office(url: str, store: str, token: str, ca_file: Path | None) -> Verdict:
    """The verdict on what head office holds. It is asked first: what the store adds meanwhile is no difference."""
    if not url.startswith(("http://", "https://")):
        text = tr(f"{url!r} is not an address", f"{url!r} no es una dirección")
        hint = tr("Such as https://office.example:8480.", "Por ejemplo https://office.example:8480.")
        raise StopError(text, hint, MISUSED)
    try:
        trust = ssl.create_default_context(cafile=ca_file) if ca_file is not None else True
    except OSError as error:
        hint = tr("Name a CA certificate as PEM.", "Indique un certificado de CA en PEM.")
        raise StopError(f"{ca_file}: {error}", hint, MISUSED) from error
    try:
        return verify_rows(f"{url} {store}", _office_rows(url, store, token, trust))
    except (KeyError, TypeError, ValueError) as error:
        text = tr(f"{url} does not speak like a head office", f"{url} no habla como una casa matriz")
        raise StopError(text, tr("Check the address.", "Revise la dirección."), MISUSED) from error


def _office_rows(url: str, store: str, token: str, trust: ssl.SSLContext | bool) -> Iterator[Row]:
    """The rows that head office holds of a store, page after page over one connection."""
    address = f"{url.rstrip('/')}/v1/stores/{quote(store, safe='')}/journal"
    headers = {"Accept-Language": tr("en", "es")}
    if token:
        headers["Authorization"] = f"Bearer {token}"
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
        text = tr(f"{url}: no answer within {PAGE_WAIT_S_MAX} s", f"{url}: sin respuesta en {PAGE_WAIT_S_MAX} s")
        raise StopError(text, _is_it_running(), MISUSED) from error
    except aiohttp.ClientError as error:
        raise StopError(f"{url}: {error}", _is_it_running(), MISUSED) from error
    if answer.status != 200:
        why = f"{url}: {found.get('title')}: {found.get('detail')}"
        raise StopError(why, tr("Give a reader token with --token.", "Dé un token reader con --token."), MISUSED)
    return list(found["items"])


def _is_it_running() -> str:
    return tr("Is head office running?", "¿Está en marcha la casa matriz?")
