"""The language of the terminal: Spanish where it says so, else English."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar

_for_a_program: ContextVar[bool] = ContextVar("_for_a_program", default=False)


def speaks_spanish(environment: Mapping[str, str] | None = None) -> bool:
    """Whether `LC_ALL`, `LC_MESSAGES` or `LANG`, the first that is set, names Spanish (setlocale(3))."""
    if environment is None and _for_a_program.get():
        return False
    given = os.environ if environment is None else environment
    chosen = next((given[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if given.get(name)), "")
    return chosen.lower().startswith("es")


def tr(english: str, spanish: str) -> str:
    """The text in the terminal's language. Both stand at the call, so that neither can be forgotten."""
    return spanish if speaks_spanish() else english


@contextlib.contextmanager
def english() -> Iterator[None]:
    """What a program reads is in English within the block, whatever the terminal speaks."""
    before = _for_a_program.set(True)
    try:
        yield
    finally:
        _for_a_program.reset(before)
