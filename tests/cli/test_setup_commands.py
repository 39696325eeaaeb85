"""`init` and `check-config`: a store's settings are written whole, or not at all, and never over somebody's own."""

import shutil
import tomllib
from pathlib import Path

import pytest

from tests.cli.shell import gateway

ROOT = Path(__file__).parent.parent.parent
ANSWERS = 'shop\nPulpería "La Flor"\nhonduras\n08011999123456\nen\n'
OPTIONS = ("--store", "shop", "--name", "Shop", "--country", "plain", "--tax-id", "", "--language", "es")


def init(file, *options, **more):
    return gateway("init", "--config", file, *options, **more)


def test_five_questions_write_the_whole_commented_file(tmp_path):
    file = tmp_path / "config" / "gateway.toml"
    said = init(file, stdin=ANSWERS)
    assert said.status == 0, said.err
    text = file.read_text(encoding="utf-8")
    written = tomllib.loads(text)
    shipped = tomllib.loads((ROOT / "config" / "gateway.toml").read_text(encoding="utf-8"))
    answered = {
        "id": "shop", "name": 'Pulpería "La Flor"', "country": "honduras", "tax_id": "08011999123456", "language": "en"
    }  # fmt: skip
    assert written == {**shipped, "store": {**shipped["store"], **answered}}
    assert text.count("#") == (ROOT / "config" / "gateway.toml").read_text(encoding="utf-8").count("#")
    assert gateway("check-config", file).status == 0


def test_options_answer_for_a_script_and_what_comes_next_is_said(tmp_path):
    file = tmp_path / "gateway.toml"
    said = init(file, *OPTIONS)
    assert said.status == 0
    assert f"gateway run --config {file}" in said.out
    assert str(tmp_path / "data") in said.out


def test_a_wrong_answer_is_asked_again(tmp_path):
    file = tmp_path / "gateway.toml"
    said = init(file, stdin="My Shop\nshop\nShop\nmars\nplain\n\nes\n")
    assert said.status == 0, said.err
    assert "use lower-case letters" in said.out + said.err
    assert tomllib.loads(file.read_text(encoding="utf-8"))["store"]["id"] == "shop"


def test_a_wrong_option_is_bad_use_and_writes_nothing(tmp_path):
    file = tmp_path / "gateway.toml"
    for wrong in (("--store", "My Shop"), ("--country", "mars"), ("--name", "x" * 101)):
        said = init(file, *OPTIONS, *wrong)
        assert said.status == 2
        assert not list(tmp_path.iterdir())


def test_giving_up_writes_nothing(tmp_path):
    said = init(tmp_path / "gateway.toml", stdin="shop\n")
    assert said.status == 1
    assert not list(tmp_path.iterdir())


def test_a_file_that_somebody_changed_is_not_written_over(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text('store.id = "mine"\n', encoding="utf-8")
    said = init(file, *OPTIONS)
    assert (said.status, "--force" in said.err) == (2, True)
    assert file.read_text(encoding="utf-8") == 'store.id = "mine"\n'
    assert init(file, *OPTIONS, "--force").status == 0
    assert 'id = "shop"' in file.read_text(encoding="utf-8")


def test_the_file_as_it_is_shipped_may_be_written_over(tmp_path):
    file = tmp_path / "config" / "gateway.toml"
    file.parent.mkdir()
    shutil.copy(ROOT / "config" / "gateway.toml", file)
    assert init(file, *OPTIONS).status == 0
    assert 'id = "shop"' in file.read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    said = init(tmp_path / "file" / "gateway.toml", *OPTIONS)
    assert (said.status, len(said.err.splitlines())) == (2, 2), said.err


def test_the_shipped_settings_are_good():
    said = gateway("check-config", ROOT / "config" / "gateway.toml", "--json")
    assert (said.status, said.json) == (0, {"ok": True, "problems": []})


@pytest.mark.parametrize("place", ["none.toml", "."])
def test_settings_that_are_not_there_are_found_wrong(tmp_path, place):
    assert gateway("check-config", tmp_path / place).status == 1
