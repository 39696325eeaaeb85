# ruff: noqa: INP001 - a program, not a package
"""Writes `docs/reference.md` from the program's own catalogues, so that nothing in it can differ from the program.

    .venv/bin/python packaging/make_reference.py

The same program writes the same bytes; `tests/test_docs.py` compares.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import typer
from prometheus_client.parser import text_string_to_metric_families

from gateway.api import codes, tail
from gateway.api.operations import OPERATIONS
from gateway.api.operations_admin import ADMINISTRATION
from gateway.cli.commands import app
from gateway.devices import jobs, profiles, topics
from gateway.headoffice import problems
from gateway.health import warnings
from gateway.health.metrics import Metrics
from gateway.ledger import chain, facts
from gateway.ledger.facts import Row
from gateway.settings import HeadOfficeSettings, Settings

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "reference.md"
COMMAND = ".venv/bin/python packaging/make_reference.py"
"""What makes the file again."""
HEAD = f"""\
# Reference

Made by `{COMMAND}` from the program itself; do not edit it here.

Every name on this page is stable: a code, a topic or a key is added, never given another meaning.
"""
ADVICE = {
    "same_request_again": "send the same request again, same id: it is done once",
    "change_and_retry": "mend what is wrong; a sale under the same id has not happened",
    "call_manager": "nothing the till can do: show the text to a person",
}
_WORDS = {"str": "TEXT", "list[str]": "TEXT", "path": "FILE", "int": "N", "float": "N"}
_KEY = re.compile(r"^(?:# )?(?P<key>[a-z_]+) = (?P<value>.*?)(?:\s+# (?P<comment>.*))?$")
_METRIC = re.compile(r'metrics\.watch\(\s*"(\w+)",\s*"([^"]+)"')
_BODIES: dict[str, Any] = {
    "document_issued": {
        "document": dict.fromkeys(
            ("id", "type", "status", "series", "number", "formatted_number", "fiscal_date", "till", "total")
        )
    },
    "document_voided": dict.fromkeys(("document", "formatted_number", "till")),
    "stock_moved": dict.fromkeys(("id", "kind", "by", "reason")),
}
"""As much of a fact as the stream reads."""


def main() -> None:
    """Write the file."""
    TARGET.write_text(reference(), encoding="utf-8")


def reference() -> str:
    """The whole page."""
    parts = (
        settings_told(),
        commands_told(),
        operations_told(),
        problems_told(),
        office_problems_told(),
        warnings_told(),
        events_told(),
        topics_told(),
        metrics_told(),
        profiles_told(),
    )
    return HEAD + "".join("\n" + "\n".join(part) + "\n" for part in parts)


def settings_told() -> Iterator[str]:
    """Every key of both files, with its default and its comment."""
    yield "## Settings of a store: `config/gateway.toml`"
    yield ""
    yield "In the environment: `GATEWAY_SECTION__KEY`. Relative paths are relative to the file."
    yield ""
    yield from _settings_of(ROOT / "config" / "gateway.toml", Settings)
    yield ""
    yield "## Settings of head office: `config/headoffice.toml`"
    yield ""
    yield "In the environment: `HEADOFFICE_KEY`."
    yield ""
    yield from _settings_of(ROOT / "config" / "headoffice.toml", HeadOfficeSettings)


def keys_of(file: Path) -> list[tuple[str, str, str]]:
    """(`section.key`, default as it is written, comment) of a commented settings file, in its order."""
    found, section = [], ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(("[", "# [[")):
            section = line.strip("#[] ")
        elif match := _KEY.match(line):
            found.append((f"{section}.{match['key']}", match["value"], (match["comment"] or "").rstrip(":")))
    return found


def _settings_of(file: Path, model: type[Settings] | type[HeadOfficeSettings]) -> Iterator[str]:
    rows = keys_of(file)
    assert rows, model
    assert set(tomllib.loads(file.read_text(encoding="utf-8"))) == {name.split(".")[0] for name, _, _ in rows}
    yield from _table(
        ("key", "default or example", ""), ((_code(name), _code(value), why) for name, value, why in rows)
    )


def commands() -> Iterator[tuple[str, Any]]:
    """Every command's full name and its click object, as the program itself would run it."""
    yield from _commands_in("gateway", typer.main.get_command(app))


