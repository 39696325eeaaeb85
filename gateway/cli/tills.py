"""Tills: pair, list, revoke."""

import io
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.table import Table

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask
from gateway.cli.speech import say
from gateway.client.admin import Admin
from gateway.instants import iso

app = typer.Typer(help="Tills: pair, list, revoke.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens.")]
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


@app.command()
def pair(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Make a pairing code: type it into the till, or let it read the QR. It works once, for a few minutes."""
    code = ask(config, Admin.pairing_code)
    text = f"{_qr(code)}\nPairing code: {code['code']}   good until {code['expires_at']}"
    if urlsplit(code["link"]).hostname in THIS_MACHINE:
        text += '\nOnly tills on this machine reach the gateway; for others set api.host = "0.0.0.0".'
    say(code, as_json=as_json, text=text)


@app.command()
def token(name: Name, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Make a paired till at once, without a code, and print its token (shown this once).

    A till of this name gets a new token, and the one it had is dead.
    """
    made = ask(config, lambda admin: admin.make_till(name))
    say(made, as_json=as_json, text=made["token"])


@app.command("list")
def listing(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All tills ever paired."""

    async def tills(admin: Admin) -> list[dict[str, Any]]:
        return [till async for till in admin.tills()]

    found = ask(config, tills)
    table = Table("till", "model", "paired", "revoked")
    for each in found:
        table.add_row(each["name"], each["model"], _time(each["paired_at"]), _time(each["revoked_at"]))
    say({"items": found}, as_json=as_json, text=table)


@app.command()
def revoke(name: Name, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Turn a till away from now on."""
    gone = ask(config, lambda admin: admin.revoke_till(name))
    say(gone, as_json=as_json, text=f"{name} is revoked.")


def _time(value: Any) -> str:
    if value is None:
        return "-"
    return iso(value) if isinstance(value, int) else str(value)


def _qr(code: dict[str, Any]) -> str:
    import segno  # noqa: PLC0415 - only this needs it

    page = io.StringIO()
    segno.make(code.get("link") or code["code"], error="m").terminal(out=page, compact=True)
    return page.getvalue()
