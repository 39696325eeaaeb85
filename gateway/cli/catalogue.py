"""Products of a store without a head office: in from CSV, out to CSV."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask, mistakes
from gateway.cli.speech import MISUSED, REFUSED, StopError, command, say
from gateway.client.admin import Admin
from gateway.tongue import tr

app = typer.Typer(
    help=tr("Products: import and export as CSV.", "Productos: importarlos y exportarlos como CSV."),
    no_args_is_help=True,
)


@command(app, "Mete un archivo de productos: todo, o nada y cada error con su línea.", "import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help=tr(
                "Columns sku,name,barcode,unit_price,tax,policy,sell_below_zero,on_hand.",
                "Columnas sku,name,barcode,unit_price,tax,policy,sell_below_zero,on_hand.",
            )
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=tr("Only say what would happen.", "Solo decir qué pasaría."))
    ] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Put a file of products in. All of it, or nothing and every mistake by line."""
    text = _read(file)
    report = ask(config, lambda admin: admin.import_catalogue(text, dry_run=dry_run))
    say(report, as_json=as_json, text=_told(report))
    if report["problems"]:
        sys.exit(REFUSED)


@command(app, "Escribe el catálogo como un archivo que import acepta.")
def export(
    file: Annotated[
        Path | None, typer.Argument(help=tr("Standard output when left out.", "Si se omite, la salida estándar."))
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Write the catalogue as a file that import takes."""
    text = ask(config, Admin.export_catalogue)
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        hint = tr("Name a file that can be written.", "Indique un archivo en que se pueda escribir.")
        raise StopError(f"{file}: {error.strerror}", hint, MISUSED) from error


def _read(file: Path) -> str:
    """The file's text, or the end of the command."""
    try:
        content = file.read_bytes()
    except OSError as error:
        hint = tr("Name a CSV file.", "Indique un archivo CSV.")
        raise StopError(f"{file}: {error.strerror}", hint, MISUSED) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        text = tr(f"{file}: line {line} is not UTF-8", f"{file}: la línea {line} no está en UTF-8")
        hint = tr(
            'Save it again as "CSV UTF-8"; in Excel that is a file type of its own.',
            'Guárdelo de nuevo como "CSV UTF-8"; en Excel es un tipo de archivo aparte.',
        )
        raise StopError(text, hint, MISUSED) from error


def _told(report: dict[str, Any]) -> str:
    """A dry run lists what is wrong; anything else went in whole (or the command has ended with the reasons)."""
    products, version, received = report["products"], report["version"], report["received"]
    verb, spanish_verb = ("would be", "quedarían") if report["dry_run"] else ("are", "quedan")
    first = tr(
        f"{products} products {verb} in version {version}; {received} receive stock.",
        f"{products} productos {spanish_verb} en la versión {version}; {received} reciben existencias.",
    )
    return "\n".join([first, *mistakes(report["problems"])])
