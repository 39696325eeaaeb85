"""The documents say what the program does: the reference is made from it, and what the others name is there."""

import importlib.util
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from gateway.health import warnings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PEOPLE = [page for page in PAGES if page.name != "reference.md" and "decisions" not in page.parts]
"""What people follow step by step."""
FOLDERS = ("gateway", "config", "docs", "packaging", "tests", "firmware_profiles", ".ci")
PATTERNS = re.compile(r"[*{<]")
"""Names that stand for many files are no files."""


@cache
def reference():
    """The program that makes the reference."""
    file = ROOT / "packaging" / "make_reference.py"
    spec = importlib.util.spec_from_file_location("make_reference", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def commands():
    return dict(reference().commands())


def text_of(page):
    return page.read_text(encoding="utf-8")


def shown(page):
    return page.relative_to(ROOT).as_posix()


def code_of(page):
    """Everything on a page that is set as code: (line, text), with continued lines joined."""
    found, joined, began = [], "", 0
    is_fenced = False
    for number, line in enumerate(text_of(page).splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_fenced = not is_fenced
            continue
        if is_fenced or line.startswith("    "):
            began = began if joined else number
            joined += line.strip().removesuffix("\\")
            if not line.endswith("\\"):
                found.append((began, joined))
                joined = ""
            continue
        found += [(number, each) for each in re.findall(r"`([^`]+)`", line)]
    return found


def named_commands(page):
    """Every `gateway …` on a page, as words."""
    for number, text in code_of(page):
        for part in re.split(r"\s[|;]\s|&&|\$\(", text):
            said = re.sub(r"^(\$|[A-Z_]+=\S+)\s+", "", part.strip()).removeprefix("./run ")
            if re.match(r"gateway [a-z]", said) and "…" not in said:
                yield number, words_of(said)


def words_of(said):
    lexer = shlex.shlex(said.rstrip(")"), posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)[1:]


def why_wrong(words):
    """What is wrong with a command line, or nothing; options in brackets are options too."""
    words = [word.strip("[]") for word in words if word not in {">", "&"}]
    count = next((n for n in (3, 2, 1) if " ".join(["gateway", *words[:n]]) in commands()), 0)
    if not count:
        groups = {name.rpartition(" ")[0] for name in commands()}
        return "" if " ".join(["gateway", *words]) in groups else "is no command"
    command = commands()[" ".join(["gateway", *words[:count]])]
    options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)} | {"--help"}
    given = {word.partition("=")[0] for word in words[count:] if word.startswith("--")}
    unknown = given - options
    return f"has no option {', '.join(sorted(unknown))}" if unknown else ""


def test_the_reference_is_up_to_date():
    module = reference()
    if module.TARGET.read_text(encoding="utf-8") != module.reference():
        pytest.fail(f"docs/reference.md differs from the program; make it again: {module.COMMAND}")


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_what_a_page_links_to_is_there(page):
    missing = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        place = page if not file else page.parent / file
        if not place.exists() or (anchor and anchor not in anchors(place)):
            missing.append(target)
    assert not missing


def anchors(page):
    titles = re.findall(r"(?m)^#+ (.+)$", text_of(page))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_the_files_that_a_page_names_are_there(page):
    named = {text for _, text in code_of(page) if text.startswith(tuple(f"{each}/" for each in FOLDERS))}
    named = {text for text in named if not PATTERNS.search(text) and " " not in text}
    missing = sorted(text for text in named if not (ROOT / text).exists())
    assert not missing


@pytest.mark.parametrize("page", PEOPLE, ids=shown)
def test_the_commands_that_a_page_names_exist_with_their_options(page):
    wrong = [
        f"line {number}: gateway {' '.join(words)} {why}"
        for number, words in named_commands(page)
        if (why := why_wrong(words))
    ]
    assert not wrong, "\n".join(wrong)


def test_a_command_that_does_not_exist_is_found():
    assert why_wrong(["range", "lode", "--series", "000-001-01"]) == "is no command"
    assert why_wrong(["range", "load", "--serie", "000-001-01"]) == "has no option --serie"
    assert not why_wrong(["range", "load", "--series", "000-001-01"])


@pytest.mark.parametrize("page", ["troubleshooting.md", "problemas.es.md"])
def test_every_warning_has_its_advice(page):
    text = text_of(ROOT / "docs" / "guides" / page)
    assert not [code for code in warnings.CATALOGUE if f"`{code}`" not in text]
