"""`gateway simulate`: sell a file of baskets through many tills against any gateway, and say what came of it."""

import asyncio
import contextlib
import json
import random
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from gateway.client.admin import Admin
from gateway.client.patience import ONCE
from gateway.client.problem import NoAnswerError, Problem
from gateway.client.till import Till
from gateway.clock import SystemClock
from gateway.simulator.baskets import Basket, BasketError, bundled, read
from gateway.simulator.history import Held, History
from gateway.simulator.tally import Tally, percentile
from gateway.simulator.tills import Manner, Seller, shares
from gateway.tongue import tr

TILLS_MAX = 500
REFRESH_MS = 250
NUMBERS_FILE = Path("simulate-numbers.jsonl")


class SimulateError(Exception):
    """It cannot begin; one line for the person who asked, with what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """What `gateway simulate` is given. One of `tokens`, `admin_token` and `pairing_code` lets the tills in."""

    gateway: str
    baskets: Path | None = None
    """None sells the baskets that come with the program."""
    tills: int = 3
    seed: int = 1
    speed: float = 0.0
    """Times the real pace; 0 sells as fast as possible."""
    count: int | None = None
    tokens: tuple[str, ...] = ()
    """Tokens of paired tills, dealt out in turn."""
    admin_token: str = ""
    """Makes the tills `simulated-1` and so on."""
    pairing_code: str = ""
    """Pairs one till, `simulated-1`; all connections are that till's."""
    ca_file: Path | None = None
    print_to: str | None = None
    numbers: Path = NUMBERS_FILE
    """Where the ids go with their numbers, one JSON line for each sale."""
    history: Path | None = None
    """Where every try of every request goes, with what the store holds at the end, for a judge."""


def simulate(options: Options, *, is_json: bool = False) -> int:
    """Run to the end; prints one JSON line and answers the exit status: 0 when every basket got its answer.

    Raises:
        SimulateError: it cannot begin, or cannot be judged.
    """
    console = Console(stderr=True)
    watched = console if console.is_terminal and not is_json else None
    summary = asyncio.run(sell(options, watched))
    sys.stdout.write(json.dumps(summary) + "\n")
    if "product_unknown" in summary["refused"]:
        hint = tr(
            "The store does not know these products: import them, or set tills.allow_unlisted = true.",
            "La tienda no conoce estos productos: impórtelos, o ponga tills.allow_unlisted = true.",
        )
        console.print(hint, markup=False, soft_wrap=True)
    return 0 if summary["sold"] and not summary["unknown"] else 1


async def sell(options: Options, console: Console | None = None) -> dict[str, Any]:
    """Sell the baskets and answer the summary; shows progress on `console` if there is one.

    Raises:
        SimulateError: it cannot begin.
    """
    baskets = _baskets(options)
    ca = _ca(options)
    try:
        tokens = await _tokens(options, ca)
        listed = await _listed(options.gateway, tokens[0], ca)
    except (Problem, NoAnswerError) as error:
        why = str(error).rstrip(".")
        message = tr(
            f"{why}. Is the gateway running at {options.gateway}, and is the token right?",
            f"{why}. ¿Está en marcha el gateway en {options.gateway}, y es correcto el token?",
        )
        raise SimulateError(message) from error
    history, tally = History(), Tally()
    manner = Manner(listed=listed, print_to=options.print_to, speed=options.speed)
    began = SystemClock().monotonic()
    async with contextlib.AsyncExitStack() as stack:
        sellers = []
        for number in range(options.tills):
            token = tokens[number % len(tokens)]
            generator = random.Random(f"{options.seed}/{number}")
            till = await stack.enter_async_context(Till.at(options.gateway, token, ca=ca, generator=generator))
            sellers.append(Seller(till, f"simulated-{number + 1}", manner, history, tally))
        async with _progress(console, tally, sellers, len(baskets)), asyncio.TaskGroup() as tasks:
            for seller, share in zip(sellers, shares(baskets, options.tills), strict=True):
                work = seller.work(share, asyncio.Event(), opened_at_ms=baskets[0].at_ms)
                tasks.create_task(work, name=seller.name)
        seconds = SystemClock().monotonic() - began
        reader = await stack.enter_async_context(Till.at(options.gateway, tokens[0], ca=ca))
        _write_numbers(options.numbers, tally)
        if options.history is not None:
            try:
                history.write(options.history, await held_by(reader))
            except (Problem, NoAnswerError) as error:
                message = tr(
                    f"{error}. The numbers are in {options.numbers}; what the store holds could not be read",
                    f"{error}. Los números están en {options.numbers}; no se pudo leer lo que la tienda tiene",
                )
                raise SimulateError(message) from error
    figures = {"tills": options.tills, "seed": options.seed, "seconds": round(seconds, 3)}
    return {**figures, **tally.summary(), "numbers": str(options.numbers)}


