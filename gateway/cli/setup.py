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
from gateway.cli.speech import MISUSED, REFUSED, StopError, command, say
from gateway.settings import SettingsError, Store, load, reason
from gateway.tongue import tr


def add_to(app: typer.Typer) -> None:
    """Put the commands in."""
    command(
        app,
        "Pregunta lo poco que una tienda debe decir y escribe su configuración, "
        "con todas las demás claves, su valor por omisión y su razón.",
    )(init)
    command(
        app,
        "Lee la configuración y dice qué está mal, línea por línea, con la clave correcta más parecida.",
        "check-config",
    )(check_config)


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
    file: Annotated[
        Path, typer.Argument(help=tr("The settings to check.", "La configuración que se revisa."))
    ] = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Read the settings and say what is wrong, line by line, with the nearest right key."""
    try:
        settings = load(file)
    except SettingsError as error:
        say({"ok": False, "problems": error.lines}, as_json=as_json, text="\n".join(error.lines))
        sys.exit(REFUSED)
    store, country, data = settings.store.id, settings.store.country, settings.storage.path
    text = tr(
        f"{file} is good: store {store}, country {country}, data in {data}",
        f"{file} está bien: tienda {store}, país {country}, datos en {data}",
    )
    say({"ok": True, "problems": []}, as_json=as_json, text=text)


def init(
    file: Annotated[
        Path,
        typer.Option("--config", help=tr("The file to write.", "El archivo que se escribe."), envvar="GATEWAY_CONFIG"),
    ] = DEFAULT_CONFIG,
    store: Annotated[
        str,
        typer.Option(
            help=tr("The store's id.", "El id de la tienda."),
            prompt=tr("Store id (a-z, 0-9, -)", "Id de la tienda (a-z, 0-9, -)"),
            callback=_fits("id"),
        ),
    ] = "store-1",
    name: Annotated[
        str,
        typer.Option(
            help=tr("Who sells.", "Quién vende."),
            prompt=tr("Name printed on documents", "Nombre que se imprime en los documentos"),
            callback=_fits("name"),
        ),
    ] = "Store",
    country: Annotated[
        Literal["plain", "honduras"],
        typer.Option(
            help=tr("Whose rules; plain needs no ranges.", "Las reglas de quién; plain no necesita rangos."),
            prompt=tr("Country", "País"),
        ),
    ] = "plain",
    tax_id: Annotated[
        str,
        typer.Option(
            help=tr("RTN, RUT, ...", "El RTN, RUT, ... de quien vende."),
            prompt=tr("Tax id (RTN, RUT; may be empty)", "Identificación tributaria (RTN, RUT; puede quedar vacía)"),
            callback=_fits("tax_id"),
        ),
    ] = "",
    language: Annotated[
        Literal["es", "en"],
        typer.Option(
            help=tr("Of receipts.", "El de los recibos."), prompt=tr("Language of receipts", "Idioma de los recibos")
        ),
    ] = "es",
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help=tr(
                "Write over a file that somebody has changed.", "Escribir encima de un archivo que alguien cambió."
            ),
        ),
    ] = False,
) -> None:
    """Ask the few things a store must say and write its settings, with every other key, its default and its reason."""
    if not force and file.exists() and not _is_as_shipped(file):
        text = tr(f"{file} exists, with settings of its own", f"{file} ya existe, con configuración propia")
        raise StopError(text, tr("Use --force to write over it.", "Use --force para escribir encima."), MISUSED)
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
        text = tr(f"{file} cannot be written: {error}", f"no se puede escribir {file}: {error}")
        hint = tr("Name another place with --config.", "Indique otro lugar con --config.")
        raise StopError(text, hint, MISUSED) from error
    named = "" if file == DEFAULT_CONFIG else f" --config {file}"
    data = load(file).storage.path
    for text in (
        tr(f"{file} is written; the books will be in {data}.", f"{file} quedó escrito; los libros estarán en {data}."),
        tr(
            f"Next: gateway run{named}, and in another terminal: gateway status{named}",
            f"Siga con: gateway run{named}, y en otra terminal: gateway status{named}",
        ),
    ):
        say(None, as_json=False, text=text)


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
