"""Power cuts: the real desk and writer sell on a simulated disk; then the disk is looked at as after many cuts.

Each state is mounted (the file system replays its own journal), opened by the real writer as a restarted gateway
would, verified, and searched for every answer that a till had heard before the cut. The same run with the known-bad
setting `synchronous=OFF` must be found broken: a rig that cannot fail proves nothing.
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway.authority.audit import verify_books
from gateway.authority.opening import BOOKS_FILE
from gateway.storage.writer import Writer
from tests.rigs.powercut import Disk, explore

ROOT = Path(__file__).parents[2]
DISK_MB = 96
SECONDS_MAX = 120


def missing():
    """Why this machine cannot cut the power, or nothing."""
    if os.geteuid() != 0:
        return "needs root: sudo ./run torture"
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not Path(device).exists():
            return f"needs {device}"
    if subprocess.run(["losetup", "-f"], capture_output=True, check=False).returncode:
        return "needs a free loop device"
    return ""


@dataclass
class Outcome:
    synchronous: str
    promises: int
    states: int
    writes: int
    flushes: int
    broken: int
    examples: list[str]


def cut(synchronous, *, promises, states, seed):
    """Sell until `promises` answers were given, cut, and examine `states` disks."""
    with Disk(DISK_MB, seed=seed) as disk:
        arguments = [sys.executable, "-m", "tests.torture.power_load", disk.dir, synchronous, str(promises + 50)]
        disk.run(arguments, seconds=SECONDS_MAX, acks=promises, env={**os.environ, "PYTHONPATH": str(ROOT)})
        if len(disk.acks) < promises:
            raise RuntimeError("the workload ended early: " + "".join(disk.output[-5:]))
        report = explore(disk, examine, states=states, seed=seed)
    examples = [f"log position {each.point} ({each.variant}): {each.detail}" for each in report.failures[:3]]
    return Outcome(
        synchronous, len(disk.acks), report.states, report.writes, report.flushes, len(report.failures), examples
    )


def examine(folder, due):
    """What is wrong with the books in a folder that must hold these promises; None when nothing is."""
    file = Path(folder) / BOOKS_FILE
    if not file.exists():
        return f"the books are gone with {len(due)} answered documents" if due else None
    writer = Writer(file)
    writer.open()
    writer.close()
    promised = [json.loads(each) for each in due]
    verdict = verify_books(file)
    if not verdict.is_sound and (due or verdict.tally.rows):
        return f"verify: {verdict.found[0].rule} {verdict.found[0].text}"
    connection = sqlite3.connect(file)
    try:
        rows = connection.execute("SELECT d.id, j.body FROM documents AS d JOIN journal AS j USING (seq)").fetchall()
    finally:
        connection.close()
    kept = {identity: hashlib.sha256(answer_of(body)).hexdigest() for identity, body in rows}
    for promise in promised:
        if kept.get(promise["id"]) != promise["answer"]:
            return f"number {promise['number']} was answered and is {'changed' if promise['id'] in kept else 'gone'}"
    return None


def answer_of(body):
    return json.dumps(json.loads(body)["document"]).encode()


def run(*, promises, states, seed):
    """The real setting and the control; `ok` is False when either surprises."""
    real = cut("FULL", promises=promises, states=states, seed=seed)
    control = cut("OFF", promises=promises, states=max(states // 4, 10), seed=seed)
    ok = real.broken == 0 and control.broken > 0
    return {"run": "power", "ok": ok, "real": asdict(real), "control": asdict(control)}
