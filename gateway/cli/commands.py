"""All commands, in the order in which a store needs them."""

import json
from importlib.metadata import version
from typing import Annotated, Any

import typer

from gateway.cli import catalogue, device, doctor, headoffice, ranges, setup, simulate, status, tills, verify
from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, settings_of
from gateway.cli.speech import StopError, command, say_wrong
from gateway.tongue import tr

ABOUT = tr(
    "The store gateway: gapless fiscal numbers, stock, printers and head office, online or not.",
    "El gateway de la tienda: números fiscales sin saltos, existencias, impresoras y casa matriz, con o sin línea.",
)

app = typer.Typer(
    name="gateway",
    help=ABOUT,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
setup.add_to(app)


@command(
    app,
    "El programa, en primer plano. Imprime una línea JSON cuando está listo; SIGTERM o Ctrl-C lo detienen en orden.",
)
def run(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """The daemon, in the foreground. Prints one JSON line when it is ready; SIGTERM or Ctrl-C stops it cleanly."""
    settings = settings_of(config)

    def ready(line: dict[str, Any]) -> None:
        print(json.dumps({"event": "ready", **line}), flush=True)

    from gateway.cli import visit  # noqa: PLC0415 - the whole program

    raise typer.Exit(visit.serve(settings, ready))


status.add_to(app)
doctor.add_to(app)
app.add_typer(tills.app, name="till")
app.add_typer(ranges.app, name="range")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(device.app, name="device")
verify.add_to(app)
app.add_typer(headoffice.app, name="headoffice")
simulate.add_to(app)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"store-gateway {version('store-gateway')}")
        raise typer.Exit


@app.callback(help=ABOUT)
def about(
    shown: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_say_version,
            is_eager=True,
            help=tr("Say which release this is.", "Decir qué versión es esta."),
        ),
    ] = False,
) -> None:
    """The store gateway: gapless fiscal numbers, stock, printers and head office, online or not."""


def run_commands() -> int:
    """The command line of this process, to its end; answers the exit status of what went wrong."""
    try:
        app()
    except StopError as stop:
        say_wrong(stop)
        return stop.status
    return 0
