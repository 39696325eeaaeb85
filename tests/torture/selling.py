"""Many tills sell real baskets as fast as they can while parts of the store are killed and cut off under them.

Moments are drawn as shares of what is to be sold, so that they fall into the sale on any machine.
"""

import asyncio
import random
import shutil
import tempfile
import traceback
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from gateway.client.problem import Problem
from gateway.simulator.baskets import bundled, catalogue_csv
from gateway.simulator.history import History
from gateway.simulator.process import ProcessError
from gateway.simulator.run import held_by
from gateway.simulator.stage import PATIENT, Plan, Stage, series_of, until
from gateway.simulator.tally import Tally
from gateway.simulator.tills import Manner, Seller, endless, shares
from tests.rigs import gapless
from tests.torture import controls

DRAIN_S_MAX = 120
LATE_S_MAX = 0.05
"""A blow falls up to this much after its moment: between two packets, not after one."""


@dataclass(frozen=True)
class Size:
    tills: int
    baskets: int
    """For each till."""
    kills: int
    seed: int

    @property
    def total(self):
        return self.tills * self.baskets


class Scene:
    """One run: a stage, its tills, what they were told."""

    def __init__(self, stage, size, generator):
        self.stage = stage
        self.size = size
        self.generator = generator
        self.history = History()
        self.tally = Tally()
        self.tokens = {}
        self.listed = frozenset()
        self.extra = 0
        self.is_over = False

    async def set_up(self):
        stage = self.stage
        await stage.open_head_office()
        await stage.start_gateway()
        baskets = bundled()
        async with stage.admin(patience=PATIENT) as admin:
            await admin.import_catalogue(catalogue_csv(baskets[:400], on_hand=10**6))
            first, last = 1, self.size.total // 2
            for each in range(3):  # the hand-over to the next range happens under fire, too
                body = {"series": series_of(stage.plan), "authority_kind": "CAI", "authority_ref": f"T{each}"}
                await admin.load_range(
                    admin.new_id(), {**body, "first": first, "last": last, "valid_until": "2099-12-31"}
                )
                first, last = last + 1, last + self.size.total
            self.listed = frozenset({product["sku"] async for product in admin.products()})
        self.tokens = await stage.pair([f"till-{number}" for number in range(self.size.tills)])

    async def sell(self):
        baskets = bundled()
        self.generator.shuffle(baskets)
        dealt = shares(baskets, self.size.tills)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as tills:
            for number, (name, token) in enumerate(self.tokens.items()):
                till = await stack.enter_async_context(self.till(token, number))
                seller = Seller(till, name, Manner(listed=self.listed), self.history, self.tally)
                mine = (basket for basket, _ in zip(endless(dealt[number]), range(self.size.baskets), strict=False))
                tills.create_task(seller.work(mine, asyncio.Event()), name=name)
        self.is_over = True

    def till(self, token, salt):
        return self.stage.till(token, random.Random(f"{self.size.seed}/{salt}"))

    def moments(self, count):
        """When blows fall: after so many sales."""
        total = self.size.total
        return sorted(self.generator.randint(total // 20, total * 18 // 20) for _ in range(count))

    async def reach(self, sold):
        """Wait for a moment; it is there, too, when the tills are through because they were refused."""
        await until(lambda: self.is_over or self.tally.sold >= sold, "the moment", seconds=600, pause_s=0.002)
        await asyncio.sleep(self.generator.uniform(0, LATE_S_MAX))

    async def same_request_by_three(self):
        """One till open three times, and then three tills, with one id and one body each."""
        first = next(iter(self.tokens.values()))
        for sold, tokens in zip(self.moments(2), ([first] * 3, list(self.tokens.values())[:3]), strict=True):
            await self.reach(sold)
            answers, refusals = await self._three(tokens)
            assert len({answer["number"] for answer in answers}) == 1, answers
            assert {problem.code for problem in refusals} <= {"key_reused"}, refusals
            assert len(refusals) == (0 if tokens[0] == tokens[1] else 2), refusals
            self.extra += 1

    async def _three(self, tokens):
        answers, refusals = [], []
        async with AsyncExitStack() as stack:
            sellers = []
            for number, token in enumerate(tokens):
                till = await stack.enter_async_context(self.till(token, f"three/{self.extra}/{number}"))
                sellers.append(Seller(till, f"three-{number}", Manner(), self.history, self.tally))
            document, body = sellers[0].new_id(), sellers[0].request(bundled()[self.extra].lines)

            async def ask(seller):
                try:
                    answers.append(await seller.ask(document, body))
                except Problem as problem:
                    refusals.append(problem)

            async with asyncio.TaskGroup() as asking:
                for seller in sellers:
                    asking.create_task(ask(seller))
        return answers, refusals

    async def drained(self):
        """Wait until head office has everything; what the gateway says of its line goes with the complaint."""
        seen = {}
        async with self.stage.admin(patience=PATIENT) as admin:

            async def is_drained():
                seen.update((await admin.status())["link"])
                return seen["waiting"] == 0 and seen["state"] == "online"

            try:
                await until(is_drained, "head office to have everything", seconds=DRAIN_S_MAX)
            except ProcessError as error:
                error.add_note(f"link {seen}, line cut: {self.stage.line.is_cut}, {await self.stage.office_status()}")
                raise

    async def verdict(self):
        """`gateway verify` at both ends, and the foreign judge over the tills' own history."""
        stage = self.stage
        async with self.till(next(iter(self.tokens.values())), "reader") as reader:
            finals = await held_by(reader)
        status = await stage.stop_gateway()
        path = stage.folder / "history.jsonl"
        self.history.write(path, finals)
        store, office = await stage.verify_store(), await stage.verify_head_office()
        broken = gapless.check(controls.events_of(path))
        held = sum(len(each.numbers) for each in finals)
        checks = {
            "history is clean": not broken,
            "store is sound": store["sound"],
            "head office is sound": office["sound"],
            "both hold the same": (store["rows"], store["head"]) == (office["rows"], office["head"]),
            "every basket was sold": self.tally.sold == self.size.total,
            "nothing else was sold": held == self.size.total + self.extra,
            "the gateway ended well": status == 0,
        }
        summary = {**self.tally.summary(), "tries": len(self.history.records), "documents": held, "rows": store["rows"]}
        wrong = [name for name, good in checks.items() if not good]
        return {**summary, "wrong": wrong, "breaches": [*broken, *store["breaches"], *office["breaches"]][:10]}


async def gateway_killed(scene):
    """kill -9 of the gateway at random moments."""
    for sold in scene.moments(scene.size.kills):
        await scene.reach(sold)
        await scene.stage.kill_gateway()
        await scene.stage.start_gateway()


async def office_killed(scene):
    """kill -9 of head office, and the line cut loudly, silently and in the middle of a request."""
    line = scene.stage.line
    for number, sold in enumerate(scene.moments(scene.size.kills)):
        await scene.reach(sold)
        cut = scene.generator.choice(["loud", "silent", "after"])
        if cut == "after":
            line.cut_after(scene.generator.randint(1, 40_000))
        else:
            line.cut(silent=cut == "silent")
        await scene.reach(sold + scene.size.total // 40)
        if number % 2 == 0:
            await scene.stage.kill_head_office()
            await scene.stage.start_head_office()
        line.restore()


async def run(size, *, name, blows):
    """One run from an empty folder to a verdict, and the controls on what it left behind.

    The folder of a run that failed stays, and is named.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"gateway-torture-{name}-"))
    found = {"run": name, "ok": False, "folder": str(folder)}
    try:
        async with asyncio.TaskGroup() as tasks, Stage(folder, Plan(store="torture"), tasks) as stage:
            scene = Scene(stage, size, random.Random(f"{size.seed}/{name}"))
            await scene.set_up()
            async with asyncio.TaskGroup() as acts:
                acts.create_task(scene.sell())
                for blow in blows:
                    acts.create_task(blow(scene))
                acts.create_task(scene.same_request_by_three())
            await scene.drained()
            found.update(await scene.verdict())
            found["controls missed"] = await controls.missed(stage, folder / "history.jsonl")
        found["ok"] = not found["wrong"] and not found["controls missed"]
    except Exception as error:  # noqa: BLE001 - a run that breaks down has failed, with what is known of it
        found["error"] = "".join(traceback.format_exception(error))[-3000:]
    if found["ok"]:
        shutil.rmtree(folder, ignore_errors=True)
        del found["folder"]
    return found
