"""A PostgreSQL server of one's own: made, started, stopped and gone, whatever else runs on the machine."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

BINARIES = (Path("/usr/lib/postgresql/15/bin"), Path("/usr/lib/postgresql"))
START_S_MAX = 60
USER = "postgres"
SETTINGS = {"fsync": "on", "synchronous_commit": "on", "listen_addresses": "", "logging_collector": "off"}
"""Everything else is PostgreSQL's default; the first two are too, named because the comparison rests on them."""


class MissingError(Exception):
    """There is no PostgreSQL 15 here; the text says what installs it."""


def binaries():
    """Where version 15 is.

    Raises:
        MissingError: nowhere.
    """
    for folder in (BINARIES[0], *sorted(BINARIES[1].glob("*/bin"), reverse=True)):
        if (folder / "postgres").exists():
            return folder
    raise MissingError("PostgreSQL is missing: sudo apt install postgresql")


@contextlib.contextmanager
def cluster(folder):
    """A running server with its socket in `folder`; answers what asyncpg needs to connect."""
    programs = binaries()
    folder.mkdir(mode=0o755)
    data, log = folder / "data", folder / "log"
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
    _run(programs / "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={USER}", "-D", data)
    options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
    _run(programs / "pg_ctl", "start", "-w", "-t", START_S_MAX, "-D", data, "-l", log, "-o", f"{options} -k {folder}")
    try:
        yield {"host": str(folder), "user": USER, "database": "postgres"}
    finally:
        _run(programs / "pg_ctl", "stop", "-w", "-m", "immediate", "-D", data)


def _run(*arguments):
    """As a user that PostgreSQL agrees to work for."""
    command = [str(each) for each in arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", USER, "--", *command]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout.decode(errors='replace')[-2000:]}")
