"""The demonstration as a terminal shows it."""

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gateway.simulator.scene import Scene
from gateway.tongue import tr

STORY_SHOWN = 12
PAPER_SHOWN = 22
WARNINGS_SHOWN = 3
NAME_WIDTH = 7
NUMBER_WIDTH = 19
_LINK_SPANISH = {
    "online": "en línea",
    "catching_up": "poniéndose al día",
    "offline": "sin línea",
    "working_offline": "trabajando sin línea",
}
_LINK_STYLES = {"online": "green", "catching_up": "yellow", "offline": "red", "working_offline": "red"}


def state_told(state: str) -> str:
    """A state of the line to head office for somebody who watches."""
    return tr(state, _LINK_SPANISH.get(state, state))


def drawn(scene: Scene) -> RenderableType:
    """The whole screen."""
    layout = Layout()
    story = Layout(_story(scene), size=STORY_SHOWN + 2)
    layout.split_column(Layout(_head(scene), size=3), Layout(name="middle"), story)
    layout["middle"].split_row(Layout(name="left", ratio=3), Layout(_paper(scene), ratio=2))
    layout["left"].split_column(Layout(_tills(scene)), Layout(name="lower"))
    layout["lower"].split_row(Layout(_line(scene)), Layout(_stock(scene)))
    return layout


def _head(scene: Scene) -> Panel:
    text = Text(scene.act, style="bold")
    sold, retries = scene.tally.sold, scene.tally.retries
    figures = tr(f"   {sold} sold, {retries} requests repeated", f"   {sold} ventas, {retries} solicitudes repetidas")
    text.append(figures, style="default")
    up, style = (tr("up", "en marcha"), "green") if scene.is_gateway_up else (tr("DOWN", "CAÍDO"), "bold red")
    text.append(f"   gateway {up}", style)
    return Panel(
        text, title=tr("store gateway: demonstration", "store gateway: demostración"), subtitle=f"{scene.now():.0f} s"
    )


def _tills(scene: Scene) -> Panel:
    table = Table(expand=True, box=None)
    table.add_column(tr("till", "caja"), no_wrap=True, min_width=NAME_WIDTH)
    table.add_column(tr("last basket", "última canasta"), no_wrap=True, ratio=1)
    table.add_column(tr("last number", "último número"), no_wrap=True, min_width=NUMBER_WIDTH)
    last = {sale.till: sale.formatted_number for sale in scene.tally.latest}
    for seller in scene.sellers:
        basket = seller.basket
        sold = "-" if basket is None else f"{len(basket.lines)} {tr('lines', 'líneas')}: {basket.lines[0].name}"
        table.add_row(seller.name, sold, last.get(seller.name, "-"))
    for entry in scene.status.get("ranges", []):
        if entry["last"] is not None:
            series, end, left = entry["series"], entry["last"], entry["left"]
            text = tr(
                f"series {series}: authorised to {end}, {left} left",
                f"serie {series}: autorizada hasta {end}, quedan {left}",
            )
            table.add_row("", Text(text, style="cyan"), "")
    return Panel(table, title=tr("tills", "cajas"))


def _line(scene: Scene) -> Panel:
    link = scene.link
    state = str(link.get("state", "?"))
    rows: list[RenderableType] = [
        Text(tr("line whole", "línea entera"), "green")
        if scene.is_line_whole
        else Text(tr("line CUT", "línea CORTADA"), "bold red"),
        Text(f"{tr('gateway says', 'el gateway dice:')} {state_told(state)}", _LINK_STYLES.get(state, "default")),
        Text(f"{link.get('waiting', '?')} {tr('rows wait', 'filas esperan')}"),
    ]
    if link.get("eta_s") is not None:
        eta = f"{link['eta_s']:.0f} s"
        rows.append(Text(tr(f"about {eta} left", f"faltan unos {eta}")))
    held = scene.office.get("seq", "?")
    rows.append(Text(tr(f"head office holds {held} rows", f"la casa matriz tiene {held} filas"), "cyan"))
    rows.extend(Text(each["text"], "yellow") for each in scene.status.get("warnings", [])[:WARNINGS_SHOWN])
    return Panel(Group(*rows), title=tr("line to head office", "línea a la casa matriz"))


def _stock(scene: Scene) -> Panel:
    table = Table(expand=True, box=None, show_header=False)
    table.add_column(no_wrap=True, ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for name, available in scene.stock.values():
        table.add_row(name, available.removesuffix(".000"))
    return Panel(table, title=tr("stock left", "existencias que quedan"))


def _paper(scene: Scene) -> Panel:
    lines = list(scene.paper)[-PAPER_SHOWN:]
    return Panel(
        Text("\n".join(lines), no_wrap=True),
        title=tr(f"printer: {scene.receipts} receipts", f"impresora: {scene.receipts} recibos"),
    )


def _story(scene: Scene) -> Panel:
    lines = [f"{at:5.1f} s  {text}" for at, text in list(scene.story)[-STORY_SHOWN:]]
    return Panel(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), title=tr("what happens", "lo que pasa"))
