"""How the command line speaks: results on standard output, everything else on standard error."""

import json
from typing import Any

from rich.console import Console

DONE, REFUSED, MISUSED = 0, 1, 2


class StopError(Exception):
    """The command cannot go on: what was wrong, what to do, and the exit status."""

    def __init__(self, text: str, hint: str = "", status: int = REFUSED) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint
        self.status = status


def say_wrong(stop: StopError) -> None:
    """One line, and a hint."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"[red]gateway:[/red] {_plain(stop.text)}")
    if stop.hint:
        console.print(f"  {_plain(stop.hint)}")


def say(value: Any, *, as_json: bool, text: Any = None) -> None:
    """A result: one JSON line for a program, text or a table for a person."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False))
    else:
        Console(highlight=False, soft_wrap=isinstance(text, str)).print(text if text is not None else str(value))


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
