"""How the command line speaks: results on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from gateway import tongue

Command = TypeVar("Command", bound=Callable[..., Any])

DONE, REFUSED, MISUSED = 0, 1, 2
PIPE_COLUMNS = 200
"""A table that nobody looks at through a terminal is not squeezed into 80 columns."""


class StopError(Exception):
    """The command cannot go on: what was wrong, what to do, and the exit status."""

    def __init__(self, text: str, hint: str = "", status: int = REFUSED) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint
        self.status = status


def command(app: typer.Typer, spanish: str, name: str | None = None) -> Callable[[Command], Command]:
    """Make a function a command of `app`; its docstring is the help in English."""
    return app.command(name, help=spanish if tongue.speaks_spanish() else None)


def heard_by_program(context: typer.Context, wanted: bool) -> bool:
    """For `--json`: nothing in an answer to a program depends on the language of a terminal."""
    if wanted:
        context.with_resource(tongue.english())
    return wanted


def say_wrong(stop: StopError) -> None:
    """One line, and a hint."""
    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
    console.print(Text("gateway:", style="red"), stop.text)
    if stop.hint:
        console.print(f"  {stop.hint}")


def say(value: Any, *, as_json: bool, text: Any = None) -> None:
    """A result: one JSON line for a program, text or a table for a person. Nothing in it is taken for markup."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False))
        return
    console = Console(
        highlight=False,
        soft_wrap=isinstance(text, str),
        markup=False,
        emoji=False,
        width=None if sys.stdout.isatty() else PIPE_COLUMNS,
    )
    console.print(text if text is not None else str(value))


def bad(text: str) -> Text:
    """A word of a table that somebody should see."""
    return Text(text, style="red")
