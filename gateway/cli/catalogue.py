"""Products of a store without a head office: in from CSV, out to CSV."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask, mistakes
from gateway.cli.speech import MISUSED, REFUSED, StopError, say
from gateway.client.admin import Admin

app = typer.Typer(help="Products: import and export as CSV.", no_args_is_help=True)


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="Columns sku,name,barcode,unit_price,tax,policy,sell_below_zero,on_hand.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Put a file of products in. All of it, or nothing and every mistake by line."""
    text = _read(file)
    report = ask(config, lambda admin: admin.import_catalogue(text, dry_run=dry_run))
    say(report, as_json=as_json, text=_told(report))
    if report["problems"]:
        sys.exit(REFUSED)


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="Standard output when left out.")] = None,
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
        raise StopError(f"{file}: {error.strerror}", "Name a file that can be written.", MISUSED) from error


def _read(file: Path) -> str:
    """The file's text, or the end of the command."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise StopError(f"{file}: {error.strerror}", "Name a CSV file.", MISUSED) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        hint = 'Save it again as "CSV UTF-8"; in Excel that is a file type of its own.'
        raise StopError(f"{file}: line {line} is not UTF-8", hint, MISUSED) from error


def _told(report: dict[str, Any]) -> str:
    """A dry run lists what is wrong; anything else went in whole (or the command has ended with the reasons)."""
    verb = "would be" if report["dry_run"] else "are"
    lines = [
        f"{report['products']} products {verb} in version {report['version']}; {report['received']} receive stock."
    ]
    return "\n".join(lines + mistakes(report["problems"]))
