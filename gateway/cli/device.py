"""Printers: list them, print a test page."""

import asyncio
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask
from gateway.cli.speech import StopError, say
from gateway.client.admin import Admin

app = typer.Typer(help="Printers.", no_args_is_help=True)
TEST_WAIT_S_MAX = 30
FINAL = frozenset({"done", "refused", "failed_before_send", "held", "unknown"})


@app.command("list")
def listing(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All devices and how they are."""
    found = ask(config, Admin.devices)
    table = Table("device", "profile", "state")
    for each in found:
        table.add_row(str(each["name"]), str(each.get("profile", "")), str(each["state"]))
    say({"items": found}, as_json=as_json, text=table)


@app.command()
def test(
    name: Annotated[str, typer.Argument(help="The printer's name in the settings.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Print a test page and say what became of it. The gateway must be running."""

    async def page(admin: Admin) -> dict[str, Any]:
        identity = admin.new_id()
        text = "Store gateway\nÑuñoa áéíóú ¿? ¡! €\n1234567890"
        job = await admin.submit_job(identity, {"kind": "text", "device": name, "text": text})
        async with asyncio.timeout(TEST_WAIT_S_MAX):
            while job["state"] not in FINAL:
                await asyncio.sleep(0.2)
                job = await admin.job(identity)
        return job

    try:
        job = ask(config, page)
    except TimeoutError as error:
        raise StopError(
            f"{name} did not finish within {TEST_WAIT_S_MAX} s", "Is the gateway running? gateway status"
        ) from error
    say(job, as_json=as_json, text=f"{name}: {job['state']} {job.get('detail') or ''}")
    if job["state"] != "done":
        raise typer.Exit(1)
