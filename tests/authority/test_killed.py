import subprocess
import sys
from pathlib import Path

import pytest

from gateway.storage import documents
from tests.authority.counter import opened
from tests.ledger.shop import line, sale

ROOT = Path(__file__).parents[2]


def answers_before_the_kill(folder, day, count):
    """What a process that sells had printed when it was killed with -9."""
    script = [sys.executable, "-m", "tests.authority.sells_until_killed", str(folder), day]
    with subprocess.Popen(script, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(count)]
        process.kill()
        lines += process.stdout.readlines()
        assert "Traceback" not in process.stderr.read()
    return [each.split() for each in lines if each.endswith("\n") and len(each.split()) == 3]


@pytest.mark.parametrize("count", [1, 80, 300])
async def test_whatever_was_answered_before_a_kill_stands(tmp_path, count):
    heard = []
    for day in ("1", "2"):
        heard += answers_before_the_kill(tmp_path, day, count)
        async with opened(tmp_path) as counter:
            stands = {
                each["id"]: (each["number"], each["seq"])
                for each in await documents.documents(counter.reader, limit=1_000_000)
            }
            assert {identity: (int(number), int(seq)) for identity, number, seq in heard} == {
                identity: stands[identity] for identity, _, _ in heard
            }
            identity, number, _ = heard[-1]
            again = await counter.done(sale(identity, line("apple"), line("water"), till=identity.split("/")[1]))
            assert (again.created, again.body["number"]) == (False, int(number))
            assert counter.verdict().found == ()
    assert len(heard) >= 2 * count
