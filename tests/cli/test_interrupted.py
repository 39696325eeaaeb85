"""Ctrl-C at any moment: no traceback, and a daemon that stops cleanly."""

import signal
import socket
import subprocess
import sys

from tests.cli.shell import Process, Store, environment, gateway


def test_a_command_that_waits_ends_at_ctrl_c(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Process("verify", "--headoffice", url, "--store", "shop") as process:
            silent.settimeout(30)
            connection, _ = silent.accept()
            with connection:
                assert process.send(signal.SIGINT) == 130
    assert process.out == ""


def test_a_prompt_ends_at_ctrl_c(tmp_path):
    reading, writing = socket.socketpair()
    with reading, writing, Process("init", "--config", tmp_path / "x.toml", source=reading.fileno()) as process:
        process.until(lambda: "Store id" in process.out + process.err)
        assert process.send(signal.SIGINT) in {1, 130}
    assert not list(tmp_path.iterdir())


def test_ctrl_c_while_the_program_is_being_read_shows_nothing():
    script = (
        "import os, signal, sys, importlib.abc\n"
        "class Impatient(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'gateway.cli.verify':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Impatient())\n"
        "from gateway.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=50, check=False, env=environment()
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_ctrl_c_stops_the_daemon_cleanly(tmp_path):
    store = Store(tmp_path)
    with store.run() as process:
        assert process.ready
        assert process.send(signal.SIGINT) == 0
        assert "gateway_stopped" in process.err
    assert store("verify").status == 0


def test_a_simulation_ends_at_ctrl_c(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Process("simulate", "--gateway", url, "--token", "x") as process:
            silent.settimeout(30)
            connection, _ = silent.accept()
            with connection:
                assert process.send(signal.SIGINT) == 130


def test_a_terminal_that_cannot_show_a_letter_gets_something(tmp_path):
    said = gateway("--help", env={"PYTHONIOENCODING": "latin-1", "LC_ALL": "C"})
    assert said.status == 0
