"""`./run demo`: a whole store, live, that is cut off and killed while it sells, and proves itself at the end.

Every part is real: `gateway headoffice run` and `gateway run` are processes of their own, the tills speak the API, the
printer speaks ESC/POS, the line is TCP. The verdict is that of `gateway verify` at both ends, and of a judge that
only knows what the tills were told.
"""

import asyncio
import contextlib
import math
import random
import shutil
import signal
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from gateway.client.patience import ONCE
from gateway.client.problem import NoAnswerError, Problem
from gateway.client.till import Till
from gateway.clock import SystemClock
from gateway.simulator.baskets import Basket, bundled, catalogue_csv
from gateway.simulator.history import History
from gateway.simulator.judge import Verdict, judge
from gateway.simulator.printer import SimulatedPrinter
from gateway.simulator.process import ProcessError
from gateway.simulator.run import held_by
from gateway.simulator.scene import Scene
from gateway.simulator.screen import drawn, state_told
from gateway.simulator.stage import PATIENT, Plan, Stage, series_of, until
from gateway.simulator.tally import Tally
from gateway.simulator.tills import Manner, Seller, endless, shares
from gateway.tongue import tr

SECONDS = 24
PAUSE_MS = 260
FIRST_RANGE_PER_TILL_SECOND = 1.9
"""Numbers of the first range, for each till and second of the play: it runs out while the line is cut."""
PIECES = 60
"""Of each product, so that the best sellers run out before the eyes of the public."""
WATCHED_SKUS = 6
REFRESH_PER_SECOND = 5
INTERRUPTED = 130
DRAIN_S_MAX = 40
TAKE_OVER_S_MAX = 30


@dataclass(frozen=True, slots=True)
class _Options:
    tills: int
    headless: bool
    seconds: float
    seed: int


def demo(
    *, tills: int = 3, headless: bool = False, seconds: float | None = None, seed: int = 1, keep: bool = False
) -> int:
    """Show it; answers the exit status: 0 only if nothing is missing, doubled or gapped.

    `seconds` is how long the tills sell; with `keep`, or when something goes wrong, the folder with books and logs
    stays where it is.
    """
    folder = Path(tempfile.mkdtemp(prefix="gateway-demo-"))
    try:
        is_good = asyncio.run(_show(_Options(tills, headless, seconds or SECONDS, seed), folder))
    except (ProcessError, NoAnswerError, Problem, TimeoutError) as error:
        stopped = tr("the demonstration stopped", "la demostración se detuvo")
        _print(f"{stopped}: {type(error).__name__}: {error}")
        is_good = False
    except (KeyboardInterrupt, asyncio.CancelledError):
        shutil.rmtree(folder, ignore_errors=True)
        return INTERRUPTED
    if keep or not is_good:
        _print(f"{tr('books and logs', 'libros y registros')}: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if is_good else 1


async def _show(options: _Options, folder: Path) -> bool:
    showing = asyncio.current_task()
    assert showing is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, showing.cancel)
    clock, console = SystemClock(), Console()
    began = clock.monotonic()
    is_live = console.is_terminal and not options.headless
    scene = Scene(Tally(), say=(lambda _: None) if is_live else _print, now=lambda: clock.monotonic() - began)
    try:
        async with _curtain(scene, console if is_live else None):
            play = _Play(options, folder, scene)
            is_good = await play.run()
    except BaseExceptionGroup as group:
        raise _first(group) from group
    if is_live:
        for at, text in scene.story:
            _print(f"[{at:5.1f} s] {text}")
    return is_good


