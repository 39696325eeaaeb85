"""Audit running books in a process of their own: the tills' sales do not wait for it, and it can be ended.

`python -m gateway.api.audit FOLDER` prints one JSON verdict.
"""

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import orjson

from gateway.authority.audit import verify_books

AUDIT_S_MAX = 3600
"""Years of a store's books take minutes."""
NICENESS = 10
"""Selling comes first."""


async def verdict(folder: Path) -> dict[str, Any]:
    """Judge the books in a data directory (`replies.VerdictReply`).

    Raises:
        TimeoutError: not done within `AUDIT_S_MAX`.
        RuntimeError: the audit itself failed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.api.audit",
        str(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(AUDIT_S_MAX):
            said, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        message = f"the audit ended with {process.returncode}: {complaint.decode(errors='replace')[-500:]}"
        raise RuntimeError(message)
    judged: dict[str, Any] = orjson.loads(said)
    return judged


def main(folder: Path) -> None:
    """Judge and print."""
    os.nice(NICENESS)
    sys.stdout.write(orjson.dumps(verify_books(folder).shown()).decode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
