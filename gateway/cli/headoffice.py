"""The reference head office."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gateway.cli.access import Json
from gateway.cli.speech import MISUSED, StopError, command, say
from gateway.settings import HeadOfficeSettings, SettingsError, load_headoffice
from gateway.tongue import tr

app = typer.Typer(help=tr("The reference head office.", "La casa matriz de referencia."), no_args_is_help=True)
stores = typer.Typer(help=tr("The stores it knows.", "Las tiendas que conoce."), no_args_is_help=True)
app.add_typer(stores, name="store")

OfficeFile = Annotated[
    Path,
    typer.Option(
        "--config",
        help=tr("Head office's settings.", "La configuración de la casa matriz."),
        envvar="HEADOFFICE_CONFIG",
    ),
]
DEFAULT_OFFICE = Path("config/headoffice.toml")
StoreId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help=tr("As in the store's settings, store.id.", "Como en la configuración de la tienda, store.id."),
    ),
]


@command(app, "La casa matriz en primer plano. Imprime una línea JSON cuando está lista.")
def run(config: OfficeFile = DEFAULT_OFFICE) -> None:
    """Run head office in the foreground. Prints one JSON line when it is ready."""
    settings = _settings(config)
    from gateway.headoffice import server  # noqa: PLC0415 - the whole of it
    from gateway.health.log import start_log  # noqa: PLC0415 - as above

    start_log("info", "auto")
    with _explained(settings):
        server.run(settings)


@command(
    stores, "Admite una tienda: su token va en la configuración de ella (headoffice.token); se muestra solo esta vez."
)
def add(store: StoreId, config: OfficeFile = DEFAULT_OFFICE, as_json: Json = False) -> None:
    """Let a store in: its token goes into the store's settings (headoffice.token), shown this once."""
    from gateway.headoffice import accounts  # noqa: PLC0415 - the whole of it

    made = _tried(config, lambda settings: accounts.add_store(settings, store))
    say(
        made,
        as_json=as_json,
        text=f"token       {made['token']}\n{tr('enrol code', 'código de alta')}  {made['enrol_code']}",
    )


@command(stores, "Un nuevo código de un solo uso con que la tienda obtiene un token.")
def code(store: StoreId, config: OfficeFile = DEFAULT_OFFICE, as_json: Json = False) -> None:
    """A new one-time code with which the store fetches a token."""
    from gateway.headoffice import accounts  # noqa: PLC0415 - the whole of it

    made = _tried(config, lambda settings: accounts.make_code(settings, store))
    say(made, as_json=as_json, text=made["enrol_code"])


@command(
    app, "Un token para personas y programas: reader (documentos, existencias, diario) o writer (rangos, catálogo)."
)
def token(
    kind: Annotated[
        Literal["reader", "writer"],
        typer.Argument(
            help=tr("reader: may look; writer: may order and look.", "reader: puede ver; writer: puede ordenar y ver.")
        ),
    ],
    config: OfficeFile = DEFAULT_OFFICE,
    as_json: Json = False,
) -> None:
    """A token for people and programs: reader (documents, stock, journal) or writer (ranges, catalogue)."""
    from gateway.headoffice import accounts  # noqa: PLC0415 - the whole of it

    made = _tried(config, lambda settings: accounts.make_token(settings, kind))
    say(made, as_json=as_json, text=made["token"])


def _settings(config: Path) -> HeadOfficeSettings:
    if not config.exists():
        hint = tr(
            f"The program comes with one, {DEFAULT_OFFICE}: copy it, or name it with --config.",
            f"El programa trae uno, {DEFAULT_OFFICE}: cópielo, o nómbrelo con --config.",
        )
        raise StopError(tr(f"{config}: no such file", f"{config}: no existe"), hint, MISUSED)
    try:
        return load_headoffice(config)
    except SettingsError as error:
        raise StopError(error.lines[0], "\n  ".join(error.lines[1:]), MISUSED) from error


def _tried(config: Path, work: Callable[[HeadOfficeSettings], dict[str, str]]) -> dict[str, Any]:
    from gateway.headoffice.accounts import AccountError  # noqa: PLC0415 - the whole of it

    settings = _settings(config)
    try:
        with _explained(settings):
            return dict(work(settings))
    except AccountError as error:
        raise StopError(str(error)) from error


@contextmanager
def _explained(settings: HeadOfficeSettings) -> Iterator[None]:
    """What keeps head office from its file or its port, in one line with what to do."""
    from gateway.headoffice.database import ForeignFileError, NotDurableError  # noqa: PLC0415 - the whole of it

    try:
        yield
    except ForeignFileError as error:
        hint = tr(
            "Set headoffice.path to head office's own directory.",
            "Ponga en headoffice.path el directorio propio de la casa matriz.",
        )
        raise StopError(str(error), hint) from error
    except (NotDurableError, OSError) as error:
        hint = tr(
            f"Is the port taken, a file missing, or {settings.path} not this user's to write?",
            f"¿Está ocupado el puerto, falta un archivo, o este usuario no puede escribir en {settings.path}?",
        )
        raise StopError(str(error), hint) from error
