"""What a machine can keep tidy, it keeps."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
BANNED = {"utils", "helpers", "manager", "core", "common", "base", "misc", "service", "handler", "controller",
          "processor", "engine"}  # fmt: skip
FUNCTION_LINES_MAX = 70


def sources():
    return sorted((ROOT / "gateway").rglob("*.py"))


def test_no_file_or_folder_has_a_name_that_says_nothing():
    named = {part for path in sources() for part in path.relative_to(ROOT).with_suffix("").parts}
    assert not named & BANNED


def test_every_package_says_what_it_promises():
    for path in (ROOT / "gateway").rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_nothing_is_left_for_later():
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    found = [path for path in sources() if marks.search(path.read_text(encoding="utf-8"))]
    assert not found


def test_no_function_is_longer_than_a_screen():
    long = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (
                    node.end_lineno - node.body[0].lineno + 1
                )  # a signature with its help texts is a form, not logic
                if lines > FUNCTION_LINES_MAX:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines")
    assert not long, "\n".join(long)


def test_requirements_are_pinned_by_hash_and_name_no_address():
    for path in sorted((ROOT / "packaging").glob("requirements*.txt")):
        text = path.read_text(encoding="utf-8")
        pins = re.findall(r"(?m)^[a-z0-9][\w.-]*(?:\[[\w,]+\])?==", text)
        assert len(pins) > 20
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text


def test_the_repository_holds_no_private_key():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    begin = b"-----BEGIN " + b"PRIVATE KEY-----"
    for name in filter(None, listed):
        path = ROOT / name.decode()
        if path.is_file() and path.stat().st_size < 2_000_000:
            assert begin not in path.read_bytes(), name
