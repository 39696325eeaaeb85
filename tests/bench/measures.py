"""P1 and P2 of the measures: what a durable document costs, beside the same server without a ledger and PostgreSQL."""

import asyncio
import os
import statistics
import time
from contextlib import ExitStack

from gateway.authority.audit import verify_books
from tests.bench import desks, postgresql, sales, sides
from tests.bench.figures import NotAMeasurementError, median_figure, say

TILLS = 32
POOL = 8
"""Connections to PostgreSQL; with more than this a gapless counter only queues inside the server."""
APPEND_BYTES = 4096
APPENDS = 200


class Servers:
    """All sides of a run, started together, loaded in turn."""

    def __init__(self, folder, seed):
        self._folder = folder
        self._seed = seed
        self._stack = ExitStack()
        self.sides = {}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self._stack.__exit__(*error)

    def start(self, *kinds):
        """Start the gateway, the validating server, and PostgreSQL's forms that are named."""
        where = None
        if set(kinds) & {"four", "cte", "function"}:
            where = self._stack.enter_context(postgresql.cluster(self._folder / "postgresql"))
        for kind in kinds:
            more = {}
            if kind in {"four", "cte", "function"}:
                own = {**where, "database": kind}
                asyncio.run(_database(where, own))
                more = {"where": own, "pool": POOL}
            self.sides[kind] = self._stack.enter_context(sides.started(kind, self._folder / kind, **more))

    def round(self, kinds, *, tills, warm_s, measure_s, number):
        """One after the other, so that a machine that slows down slows all of them."""
        found = {}
        for kind in kinds:
            load = {"tills": tills, "warm_s": warm_s, "measure_s": measure_s, "seed": self._seed + number}
            found[kind] = self.sides[kind].load(**load)
            told = found[kind]
            say(f"  {kind:<11} {told.per_s:>8.0f}/s   p50 {told.p50_ms:.2f} ms   p99 {told.p99_ms:.2f} ms")
        return found

    def check(self):
        """The measured books are sound and hold every answered number once.

        Raises:
            NotAMeasurementError: they do not; fast and wrong is not a figure.
        """
        for side in self.sides.values():
            sides.check_numbers(side)
        verdict = verify_books(self._folder / "gateway")
        if not verdict.is_sound:
            raise NotAMeasurementError(f"the measured books are not sound: {verdict.found[:3]}")
        return verdict.tally.documents


async def _database(where, own):
    import asyncpg

    connection = await asyncpg.connect(**where)
    await connection.execute(f'CREATE DATABASE "{own["database"]}"')
    await connection.close()
    await desks.make_tables(own, [line["sku"] for line in sales.products()])


def throughput(report, folder, *, rounds, measure_s, seed):
    """P1: documents a second with 32 tills, against validation only and two forms of PostgreSQL."""
    kinds = ("gateway", "validation", "four", "cte", "function")
    with Servers(folder, seed) as servers:
        servers.start(*kinds)
        runs = []
        for number in range(rounds):
            say(f"P1 round {number + 1} of {rounds}")
            runs.append(servers.round(kinds, tills=TILLS, warm_s=1.0, measure_s=measure_s, number=number))
        documents = servers.check()
    one = max(("cte", "function"), key=lambda kind: statistics.median(run[kind].per_s for run in runs))
    bars = (
        ("validation", ">= 0.55", "the same server answering after validation only"),
        ("four", ">= 10", "PostgreSQL: a transaction of four statements for each request"),
        (one, ">= 4", f"PostgreSQL: one statement for each request ({one})"),
    )
    for kind, must_reach, compared_with in bars:
        report.add(
            median_figure(
                [run["gateway"].per_s / run[kind].per_s for run in runs],
                measure="P1",
                what=f"PUT /v1/documents, {sales.LINES} lines, durable, {TILLS} tills",
                value=round(statistics.median(run["gateway"].per_s for run in runs), 1),
                unit="documents/s",
                must_reach=must_reach,
                compared_with=compared_with,
                n=documents,
                details=_details(runs, kind),
            )
        )


def latency(report, folder, *, rounds, measure_s, seed):
    """P2: one till, against one bare fdatasync plus the validating server."""
    kinds = ("gateway", "validation")
    with Servers(folder, seed) as servers:
        servers.start(*kinds)
        ratios, syncs, runs = [], [], []
        for number in range(rounds):
            say(f"P2 round {number + 1} of {rounds}")
            run = servers.round(kinds, tills=1, warm_s=0.5, measure_s=measure_s, number=number)
            sync_ms = bare_sync_ms(folder)
            say(f"  fdatasync of {APPEND_BYTES} bytes: p50 {sync_ms:.2f} ms")
            ratios.append(run["gateway"].p50_ms / (sync_ms + run["validation"].p50_ms))
            syncs.append(sync_ms)
            runs.append(run)
        documents = servers.check()
    report.add(
        median_figure(
            ratios,
            measure="P2",
            what=f"PUT /v1/documents, {sales.LINES} lines, durable, 1 till",
            value=round(statistics.median(run["gateway"].p50_ms for run in runs), 3),
            unit="ms p50",
            must_reach="<= 2",
            compared_with="one bare fdatasync + the validating server's p50",
            n=documents,
            details={"fdatasync_p50_ms": round(statistics.median(syncs), 3), **_details(runs, "validation")},
        )
    )


def bare_sync_ms(folder):
    """What the disk itself takes: append one page to a file and wait for it, the median of many."""
    path = folder / "bare"
    took = []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        for _ in range(APPENDS):
            begin = time.perf_counter()
            os.write(descriptor, bytes(APPEND_BYTES))
            os.fdatasync(descriptor)
            took.append(time.perf_counter() - begin)
    finally:
        os.close(descriptor)
        path.unlink()
    return statistics.median(took) * 1000


def _details(runs, kind):
    return {
        "synchronous": "FULL",
        "other_side": round(statistics.median(run[kind].per_s for run in runs), 1),
        "p50_ms": round(statistics.median(run["gateway"].p50_ms for run in runs), 3),
        "p99_ms": round(statistics.median(run["gateway"].p99_ms for run in runs), 3),
        "generator_cpu": round(statistics.median(run["gateway"].generator_cpu for run in runs), 2),
    }