class _Play:
    """The acts, in their order."""

    def __init__(self, options: _Options, folder: Path, scene: Scene) -> None:
        self._options = options
        self._folder = folder
        self._scene = scene
        self._history = History()
        self._generator = random.Random(options.seed)
        self._baskets = bundled()
        self._stop = asyncio.Event()
        self._first_range = max(5, round(FIRST_RANGE_PER_TILL_SECOND * options.seconds)) * options.tills

    async def run(self) -> bool:
        scene = self._scene
        async with SimulatedPrinter() as printer, asyncio.TaskGroup() as tasks:
            plan = Plan(printers={"front": printer.address}, language=tr("en", "es"))
            async with Stage(self._folder, plan, tasks) as stage:
                tokens = await self._set_up(stage)
                watching = [*self._watching(stage, tokens), _watch_paper(printer, scene)]
                watchers = [tasks.create_task(each, name="watcher") for each in watching]
                async with self._selling(stage, tokens):
                    await self._acts(stage, tokens)
                await self._drain(stage)
                is_good = await self._judge(stage, tokens)
                for watcher in watchers:
                    watcher.cancel()
                status = await stage.stop_gateway()
                scene.tell(
                    f"the gateway was asked to end, and ended with {status}",
                    f"se pidió al gateway que terminara, y terminó con {status}",
                )
            return is_good and status == 0

    async def _set_up(self, stage: Stage) -> dict[str, str]:
        scene = self._scene
        await stage.open_head_office()
        scene.tell(
            "head office is up; the store's line to it goes through a cable that can be cut",
            "la casa matriz está en marcha; la línea de la tienda pasa por un cable que se puede cortar",
        )
        await stage.start_gateway()
        scene.is_gateway_up = True
        store, api = stage.plan.store, stage.api
        scene.tell(
            f"the gateway of store {store} is up at {api}", f"el gateway de la tienda {store} está en marcha en {api}"
        )
        catalogue = stage.folder / "catalogue.csv"
        catalogue.write_text(catalogue_csv(self._baskets, on_hand=PIECES), encoding="utf-8")
        await stage.command("catalogue", "import", str(catalogue))
        last = self._first_range
        await stage.command(
            "range", "load", "--series", series_of(stage.plan), "--authority", "CAI", "--reference", "DEMO-1",
            "--first", "1", "--last", str(last), "--valid-until", "2099-12-31",
        )  # fmt: skip
        scene.tell(
            f"the catalogue is in, and an authorised range: 1 to {last}",
            f"ya están el catálogo y un rango autorizado: de 1 a {last}",
        )
        tokens = await stage.pair([f"till-{number + 1}" for number in range(self._options.tills)])
        scene.tell(f"{len(tokens)} tills are paired", f"{len(tokens)} cajas emparejadas")
        return tokens

    async def _acts(self, stage: Stage, tokens: dict[str, str]) -> None:
        """What happens while the tills sell; the seconds are shared out among the acts."""
        scene, seconds, line = self._scene, self._options.seconds, stage.line
        assert line is not None
        first = self._first_range
        self._act("1 of 6: selling, with head office on the line", "1 de 6: se vende, con la casa matriz en línea")
        await asyncio.sleep(seconds * 0.15)
        grant = {
            "series": series_of(stage.plan), "authority_kind": "CAI", "authority_ref": "DEMO-2",
            "first": first + 1, "last": first + 100_000, "valid_from": "", "valid_until": "2099-12-31",
        }  # fmt: skip
        await stage.grant_range(str(uuid.uuid5(uuid.NAMESPACE_OID, str(self._folder))), grant)
        scene.tell(
            f"head office grants the next range, from {first + 1}; the store pulls it by itself",
            f"la casa matriz otorga el siguiente rango, desde {first + 1}; la tienda lo trae por sí sola",
        )
        await self._until_loaded(stage, first + 1)
        self._act(
            "2 of 6: the line is cut; the store sells on, with legal numbers",
            "2 de 6: se corta la línea; la tienda sigue vendiendo, con números legales",
        )
        line.cut(silent=True)
        scene.is_line_whole = False
        await asyncio.sleep(seconds * 0.2)
        self._act("3 of 6: one request three times at once", "3 de 6: una misma solicitud, tres veces a la vez")
        await self._three_at_once(stage, tokens)
        await asyncio.sleep(seconds * 0.1)
        self._act(
            "4 of 6: the gateway is killed with -9 in the middle of sales, and comes back",
            "4 de 6: se mata el gateway con -9 en medio de las ventas, y vuelve",
        )
        await stage.kill_gateway()
        scene.is_gateway_up = False
        scene.tell(
            "killed; the tills go on asking, each with the id it had",
            "muerto; las cajas siguen preguntando, cada una con el id que tenía",
        )
        await stage.start_gateway()
        scene.tell(
            "back on the same port; the requests that hung are answered",
            "de vuelta en el mismo puerto; se contestan las solicitudes pendientes",
        )
        await asyncio.sleep(seconds * 0.2)
        self._act(
            "5 of 6: the first range runs out; the next one takes over between two sales",
            "5 de 6: se agota el primer rango; el siguiente entra entre dos ventas",
        )
        await self._until_taken_over(first)
        self._act(
            "6 of 6: the line is restored, the backlog drains while the tills sell",
            "6 de 6: vuelve la línea; lo pendiente sube mientras las cajas venden",
        )
        line.restore()
        scene.is_line_whole = True
        await asyncio.sleep(seconds * 0.2)

    async def _three_at_once(self, stage: Stage, tokens: dict[str, str]) -> None:
        """The same till open three times, all three sending the same sale: one number."""
        name = next(iter(tokens))
        async with contextlib.AsyncExitStack() as stack:
            asking = []
            for each in range(3):
                till = await stack.enter_async_context(stage.till(tokens[name], random.Random(f"three/{each}")))
                asking.append(Seller(till, f"{name} ({each + 1})", Manner(), self._history, self._scene.tally))
            document = asking[0].new_id()
            body = asking[0].request(self._baskets[0].lines)
            async with asyncio.TaskGroup() as tasks:
                answers = [tasks.create_task(seller.ask(document, body)) for seller in asking]
        numbers = sorted({each.result()["formatted_number"] for each in answers})
        told = ", ".join(numbers)
        self._scene.tell(
            f"three requests, {len(numbers)} number: {told}", f"tres solicitudes, {len(numbers)} número: {told}"
        )

    async def _until_loaded(self, stage: Stage, first: int) -> None:
        """The granted range has come down."""
        async with stage.admin(patience=PATIENT) as admin:

            async def is_loaded() -> bool:
                return first in [each["first"] async for each in admin.ranges()]

            await until(is_loaded, tr("the granted range", "el rango otorgado"), seconds=TAKE_OVER_S_MAX)
        self._scene.tell("the range has arrived; it waits for its turn", "llegó el rango; espera su turno")

    async def _until_taken_over(self, last: int) -> None:
        tally = self._scene.tally
        await until(
            lambda: any(sale.number > last for sale in tally.latest),
            tr("the next range", "el siguiente rango"),
            seconds=TAKE_OVER_S_MAX,
        )
        first = min((sale for sale in tally.sales if sale.number > last), key=lambda sale: sale.number)
        number = first.formatted_number
        self._scene.tell(
            f"{number} is the first of the new range; nobody signed out",
            f"{number} es el primero del rango nuevo; nadie cerró sesión",
        )

    async def _drain(self, stage: Stage) -> None:
        scene = self._scene
        scene.act = tr("the tills have stopped; what waits goes up", "las cajas pararon; sube lo que espera")
        async with stage.admin(patience=PATIENT) as admin:

            async def is_drained() -> bool:
                scene.status = dict(await admin.status())
                return scene.link.get("state") == "online" and scene.link.get("waiting") == 0

            await until(
                is_drained, tr("head office to have everything", "que la casa matriz tenga todo"), seconds=DRAIN_S_MAX
            )
        assert stage.line is not None
        up = stage.line.bytes_up // 1000
        scene.tell(f"head office has everything; {up} kB went up", f"la casa matriz tiene todo; subieron {up} kB")

    async def _judge(self, stage: Stage, tokens: dict[str, str]) -> bool:
        """Both ends by `gateway verify`, and what the tills were told by a judge of its own."""
        scene = self._scene
        scene.act = tr("the verdict", "el veredicto")
        scene.tell(
            f"the printer: {scene.receipts} receipts of till-1", f"la impresora: {scene.receipts} recibos de till-1"
        )
        scene.say("\n".join(f"            {line}" for line in scene.last_receipt))
        async with stage.till(next(iter(tokens.values())), self._generator) as till:
            verdict = judge(self._history, await held_by(till))
        store, office = await stage.verify_store(), await stage.verify_head_office()
        return _told(scene, verdict, store, office)

    def _act(self, english: str, spanish: str) -> None:
        self._scene.act = tr(english, spanish)
        self._scene.tell(english, spanish)

    @contextlib.asynccontextmanager
    async def _selling(self, stage: Stage, tokens: dict[str, str]) -> AsyncIterator[None]:
        """The tills at work until the block ends, each finishing the sale it began; the first one prints."""
        async with stage.admin(patience=PATIENT) as admin:
            listed = frozenset({product["sku"] async for product in admin.products()})
        dealt = shares(self._baskets, len(tokens))
        async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as work:
            for number, (name, token) in enumerate(tokens.items()):
                generator = random.Random(f"{self._options.seed}/{number}")
                till = await stack.enter_async_context(stage.till(token, generator))
                printer = next(iter(stage.plan.printers), None) if number == 0 else None
                manner = Manner(listed=listed, pause_ms=PAUSE_MS, print_to=printer)
                seller = Seller(till, name, manner, self._history, self._scene.tally)
                self._scene.sellers.append(seller)
                work.create_task(seller.work(endless(dealt[number]), self._stop), name=name)
            yield
            self._stop.set()

    def _watching(self, stage: Stage, tokens: dict[str, str]) -> list[Any]:
        token = next(iter(tokens.values()))
        return [
            _watch_status(stage, token, self._scene),
            _watch_stock(stage, token, self._scene, self._baskets),
            _watch_office(stage, self._scene),
        ]


