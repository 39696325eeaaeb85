"""A store in a box: simulated tills against any gateway, and the whole demonstration."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.speech import MISUSED, StopError

NUMBERS_FILE = Path("simulate-numbers.jsonl")


def add_to(app: typer.Typer) -> None:
    """Put the commands in."""
    app.command()(simulate)
    app.command()(demo)


def simulate(
    gateway: Annotated[str, typer.Option(help="The gateway's address.")] = "http://127.0.0.1:8470",
    baskets: Annotated[Path | None, typer.Option(help="Basket file (.jsonl, .gz, .zst); else the bundled one.")] = None,
    tills: Annotated[int, typer.Option(min=1, max=500, help="How many sell at once.")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed sells the same baskets in the same way.")] = 1,
    speed: Annotated[float, typer.Option(min=0, help="Times the real pace; 0: as fast as possible.")] = 0.0,
    as_fast_as_possible: Annotated[bool, typer.Option("--as-fast-as-possible", help="As --speed 0.")] = False,
    count: Annotated[int | None, typer.Option(min=1, help="Baskets at most.")] = None,
    token: Annotated[list[str] | None, typer.Option(help="A paired till's token; may be given many times.")] = None,
    admin_token: Annotated[str, typer.Option(help="Pairs the simulated tills by itself.")] = "",
    pairing_code: Annotated[str, typer.Option(help="Pairs one till.")] = "",
    ca_file: Annotated[Path | None, typer.Option(help="The store's CA.")] = None,
    print_to: Annotated[str | None, typer.Option(help="Print each receipt on this printer.")] = None,
    numbers: Annotated[Path, typer.Option(help="Where the ids go with their numbers.")] = NUMBERS_FILE,
    history: Annotated[Path | None, typer.Option(help="Where every try goes, for a judge.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="No progress, one JSON line.")] = False,
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
    tills: Annotated[int, typer.Option(min=1, max=50, help="How many sell.")] = 3,
    headless: Annotated[bool, typer.Option("--headless", help="Lines instead of a live screen.")] = False,
    seconds: Annotated[float | None, typer.Option(min=1, help="How long the tills sell.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the data for a look.")] = False,
) -> None:
    """A whole store, live: sells, is cut off, killed with -9, comes back, and proves that nothing is missing."""
    from gateway.simulator import demo as demonstration  # noqa: PLC0415 - only a demonstration needs it

    sys.exit(demonstration.demo(tills=tills, headless=headless, seconds=seconds, keep=keep))
