"""The books are audited while the store sells: after every start and once a day, by a `gateway verify` of its own.

A process of its own takes no turn away from the tills, and damage that ends it ends nothing else.
"""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

import structlog

from gateway.health.warnings import Board

FIRST_S = 60.0
"""After a start: the tills come back first."""
AGAIN_S = 86_400.0
AUDIT_S_MAX = 14_400.0
"""Millions of documents on a small machine, at the lowest priority."""
LEAST_PRIORITY = 19
DETAIL_MAX = 200

_log = structlog.get_logger(__name__)


class Auditor:
    """Puts `books_suspect` up when a promise is broken, and takes it down when an audit finds all well again."""

    def __init__(self, data: Path, board: Board, *, first_s: float = FIRST_S, again_s: float = AGAIN_S) -> None:
        self._data = data
        self._board = board
        self._first_s = first_s
        self._again_s = again_s

    async def run(self) -> None:
        """Audit, wait, audit again, until cancelled."""
        await asyncio.sleep(self._first_s)
        while True:
            await self.look()
            await asyncio.sleep(self._again_s)

    async def look(self) -> None:
        """One audit."""
        detail = await self._found()
        if detail:
            _log.error("books_suspect", detail=detail)
            self._board.put_up("books_suspect", detail=detail[:DETAIL_MAX])
        else:
            self._board.take_down("books_suspect")

    async def _found(self) -> str:
        """What is wrong, or nothing."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway",
            "verify",
            str(self._data),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, process.pid, LEAST_PRIORITY)
            async with asyncio.timeout(AUDIT_S_MAX):
                output, errors = await process.communicate()
        except TimeoutError:
            return f"no verdict within {AUDIT_S_MAX:.0f} s"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == 0:
            return ""
        return (
            _first_of(output) or errors.decode("utf-8", "replace").strip() or f"verify ended with {process.returncode}"
        )


def _first_of(output: bytes) -> str:
    """The first breach of a verdict."""
    try:
        breach = json.loads(output)["breaches"][0]
        return f"{breach['rule']}, row {breach['seq']}: {breach['text']}"
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
