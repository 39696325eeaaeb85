"""The banner in a terminal."""

from typing import Any

import typer
from rich.table import Table

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask
from gateway.cli.speech import bad, command, say
from gateway.cli.words import word
from gateway.client.admin import Admin
from gateway.tongue import tr


def add_to(app: typer.Typer) -> None:
    """Put the command in."""
    command(app, "El resumen: ¿puede vender la tienda, es legal el número, qué espera?")(status)


def status(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """The banner: can the store sell, is the number legal, what waits."""
    found = ask(config, Admin.status)
    say(found, as_json=as_json, text=_banner(dict(found)))


def line_told(link: dict[str, Any]) -> str:
    """The line to head office in a few words."""
    if link["state"] == "none":
        return tr("none in the settings: a store on its own", "ninguna en la configuración: una tienda por su cuenta")
    state, waiting = word(link["state"]), link["waiting"]
    return tr(f"{state}, {waiting} rows wait", f"{state}, {waiting} filas esperan")


def series_told(each: dict[str, Any]) -> str:
    """Where a series stands in a few words."""
    if each["state"] == "missing":
        return tr("no authorised range: gateway range load", "sin rango autorizado: gateway range load")
    left, until, reserve = each["left"], each["valid_until"], each["reserve"]
    last = tr("no end", "sin final")
    if each["last"] is not None:
        english = f"{left} left, good until {until or 'ever'}"
        last = tr(english, f"quedan {left}, " + (f"válidos hasta {until}" if until else "sin vencimiento"))
    spare = tr(f", {reserve} more in the next range", f", {reserve} más en el siguiente rango") if reserve else ""
    return f"{tr('next', 'sigue')} {each['next']}, {last} ({word(each['state'])}){spare}"


def _banner(found: dict[str, Any]) -> Table:
    table = Table(title=f"{tr('Store', 'Tienda')} {found['store']}", show_header=False)
    rows, epoch = found["seq"], found["epoch"]
    table.add_row(tr("head office", "casa matriz"), line_told(found["link"]))
    table.add_row(tr("journal", "diario"), tr(f"{rows} rows, epoch {epoch}", f"{rows} filas, época {epoch}"))
    table.add_row(tr("catalogue", "catálogo"), f"{tr('version', 'versión')} {found['catalogue_version']}")
    for each in found["ranges"]:
        table.add_row(f"{tr('series', 'serie')} {each['series']}", series_told(each))
    for each in found["warnings"]:
        table.add_row(bad(word(each["severity"])), f"{each['text']} {each['hint']}")
    return table
