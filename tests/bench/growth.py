"""P3 of the measures: five million documents in the file are as quick as five thousand, the daemon as small."""

import asyncio
import contextlib
import json
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict
from pathlib import Path

from gateway.authority.opening import books_path, open_desk
from gateway.clock import SystemClock
from gateway.ledger import chain
from gateway.settings import load
from gateway.storage.writer import Writer
from tests.bench import sales
from tests.bench.figures import Figure, NotAMeasurementError, median_figure, say
from tests.bench.load import Order, Outcome

FEW, MANY, MANY_QUICK = 5_000, 5_000_000, 200_000
BATCH = 20_000
MEMORY_MB_MAX = 150
READY_S_MAX = 3
START_WAIT_S_MAX = 60
FIRST_DAY_MS = 1_767_225_600_000
"""1 January 2026: what is filled in lies in the past."""
SERIES = "000-001-01"
CONFIG = """
[store]
name = "Growth"
[api]
port = 0
[storage]
path = "data"
[mqtt]
broker = "off"
[discovery]
enabled = false
"""


def growth(report, folder, *, rounds, measure_s, seed, many):
    """Fill two stores, then start, load and weigh the daemon on each in turn."""
    stores = {count: Store(folder / str(count)) for count in (FEW, many)}
    for count, store in stores.items():
        store.make()
        store.fill(count)
    runs = {count: [] for count in stores}
    for number in range(rounds):
        say(f"P3 round {number + 1} of {rounds}")
        for count, store in stores.items():
            runs[count].append(store.measure(measure_s=measure_s, seed=seed + number, run=number + 1))
            say(f"  {count:>9} documents: {runs[count][-1]}")
    few, big = runs[FEW], runs[many]
    about = {"documents": many, "synchronous": "FULL"}
    report.add(
        median_figure(
            [b["p50_ms"] / a["p50_ms"] for a, b in zip(few, big, strict=True)],
            measure="P3",
            what=f"p50 of a sale with {many:,} documents in the file",
            value=round(statistics.median(each["p50_ms"] for each in big), 3),
            unit="ms p50",
            must_reach="<= 1.25",
            compared_with=f"the same daemon with {FEW:,} documents",
            n=sum(each["answered"] for each in few + big),
            details={**about, "few_p50_ms": [each["p50_ms"] for each in few]},
        )
    )
    for name, unit, most in (("rss_mb", "MB", MEMORY_MB_MAX), ("ready_s", "s to ready", READY_S_MAX)):
        report.add(
            Figure(
                measure="P3",
                what={"rss_mb": "memory of the daemon after the load", "ready_s": "start to ready"}[name],
                value=statistics.median(each[name] for each in big),
                unit=unit,
                ratio=round(max(each[name] for each in few + big) / most, 3),
                must_reach="<= 1",
                compared_with=f"{most} {unit}, the worst of all starts",
                n=len(few + big),
                repetitions=[each[name] for each in few + big],
                details={**about, "pss_mb": [each["pss_mb"] for each in big]},
            )
        )


