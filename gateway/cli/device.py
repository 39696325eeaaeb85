"""Printers: list them, print a test page, see what waits, and say what became of a paper nobody knows of."""

import asyncio
import uuid
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask, settings_of
from gateway.cli.speech import REFUSED, StopError, command, say
from gateway.cli.words import word
from gateway.client.admin import Admin
from gateway.storage import folder
from gateway.tongue import tr

app = typer.Typer(
    help=tr("Printers, and the jobs before them.", "Impresoras, y los trabajos que les esperan."), no_args_is_help=True
)
TEST_DEADLINE_MS = 3_000
"""A test page that cannot begin by then is not printed: nobody wants it an hour later."""
TEST_WAIT_S_MAX = 30
LOOK_S = 0.2
ENDS = frozenset({"done", "refused", "failed_before_send", "replaced", "held", "unknown"})
"""Where `test` stops looking; from `held` the page still comes, when somebody has put paper in."""
TEST_LINES = ["Store gateway", "áéíóúüñ ÁÉÍÓÚÜÑ ¿? ¡!", "0123456789"]
TOLD = {
    "done": ("printed", "impreso"),
    "held": (
        "the printer has the page and waits: paper, cover?",
        "la impresora tiene la página y espera: ¿papel, tapa?",
    ),
    "unknown": (
        "not known whether the page came out; look, then: gateway device settle",
        "no se sabe si salió la página; mire, y luego: gateway device settle",
    ),
    "failed_before_send": (
        "nothing was printed, and the page is forgotten",
        "no se imprimió nada, y la página se olvida",
    ),
    "refused": ("refused", "rechazado"),
}
"""What became of a test page, in English and Spanish."""


@command(app, "Todos los dispositivos y cómo están.", "list")
def listing(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All devices and how they are."""
    found = ask(config, Admin.devices)
    is_running = _is_running(config)
    table = Table(
        tr("device", "dispositivo"),
        tr("profile", "perfil"),
        tr("address", "dirección"),
        tr("online", "en línea"),
        tr("paper", "papel"),
        tr("cover", "tapa"),
        tr("waiting", "en espera"),
        tr("unknown", "dudosos"),
    )
    for each in found:
        state = each["state"]
        online = {True: tr("yes", "sí"), False: "no", None: "?"}[state["online"]]
        if not is_running:
            online = tr("gateway stopped", "gateway detenido")
        figures = (word(state["paper"]), word(state["cover"]), str(state["waiting"]), str(state["unknown"]))
        table.add_row(each["name"], each["profile"], each["address"], online, *figures)
    say(
        {"items": found},
        as_json=as_json,
        text=table
        if found
        else tr(
            "No printer is in the settings ([[devices.printer]]).",
            "No hay ninguna impresora en la configuración ([[devices.printer]]).",
        ),
    )


@command(
    app,
    "Imprime una página de prueba y dice qué fue de ella; termina con 1 si no se imprimió. "
    "El gateway debe estar en marcha.",
)
def test(
    name: Annotated[
        str,
        typer.Argument(
            help=tr("The printer's name in the settings.", "El nombre de la impresora en la configuración.")
        ),
    ],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Print a test page and say what became of it; exits 1 unless it was printed. The gateway must be running."""
    _must_run(config)

    async def page(admin: Admin) -> tuple[dict[str, Any], dict[str, Any]]:
        identity = admin.new_id()
        body = {"kind": "text", "device": name, "body": {"lines": TEST_LINES}, "deadline_ms": TEST_DEADLINE_MS}
        job = await admin.submit_job(identity, body)
        async with asyncio.timeout(TEST_WAIT_S_MAX):
            while job["state"] not in ENDS:
                await asyncio.sleep(LOOK_S)
                job = await admin.job(identity)
        devices = {each["name"]: each["state"] for each in await admin.devices()}
        return job, devices[name]

    try:
        job, state = ask(config, page)
    except TimeoutError as error:
        text = tr(f"{name}: nothing after {TEST_WAIT_S_MAX} s", f"{name}: nada después de {TEST_WAIT_S_MAX} s")
        hint = tr("gateway device jobs shows what waits", "gateway device jobs muestra lo que espera")
        raise StopError(text, hint) from error
    told = tr(*TOLD.get(job["state"], (job["state"], job["state"])))
    if job["state"] != "done":
        told += f" ({_seen(state)})"
    say({**job, "printer": state}, as_json=as_json, text=f"{name}: {told}")
    if job["state"] != "done":
        raise typer.Exit(REFUSED)


@command(app, "Trabajos que esperan, que una impresora retiene, o de los que no se sabe.")
def jobs(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Jobs that wait, are held back by a printer, or are unknown."""
    found = ask(config, Admin.jobs)
    table = Table(
        tr("device", "dispositivo"),
        tr("state", "estado"),
        tr("kind", "tipo"),
        tr("till", "caja"),
        tr("document", "documento"),
        tr("since", "desde"),
        tr("detail", "detalle"),
    )
    table.add_column("id", overflow="fold")
    for each in found:
        names = ("till", "document", "changed_at", "detail", "id")
        table.add_row(
            each["device"], word(each["state"]), word(each["kind"]), *(str(each[name] or "-") for name in names)
        )
    say({"items": found}, as_json=as_json, text=table if found else tr("Nothing waits.", "Nada espera."))


@command(app, "Diga qué vio de un trabajo del que no se sabe: el papel está, o se quiere una copia.")
def settle(
    job: Annotated[
        uuid.UUID,
        typer.Argument(metavar="ID", help=tr("As `device jobs` shows it.", "Como lo muestra `device jobs`.")),
    ],
    outcome: Annotated[
        Literal["printed", "reprint"],
        typer.Argument(
            help=tr(
                "printed: the paper is there; reprint: print a copy.",
                "printed: el papel está; reprint: imprimir una copia.",
            )
        ),
    ],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Say what you saw of a job that is unknown: the paper is there, or a copy is wanted."""
    settled = ask(config, lambda admin: admin.settle_job(str(job), outcome))
    told = tr("settled: it was printed", "anotado: se imprimió")
    if outcome == "reprint":
        copy = settled["detail"]
        told = tr(f"a copy is queued as job {copy}", f"una copia está en cola como trabajo {copy}")
    say(settled, as_json=as_json, text=told)


def _seen(state: dict[str, Any]) -> str:
    """How a printer is, in a few words."""
    online = {
        True: tr("it answers", "responde"),
        False: tr("it does not answer", "no responde"),
        None: tr("not seen yet", "aún no se ha visto"),
    }[state["online"]]
    paper, cover = word(state["paper"]), word(state["cover"])
    return tr(f"{online}, paper {paper}, cover {cover}", f"{online}, papel: {paper}, tapa: {cover}")


def _is_running(config: Path) -> bool:
    return folder.running(settings_of(config).storage.path) is not None


def _must_run(config: Path) -> None:
    """A gateway that is opened for one command prints nothing."""
    if not _is_running(config):
        raise StopError(tr("the gateway is not running", "el gateway no está en marcha"), "gateway run")
