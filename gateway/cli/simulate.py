"""A store in a box: simulated tills against any gateway, and the whole demonstration."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.speech import MISUSED, StopError, command
from gateway.tongue import tr

NUMBERS_FILE = Path("simulate-numbers.jsonl")


def add_to(app: typer.Typer) -> None:
    """Put the commands in."""
    command(
        app,
        "Vende canastas reales por muchas cajas a la vez, con reintentos como una caja de verdad; "
        "termina con una línea JSON.",
    )(simulate)
    command(
        app,
        "Una tienda completa, en vivo: vende, queda sin línea, se mata con -9, vuelve, y prueba que nada falta.",
    )(demo)


def simulate(
    gateway: Annotated[
        str, typer.Option(help=tr("The gateway's address.", "La dirección del gateway."))
    ] = "http://127.0.0.1:8470",
    baskets: Annotated[
        Path | None,
        typer.Option(
            help=tr(
                "Basket file (.jsonl, .gz, .zst); else the bundled one.",
                "Archivo de canastas (.jsonl, .gz, .zst); si no, el incluido.",
            )
        ),
    ] = None,
    tills: Annotated[
        int, typer.Option(min=1, max=500, help=tr("How many sell at once.", "Cuántas venden a la vez."))
    ] = 3,
    seed: Annotated[
        int,
        typer.Option(
            help=tr(
                "The same seed sells the same baskets in the same way.",
                "La misma semilla vende las mismas canastas de la misma manera.",
            )
        ),
    ] = 1,
    speed: Annotated[
        float,
        typer.Option(
            min=0,
            help=tr("Times the real pace; 0: as fast as possible.", "Veces el ritmo real; 0: lo más rápido posible."),
        ),
    ] = 0.0,
    as_fast_as_possible: Annotated[
        bool, typer.Option("--as-fast-as-possible", help=tr("As --speed 0.", "Como --speed 0."))
    ] = False,
    count: Annotated[int | None, typer.Option(min=1, help=tr("Baskets at most.", "Canastas como máximo."))] = None,
    token: Annotated[
        list[str] | None,
        typer.Option(
            help=tr(
                "A paired till's token; may be given many times.",
                "El token de una caja emparejada; se puede dar varias veces.",
            )
        ),
    ] = None,
    admin_token: Annotated[
        str, typer.Option(help=tr("Pairs the simulated tills by itself.", "Empareja por sí solo las cajas simuladas."))
    ] = "",
    pairing_code: Annotated[str, typer.Option(help=tr("Pairs one till.", "Empareja una caja."))] = "",
    ca_file: Annotated[Path | None, typer.Option(help=tr("The store's CA.", "La CA de la tienda."))] = None,
    print_to: Annotated[
        str | None,
        typer.Option(help=tr("Print each receipt on this printer.", "Imprimir cada recibo en esta impresora.")),
    ] = None,
    numbers: Annotated[
        Path, typer.Option(help=tr("Where the ids go with their numbers.", "Dónde quedan los id con sus números."))
    ] = NUMBERS_FILE,
    history: Annotated[
        Path | None,
        typer.Option(help=tr("Where every try goes, for a judge.", "Dónde queda cada intento, para un juez.")),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=tr("No progress, one JSON line.", "Sin avance, una línea JSON."))
    ] = False,
) -> None:
    """Sell real baskets through many tills at once, with retries like a real till; ends with one JSON line."""
    from gateway.simulator import run as simulation  # noqa: PLC0415 - only a simulation needs it

    options = simulation.Options(
        gateway=gateway,
        baskets=baskets,
        tills=tills,
        seed=seed,
        speed=0.0 if as_fast_as_possible else speed,
        count=count,
        tokens=tuple(token or ()),
        admin_token=admin_token,
        pairing_code=pairing_code,
        ca_file=ca_file,
        print_to=print_to,
        numbers=numbers,
        history=history,
    )
    try:
        sys.exit(simulation.simulate(options, is_json=as_json))
    except simulation.SimulateError as error:
        raise StopError(str(error), status=MISUSED) from error


def demo(
    tills: Annotated[int, typer.Option(min=1, max=50, help=tr("How many sell.", "Cuántas venden."))] = 3,
    headless: Annotated[
        bool,
        typer.Option(
            "--headless", help=tr("Lines instead of a live screen.", "Líneas en vez de una pantalla en vivo.")
        ),
    ] = False,
    seconds: Annotated[
        float | None,
        typer.Option(min=1, help=tr("How long the tills sell.", "Cuánto tiempo venden las cajas, en segundos.")),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help=tr("Leave the data for a look.", "Dejar los datos para verlos."))
    ] = False,
) -> None:
    """A whole store, live: sells, is cut off, killed with -9, comes back, and proves that nothing is missing."""
    from gateway.simulator import demo as demonstration  # noqa: PLC0415 - only a demonstration needs it

    sys.exit(demonstration.demo(tills=tills, headless=headless, seconds=seconds, keep=keep))
