import subprocess
import sys

import pytest

from gateway.storage import folder
from gateway.storage.folder import FolderInUseError


def test_a_folder_is_held_by_one_at_a_time(tmp_path):
    data = tmp_path / "data"
    with folder.held(data), pytest.raises(FolderInUseError, match="running gateway"), folder.held(data):
        pass
    with folder.held(tmp_path / "data"):
        pass


HOLD_AND_DIE = """
import os, pathlib, sys
from gateway.storage import folder
with folder.held(pathlib.Path(sys.argv[1])):
    folder.say_ready(pathlib.Path(sys.argv[1]), {"api": "http://127.0.0.1:1"})
    os._exit(9)
"""


def test_a_process_that_dies_lets_go_and_nobody_believes_its_ready_line(tmp_path):
    died = subprocess.run([sys.executable, "-c", HOLD_AND_DIE, tmp_path], timeout=20, check=False)
    assert died.returncode == 9
    assert (tmp_path / folder.READY_FILE).exists()
    assert folder.running(tmp_path) is None
    with folder.held(tmp_path):
        assert not (tmp_path / folder.READY_FILE).exists()


def test_the_ready_line_is_found_while_the_folder_is_held(tmp_path):
    assert folder.running(tmp_path) is None
    with folder.held(tmp_path):
        assert folder.running(tmp_path) is None
        folder.say_ready(tmp_path, {"api": "http://127.0.0.1:1"})
        assert folder.running(tmp_path) == {"api": "http://127.0.0.1:1"}
    assert folder.running(tmp_path) is None


def test_what_is_new_is_kept_from_other_users(tmp_path):
    with folder.held(tmp_path / "data"):
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError), folder.held(tmp_path / "file" / "data"):
        pass