class Store:
    """A store of its own, whose books were filled without the gateway and are served by it."""

    def __init__(self, folder):
        self._folder = folder
        self._config = folder / "gateway.toml"

    def make(self):
        """Settings and the first rows, as the gateway itself writes them."""
        self._folder.mkdir(parents=True)
        self._config.write_text(CONFIG, encoding="utf-8")
        settings = load(self._config, {})
        settings.storage.path.mkdir()

        async def begin():
            writer = Writer(books_path(settings))
            writer.open()
            await open_desk(settings, writer, _Past())
            await asyncio.to_thread(writer.close)

        asyncio.run(begin())

    def fill(self, count):
        """Documents by the hundred thousand: real rows in a real chain, put in without journal or fsync."""
        began = time.perf_counter()
        connection = sqlite3.connect(self._folder / "data" / "books.sqlite3", isolation_level=None)
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -262144")
        seq, last = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        for start in range(1, count + 1, BATCH):
            rows, documents = [], []
            for number in range(start, min(start + BATCH, count + 1)):
                seq += 1
                at = FIRST_DAY_MS + number
                identity = f"{at:012x}"
                identity = f"{identity[:8]}-{identity[8:]}-7000-8000-{number:012x}"
                text = (
                    _TEMPLATE.replace("#ID#", identity).replace('"#NUMBER#"', str(number)).replace('"#SEQ#"', str(seq))
                )
                text = text.replace("#FORMATTED#", f"{SERIES}-{number:08d}")
                digest = chain.row_hash(last, seq, at, "document_issued", text)
                rows.append((seq, at, "document_issued", text, last, digest))
                documents.append((seq, identity, bytes(32), SERIES, 0, number, "invoice", "issued"))
                last = digest
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", rows)
            connection.executemany(
                "INSERT INTO documents (seq, id, digest, series, wrap, number, type, status)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                documents,
            )
            connection.execute("COMMIT")
            if count > BATCH and (start // BATCH) % 25 == 0:
                say(f"  filling: {start:,} of {count:,} documents, {time.perf_counter() - began:.0f} s")
        connection.execute(
            "INSERT OR REPLACE INTO series (key, last_number, high_number, last_date, wrap, range, locked_by)"
            " VALUES (?, ?, ?, '2026-01-01', 0, '', NULL)",
            (SERIES, count, count),
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        size = (self._folder / "data" / "books.sqlite3").stat().st_size
        say(f"filled {count:,} documents, {size / 2**20:,.0f} MB, in {time.perf_counter() - began:.0f} s")

    def measure(self, *, measure_s, seed, run):
        """Start the daemon, let one till sell, weigh it, stop it."""
        with self._running() as (process, ready, ready_s):
            admin = _Admin(ready)
            admin.catalogue()
            order = Order(
                port=int(ready["api"].rsplit(":", 1)[1]), tokens=[admin.till()], tills=1, warm_s=1.0,
                measure_s=measure_s, run=run, seed=seed,
            )  # fmt: skip
            done = subprocess.run(
                [sys.executable, "-m", "tests.bench.load"],
                input=json.dumps(asdict(order)).encode(),
                stdout=subprocess.PIPE,
                check=True,
            )
            outcome = Outcome(**json.loads(done.stdout))
            if outcome.others:
                raise NotAMeasurementError(f"answers other than 201: {outcome.others}")
            return {
                "p50_ms": outcome.p50_ms,
                "answered": outcome.answered,
                "ready_s": round(ready_s, 2),
                "rss_mb": _kilobytes(process.pid, "smaps_rollup", "Rss:") // 1024,
                "pss_mb": _kilobytes(process.pid, "smaps_rollup", "Pss:") // 1024,
            }

    @contextlib.contextmanager
    def _running(self):
        began = time.perf_counter()
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "run", "--config", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        try:
            line = process.stdout.readline()
            ready_s = time.perf_counter() - began
            if not line:
                raise NotAMeasurementError((self._folder / "log").read_text()[-2000:])
            yield process, json.loads(line), ready_s
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_WAIT_S_MAX)
            process.stdout.close()


class _Past:
    """A clock that stands before everything that is filled in."""

    def now_ms(self):
        return FIRST_DAY_MS

    def monotonic(self):
        return SystemClock().monotonic()


class _Admin:
    """What the administrator has to do before a till can sell."""

    def __init__(self, ready):
        self._url = ready["api"]
        self._token = (Path(ready["data"]) / "admin.token").read_text(encoding="ascii").strip()

    def catalogue(self):
        self._ask("POST", "/v1/admin/catalogue", sales.catalogue().encode(), "text/csv")

    def till(self):
        return self._ask("PUT", "/v1/admin/tills/bench")["token"]

    def _ask(self, method, path, body=None, media_type="application/json"):
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": media_type}
        request = urllib.request.Request(self._url + path, data=body, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def _kilobytes(pid, file, name):
    for line in Path(f"/proc/{pid}/{file}").read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise NotAMeasurementError(f"/proc/{pid}/{file} does not say {name}")


def _template():
    line = {"sku": "1082185", "name": "BANANAS", "quantity": "1.000", "unit_price": "1.00", "discount": "0.00",
            "total": "1.00", "tax": "exempt"}  # fmt: skip
    document = {
        "id": "#ID#", "type": "invoice", "status": "issued", "series": SERIES, "number": "#NUMBER#",
        "formatted_number": "#FORMATTED#", "issued_at": "2026-01-01T00:00:00.000Z", "fiscal_date": "2025-12-31",
        "till": "bench", "issued_by": {"cashier": "ana", "shift": ""}, "price_list": "store",
        "lines": [line] * sales.LINES,
        "taxes": [{"code": "exempt", "rate": "0", "base": "8.00", "amount": "0.00"}], "total": "8.00",
        "payments": [{"method": "cash", "amount": "8.00"}], "change": "0.00", "customer": None, "references": [],
        "authority": None, "seq": "#SEQ#", "warnings": [], "job": None,
    }  # fmt: skip
    body = {"digest": "0" * 64, "wrap": 0, "range": None, "print_to": None, "movements": [], "document": document}
    return chain.body_text(body)


_TEMPLATE = _template()
