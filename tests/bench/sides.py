"""The servers of a run, each a process of its own, and the one load that is put on them in turn."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.bench.load import Order, Outcome

READY_S_MAX = 120
STOP_S_MAX = 30


class Side:
    """A running server: where it is, who may ask, and what it took of the processor."""

    def __init__(self, process, ready):
        self.process = process
        self.ready = ready
        self.port = ready["port"]
        self.tokens = ready["tokens"]
        self.runs = 0
        self.answers = Path(ready["folder"]) / "answers"

    def load(self, *, tills, warm_s, measure_s, seed):
        """Let tills sell on this side; its answers are also written into `answers`."""
        self.runs += 1
        order = Order(
            self.port, self.tokens, tills, warm_s, measure_s, run=self.runs, seed=seed, answers=str(self.answers)
        )
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.load"],
            input=json.dumps(asdict(order)).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        outcome = Outcome(**json.loads(done.stdout))
        if outcome.others:
            raise RuntimeError(f"{self.ready['side']} answered {outcome.others} beside 201")
        return outcome

    def numbers(self):
        """Every number that was answered, in the order in which the answers came."""
        lines = self.answers.read_text(encoding="ascii").splitlines()
        return [int(line.rpartition(" ")[2]) for line in lines]


@contextlib.contextmanager
def started(kind, folder, **more):
    """A side of this kind (`tests.bench.side`), ended whatever happens."""
    folder.mkdir(parents=True)
    order = json.dumps({"side": kind, "folder": str(folder), **more})
    command = [sys.executable, "-m", "tests.bench.side", order]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
    try:
        line = process.stdout.readline()
        if not line:
            process.wait()
            raise RuntimeError(f"{kind} did not start:\n{(folder / 'log').read_text()[-3000:]}")
        yield Side(process, {**json.loads(line), "side": kind, "folder": str(folder)})
    finally:
        end(process)


def end(process):
    """Ask a process to end and wait until it is gone."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    process.stdout.close()


def cpu_s(pid):
    """Processor time that a process took so far, all threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def check_numbers(side):
    """Every answered number is unique, and together they have no gap: 1, 2, 3 ... to as many as there are answers.

    Raises:
        RuntimeError: they are not; the run is worth nothing.
    """
    numbers = sorted(side.numbers())
    if numbers != list(range(1, len(numbers) + 1)):
        raise RuntimeError(f"{side.ready['side']}: {len(numbers)} answers are not numbered 1 to {len(numbers)}")
    return len(numbers)
