"""Look at every part of a store and say what to do about it: with a running gateway, and without one."""

import os
import shutil
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer
from rich.table import Table

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask, settings_of
from gateway.cli.speech import DONE, REFUSED, StopError, bad, command, say
from gateway.cli.status import line_told, series_told
from gateway.client.admin import Admin
from gateway.clock import SystemClock
from gateway.settings import Settings
from gateway.storage import folder
from gateway.tongue import tr

CLOCK_EARLIEST_MS = 1_767_225_600_000
"""1 January 2026: a clock before this program was written is wrong."""
REACH_S_MAX = 3
BOOKS_FILE = "books.sqlite3"

Check = dict[str, Any]
"""What was looked at, whether it is well, what was seen, what to do."""


def add_to(app: typer.Typer) -> None:
    """Put the command in."""
    command(app, "Mira cada parte y dice qué hacer; termina con 1 si algo está mal.")(doctor)


def doctor(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Look at every part and say what to do about it; exits 1 when something is wrong."""
    settings = settings_of(config)
    ready = folder.running(settings.storage.path)
    checks = [_clock(settings), _disk(settings), _data(settings)]
    if ready is None:
        stopped = tr("not running", "no está en marcha")
        checks += [_checked("gateway", True, stopped, ""), *_ports(settings), *_peers(settings)]
    else:
        api, mqtt = ready["api"], ready["mqtt"]
        runs = tr(f"running at {api}, {mqtt or 'no MQTT'}", f"en marcha en {api}, {mqtt or 'sin MQTT'}")
        checks.append(_checked("gateway", True, runs, ""))
        checks += _external_broker(settings)
    if ready is not None or (all(each["ok"] for each in checks[:3]) and _has_books(settings)):
        checks += _told_by_gateway(config, is_running=ready is not None)
    table = Table(tr("check", "revisión"), tr("ok", "bien"), tr("what", "qué"), tr("hint", "qué hacer"))
    for each in checks:
        table.add_row(each["check"], tr("yes", "sí") if each["ok"] else bad("no"), each["what"], each["hint"])
    say({"checks": checks}, as_json=as_json, text=table)
    sys.exit(DONE if all(each["ok"] for each in checks) else REFUSED)


def _checked(check: str, ok: bool, what: str, hint: str) -> Check:
    return {"check": check, "ok": ok, "what": what, "hint": "" if ok else hint}


def _clock(settings: Settings) -> Check:
    now = SystemClock().now_ms()
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(settings.store.zone)
    what = f"{local:%Y-%m-%d %H:%M} {tr('in', 'en')} {settings.store.time_zone}"
    hint = tr("Set the clock: timedatectl set-ntp true", "Ponga el reloj en hora: timedatectl set-ntp true")
    return _checked(tr("clock", "reloj"), now > CLOCK_EARLIEST_MS, what, hint)


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(_nearest(settings.storage.path)).free
    enough = free > settings.storage.free_bytes_min
    hint = tr(
        "Free some space, or no new document is accepted.",
        "Libere espacio, o no se aceptará ningún documento nuevo.",
    )
    return _checked(tr("disk", "disco"), enough, f"{free // 2**20} {tr('MB free', 'MB libres')}", hint)


def _data(settings: Settings) -> Check:
    """Whether this user can work in the data directory, or make it."""
    data = settings.storage.path
    near = _nearest(data)
    if not near.is_dir():
        what = tr(f"{near} is not a directory", f"{near} no es un directorio")
        hint = tr("storage.path must be a directory.", "storage.path debe ser un directorio.")
        return _checked(tr("data", "datos"), False, what, hint)
    usable = os.access(near, os.R_OK | os.W_OK | os.X_OK)
    what = str(data) if near == data else tr(f"{data} is made at the first start", f"{data} se crea al primer inicio")
    hint = tr(
        "Run this as the user the gateway runs as, and let that user write to storage.path.",
        "Ejecútelo con el usuario con que corre el gateway, y permita que ese usuario escriba en storage.path.",
    )
    if not usable:
        what = tr(f"{near} is closed to this user", f"{near} está cerrado para este usuario")
    return _checked(tr("data", "datos"), usable, what, hint)


def _nearest(path: Path) -> Path:
    """The path, or what there is of the way to it as far as this user can see."""
    for place in (path, *path.parents):
        try:
            place.stat()
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        return place
    return Path("/")


def _has_books(settings: Settings) -> bool:
    return (settings.storage.path / BOOKS_FILE).exists()


def _ports(settings: Settings) -> list[Check]:
    found = [_port(tr("port", "puerto"), settings.api.host, settings.api.port)]
    if settings.mqtt.broker == "embedded":
        found.append(_port(tr("mqtt port", "puerto mqtt"), settings.mqtt.host, settings.mqtt.port))
    return found


def _port(check: str, host: str, port: int) -> Check:
    if port == 0:
        return _checked(check, True, f"{host}: {tr('any that is free', 'cualquiera libre')}", "")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            hint = tr(
                "Another program has it: ss -ltnp. Or the address is not one of this machine: ip addr.",
                "Otro programa lo tiene: ss -ltnp. O la dirección no es de este equipo: ip addr.",
            )
            return _checked(check, False, f"{host}:{port}: {error.strerror}", hint)
    return _checked(check, True, f"{host}:{port} {tr('is free', 'está libre')}", "")


def _peers(settings: Settings) -> list[Check]:
    """Everything that a gateway would connect to."""
    printer = tr("printer", "impresora")
    found = [
        _reached(f"{printer} {each.name}", each.address.removeprefix("tcp://")) for each in settings.devices.printer
    ]
    found += _external_broker(settings)
    if settings.headoffice.url:
        url = urlsplit(settings.headoffice.url)
        default = "" if url.port else ":443" if url.scheme == "https" else ":80"
        found.append(_reached(tr("head office", "casa matriz"), url.netloc + default))
    return found


def _external_broker(settings: Settings) -> list[Check]:
    broker = settings.mqtt.broker
    return [] if broker in {"embedded", "off"} else [_reached("broker", broker)]


def _reached(name: str, address: str) -> Check:
    parts = urlsplit(f"//{address}")
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=REACH_S_MAX).close()
    except OSError as error:
        return _checked(
            name,
            False,
            f"{address}: {error}",
            tr("Check power, cable and address.", "Revise corriente, cable y dirección."),
        )
    return _checked(name, True, f"{address} {tr('answers', 'responde')}", "")


def _told_by_gateway(config: Path, *, is_running: bool) -> list[Check]:
    """What the gateway itself says: series, the line, printers, and every warning that is up."""

    async def all_of_it(admin: Admin) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        return dict(await admin.status()), await admin.devices()

    try:
        banner, devices = ask(config, all_of_it)
    except StopError as stop:
        return [_checked(tr("books", "libros"), False, stop.text, stop.hint)]
    found = [_checked(tr("books", "libros"), True, f"{banner['seq']} {tr('rows', 'filas')}", "")]
    found += [
        _checked(f"{tr('series', 'serie')} {each['series']}", True, series_told(each), "")
        for each in banner["ranges"]
        if each["state"] not in {"missing", "locked"}
    ]
    if is_running:
        if banner["link"]["state"] in {"online", "catching_up"}:
            found.append(_checked(tr("head office", "casa matriz"), True, line_told(banner["link"]), ""))
        found += [
            _checked(f"{tr('printer', 'impresora')} {each['name']}", True, tr("answers", "responde"), "")
            for each in devices
            if each["state"]["online"]
        ]
    return found + [_checked(each["code"], False, each["text"], each["hint"]) for each in banner["warnings"]]
