"""Everything a person reads in the terminal is there in Spanish and in English, and programs read the same in both."""

import json
import subprocess
import sys

import pytest

from gateway.tongue import english, speaks_spanish, tr
from tests.cli.shell import COMMAND_S_MAX, Store, environment, gateway

SPANISH = {"LC_ALL": "es_HN.UTF-8"}
OF_TYPER = {"gateway --install-completion", "gateway --show-completion"}
"""Texts that are not ours."""
WALK = """
import json, typer
from gateway.cli.commands import app

def texts(path, command):
    yield path, command.help
    for each in command.params:
        yield f"{path} {each.opts[0]}", each.help
        if getattr(each, "prompt", None):
            yield f"{path} {each.opts[0]} (asked)", each.prompt
    for name, inner in getattr(command, "commands", {}).items():
        yield from texts(f"{path} {name}", inner)

print(json.dumps(dict(texts("gateway", typer.main.get_command(app)))))
"""


def read_in(language):
    """All help texts of a program that starts in a terminal of this language, by what they explain."""
    done = subprocess.run(
        [sys.executable, "-c", WALK],
        capture_output=True,
        check=True,
        timeout=COMMAND_S_MAX,
        env=environment({"LC_ALL": language}),
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def texts():
    return read_in("C.UTF-8"), read_in("es_HN.UTF-8")


def test_the_same_things_are_explained_in_both_languages(texts):
    in_english, in_spanish = texts
    assert in_english.keys() == in_spanish.keys()
    assert len(in_english) > 100
    assert all(in_english.values())
    assert all(in_spanish.values())


def test_no_help_text_is_the_same_in_both_languages(texts):
    in_english, in_spanish = texts
    assert {what for what, text in in_english.items() if text == in_spanish[what]} == OF_TYPER


@pytest.mark.parametrize(
    ("variables", "spanish"),
    [
        ({}, False),
        ({"LANG": "es_HN.UTF-8"}, True),
        ({"LANG": "ES"}, True),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "C"}, False),
        ({"LC_MESSAGES": "es_GT", "LANG": "en_US.UTF-8"}, True),
        ({"LC_MESSAGES": "en_US", "LANG": "es_HN.UTF-8"}, False),
        ({"LC_ALL": "es", "LC_MESSAGES": "en_US", "LANG": "en_US"}, True),
        ({"LC_ALL": "C", "LC_MESSAGES": "es_HN", "LANG": "es_HN"}, False),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "es_HN"}, True),
    ],
)
def test_the_first_variable_that_is_set_chooses(monkeypatch, variables, spanish):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert speaks_spanish(variables) is spanish
    assert tr("yes", "sí") == ("sí" if spanish else "yes")
    with english():
        assert tr("yes", "sí") == "yes"
    assert speaks_spanish() is spanish


def test_a_refusal_of_the_gateway_is_read_in_spanish(store):
    said = store("till", "revoke", "front-9", env=SPANISH)
    assert (said.status, said.out) == (1, "")
    in_english = store("till", "revoke", "front-9")
    assert (in_english.status, in_english.out) == (1, "")
    assert said.err != in_english.err
    assert "No hay una caja front-9" in said.err


def test_a_refusal_of_the_command_line_is_read_in_spanish(store):
    said = store("device", "test", "front", env=SPANISH)
    assert (said.status, said.out, said.err) == (1, "", "gateway: el gateway no está en marcha\n  gateway run\n")


def test_mistakes_in_the_settings_are_read_in_spanish(tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text('api.prot = 1\nmqtt.port = 99999\nstore.id = "My Shop"\n', encoding="utf-8")
    said = gateway("check-config", config, env=SPANISH)
    assert said.status == 1
    for words in ("no es una clave", "¿quiso decir port?", "debe ser 65535 o menos", "use minúsculas"):
        assert words in said.out
    spanish, plain = (gateway("check-config", config, "--json", env=more) for more in (SPANISH, {}))
    assert spanish == plain


def test_what_a_person_is_told_is_spanish(store):
    assert "casa matriz" in store("status", env=SPANISH).out
    assert "quedan" in store("range", "list", env=SPANISH).out


def test_what_a_program_is_told_is_the_same_in_both_languages(tmp_path):
    printer = 'devices.printer = [{name = "front", address = "tcp://127.0.0.1:9"}]\n'
    store = Store(tmp_path, printer, country="honduras")
    assert store("status").status == 0
    for command in (("status",), ("doctor",), ("device", "list"), ("range", "list")):
        spanish, plain = store(*command, "--json", env=SPANISH), store(*command, "--json")
        assert (spanish.status, still(spanish.json)) == (plain.status, still(plain.json))


def still(answer):
    """What does not move between two commands."""
    moving = {"now", "since", "since_ms"}
    if isinstance(answer, dict):
        kept = {key: still(value) for key, value in answer.items() if key not in moving}
        return {**kept, "what": ""} if kept.get("check") in {"clock", "disk"} else kept
    return [still(each) for each in answer] if isinstance(answer, list) else answer
