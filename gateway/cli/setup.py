"""Set a store up: write its settings, check them, look at every part."""

import json
import shutil
import socket
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, settings_of
from gateway.cli.speech import DONE, MISUSED, REFUSED, StopError, say
from gateway.clock import SystemClock
from gateway.settings import Settings, SettingsError, load
from gateway.storage import folder

CLOCK_EARLIEST_MS = 1_767_225_600_000
"""1 January 2026: a clock before this program was written is wrong."""


def add_to(app: typer.Typer) -> None:
    """Put the commands in."""
    app.command()(init)
    app.command("check-config")(check_config)
    app.command()(doctor)


def check_config(
    file: Annotated[Path, typer.Argument(help="The settings to check.")] = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Read the settings and say what is wrong, line by line, with the nearest right key."""
    try:
        settings = load(file)
    except SettingsError as error:
        say({"ok": False, "problems": error.lines}, as_json=as_json, text="\n".join(error.lines))
        sys.exit(REFUSED)
    where = f"store {settings.store.id}, country {settings.store.country}, data in {settings.storage.path}"
    say({"ok": True, "problems": []}, as_json=as_json, text=f"{file} is good: {where}")


def init(
    file: Annotated[Path, typer.Option("--config", help="The file to write.")] = DEFAULT_CONFIG,
    store: Annotated[str, typer.Option(help="The store's id.", prompt="Store id (a-z, 0-9, -)")] = "store-1",
    name: Annotated[str, typer.Option(prompt="Name printed on documents")] = "Store",
    country: Annotated[str, typer.Option(prompt="Country (plain, honduras)")] = "plain",
    tax_id: Annotated[str, typer.Option(prompt="Tax id (RTN, RUT; may be empty)")] = "",
    language: Annotated[str, typer.Option(prompt="Language of receipts (es, en)")] = "es",
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
) -> None:
    """Ask the few things a store must say and write its settings."""
    if file.exists() and not force:
        raise StopError(f"{file} exists", "Use --force to write over it.", MISUSED)
    answers = {"id": store, "name": name, "country": country, "tax_id": tax_id, "language": language}
    text = _filled(_template(), answers)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    try:
        load(draft)
    except SettingsError as error:
        draft.unlink()
        raise StopError(error.lines[0].replace(str(draft), str(file)), "\n  ".join(error.lines[1:]), MISUSED) from error
    draft.replace(file)
    say({"config": str(file)}, as_json=False, text=f"{file} is written. Next: gateway run --config {file}")


def doctor(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Look at every part and say what to do about it."""
    settings = settings_of(config)
    checks = [
        _clock_check(),
        _disk_check(settings),
        _port_check(settings),
        *(
            _reach_check(f"printer {each.name}", each.address.removeprefix("tcp://"))
            for each in settings.devices.printer
        ),
    ]
    if settings.mqtt.broker not in {"embedded", "off"}:
        checks.append(_reach_check("broker", settings.mqtt.broker))
    if settings.headoffice.url:
        host = settings.headoffice.url.split("//", 1)[1].split("/", 1)[0]
        default = "443" if settings.headoffice.url.startswith("https") else "80"
        checks.append(_reach_check("head office", host if ":" in host else f"{host}:{default}"))
    table = Table("check", "ok", "what", "hint")
    for each in checks:
        table.add_row(each["check"], "yes" if each["ok"] else "[red]no[/red]", each["what"], each["hint"])
    say({"checks": checks}, as_json=as_json, text=table)
    sys.exit(DONE if all(each["ok"] for each in checks) else REFUSED)


def _finding(check: str, ok: bool, what: str, hint: str) -> dict[str, Any]:
    return {"check": check, "ok": ok, "what": what, "hint": "" if ok else hint}


def _clock_check() -> dict[str, Any]:
    now = SystemClock().now_ms()
    return _finding("clock", now > CLOCK_EARLIEST_MS, f"{now} ms since 1970", "Set the clock: timedatectl set-ntp true")


def _disk_check(settings: Settings) -> dict[str, Any]:
    place = settings.storage.path
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    enough = free > settings.storage.free_bytes_min
    return _finding("disk", enough, f"{free // 2**20} MB free", "Free some space, or no new document is accepted.")


def _port_check(settings: Settings) -> dict[str, Any]:
    ready = folder.running(settings.storage.path)
    if ready is not None:
        return _finding("gateway", True, f"running at {ready['api']}", "")
    with socket.socket(socket.AF_INET6 if ":" in settings.api.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.api.host, settings.api.port))
        except OSError as error:
            return _finding("port", False, f"{settings.api.port}: {error.strerror}", "Another program has it: ss -ltnp")
    return _finding("port", True, f"{settings.api.port} is free; the gateway is not running", "")


def _reach_check(name: str, address: str) -> dict[str, Any]:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
    except OSError as error:
        return _finding(name, False, f"{address}: {error}", "Check power, cable and address.")
    return _finding(name, True, f"{address} answers", "")


def _template() -> str:
    return (resources.files("gateway.cli") / "gateway.toml").read_text(encoding="utf-8")


def _filled(template: str, answers: dict[str, str]) -> str:
    """The commented file with the answers in its [store] section."""
    lines, section = [], ""
    for line in template.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        key = line.split("=", 1)[0].strip()
        if section == "store" and key in answers and "=" in line:
            comment = line.partition("#")[2]
            written = f"{key} = {json.dumps(answers[key], ensure_ascii=False)}"
            line = f"{written:<36}#{comment}" if comment else written  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + "\n"
