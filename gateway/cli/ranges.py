"""Authorised ranges: load, list, cancel, and confirm the last number of a locked series."""

import uuid
from datetime import date
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask
from gateway.cli.speech import say
from gateway.client.admin import Admin

app = typer.Typer(help="Authorised ranges of numbers, and series that are locked.", no_args_is_help=True)


def _day(value: str) -> str:
    """A date that exists, or nothing."""
    try:
        return value and date.fromisoformat(value).isoformat()
    except ValueError as error:
        message = f"{value!r} is not a date such as 2027-06-30"
        raise typer.BadParameter(message) from error


def _said(value: str) -> str:
    """A reason that says something."""
    if not value.strip():
        message = "say why"
        raise typer.BadParameter(message)
    return value


Reason = Annotated[str, typer.Option(help="Why, or how you know: it stands in the journal.", callback=_said)]


@app.command()
def load(
    series: Annotated[str, typer.Option(help="Establishment, emission point and type: 000-001-01.")],
    first: Annotated[int, typer.Option(min=1, help="The first number of the range.")],
    last: Annotated[int, typer.Option(min=1, help="The last number of the range.")],
    reference: Annotated[str, typer.Option("--reference", "--cai", help="The authority's key (CAI).")] = "",
    authority: Annotated[str, typer.Option(help="CAI, resolution, ...")] = "CAI",
    valid_from: Annotated[str, typer.Option(help="YYYY-MM-DD, inclusive.", callback=_day)] = "",
    valid_until: Annotated[
        str, typer.Option(help="YYYY-MM-DD, inclusive (fecha límite de emisión).", callback=_day)
    ] = "",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Load a range. The next one takes over by itself between two sales when the one before is used up."""
    body = {
        "series": series,
        "authority_kind": authority,
        "authority_ref": reference,
        "first": first,
        "last": last,
        "valid_from": valid_from,
        "valid_until": valid_until,
    }
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"range:{series}/{first}-{last}/{reference}"))
    loaded = ask(config, lambda admin: admin.load_range(identity, body))
    say(loaded, as_json=as_json, text=f"{series} {first}-{last} is loaded (id {identity}).")


@app.command("list")
def listing(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All ranges ever loaded, and how much of each is left."""

    async def ranges(admin: Admin) -> list[dict[str, Any]]:
        return [each async for each in admin.ranges()]

    found = ask(config, ranges)
    table = Table("series", "first", "last", "next", "left", "valid until", "state")
    table.add_column("id", overflow="fold")
    for each in found:
        names = ("series", "first", "last", "next", "left", "valid_until", "state", "id")
        table.add_row(*(str(each[name]) for name in names))
    say({"items": found}, as_json=as_json, text=table)


@app.command()
def cancel(
    identity: Annotated[uuid.UUID, typer.Argument(metavar="ID", help="As `range list` shows it.")],
    reason: Reason,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Stop using a range; what is left of it becomes an unused span."""
    ended = ask(config, lambda admin: admin.cancel_range(str(identity), reason))
    say(ended, as_json=as_json, text=f"{identity} is cancelled; unused: {ended['unused'] or 'nothing'}.")


@app.command()
def confirm(
    series: Annotated[str, typer.Argument(help="The series, such as 000-001-01.")],
    last_number: Annotated[int, typer.Option("--last", min=0, help="The last number that exists on paper.")],
    reason: Reason,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Say which number was the last one printed, and open a locked series again."""
    done = ask(config, lambda admin: admin.confirm_series(series, last_number, reason))
    say(done, as_json=as_json, text=f"{series} goes on after {done['last_number']}.")


@app.command()
def unlock(reason: Reason, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Say that these books are the right ones, and let a locked gateway number again. Confirm each series first."""
    done = ask(config, lambda admin: admin.unlock_tenure(reason))
    say(done, as_json=as_json, text="Numbering goes on.")
