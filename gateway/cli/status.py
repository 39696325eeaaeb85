"""The banner in a terminal."""

from typing import Any

import typer
from rich.table import Table

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask
from gateway.cli.speech import bad, say
from gateway.client.admin import Admin


def add_to(app: typer.Typer) -> None:
    """Put the command in."""
    app.command()(status)


def status(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """The banner: can the store sell, is the number legal, what waits."""
    found = ask(config, Admin.status)
    say(found, as_json=as_json, text=_banner(dict(found)))


def line_told(link: dict[str, Any]) -> str:
    """The line to head office in a few words."""
    if link["state"] == "none":
        return "none in the settings: a store on its own"
    return f"{link['state']}, {link['waiting']} rows wait"


def series_told(each: dict[str, Any]) -> str:
    """Where a series stands in a few words."""
    if each["state"] == "missing":
        return "no authorised range: gateway range load"
    last = "no end" if each["last"] is None else f"{each['left']} left, good until {each['valid_until'] or 'ever'}"
    spare = f", {each['reserve']} more in the next range" if each["reserve"] else ""
    return f"next {each['next']}, {last} ({each['state']}){spare}"


def _banner(found: dict[str, Any]) -> Table:
    table = Table(title=f"Store {found['store']}", show_header=False)
    table.add_row("head office", line_told(found["link"]))
    table.add_row("journal", f"{found['seq']} rows, epoch {found['epoch']}")
    table.add_row("catalogue", f"version {found['catalogue_version']}")
    for each in found["ranges"]:
        table.add_row(f"series {each['series']}", series_told(each))
    for each in found["warnings"]:
        table.add_row(bad(each["severity"]), f"{each['text']} {each['hint']}")
    return table
