"""The demonstration as a newcomer starts it, only shorter."""

import subprocess
import sys

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
