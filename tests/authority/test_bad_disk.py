"""The disk fails in the middle of the day: nobody is told a lie, and the day goes on when the disk is back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.components import component, root

ROOT = Path(__file__).parents[2]
RIG = ROOT / "tests" / "rigs" / "iofault.c"
MEGABYTE = 2**20


def day_on(folder, kind, day="day", **environment) -> dict:
    """One day in a process of its own, on a disk of that kind."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.authority.on_a_bad_disk", str(folder), kind, day],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def judge(day):
    """What must be true of every such day."""
    assert set(day["failed"]) == {"NotDurableError"}
    assert day["later"] == ["NotDurableError"] * 2
    assert day["trouble"]
    assert day["trouble_after"] is None
    assert set(day["again"]) == {"Done"}
    assert day["lost"] == []
    assert (day["sound"], day["breaches"]) == (True, [])
    assert day["last_numbers"]["000-001-01"] == day["documents"]
    assert 50 <= day["documents"] <= 53


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    compiler = component("cc", "gcc")
    built = tmp_path_factory.mktemp("rig") / "iofault.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", built, RIG, "-ldl"], check=True, capture_output=True)
    return built


@pytest.mark.needs_cc
@pytest.mark.parametrize(
    "fault",
    [{"IOFAULT_FSYNC_EIO": "1"}, {"IOFAULT_ENOSPC_AFTER": "0"}, {"IOFAULT_ENOSPC_AFTER": "20000"}],
    ids=["fsync fails", "no room at all", "no room in the middle of a write"],
)
def test_a_disk_that_fails_answers_everybody_not_durable_until_it_is_mended(tmp_path, rig, fault):
    folder = tmp_path / "data"
    folder.mkdir()
    arm = {"IOFAULT_ARM": str(tmp_path / "armed"), "IOFAULT_PATH": str(folder), "LD_PRELOAD": str(rig)}
    judge(day_on(folder, "armed", **arm, **fault))


@pytest.mark.needs_cc
def test_a_disk_that_writes_half_of_what_it_is_given_is_no_trouble(tmp_path, rig):
    folder = tmp_path / "data"
    folder.mkdir()
    arm = {"IOFAULT_ARM": str(tmp_path / "armed"), "IOFAULT_PATH": str(folder), "LD_PRELOAD": str(rig)}
    day = day_on(folder, "armed", **arm, IOFAULT_SHORT="1")
    assert set(day["failed"]) == {"Done"}
    assert (day["sound"], day["lost"], day["documents"]) == (True, [], 53)


@pytest.mark.needs_cc
def test_nothing_is_promised_behind_a_lost_page_while_somebody_reads_the_old_log(tmp_path, rig):
    folder = tmp_path / "data"
    folder.mkdir()
    arm = {"IOFAULT_ARM": str(tmp_path / "armed"), "IOFAULT_PATH": str(folder), "LD_PRELOAD": str(rig)}
    day = day_on(folder, "armed", "watched", **arm, IOFAULT_FSYNC_EIO="1")
    assert day["outcomes"] == ["NotDurableError", "NotDurableError", "Done"]
    assert "somebody reads" in day["trouble"]
    assert day["sound"]


def test_a_price_that_was_lost_with_the_disk_is_not_remembered(tmp_path):
    day = day_on(tmp_path, "small", "prices")
    assert day == {"lost": ["NotDurableError"] * 2, "version": 2, "totals": ["2.50", "3.00"]}


def test_files_that_cannot_grow_are_such_a_disk(tmp_path):
    judge(day_on(tmp_path, "small"))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes."""
    root()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={14 * MEGABYTE}", "tmpfs", tmp_path]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this root may not mount: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.needs_root
def test_a_file_system_that_is_full_is_such_a_disk(small_disk):
    judge(day_on(small_disk, "full"))


@pytest.mark.needs_root
def test_a_full_file_system_gets_the_ballast_back_and_the_books_move_again(small_disk):
    day = day_on(small_disk, "full", "ballast")
    assert day == {"outcomes": ["NotDurableError", "Done"], "ballast": False, "sound": True}
