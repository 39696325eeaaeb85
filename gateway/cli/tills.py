"""Tills: pair, list, revoke."""

import io
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.table import Table

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask
from gateway.cli.speech import command, say
from gateway.client.admin import Admin
from gateway.instants import iso
from gateway.tongue import tr

app = typer.Typer(
    help=tr("Tills: pair, list, revoke.", "Cajas: emparejarlas, listarlas, revocarlas."), no_args_is_help=True
)
Name = Annotated[
    str, typer.Argument(help=tr("Lower-case letters, digits and hyphens.", "Minúsculas, dígitos y guiones."))
]
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


@command(
    app,
    "Crea un código de emparejamiento: escríbalo en la caja, o que ella lea el QR. Sirve una vez, por unos minutos.",
)
def pair(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Make a pairing code: type it into the till, or let it read the QR. It works once, for a few minutes."""
    code = ask(config, Admin.pairing_code)
    secret, until = code["code"], code["expires_at"]
    told = tr(
        f"Pairing code: {secret}   good until {until}", f"Código de emparejamiento: {secret}   válido hasta {until}"
    )
    text = f"{_qr(code)}\n{told}"
    if urlsplit(code["link"]).hostname in THIS_MACHINE:
        text += "\n" + tr(
            'Only tills on this machine reach the gateway; for others set api.host = "0.0.0.0".',
            'Solo las cajas de este equipo alcanzan el gateway; para otras ponga api.host = "0.0.0.0".',
        )
    say(code, as_json=as_json, text=text)


@command(
    app,
    "Crea de una vez una caja emparejada, sin código, e imprime su token (se muestra solo esta vez).\n\n"
    "Si ya hay una caja con ese nombre, recibe un token nuevo y el que tenía deja de servir.",
)
def token(name: Name, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Make a paired till at once, without a code, and print its token (shown this once).

    A till of this name gets a new token, and the one it had is dead.
    """
    made = ask(config, lambda admin: admin.make_till(name))
    say(made, as_json=as_json, text=made["token"])


@command(app, "Todas las cajas que se han emparejado.", "list")
def listing(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All tills ever paired."""

    async def tills(admin: Admin) -> list[dict[str, Any]]:
        return [till async for till in admin.tills()]

    found = ask(config, tills)
    table = Table(tr("till", "caja"), tr("model", "modelo"), tr("paired", "emparejada"), tr("revoked", "revocada"))
    for each in found:
        table.add_row(each["name"], each["model"], _time(each["paired_at"]), _time(each["revoked_at"]))
    say({"items": found}, as_json=as_json, text=table)


@command(app, "Rechaza a una caja desde ahora.")
def revoke(name: Name, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Turn a till away from now on."""
    gone = ask(config, lambda admin: admin.revoke_till(name))
    say(gone, as_json=as_json, text=tr(f"{name} is revoked.", f"{name} queda revocada."))


def _time(value: Any) -> str:
    if value is None:
        return "-"
    return iso(value) if isinstance(value, int) else str(value)


def _qr(code: dict[str, Any]) -> str:
    import segno  # noqa: PLC0415 - only this needs it

    page = io.StringIO()
    segno.make(code.get("link") or code["code"], error="m").terminal(out=page, compact=True)
    return page.getvalue()