async def held_by(till: Till) -> list[Held]:
    """What the store holds of each series, read over the API as any outsider can."""
    numbers: dict[str, dict[str, int]] = {}
    async for document in till.documents():
        numbers.setdefault(document["series"], {})[document["id"]] = document["number"]
    return [Held(series, found) for series, found in sorted(numbers.items())]


async def _listed(gateway: str, token: str, ca: str) -> frozenset[str]:
    async with Till.at(gateway, token, ca=ca, patience=ONCE, language=tr("en", "es")) as till:
        return frozenset({product["sku"] async for product in till.products()})


def _baskets(options: Options) -> list[Basket]:
    if not 1 <= options.tills <= TILLS_MAX:
        message = tr(f"--tills must be 1 to {TILLS_MAX}", f"--tills debe ser de 1 a {TILLS_MAX}")
        raise SimulateError(message)
    try:
        baskets = bundled() if options.baskets is None else list(read(options.baskets))
    except BasketError as error:
        raise SimulateError(str(error)) from error
    if not baskets:
        message = tr(f"{options.baskets}: no baskets in it", f"{options.baskets}: no contiene canastas")
        raise SimulateError(message)
    return baskets[: options.count]


def _ca(options: Options) -> str:
    if options.ca_file is None:
        return ""
    try:
        return options.ca_file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{options.ca_file}: {error}"
        raise SimulateError(message) from error


async def _tokens(options: Options, ca: str) -> list[str]:
    """A token for each till, from whatever was given."""
    if options.tokens:
        return list(options.tokens)
    if options.admin_token:
        async with Admin.at(options.gateway, options.admin_token, ca=ca, language=tr("en", "es")) as admin:
            return [(await admin.make_till(f"simulated-{number + 1}"))["token"] for number in range(options.tills)]
    if options.pairing_code:
        async with Till.at(options.gateway, ca=ca, language=tr("en", "es")) as till:
            return [(await till.pair(options.pairing_code, "simulated-1"))["token"]]
    message = tr(
        "say who sells: --token, --admin-token or --pairing-code",
        "diga quién vende: --token, --admin-token o --pairing-code",
    )
    raise SimulateError(message)


def _write_numbers(path: Path, tally: Tally) -> None:
    with path.open("w", encoding="utf-8") as file:
        for sale in tally.sales:
            file.write(json.dumps(asdict(sale)) + "\n")


@contextlib.asynccontextmanager
async def _progress(console: Console | None, tally: Tally, sellers: list[Seller], baskets: int) -> AsyncIterator[None]:
    """A table that lives while the tills sell; nothing where nobody looks."""
    if console is None:
        yield
        return

    def shown() -> Table:
        return _table(tally, sellers, baskets)

    with Live(get_renderable=shown, console=console, refresh_per_second=1000 / REFRESH_MS, transient=True):
        yield


def _table(tally: Tally, sellers: list[Seller], baskets: int) -> Table:
    table = Table(
        title=tr(f"{tally.sold} of {baskets} baskets sold", f"{tally.sold} de {baskets} canastas vendidas"),
        expand=False,
    )
    heads = (
        tr("tills", "cajas"),
        tr("selling", "vendiendo"),
        tr("last number", "último número"),
        tr("refused", "rechazadas"),
        tr("retries", "reintentos"),
        "p50 ms",
        "p99 ms",
    )
    for name in heads:
        table.add_column(name, justify="right")
    last = tally.latest[-1].formatted_number if tally.latest else "-"
    recent = [sale.waited_ms for sale in tally.latest]
    busy = sum(seller.is_busy for seller in sellers)
    figures = (percentile(recent, 50), percentile(recent, 99))
    cells = (len(sellers), busy, last, sum(tally.refused.values()), tally.retries, *figures)
    table.add_row(*(("-" if cell is None else str(cell)) for cell in cells))
    return table
