"""Every command explains itself: it has help, and so has everything that can be given to it."""

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.commands import app
from tests.cli.shell import gateway


def commands(group=None, path=()):
    group = typer.main.get_command(app) if group is None else group
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands())
WITHOUT_JSON = {("run",), ("init",), ("demo",), ("headoffice", "run"), ("catalogue", "export")}
WITHOUT_CONFIG = {("simulate",), ("demo",), ("check-config",)}


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_answers_help(path):
    said = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    assert said.exit_code == 0
    assert f"gateway {' '.join(path)}" in said.output


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_and_argument_says_what_it_is(path):
    assert not [each.name for each in ALL[path].params if not getattr(each, "help", None)]


def test_every_command_that_answers_can_answer_json():
    assert {path for path, command in ALL.items() if "as_json" not in {each.name for each in command.params}} == (
        WITHOUT_JSON
    )


def test_every_command_on_a_store_takes_its_settings():
    without = {path for path, command in ALL.items() if not any("--config" in each.opts for each in command.params)}
    assert without == WITHOUT_CONFIG


def test_no_command_at_all_shows_them_all():
    said = gateway()
    assert said.status == 2
    assert all(path[0] in said.out for path in ALL)


def test_an_unknown_command_or_option_is_bad_use():
    for arguments in (("stauts",), ("status", "--colour"), ("till",), ("range", "load", "--first", "x")):
        assert CliRunner().invoke(app, arguments).exit_code == 2, arguments


def test_the_version_is_said():
    said = gateway("--version")
    assert (said.status, said.out.split()[0]) == (0, "store-gateway")
