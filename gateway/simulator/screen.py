"""The demonstration as a terminal shows it."""

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gateway.simulator.scene import Scene

STORY_SHOWN = 12
PAPER_SHOWN = 22
WARNINGS_SHOWN = 3
NAME_WIDTH = 7
NUMBER_WIDTH = 19
_LINK_STYLES = {"online": "green", "catching_up": "yellow", "offline": "red", "working_offline": "red"}


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
    text.append(f"   {scene.tally.sold} sold, {scene.tally.retries} requests repeated", style="default")
    up, style = ("up", "green") if scene.is_gateway_up else ("DOWN", "bold red")
    text.append(f"   gateway {up}", style)
    return Panel(text, title="store gateway: demonstration", subtitle=f"{scene.now():.0f} s")


def _tills(scene: Scene) -> Panel:
    table = Table(expand=True, box=None)
    table.add_column("till", no_wrap=True, min_width=NAME_WIDTH)
    table.add_column("last basket", no_wrap=True, ratio=1)
    table.add_column("last number", no_wrap=True, min_width=NUMBER_WIDTH)
    last = {sale.till: sale.formatted_number for sale in scene.tally.latest}
    for seller in scene.sellers:
        basket = seller.basket
        sold = "-" if basket is None else f"{len(basket.lines)} lines: {basket.lines[0].name}"
        table.add_row(seller.name, sold, last.get(seller.name, "-"))
    for entry in scene.status.get("ranges", []):
        if entry["last"] is not None:
            text = f"series {entry['series']}: authorised to {entry['last']}, {entry['left']} left"
            table.add_row("", Text(text, style="cyan"), "")
    return Panel(table, title="tills")


def _line(scene: Scene) -> Panel:
    link = scene.link
    state = str(link.get("state", "?"))
    rows: list[RenderableType] = [
        Text("line " + ("whole" if scene.is_line_whole else "CUT"), "green" if scene.is_line_whole else "bold red"),
        Text(f"gateway says {state}", _LINK_STYLES.get(state, "default")),
        Text(f"{link.get('waiting', '?')} rows wait"),
    ]
    if link.get("eta_s") is not None:
        rows.append(Text(f"about {link['eta_s']:.0f} s left"))
    rows.append(Text(f"head office holds {scene.office.get('seq', '?')} rows", "cyan"))
    rows.extend(Text(each["text"], "yellow") for each in scene.status.get("warnings", [])[:WARNINGS_SHOWN])
    return Panel(Group(*rows), title="line to head office")


def _stock(scene: Scene) -> Panel:
    table = Table(expand=True, box=None, show_header=False)
    table.add_column(no_wrap=True, ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for name, available in scene.stock.values():
        table.add_row(name, available.removesuffix(".000"))
    return Panel(table, title="stock left")


def _paper(scene: Scene) -> Panel:
    lines = list(scene.paper)[-PAPER_SHOWN:]
    return Panel(Text("\n".join(lines), no_wrap=True), title=f"printer: {scene.receipts} receipts")


def _story(scene: Scene) -> Panel:
    lines = [f"{at:5.1f} s  {text}" for at, text in list(scene.story)[-STORY_SHOWN:]]
    return Panel(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), title="what happens")