def _told(scene: Scene, verdict: Verdict, store: dict[str, Any], office: dict[str, Any]) -> bool:
    """Say the verdict in four lines; answers whether all of them are good."""
    tries, answered, held = verdict.tries, verdict.answered, verdict.held
    scene.tell(
        f"tills: {tries} requests, {answered} documents answered, {held} in the store",
        f"cajas: {tries} solicitudes, {answered} documentos contestados, {held} en la tienda",
    )
    for breach in verdict.breaches:
        scene.tell(f"  {breach.rule} {breach.text}")
    for name, found in ((tr("store", "tienda"), store), (tr("head office", "casa matriz"), office)):
        word = tr("sound", "en orden") if found["sound"] else tr("NOT SOUND", "NO ESTÁ EN ORDEN")
        scene.tell(f"gateway verify, {name}: {word}, {found['rows']} {tr('rows', 'filas')}")
        for each in found["breaches"]:
            scene.tell(f"  {each['rule']} {each['text']}")
    is_same = (store["rows"], store["head"]) == (office["rows"], office["head"])
    is_good = verdict.is_clean and store["sound"] and office["sound"] and is_same and verdict.held > 0
    same = tr("both ends hold the same history", "ambos extremos tienen la misma historia")
    scene.tell(f"{same}: {tr('yes', 'sí') if is_same else 'NO'}")
    good = tr("VERDICT: no gap, no duplicate, nothing lost", "VEREDICTO: sin saltos, sin repetidos, nada perdido")
    wrong = tr("VERDICT: WRONG, see above", "VEREDICTO: MAL, vea arriba")
    scene.tell(good if is_good else wrong)
    return bool(is_good)


