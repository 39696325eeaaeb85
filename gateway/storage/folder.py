"""The data directory: one process at a time, and where that process can be reached."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOCK_FILE = "gateway.lock"
READY_FILE = "ready.json"


class FolderInUseError(Exception):
    """Another process works in this data directory."""


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep every other gateway out for as long as this process lives; the kernel lets go whatever kills it (I5).

    Raises:
        FolderInUseError: somebody is in.
        OSError: the directory cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / LOCK_FILE).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"{folder} is in use by a running gateway"
            raise FolderInUseError(message) from None
        (folder / READY_FILE).unlink(missing_ok=True)
        try:
            yield
        finally:
            (folder / READY_FILE).unlink(missing_ok=True)


def say_ready(folder: Path, ready: dict[str, Any]) -> None:
    """Leave the ready line where the command line finds it."""
    draft = folder / f"{READY_FILE}.new"
    draft.write_text(json.dumps(ready), encoding="utf-8")
    os.replace(draft, folder / READY_FILE)  # noqa: PTH105 - the atomic one


def running(folder: Path) -> dict[str, Any] | None:
    """The ready line of the gateway that works here now, or None."""
    try:
        ready = dict(json.loads((folder / READY_FILE).read_text(encoding="utf-8")))
        with (folder / LOCK_FILE).open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return ready
    except (OSError, ValueError):
        return None
    return None  # it was killed: nobody holds the lock
