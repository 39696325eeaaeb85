"""One figure, one JSON line: what was measured, against what, in which run, on which machine; a table at the end."""

import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs", "devtmpfs"}
"""Where fsync is a word without meaning: no figure is taken there."""


TABLE_COLUMNS = 200
"""Where nobody's terminal says how wide it is."""


class NotAMeasurementError(Exception):
    """The run cannot give honest figures; the text says why and what to do."""


@dataclass
class Figure:
    """A measure of `quality.md`. `ratio` is what the bar is about; `value` is the plain figure beside it."""

    measure: str
    what: str
    value: float
    unit: str
    ratio: float
    must_reach: str
    """`>= 0.55` or `<= 2`."""
    compared_with: str
    n: int
    """Answers (or other single measurements) that stand behind the figure."""
    repetitions: list[float]
    """The ratio of each round; the figure is their median."""
    details: dict = field(default_factory=dict)

    @property
    def reached(self):
        direction, bar = self.must_reach.split()
        return self.ratio >= float(bar) if direction == ">=" else self.ratio <= float(bar)

    def shown(self):
        values = asdict(self)
        runs = values.pop("repetitions")
        spread = {"count": len(runs), "min": min(runs), "median": statistics.median(runs), "max": max(runs)}
        return {**values, "reached": self.reached, "repetitions": {key: round(each, 4) for key, each in spread.items()}}


def median_figure(ratios, **values):
    """A figure whose ratio is the median over the rounds."""
    return Figure(ratio=round(statistics.median(ratios), 4), repetitions=[round(each, 4) for each in ratios], **values)


class Report:
    """Where a bench says its figures. `file` gets the JSON lines too."""

    def __init__(self, folder, file=None, **setting):
        self.figures = []
        self._file = None if file is None else Path(file)
        self._about = {**machine(folder), **setting}

    def add(self, figure):
        self.figures.append(figure)
        line = json.dumps({**figure.shown(), **self._about})
        print(line, flush=True)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    def show(self):
        """The table for people, on standard error; answers whether every bar was reached."""
        table = Table(title="ratios within this run: median (lowest to highest round)")
        for column in ("", "measure", "value", "ratio", "must reach", "compared with", ""):
            table.add_column(column, justify="right" if column in {"value", "ratio"} else "left")
        for each in self.figures:
            spread = f"{each.ratio:g} ({min(each.repetitions):g} to {max(each.repetitions):g})"
            mark = "[green]reached" if each.reached else "[red]missed"
            value = f"{each.value:g} {each.unit}"
            table.add_row(each.measure, each.what, value, spread, each.must_reach, each.compared_with, mark)
        console = Console(stderr=True)
        (console if console.is_terminal else Console(stderr=True, width=TABLE_COLUMNS)).print(table)
        return all(each.reached for each in self.figures)


def machine(folder):
    """What the figures depend on."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "filesystem": file_system(folder),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load_before": round(os.getloadavg()[0], 2),
        "pinned": False,
    }


def file_system(folder):
    """Kind of the file system that holds a folder.

    Raises:
        NotAMeasurementError: it lives in memory.
    """
    done = subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True, check=True)
    kind = done.stdout.strip()
    if kind in MEMORY_FILE_SYSTEMS:
        raise NotAMeasurementError(f"{folder} is on {kind}: nothing there is ever on a disk. Give --data DIR on one.")
    return kind


def say(text):
    """Progress, for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def _cpu_model():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
