"""The command line: every command answers `--help`, `--json` where it says something, and exits 0, 1 (refused) or 2.

Nothing a person does here ends in a traceback: what was wrong, and what to do, in one line each.
"""

import sys
from typing import TextIO

INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended."""


def main() -> None:
    """The `gateway` program."""
    try:
        from gateway.cli.commands import run_commands  # noqa: PLC0415 - Ctrl-C may come while this is being read

        _forgive(sys.stdout)
        _forgive(sys.stderr)
        sys.exit(run_commands())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _forgive(stream: TextIO) -> None:
    """A terminal that cannot show a letter gets a question mark, and the command goes on."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
