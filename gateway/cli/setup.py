"""Set a store up: write its settings, and check them."""

import json
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError

from gateway.cli.access import DEFAULT_CONFIG, Json
from gateway.cli.speech import MISUSED, REFUSED, StopError, say
from gateway.settings import SettingsError, Store, load, reason


def add_to(app: typer.Typer) -> None:
    """Put the commands in."""
    app.command()(init)
    app.command("check-config")(check_config)


def _fits(key: str) -> Callable[[str], str]:
    """Asks again, or says what is wrong with the option, when an answer cannot be a store's `key`."""

    def check(value: str) -> str:
        try:
            Store.model_validate({key: value})
        except ValidationError as error:
            raise typer.BadParameter(reason(error.errors()[0])) from error
        return value

    return check


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
    file: Annotated[
        Path, typer.Option("--config", help="The file to write.", envvar="GATEWAY_CONFIG")
    ] = DEFAULT_CONFIG,
    store: Annotated[
        str, typer.Option(help="The store's id.", prompt="Store id (a-z, 0-9, -)", callback=_fits("id"))
    ] = "store-1",
    name: Annotated[
        str, typer.Option(help="Who sells.", prompt="Name printed on documents", callback=_fits("name"))
    ] = "Store",
    country: Annotated[
        Literal["plain", "honduras"], typer.Option(help="Whose rules; plain needs no ranges.", prompt="Country")
    ] = "plain",
    tax_id: Annotated[
        str, typer.Option(help="RTN, RUT, ...", prompt="Tax id (RTN, RUT; may be empty)", callback=_fits("tax_id"))
    ] = "",
    language: Annotated[Literal["es", "en"], typer.Option(help="Of receipts.", prompt="Language of receipts")] = "es",
    force: Annotated[bool, typer.Option("--force", help="Write over a file that somebody has changed.")] = False,
) -> None:
    """Ask the few things a store must say and write its settings, with every other key, its default and its reason."""
    if not force and file.exists() and not _is_as_shipped(file):
        raise StopError(f"{file} exists, with settings of its own", "Use --force to write over it.", MISUSED)
    answers = {"id": store, "name": name, "country": country, "tax_id": tax_id, "language": language}
    text = _filled(_template(), {"store": answers, "storage": {"path": _data_beside(file)}})
    draft = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        load(draft)
        draft.replace(file)
    except SettingsError as error:
        draft.unlink()
        raise StopError(error.lines[0].replace(str(draft), str(file)), "\n  ".join(error.lines[1:]), MISUSED) from error
    except OSError as error:
        raise StopError(f"{file} cannot be written: {error}", "Name another place with --config.", MISUSED) from error
    named = "" if file == DEFAULT_CONFIG else f" --config {file}"
    say(None, as_json=False, text=f"{file} is written; the books will be in {load(file).storage.path}.")
    say(None, as_json=False, text=f"Next: gateway run{named}, and in another terminal: gateway status{named}")


def _is_as_shipped(file: Path) -> bool:
    """Whether nobody has changed the file that comes with the program."""
    try:
        return file.read_text(encoding="utf-8") == _template()
    except (OSError, UnicodeDecodeError):
        return False


def _data_beside(file: Path) -> str:
    """Two stores set up side by side do not share their books; `config/` stands beside `data/`."""
    return "../data" if file.resolve().parent.name == "config" else "data"


def _template() -> str:
    return (resources.files("gateway.cli") / "gateway.toml").read_text(encoding="utf-8")


def _filled(template: str, answers: dict[str, dict[str, str]]) -> str:
    """The commented file with the answers, by section and key, in their places."""
    lines, section = [], ""
    for line in template.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        key = line.split("=", 1)[0].strip()
        if "=" in line and key in answers.get(section, {}):
            comment = line.partition("#")[2]
            written = f"{key} = {json.dumps(answers[section][key], ensure_ascii=False)}"
            line = f"{written:<36}#{comment}" if comment else written  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + "\n"
