"""All commands, in the order in which a store needs them."""

import asyncio
import json
import sys
from typing import Any

import typer
from rich.table import Table

from gateway.app import running
from gateway.cli import catalogue, device, headoffice, ranges, setup, simulate, tills, verify
from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask, explained, settings_of
from gateway.cli.speech import say
from gateway.client.admin import Admin

app = typer.Typer(
    name="gateway",
    help="The store gateway: gapless fiscal numbers, stock, printers and head office, online or not.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(tills.app, name="till")
app.add_typer(ranges.app, name="range")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(device.app, name="device")
app.add_typer(headoffice.app, name="headoffice")
setup.add_to(app)
verify.add_to(app)
simulate.add_to(app)


@app.command()
def run(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """The daemon, in the foreground. Prints one JSON line when it is ready; SIGTERM or Ctrl-C stops it cleanly."""
    settings = settings_of(config)

    def ready(line: dict[str, Any]) -> None:
        print(json.dumps({"event": "ready", **line}), flush=True)

    with explained():
        sys.exit(asyncio.run(running.run(settings, ready)))


@app.command()
def status(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """The banner: can the store sell, is the number legal, what waits."""
    found = ask(config, Admin.status)
    say(found, as_json=as_json, text=_banner(dict(found)))


def _banner(found: dict[str, Any]) -> Table:
    link = found["link"]
    table = Table(title=f"Store {found['store']}", show_header=False)
    table.add_row("head office", f"{link['state']}, {link['waiting']} rows wait")
    table.add_row("journal", f"{found['seq']} rows, epoch {found['epoch']}")
    table.add_row("catalogue", f"version {found['catalogue_version']}")
    for each in found["ranges"]:
        last = "no end" if each["last"] is None else f"{each['left']} left, good until {each['valid_until'] or 'ever'}"
        table.add_row(f"series {each['series']}", f"next {each['next']}, {last} ({each['state']})")
    for each in found["warnings"]:
        table.add_row(f"[red]{each['severity']}[/red]", f"{each['text']} {each['hint']}")
    return table
