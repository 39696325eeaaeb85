"""The reference head office."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gateway.cli.access import Json
from gateway.cli.speech import MISUSED, StopError, say
from gateway.settings import HeadOfficeSettings, SettingsError, load_headoffice

app = typer.Typer(help="The reference head office.", no_args_is_help=True)
stores = typer.Typer(help="The stores it knows.", no_args_is_help=True)
app.add_typer(stores, name="store")

OfficeFile = Annotated[Path, typer.Option("--config", help="Head office's settings.", envvar="HEADOFFICE_CONFIG")]
DEFAULT_OFFICE = Path("config/headoffice.toml")
StoreId = Annotated[str, typer.Argument(metavar="ID", help="As in the store's settings, store.id.")]


@app.command()
def run(config: OfficeFile = DEFAULT_OFFICE) -> None:
    """Run head office in the foreground. Prints one JSON line when it is ready."""
    settings = _settings(config)
    from gateway.headoffice import server  # noqa: PLC0415 - the whole of it
    from gateway.health.log import start_log  # noqa: PLC0415 - as above

    start_log("info", "auto")
    with _explained(settings):
        server.run(settings)


@stores.command()
def add(store: StoreId, config: OfficeFile = DEFAULT_OFFICE, as_json: Json = False) -> None:
    """Let a store in: its token goes into the store's settings (headoffice.token), shown this once."""
    from gateway.headoffice import accounts  # noqa: PLC0415 - the whole of it

    made = _tried(config, lambda settings: accounts.add_store(settings, store))
    say(made, as_json=as_json, text=f"token       {made['token']}\nenrol code  {made['enrol_code']}")


@stores.command()
def code(store: StoreId, config: OfficeFile = DEFAULT_OFFICE, as_json: Json = False) -> None:
    """A new one-time code with which the store fetches a token."""
    from gateway.headoffice import accounts  # noqa: PLC0415 - the whole of it

    made = _tried(config, lambda settings: accounts.make_code(settings, store))
    say(made, as_json=as_json, text=made["enrol_code"])


@app.command()
def token(
    kind: Annotated[Literal["reader", "writer"], typer.Argument(help="reader: may look; writer: may order and look.")],
    config: OfficeFile = DEFAULT_OFFICE,
    as_json: Json = False,
) -> None:
    """A token for people and programs: reader (documents, stock, journal) or writer (ranges, catalogue)."""
    from gateway.headoffice import accounts  # noqa: PLC0415 - the whole of it

    made = _tried(config, lambda settings: accounts.make_token(settings, kind))
    say(made, as_json=as_json, text=made["token"])


def _settings(config: Path) -> HeadOfficeSettings:
    if not config.exists():
        hint = f"The program comes with one, {DEFAULT_OFFICE}: copy it, or name it with --config."
        raise StopError(f"{config}: no such file", hint, MISUSED)
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
        raise StopError(str(error), "Set headoffice.path to head office's own directory.") from error
    except (NotDurableError, OSError) as error:
        hint = f"Is the port taken, a file missing, or {settings.path} not this user's to write?"
        raise StopError(str(error), hint) from error
