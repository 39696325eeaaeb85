"""Failing disks: `gateway run` under tests/rigs/iofault.c, its n-th fsync fails or its disk is full, then it recovers.

While the disk fails no sale may be answered as done; every answer is 503 or 507. Afterwards everything that was ever
answered is there, nothing is doubled, and `gateway verify` finds nothing. The control is the same run judged with one
answered sale taken out: it must be found.
"""

import asyncio
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from gateway.client.patience import Patience
from gateway.simulator.baskets import bundled
from gateway.simulator.history import History
from gateway.simulator.run import held_by
from gateway.simulator.stage import Plan, Stage, until
from gateway.simulator.tally import Tally
from gateway.simulator.tills import Manner, Seller, endless
from tests.rigs import gapless
from tests.torture import controls

SOURCE = Path(__file__).parents[1] / "rigs" / "iofault.c"
IMPATIENT = Patience(tries_max=10_000, total_ms_max=120_000, pause_ms_min=20, pause_ms_max=60, retry_after_ms_max=20)
"""Asks again at once, so that a fault of a second is met by many requests."""
ANSWERS_WANTED = 60
"""Refusals that must be seen before the disk recovers."""
SALES_WANTED = 60
"""Before the fault, and again after it."""

FAULTS = {
    "fsync fails": lambda generator: {"IOFAULT_FSYNC_EIO": str(generator.randint(1, 30))},
    "disk is full": lambda generator: {"IOFAULT_ENOSPC_AFTER": str(generator.randint(0, 400_000))},
}
"""Name → what iofault.c is told: the fault comes at a moment drawn from the seed."""


def missing():
    return "" if shutil.which("cc") else "needs a C compiler: sudo apt install gcc"


def build(folder):
    library = Path(folder) / "iofault.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library


async def run(name, *, seed, tills=6):
    """One fault, from an empty folder to a verdict."""
    with tempfile.TemporaryDirectory(prefix="gateway-fault-") as place:
        folder = Path(place)
        environment = {
            "LD_PRELOAD": str(build(folder)),
            "IOFAULT_PATH": str(folder / "data"),
            "IOFAULT_ARM": str(folder / "armed"),
            **FAULTS[name](random.Random(f"{seed}/{name}")),
        }
        plan = Plan(store="fault", country="plain", environment=environment)
        async with asyncio.TaskGroup() as tasks, Stage(folder, plan, tasks) as stage:
            play = Play(stage, folder / "armed", seed)
            await play.run(tills)
            return {"run": name, **await play.verdict()}


class Play:
    """Tills that sell before, during and after a fault."""

    def __init__(self, stage, arm, seed):
        self.stage = stage
        self.arm = arm
        self.seed = seed
        self.history = History()
        self.tally = Tally()
        self.tokens = {}
        self.during = Counter()
        self.silent = 0

    async def run(self, tills):
        await self.stage.start_gateway()
        self.tokens = await self.stage.pair([f"till-{number}" for number in range(tills)])
        stop = asyncio.Event()
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as selling:
            for name, token in self.tokens.items():
                till = await stack.enter_async_context(
                    self.stage.till(token, random.Random(f"{self.seed}/{name}"), IMPATIENT)
                )
                seller = Seller(till, name, Manner(), self.history, self.tally)
                selling.create_task(seller.work(endless(bundled()), stop), name=name)
            try:
                await self.sold(SALES_WANTED, "sales before the fault")
                self.arm.touch()
                await self.watch()
                self.arm.unlink()
                await self.sold(self.tally.sold + SALES_WANTED, "sales after the fault")
            finally:
                stop.set()

    async def sold(self, count, what):
        await until(lambda: self.tally.sold >= count, what, seconds=30, pause_s=0.01)

    async def watch(self):
        """From the first refusal on, look at everything that is asked and answered."""
        since = len(self.history.records)

        def refusals():
            return [each for each in self.history.records[since:] if each.status == "unknown" and each.end is not None]

        await until(lambda: len(refusals()) > 0, "the first refusal", seconds=30, pause_s=0.005)
        first = refusals()[0].end
        await until(lambda: len(refusals()) >= ANSWERS_WANTED, "refusals", seconds=60, pause_s=0.005)
        met = [each for each in self.history.records[since:] if each.start > first]
        self.during = Counter(each.status for each in met)
        self.silent = sum(each.end is None for each in met)

    async def verdict(self):
        async with self.stage.till(next(iter(self.tokens.values())), random.Random(0)) as reader:
            finals = await held_by(reader)
        status = await self.stage.stop_gateway()
        path = self.stage.folder / "history.jsonl"
        self.history.write(path, finals)
        events = controls.events_of(path)
        broken = gapless.check(events)
        store = await self.stage.verify_store()
        checks = {
            "history is clean": not broken,
            "store is sound": store["sound"],
            "nothing was answered as done during the fault": not self.during["ok"],
            "nothing was refused for good during the fault": not self.during["fail"],
            "every request was answered during the fault": not self.silent,
            "the gateway ended well": status == 0,
            "the control is found": bool(gapless.check(controls.a_lost_sale(events))),
        }
        wrong = [check for check, good in checks.items() if not good]
        found = {**self.tally.summary(), "refusals": sum(self.during.values()), "documents": store["documents"]}
        return {"ok": not wrong, "wrong": wrong, **found, "breaches": [*broken, *store["breaches"]][:10]}
