"""One program of ours as a real process: started, waited for, killed, and never left behind."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

READY_MS_MAX = 30_000
STOP_MS_MAX = 15_000
COMMAND_MS_MAX = 60_000
OUTPUT_LINE_BYTES_MAX = 2**20
TAIL_BYTES = 2_000


class ProcessError(Exception):
    """A program that did not start, did not end well, or said something that is not JSON; with its last words."""


class Process:
    """A daemon that says `{"event": "ready", …}` on its standard output; everything it says goes into `log`."""

    def __init__(
        self, name: str, arguments: list[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.ready: dict[str, Any] = {}
        self._arguments = arguments
        self._log = log
        self._environment = dict(environment or {})
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The process's number; 0 when it does not run."""
        return 0 if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self, tasks: asyncio.TaskGroup) -> dict[str, Any]:
        """Start it and wait until it is ready; answers its ready line.

        Raises:
            ProcessError: it ended, or was not ready within `READY_MS_MAX`.
        """
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command(*self._arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **self._environment},
                limit=OUTPUT_LINE_BYTES_MAX,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(READY_MS_MAX / 1000):
                self.ready = await self._ready_line()
        except (TimeoutError, ProcessError):
            await self.kill()
            message = f"{self.name} did not become ready:\n{tail(self._log)}"
            raise ProcessError(message) from None
        self._drain = tasks.create_task(self._keep_reading(), name=f"output of {self.name}")
        return self.ready

    def kill_now(self) -> None:
        """End it with -9, as a power switch would, without waiting."""
        self._send(signal.SIGKILL)

    async def kill(self) -> None:
        """End it with -9 and wait until it is gone."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end; answers its exit status. One that does not listen is killed."""
        try:
            async with asyncio.timeout(STOP_MS_MAX / 1000):
                return await self._end(signal.SIGTERM)
        except TimeoutError:
            return await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._send(number)
        status = await self._process.wait()
        if self._drain is not None:
            await asyncio.wait([self._drain])
            self._drain = None
        return status

    def _send(self, number: signal.Signals) -> None:
        """By `os.kill`: asyncio's own way collects the status of a program that has just ended, and then misses it."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def _ready_line(self) -> dict[str, Any]:
        while True:
            line = await self._said()
            if not line:
                raise ProcessError
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict) and said.get("event") == "ready":
                    return said

    async def _keep_reading(self) -> None:
        while await self._said():
            pass

    async def _said(self) -> bytes:
        """The next line of its output, which is also kept in the log; empty at its end."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        with self._log.open("ab") as log:
            log.write(line)
        return line


def command(*arguments: str) -> list[str]:
    """The command line of this very installation."""
    return [sys.executable, "-m", "gateway", *arguments]


async def run(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Run one command to its end: exit status, output, error output.

    Raises:
        ProcessError: it took longer than `COMMAND_MS_MAX`.
    """
    process = await asyncio.create_subprocess_exec(
        *command(*arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    try:
        async with asyncio.timeout(COMMAND_MS_MAX / 1000):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        message = f"gateway {' '.join(arguments)}: no end after {COMMAND_MS_MAX} ms"
        raise ProcessError(message) from None
    assert process.returncode is not None
    return process.returncode, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace")


async def answer(*arguments: str, environment: Mapping[str, str] | None = None) -> Any:
    """Run one command that must succeed and read the JSON it prints.

    Raises:
        ProcessError: it failed, or printed no JSON.
    """
    status, output, errors = await run(*arguments, environment=environment)
    shown = f"gateway {' '.join(arguments)}"
    if status:
        message = f"{shown}: exit status {status}: {(errors or output).strip()[-TAIL_BYTES:]}"
        raise ProcessError(message)
    try:
        return json.loads(output)
    except ValueError:
        message = f"{shown}: no JSON: {output.strip()[-TAIL_BYTES:]}"
        raise ProcessError(message) from None


def tail(log: Path) -> str:
    """The last words of a log."""
    try:
        return log.read_bytes()[-TAIL_BYTES:].decode("utf-8", "replace").strip()
    except OSError:
        return ""
