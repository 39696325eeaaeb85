"""The language of the terminal: Spanish where it says so, else English."""

import os
from collections.abc import Mapping


def speaks_spanish(environment: Mapping[str, str] | None = None) -> bool:
    """Whether `LC_ALL`, `LC_MESSAGES` or `LANG`, the first that is set, names Spanish (setlocale(3))."""
    given = os.environ if environment is None else environment
    chosen = next((given[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if given.get(name)), "")
    return chosen.lower().startswith("es")


def tr(english: str, spanish: str) -> str:
    """The text in the terminal's language. Both stand at the call, so that neither can be forgotten."""
    return spanish if speaks_spanish() else english
