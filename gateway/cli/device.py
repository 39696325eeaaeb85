"""Printers: list them, print a test page, see what waits, and say what became of a paper nobody knows of."""

import asyncio
import uuid
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask, settings_of
from gateway.cli.speech import REFUSED, StopError, say
from gateway.client.admin import Admin
from gateway.storage import folder

app = typer.Typer(help="Printers, and the jobs before them.", no_args_is_help=True)
TEST_DEADLINE_MS = 15_000
"""A test page that cannot begin by then is not printed: nobody wants it an hour later."""
TEST_WAIT_S_MAX = 40
LOOK_S = 0.2
ENDS = frozenset({"done", "refused", "failed_before_send", "replaced", "held", "unknown"})
"""Where `test` stops looking; from `held` the page still comes, when somebody has put paper in."""
TEST_LINES = ["Store gateway", "áéíóúüñ ÁÉÍÓÚÜÑ ¿? ¡!", "0123456789"]
TOLD = {
    "done": "printed",
    "held": "the printer has the page and waits: paper, cover?",
    "unknown": "not known whether the page came out; look, then: gateway device settle",
    "failed_before_send": "nothing was printed: the printer does not answer",
    "refused": "refused",
}


@app.command("list")
def listing(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All devices and how they are."""
    found = ask(config, Admin.devices)
    is_running = _is_running(config)
    table = Table("device", "profile", "address", "online", "paper", "cover", "waiting", "unknown")
    for each in found:
        state = each["state"]
        online = {True: "yes", False: "no", None: "?"}[state["online"]] if is_running else "gateway stopped"
        figures = (state["paper"], state["cover"], str(state["waiting"]), str(state["unknown"]))
        table.add_row(each["name"], each["profile"], each["address"], online, *figures)
    say(
        {"items": found},
        as_json=as_json,
        text=table if found else "No printer is in the settings ([[devices.printer]]).",
    )


@app.command()
def test(
    name: Annotated[str, typer.Argument(help="The printer's name in the settings.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Print a test page and say what became of it; exits 1 unless it was printed. The gateway must be running."""
    _must_run(config)

    async def page(admin: Admin) -> dict[str, Any]:
        identity = admin.new_id()
        body = {"kind": "text", "device": name, "body": {"lines": TEST_LINES}, "deadline_ms": TEST_DEADLINE_MS}
        job = await admin.submit_job(identity, body)
        async with asyncio.timeout(TEST_WAIT_S_MAX):
            while job["state"] not in ENDS:
                await asyncio.sleep(LOOK_S)
                job = await admin.job(identity)
        return job

    try:
        job = ask(config, page)
    except TimeoutError as error:
        raise StopError(f"{name}: nothing after {TEST_WAIT_S_MAX} s", "gateway device jobs shows what waits") from error
    say(job, as_json=as_json, text=f"{name}: {TOLD.get(job['state'], job['state'])} {job['detail']}".rstrip())
    if job["state"] != "done":
        raise typer.Exit(REFUSED)


@app.command()
def jobs(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Jobs that wait, are held back by a printer, or are unknown."""
    found = ask(config, Admin.jobs)
    table = Table("device", "state", "kind", "till", "document", "since", "detail")
    table.add_column("id", overflow="fold")
    for each in found:
        names = ("device", "state", "kind", "till", "document", "changed_at", "detail", "id")
        table.add_row(*(str(each[name] or "-") for name in names))
    say({"items": found}, as_json=as_json, text=table if found else "Nothing waits.")


@app.command()
def settle(
    job: Annotated[uuid.UUID, typer.Argument(metavar="ID", help="As `device jobs` shows it.")],
    outcome: Annotated[
        Literal["printed", "reprint"], typer.Argument(help="printed: the paper is there; reprint: print a copy.")
    ],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Say what you saw of a job that is unknown: the paper is there, or a copy is wanted."""
    settled = ask(config, lambda admin: admin.settle_job(str(job), outcome))
    told = "settled: it was printed" if outcome == "printed" else f"a copy is queued as job {settled['detail']}"
    say(settled, as_json=as_json, text=told)


def _is_running(config: Path) -> bool:
    return folder.running(settings_of(config).storage.path) is not None


def _must_run(config: Path) -> None:
    """A gateway that is opened for one command prints nothing."""
    if not _is_running(config):
        raise StopError("the gateway is not running", "gateway run")
