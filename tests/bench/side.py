"""One server of a run: `python -m tests.bench.side '{"side": ..., "folder": ...}'`.

The API is the product's; `side` says which desk stands behind it: `gateway` the real one (synchronous=FULL),
`validation` one that answers at once, `four`, `cte` and `function` PostgreSQL. The first line it prints says its port
and the tills' tokens.
"""

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from gateway.api.parts import Parts
from gateway.api.routes import application
from gateway.api.server import Server
from gateway.app import memory
from gateway.authority.catalogue import Catalogue
from gateway.authority.house import house_of
from gateway.authority.opening import books_path, open_desk
from gateway.clock import SystemClock
from gateway.health.metrics import Metrics
from gateway.health.warnings import Board
from gateway.ledger.commands import LoadRange
from gateway.settings import Settings
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer
from gateway.tills.registry import Reach, Registry
from tests.bench import desks, sales

TILLS = 32
ADMIN_TOKEN = "an-administrators-token-of-enough-length"
REACH = Reach("store-1", "http://127.0.0.1", "", "", "", 0, False)


class NoDevices:
    """A store without printers."""

    def listing(self):
        return []

    async def job(self, identity):
        return None


class NoLink:
    """A store on its own."""

    def state(self):
        return {"state": "none", "since": None, "waiting": 0, "oldest_ms": None, "eta_s": None}

    async def sync_now(self):
        return False


async def real_desk(settings, writer, reader, clock):
    """The gateway's own desk, with a catalogue, a stocked shop and a range that a store of this country needs."""
    desk = await open_desk(settings, writer, clock)
    report = await Catalogue(desk, writer, reader).import_csv(sales.catalogue(), "administrator")
    assert not report.problems, report.problems[:3]
    kind, ref = desks.AUTHORITY["kind"], desks.AUTHORITY["ref"]
    await desk.submit(LoadRange("range-1", desks.SERIES, kind, ref, 1, 99_999_999, "", desks.VALID_UNTIL))
    return desk


async def other_desk(order, settings, clock):
    """The desk of another side."""
    names = {line["sku"]: line["name"] for line in sales.products()}
    house = house_of(settings)
    kind = order["side"]
    if kind == "validation":
        return desks.AnswersAtOnce(house, clock, names)
    desk = (desks.FourStatements if kind == "four" else desks.OneStatement)(house, clock, names)
    desk.pool = await desks.connect_pool(order["where"], order["pool"])
    desk.statement = desks.FUNCTION_CALL if kind == "function" else desks.CTE
    return desk


async def main(order):
    folder = Path(order["folder"])
    settings = Settings(
        store={"country": "honduras"},
        api={"port": 0, "tls": "off"},
        storage={"path": folder},
        discovery={"enabled": False},
        mqtt={"broker": "off"},
    )
    clock = SystemClock()
    writer = Writer(books_path(settings), synchronous="FULL")
    writer.open()
    reader = Reader(books_path(settings))
    await reader.open()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(reader.close)
        if order["side"] == "gateway":
            desk = await real_desk(settings, writer, reader, clock)
        else:
            desk = await other_desk(order, settings, clock)
        registry = Registry(writer, reader, clock, settings.tills, admin_token=ADMIN_TOKEN, reach=lambda: REACH)
        await registry.load()
        tokens = [(await registry.make_till(f"till-{number}")).token for number in range(1, TILLS + 1)]
        parts = Parts(
            settings=settings, clock=clock, board=Board(clock), desk=desk, reader=reader, writer=writer,
            registry=registry, devices=NoDevices(), link=NoLink(), metrics=Metrics(), version="bench",
        )  # fmt: skip
        server = await stack.enter_async_context(Server(application(parts), parts))
        memory.settle()  # as the daemon does
        print(json.dumps({"port": server.port, "tokens": tokens}), flush=True)
        await _asked_to_end()
    await asyncio.to_thread(writer.close)


async def _asked_to_end():
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
