"""Products of a store without a head office: in from CSV, out to CSV."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask
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
    """Put a file of products in. Rows that are not ready stay out and are named; then the exit status is 1."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StopError(f"{file}: {error}", "The file must be CSV in UTF-8.", MISUSED) from error
    report = ask(config, lambda admin: admin.import_catalogue(text, dry_run=dry_run))
    say(report, as_json=as_json, text=_told(report))
    if report["refused_count"]:
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
    else:
        file.write_text(text, encoding="utf-8")


def _told(report: dict[str, Any]) -> str:
    done = "would be" if report["dry_run"] else "are"
    counts = f"{report['added']} new, {report['changed']} changed, {report['unchanged']} unchanged products"
    lines = [f"{counts} {done} in version {report['version']}; {report['stocked']} received stock."]
    lines += [f"row {each['row']}: {each['sku']}: {each['what']}" for each in report["refused"]]
    if report["refused_count"]:
        lines.append(f"{report['refused_count']} rows stayed out.")
    return "\n".join(lines)
