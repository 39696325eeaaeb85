"""The demonstration as a newcomer starts it, only shorter."""

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(170)
def test_the_demonstration_proves_itself_and_tidies_up(tmp_path):
    command = [sys.executable, "-m", "gateway", "demo", "--headless", "--seconds", "4", "--tills", "2"]
    environment = {"TMPDIR": str(tmp_path), "LANG": "C.UTF-8"}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=160, check=False, env=environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for text in (
        "the line is cut",
        "three requests, 1 number",
        "killed; the tills go on asking",
        "is the first of the new range",
        "head office has everything",
        "gateway verify, store: sound",
        "gateway verify, head office: sound",
        "both ends hold the same history: yes",
        "VERDICT: no gap, no duplicate, nothing lost",
    ):
        assert text in ran.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(100)
def test_a_demonstration_that_is_ended_leaves_nothing_behind(tmp_path):
    command = [sys.executable, "-m", "gateway", "demo", "--headless"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"TMPDIR": str(tmp_path)}) as running:
        for line in running.stdout:
            if "tills are paired" in line:
                running.terminate()
        assert running.wait(30) == 130
    assert list(tmp_path.iterdir()) == []
    assert not [line for line in command_lines() if str(tmp_path).encode() in line]


def command_lines():
    """Of everything that runs on this machine now."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield file.read_bytes()
