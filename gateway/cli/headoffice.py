"""The reference head office."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gateway.cli.access import Json
from gateway.cli.speech import MISUSED, StopError, say
from gateway.headoffice import accounts, server
from gateway.health.log import start_log
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
    start_log("info", "auto")
    try:
        server.run(settings)
    except OSError as error:
        raise StopError(str(error), "Is the port taken, or the directory not writable?") from error


@stores.command()
def add(store: StoreId, config: OfficeFile = DEFAULT_OFFICE, as_json: Json = False) -> None:
    """Let a store in: its token goes into the store's settings (headoffice.token), shown this once."""
    made = _tried(lambda: accounts.add_store(_settings(config), store))
    say(made, as_json=as_json, text=f"token       {made['token']}\nenrol code  {made['enrol_code']}")


@stores.command()
def code(store: StoreId, config: OfficeFile = DEFAULT_OFFICE, as_json: Json = False) -> None:
    """A new one-time code with which the store fetches a token."""
    made = _tried(lambda: accounts.make_code(_settings(config), store))
    say(made, as_json=as_json, text=made["enrol_code"])


@app.command()
def token(
    kind: Annotated[Literal["reader", "writer"], typer.Argument()],
    config: OfficeFile = DEFAULT_OFFICE,
    as_json: Json = False,
) -> None:
    """A token for people and programs: reader (documents, stock, journal) or writer (ranges, catalogue)."""
    made = _tried(lambda: accounts.make_token(_settings(config), kind))
    say(made, as_json=as_json, text=made["token"])


def _settings(config: Path) -> HeadOfficeSettings:
    try:
        return load_headoffice(config)
    except SettingsError as error:
        raise StopError(error.lines[0], "\n  ".join(error.lines[1:]), MISUSED) from error


def _tried(work: Any) -> dict[str, Any]:
    try:
        return dict(work())
    except accounts.AccountError as error:
        raise StopError(str(error)) from error


if __name__ == "__main__":
    sys.exit(app())