def _commands_in(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, each in inner.items():
        yield from _commands_in(f"{name} {word}", each)


def commands_told() -> Iterator[str]:
    """Every command with its options."""
    yield "## Commands"
    yield ""
    yield "Exit status: 0 done, 1 refused or found wrong, 2 bad use. Commands that touch a store ask the gateway that"
    yield "runs there, or open its books themselves when none runs."
    for name, command in commands():
        yield ""
        yield f"### `{_heading(name, command)}`"
        yield ""
        yield _flat(command.help or "")
        options = [each for each in command.params if each.param_type_name == "option"]
        if options:
            yield ""
            yield from _table(("option", "default", ""), (_option(command, each) for each in options))


def _heading(name: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    return " ".join([name, *(_argument(command, each) for each in arguments)])


def _argument(command: Any, parameter: Any) -> str:
    shown = parameter.metavar or _kind(command, parameter, default=parameter.name.upper())
    return shown if parameter.required else f"[{shown}]"


def _option(command: Any, parameter: Any) -> tuple[str, str, str]:
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    shown = names if parameter.is_flag else f"{names} {_kind(command, parameter, default='')}".rstrip()
    default = "required" if parameter.required else ""
    if not (parameter.required or parameter.is_flag or parameter.default in {None, ""}):
        default = _code(str(parameter.default))
    env = f" (`${parameter.envvar}`)" if parameter.envvar else ""
    return _code(shown), default, _flat(parameter.help or "") + env


def _kind(command: Any, parameter: Any, *, default: str) -> str:
    """What a value may be: its choices, or the kind of thing it is."""
    shown = str(parameter.display_type(typer.Context(command)))
    if "|" in shown:
        return shown.strip("<>")
    return default or _WORDS[shown.lower().strip("<>").removesuffix(" range")]


def operations_told() -> Iterator[str]:
    """Every operation of the API, with what may come of it."""
    yield "## The API of the gateway"
    yield ""
    yield "The shapes are in `/v1/openapi.json` of a running gateway, readable at `/v1/docs`."
    yield "How to use it: [till-api.md](till-api.md)."
    rows = OPERATIONS
    assert set(ADMINISTRATION) <= set(rows)
    yield ""
    shown = (
        (_code(f"{each.method} {each.path}"), each.who.value, each.en, "/".join(str(a.status) for a in each.answers))
        for each in rows
    )
    yield from _table(("operation", "for", "", "answers"), shown)
    yield ""
    yield "What each may be refused with:"
    yield ""
    yield from _table(("operation", "codes"), ((_code(each.id), _codes(each.codes)) for each in rows))


def problems_told() -> Iterator[str]:
    """Every code of the gateway's API."""
    yield "## Problem codes of the gateway"
    yield ""
    yield "Answers of type `application/problem+json` (RFC 9457). `advice` says what a program should do:"
    yield ""
    yield from _table(("advice", "do"), ((_code(code), text) for code, text in ADVICE.items()))
    yield ""
    yield from _problem_table(codes.CATALOGUE)


def office_problems_told() -> Iterator[str]:
    """Every code of head office's API."""
    yield "## Problem codes of head office"
    yield ""
    yield from _problem_table(problems.CATALOGUE)


def _problem_table(catalogue: Mapping[str, Any]) -> Iterator[str]:
    rows = sorted(catalogue.values(), key=lambda kind: (kind.status, kind.code))
    shown = (
        (_code(kind.code), str(kind.status), _code(str(kind.advice)), f"{kind.title_en} · *{kind.title_es}*")
        for kind in rows
    )
    yield from _table(("code", "status", "advice", "title"), shown)


def warnings_told() -> Iterator[str]:
    """Every warning."""
    yield "## Warnings"
    yield ""
    yield "In `gateway status`, `gateway doctor`, `GET /v1/status` and the event `status`."
    yield ""
    shown = (
        (_code(kind.code), kind.severity.value, kind.text_en, kind.hint_en) for kind in warnings.CATALOGUE.values()
    )
    yield from _table(("code", "severity", "text", "what to do"), shown)


def events_told() -> Iterator[str]:
    """The names in the stream of events, and which journal facts they carry."""
    yield "## Events: `GET /v1/events`"
    yield ""
    yield "Journal rows, with their `seq` as the event's id:"
    yield ""
    named: dict[str, list[str]] = {}
    for kind in fact_kinds():
        named.setdefault(_event_of(kind), []).append(kind)
    yield from _table(("event", "facts"), ((_code(name), _codes(kinds)) for name, kinds in named.items()))
    yield ""
    yield "What is true now, without an id, never repeated: `status`, `catalogue`, `job`."


def fact_kinds() -> tuple[str, ...]:
    """The kinds of journal rows."""
    return get_args(facts.Kind)


def _event_of(kind: str) -> str:
    """The event that a journal row becomes, as the stream itself would name it."""
    row = Row(1, 0, kind, chain.body_text(_BODIES.get(kind, {})), chain.START, chain.START)
    return tail.journal_frame(row).split(b"\n", 1)[0].removeprefix(b"event: ").decode()


def topics_told() -> Iterator[str]:
    """The topic tree, who may use what, and the states of a job."""
    yield "## MQTT"
    yield ""
    yield "Payloads and rules: [mqtt.md](mqtt.md)."
    yield ""
    lines = [line for line in (topics.__doc__ or "").splitlines() if line.startswith("|")]
    yield from (line.replace("root/v1", topics.ROOT) for line in lines)
    yield ""
    yield f"A till may publish below `{topics.ROOT}/{{store}}/`: {_codes(_own(topics.WRITES))}."
    yield ""
    yield f"A till may read there: {_codes(_own(topics.READS))}."
    yield ""
    yield "States of a job, and where each can go:"
    yield ""
    steps = ((_code(start), _code(what), _code(end)) for (start, what), end in jobs.LIFE.items())
    yield from _table(("state", "when", "becomes"), steps)
    yield ""
    yield f"Ends: {_codes(sorted(jobs.ENDS))}."


def _own(patterns: Iterable[str]) -> list[str]:
    return [pattern.format(user="{till}") for pattern in patterns]


def metrics_told() -> Iterator[str]:
    """What `/metrics` shows."""
    yield "## Metrics: `GET /metrics`"
    yield ""
    metrics = Metrics()
    metrics.requests.labels(operation="status", status="200").inc()
    own = [(each.name + "_total", each.documentation) for each in _families(metrics) if each.type == "counter"]
    watched = _METRIC.findall((ROOT / "gateway" / "app" / "running.py").read_text(encoding="utf-8"))
    assert watched, "gateway/app/running.py declares no figures"
    shown = sorted([*own, *watched])
    yield from _table(("metric", ""), ((_code(name), text) for name, text in shown))


def _families(metrics: Metrics) -> list[Any]:
    return list(text_string_to_metric_families(metrics.shown().decode()))


def profiles_told() -> Iterator[str]:
    """Every printer profile."""
    yield "## Printer profiles: `firmware_profiles/`"
    yield ""
    found = [profiles.load(file.stem) for file in sorted(profiles.FOLDER.glob("*.toml"))]
    shown = (
        (
            _code(each.name),
            each.title,
            str(each.text.columns),
            str(each.text.code_page),
            str(each.paper.cut),
            str(each.dialogue.barrier),
        )
        for each in found
    )
    yield from _table(("profile", "model", "columns", "code page", "cut", "asks whether it is out by"), shown)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield "| " + " | ".join(each.replace("|", "\\|") for each in row) + " |"


def _code(text: str) -> str:
    return f"`{text}`"


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(_code(text) for text in texts)


def _flat(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