async def _watch_status(stage: Stage, token: str, scene: Scene) -> None:
    """The banner; a gateway that does not answer is down."""
    state = ""
    async with Till.at(stage.api, token, patience=ONCE, language=tr("en", "es")) as till:
        while True:
            try:
                scene.status = dict(await till.status())
                scene.is_gateway_up = True
            except (NoAnswerError, Problem):
                scene.is_gateway_up = False
            if scene.is_gateway_up and scene.link.get("state") != state:
                state = str(scene.link.get("state"))
                told, waiting = state_told(state), scene.link.get("waiting")
                scene.tell(
                    f"the gateway says: {told}, {waiting} rows wait",
                    f"el gateway dice: {told}, {waiting} filas esperan",
                )
            await asyncio.sleep(0.2)


async def _watch_stock(stage: Stage, token: str, scene: Scene, baskets: list[Basket]) -> None:
    """What is left of the best sellers."""
    sold: Counter[tuple[str, str]] = Counter()
    for basket in baskets:
        sold.update((line.sku, line.name) for line in basket.lines if line.is_counted)
    async with Till.at(stage.api, token, patience=ONCE) as till:
        while True:
            for (sku, name), _ in sold.most_common(WATCHED_SKUS):
                with contextlib.suppress(NoAnswerError, Problem):
                    scene.stock[sku] = (name, (await till.stock_of(sku))["available"])
            await asyncio.sleep(0.5)


async def _watch_office(stage: Stage, scene: Scene) -> None:
    """What head office knows, asked at head office itself."""
    while True:
        with contextlib.suppress(ProcessError, TimeoutError, OSError):
            scene.office = await stage.office_status()
        await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def _curtain(scene: Scene, console: Console | None) -> AsyncIterator[None]:
    """The live screen, where there is one."""
    if console is None:
        yield
        return
    with Live(get_renderable=lambda: drawn(scene), console=console, screen=True, refresh_per_second=REFRESH_PER_SECOND):
        yield


async def _watch_paper(printer: SimulatedPrinter, scene: Scene) -> None:
    """What comes out of the printer."""
    while True:
        await printer.wait_for(lambda: len(printer.receipts) > scene.receipts, limit_s=math.inf)
        for receipt in printer.receipts[scene.receipts :]:
            scene.last_receipt = receipt.text.splitlines()
            scene.paper.extend(scene.last_receipt)
            scene.receipts += 1


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first thing that went wrong, out of however many groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
