"""The command line: every command answers `--help`, `--json` where it says something, and exits 0, 1 (refused) or 2.

Nothing a person does here ends in a traceback: what was wrong, and what to do, in one line each.
"""

import sys

from gateway.cli.commands import app
from gateway.cli.speech import StopError, say_wrong


def main() -> None:
    """The `gateway` program."""
    try:
        app()
    except StopError as stop:
        say_wrong(stop)
        sys.exit(stop.status)
    except KeyboardInterrupt:
        sys.exit(130)
