"""Many commands in little time: the program is read once, and each command is a fork of that process.

A command is a process of its own all the same, with its own id, environment, folder and standard streams, and it runs
`gateway.cli.main`, as `python -m gateway` does. `python -m tests.cli.zygote FD` serves requests on a socket until it
is closed; `Zygote` is the other end.
"""

import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

REQUEST_BYTES_MAX = 262_144
ROOT = Path(__file__).parent.parent.parent
PLACES = ("stdin", "stdout", "stderr", "status")


class Zygote:
    """Starts commands; ends when it is closed or forgotten."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._turn = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.cli.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
                env=environment,
                start_new_session=True,
            )

    def start(self, request: dict[str, Any], files: list[int]) -> None:
        """Run `request["arguments"]`; `files` become its streams, the last one hears its id and how it ended."""
        with self._turn:
            socket.send_fds(self._ours, [json.dumps(request).encode()], files)

    def close(self) -> None:
        self._ours.close()
        self._process.wait(10)


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Fork for each request; answers the request in the fork, None at the end of all."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        content, files, _, _ = socket.recv_fds(requests, REQUEST_BYTES_MAX, len(PLACES))
        if not content:
            return None
        if os.fork() == 0:
            requests.close()
            return keep(json.loads(content), dict(zip(PLACES, files, strict=True)))
        for each in files:
            os.close(each)


def keep(request: dict[str, Any], files: dict[str, int]) -> dict[str, Any]:
    """In a fork: start the command in another one, wait for its end, tell it. Answers the request in the command."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(files["status"])
        for number, name in enumerate(PLACES[:3]):
            os.dup2(files[name], number)
            os.close(files[name])
        return request
    for name in PLACES[:3]:
        os.close(files[name])
    os.write(files["status"], b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    os.write(files["status"], b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def become(request: dict[str, Any]) -> None:
    """Run the command, as if this process had been started for it."""
    if request["namespace"] is not None:
        enter(request["namespace"])
    if request["user"] is not None:
        os.setgroups([])
        os.setgid(request["user"])
        os.setuid(request["user"])
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["gateway", *request["arguments"]]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - descriptors, for the whole life
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from gateway.cli import main

    try:
        main()
    except SystemExit as end:
        if threading.active_count() > 1 or not isinstance(end.code, int):
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code)  # tidying up a large heap takes longer than most commands


def enter(namespace: str) -> None:
    """Go into a network namespace of `ip netns`."""
    with open(f"/run/netns/{namespace}", "rb") as place:  # noqa: PTH123 - a descriptor
        if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), 0):
            raise OSError(ctypes.get_errno(), namespace)


def run() -> None:
    from gateway.cli import commands, visit  # noqa: F401 - read once for all
    from gateway.headoffice import server  # noqa: F401
    from gateway.simulator import run as simulation  # noqa: F401

    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.closing(socket.socket(fileno=int(sys.argv[1]))) as requests:
        request = serve(requests)
    if request is not None:
        become(request)


if __name__ == "__main__":
    run()
