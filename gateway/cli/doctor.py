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
from gateway.cli.speech import DONE, REFUSED, StopError, bad, say
from gateway.cli.status import line_told, series_told
from gateway.client.admin import Admin
from gateway.clock import SystemClock
from gateway.settings import Settings
from gateway.storage import folder

CLOCK_EARLIEST_MS = 1_767_225_600_000
"""1 January 2026: a clock before this program was written is wrong."""
REACH_S_MAX = 3
BOOKS_FILE = "books.sqlite3"

Check = dict[str, Any]
"""What was looked at, whether it is well, what was seen, what to do."""


def add_to(app: typer.Typer) -> None:
    """Put the command in."""
    app.command()(doctor)


def doctor(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Look at every part and say what to do about it; exits 1 when something is wrong."""
    settings = settings_of(config)
    ready = folder.running(settings.storage.path)
    checks = [_clock(settings), _disk(settings), _data(settings)]
    if ready is None:
        checks += [_checked("gateway", True, "not running", ""), *_ports(settings), *_peers(settings)]
    else:
        checks.append(_checked("gateway", True, f"running at {ready['api']}, {ready['mqtt'] or 'no MQTT'}", ""))
        checks += _external_broker(settings)
    if ready is not None or (all(each["ok"] for each in checks[:3]) and _has_books(settings)):
        checks += _told_by_gateway(config, is_running=ready is not None)
    table = Table("check", "ok", "what", "hint")
    for each in checks:
        table.add_row(each["check"], "yes" if each["ok"] else bad("no"), each["what"], each["hint"])
    say({"checks": checks}, as_json=as_json, text=table)
    sys.exit(DONE if all(each["ok"] for each in checks) else REFUSED)


def _checked(check: str, ok: bool, what: str, hint: str) -> Check:
    return {"check": check, "ok": ok, "what": what, "hint": "" if ok else hint}


def _clock(settings: Settings) -> Check:
    now = SystemClock().now_ms()
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(settings.store.zone)
    what = f"{local:%Y-%m-%d %H:%M} in {settings.store.time_zone}"
    return _checked("clock", now > CLOCK_EARLIEST_MS, what, "Set the clock: timedatectl set-ntp true")


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(_nearest(settings.storage.path)).free
    enough = free > settings.storage.free_bytes_min
    return _checked("disk", enough, f"{free // 2**20} MB free", "Free some space, or no new document is accepted.")


def _data(settings: Settings) -> Check:
    """Whether this user can work in the data directory, or make it."""
    data = settings.storage.path
    near = _nearest(data)
    if not near.is_dir():
        return _checked("data", False, f"{near} is not a directory", "storage.path must be a directory.")
    usable = os.access(near, os.R_OK | os.W_OK | os.X_OK)
    what = str(data) if near == data else f"{data} is made at the first start"
    hint = "Run this as the user the gateway runs as, and let that user write to storage.path."
    return _checked("data", usable, what if usable else f"{near} is closed to this user", hint)


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
    found = [_port("port", settings.api.host, settings.api.port)]
    if settings.mqtt.broker == "embedded":
        found.append(_port("mqtt port", settings.mqtt.host, settings.mqtt.port))
    return found


def _port(check: str, host: str, port: int) -> Check:
    if port == 0:
        return _checked(check, True, f"{host}: any that is free", "")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            hint = "Another program has it: ss -ltnp. Or the address is not one of this machine: ip addr."
            return _checked(check, False, f"{host}:{port}: {error.strerror}", hint)
    return _checked(check, True, f"{host}:{port} is free", "")


def _peers(settings: Settings) -> list[Check]:
    """Everything that a gateway would connect to."""
    found = [_reached(f"printer {each.name}", each.address.removeprefix("tcp://")) for each in settings.devices.printer]
    found += _external_broker(settings)
    if settings.headoffice.url:
        url = urlsplit(settings.headoffice.url)
        default = "" if url.port else ":443" if url.scheme == "https" else ":80"
        found.append(_reached("head office", url.netloc + default))
    return found


def _external_broker(settings: Settings) -> list[Check]:
    broker = settings.mqtt.broker
    return [] if broker in {"embedded", "off"} else [_reached("broker", broker)]


def _reached(name: str, address: str) -> Check:
    parts = urlsplit(f"//{address}")
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=REACH_S_MAX).close()
    except OSError as error:
        return _checked(name, False, f"{address}: {error}", "Check power, cable and address.")
    return _checked(name, True, f"{address} answers", "")


def _told_by_gateway(config: Path, *, is_running: bool) -> list[Check]:
    """What the gateway itself says: series, the line, printers, and every warning that is up."""

    async def all_of_it(admin: Admin) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        return dict(await admin.status()), await admin.devices()

    try:
        banner, devices = ask(config, all_of_it)
    except StopError as stop:
        return [_checked("books", False, stop.text, stop.hint)]
    found = [_checked("books", True, f"{banner['seq']} rows", "")]
    found += [
        _checked(f"series {each['series']}", True, series_told(each), "")
        for each in banner["ranges"]
        if each["state"] not in {"missing", "locked"}
    ]
    if is_running:
        if banner["link"]["state"] in {"online", "catching_up"}:
            found.append(_checked("head office", True, line_told(banner["link"]), ""))
        found += [
            _checked(f"printer {each['name']}", True, "answers", "") for each in devices if each["state"]["online"]
        ]
    return found + [_checked(each["code"], False, each["text"], each["hint"]) for each in banner["warnings"]]
