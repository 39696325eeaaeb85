"""What every test may ask for: a component of the system, or a skip with the line that installs it."""

import os
import shutil

import pytest


def component(program: str, package: str) -> str:
    """The path of a program from Debian's packages; without it the test is skipped, or failed where CI runs."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin")
    if found is None:
        _missing(f"{program} is missing: sudo apt install {package}")
    return found


def root() -> None:
    """Skip, or fail where CI runs, unless the test may build network namespaces."""
    if os.geteuid() != 0:
        _missing("needs root: sudo ./run test")


def _missing(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
