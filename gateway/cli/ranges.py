"""Authorised ranges: load, list, cancel, and confirm the last number of a locked series."""

import sys
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.cli.access import DEFAULT_CONFIG, ConfigFile, Json, ask, settings_of
from gateway.cli.speech import command, say
from gateway.cli.words import word
from gateway.client.admin import Admin
from gateway.clock import SystemClock
from gateway.fiscal.honduras import is_usual_cai
from gateway.instants import local_date
from gateway.tongue import tr

app = typer.Typer(
    help=tr(
        "Authorised ranges of numbers, and series that are locked.",
        "Rangos autorizados de números, y series bloqueadas.",
    ),
    no_args_is_help=True,
)


A_CAI = "672002-A60EB4-6946A1-E1437B-9925CE-35"
"""The shape seen in practice."""


def _day(value: str) -> str:
    """A date that exists, or nothing."""
    try:
        return value and date.fromisoformat(value).isoformat()
    except ValueError as error:
        message = tr(f"{value!r} is not a date such as 2027-06-30", f"{value!r} no es una fecha como 2027-06-30")
        raise typer.BadParameter(message) from error


def _said(value: str) -> str:
    """A reason that says something."""
    if not value.strip():
        message = tr("say why", "diga por qué")
        raise typer.BadParameter(message)
    return value


Reason = Annotated[
    str,
    typer.Option(
        help=tr("Why, or how you know: it stands in the journal.", "Por qué, o cómo lo sabe: queda en el diario."),
        callback=_said,
    ),
]


@command(app, "Carga un rango. El siguiente entra solo, entre dos ventas, cuando el anterior se agota.")
def load(
    series: Annotated[
        str,
        typer.Option(
            help=tr(
                "Establishment, emission point and type: 000-001-01.",
                "Establecimiento, punto de emisión y tipo: 000-001-01.",
            )
        ),
    ],
    first: Annotated[
        int, typer.Option(min=1, help=tr("The first number of the range.", "El primer número del rango."))
    ],
    last: Annotated[int, typer.Option(min=1, help=tr("The last number of the range.", "El último número del rango."))],
    reference: Annotated[
        str,
        typer.Option("--reference", "--cai", help=tr("The authority's key (CAI).", "La clave de la autoridad (CAI).")),
    ] = "",
    authority: Annotated[
        str,
        typer.Option(help=tr("CAI, resolution, ..., or the key itself.", "CAI, resolución, ..., o la clave misma.")),
    ] = "CAI",
    valid_from: Annotated[
        str, typer.Option(help=tr("YYYY-MM-DD, inclusive.", "AAAA-MM-DD, inclusive: desde."), callback=_day)
    ] = "",
    valid_until: Annotated[
        str,
        typer.Option(
            help=tr(
                "YYYY-MM-DD, inclusive (fecha límite de emisión).", "AAAA-MM-DD, inclusive: fecha límite de emisión."
            ),
            callback=_day,
        ),
    ] = "",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Load a range. The next one takes over by itself between two sales when the one before is used up."""
    kind, reference = _authority(authority, reference)
    body = {
        "series": series,
        "authority_kind": kind,
        "authority_ref": reference,
        "first": first,
        "last": last,
        "valid_from": valid_from,
        "valid_until": valid_until,
    }
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"range:{series}/{first}-{last}/{reference}"))
    today = local_date(SystemClock().now_ms(), settings_of(config).store.zone).isoformat()
    doubts = list(_doubts(body, today))
    if doubts and not as_json and sys.stdin.isatty():
        typer.confirm("\n".join([*doubts, tr("Load it all the same?", "¿Cargarlo de todos modos?")]), abort=True)
    loaded = ask(config, lambda admin: admin.load_range(identity, body))
    told = tr(
        f"{series} {first}-{last} is loaded (id {identity}).",
        f"{series} {first}-{last} queda cargado (id {identity}).",
    )
    say(loaded, as_json=as_json, text="\n".join([told, *doubts]))


def _authority(authority: str, reference: str) -> tuple[str, str]:
    """Kind and key: `--authority` may name the kind (CAI), or be the key itself."""
    if reference or authority.isalpha():
        return authority, reference
    return "CAI", authority


def _doubts(body: dict[str, Any], today: str) -> Iterator[str]:
    """What the law does not forbid and a typing mistake explains: said, so that it is seen before the first sale."""
    if body["authority_kind"] == "CAI" and not is_usual_cai(body["authority_ref"]):
        yield tr(
            f"The CAI is printed on every document; this one does not look like one ({A_CAI}).",
            f"El CAI se imprime en cada documento; éste no parece uno ({A_CAI}).",
        )
    if body["valid_until"] and body["valid_until"] < today:
        yield tr(
            f"It is good until {body['valid_until']}, and today is {today}: nothing can be sold with it.",
            f"Vale hasta {body['valid_until']}, y hoy es {today}: no se puede vender con él.",
        )


@command(app, "Todos los rangos que se han cargado, y cuánto queda de cada uno.", "list")
def listing(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All ranges ever loaded, and how much of each is left."""

    async def ranges(admin: Admin) -> list[dict[str, Any]]:
        return [each async for each in admin.ranges()]

    found = ask(config, ranges)
    table = Table(
        tr("series", "serie"),
        tr("first", "primero"),
        tr("last", "último"),
        tr("next", "sigue"),
        tr("left", "quedan"),
        tr("valid until", "válido hasta"),
        tr("state", "estado"),
    )
    table.add_column("id", overflow="fold")
    for each in found:
        names = ("series", "first", "last", "next", "left", "valid_until")
        table.add_row(*(str(each[name]) for name in names), word(each["state"]), each["id"])
    say({"items": found}, as_json=as_json, text=table)


@command(app, "Deja de usar un rango; lo que queda de él pasa a ser un tramo sin usar.")
def cancel(
    identity: Annotated[
        str, typer.Argument(metavar="ID", help=tr("As `range list` shows it.", "Como lo muestra `range list`."))
    ],
    reason: Reason,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Stop using a range; what is left of it becomes an unused span."""
    ended = ask(config, lambda admin: admin.cancel_range(identity, reason))
    unused = ended["unused"]
    span = tr("nothing", "nada") if unused is None else f"{unused['first']}-{unused['last']}"
    text = tr(f"{identity} is cancelled; unused: {span}.", f"{identity} queda anulado; sin usar: {span}.")
    say(ended, as_json=as_json, text=text)


@command(app, "Diga cuál fue el último número impreso, y vuelva a abrir una serie bloqueada.")
def confirm(
    series: Annotated[
        str, typer.Argument(help=tr("The series, such as 000-001-01.", "La serie, por ejemplo 000-001-01."))
    ],
    last_number: Annotated[
        int,
        typer.Option(
            "--last", min=0, help=tr("The last number that exists on paper.", "El último número que existe en papel.")
        ),
    ],
    reason: Reason,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Say which number was the last one printed, and open a locked series again."""
    done = ask(config, lambda admin: admin.confirm_series(series, last_number, reason))
    say(
        done,
        as_json=as_json,
        text=tr(f"{series} goes on after {done['last_number']}.", f"{series} sigue después de {done['last_number']}."),
    )


@command(
    app,
    "Diga que estos libros son los correctos, y que un gateway bloqueado vuelva a numerar. Confirme antes cada serie.",
)
def unlock(reason: Reason, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Say that these books are the right ones, and let a locked gateway number again. Confirm each series first."""
    done = ask(config, lambda admin: admin.unlock_tenure(reason))
    say(done, as_json=as_json, text=tr("Numbering goes on.", "La numeración continúa."))
