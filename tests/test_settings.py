"""Settings: what is wrong is said by line, with the nearest right key; the commented file carries every key."""

import re
import tomllib
from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsError, load, load_headoffice

ROOT = Path(__file__).parent.parent


def wrong(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> list[str]:
    file = tmp_path / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(file, environment or {})
    return caught.value.lines


def test_the_commented_file_is_exactly_the_defaults(monkeypatch):
    settings = load(ROOT / "config" / "gateway.toml", {})
    default = Settings()
    assert settings.model_copy(update={"storage": default.storage}) == default
    assert settings.storage.path.resolve() == ROOT / "data"


def test_the_commented_file_names_every_key():
    text = (ROOT / "config" / "gateway.toml").read_text(encoding="utf-8")
    for section, field in Settings.model_fields.items():
        part = text.split(f"[{section}]", 1)[1]
        for key in field.annotation.model_fields:
            assert re.search(rf"(?m)^#? ?\[?\[?(\w+\.)?{key}\b", part), f"{section}.{key} is not in config/gateway.toml"


def test_an_unknown_key_is_answered_with_the_nearest_right_one(tmp_path):
    assert "did you mean port?" in wrong(tmp_path, "[api]\nprot = 8471\n")[0]


def test_an_unknown_section_is_an_error(tmp_path):
    assert "did you mean storage?" in wrong(tmp_path, '[storrage]\npath = "x"\n')[0]


def test_an_unknown_variable_is_an_error(tmp_path):
    line = wrong(tmp_path, "", {"GATEWAY_API__PROT": "1"})[0]
    assert "GATEWAY_API__PROT" in line
    assert "did you mean GATEWAY_API__PORT?" in line


def test_every_mistake_is_named_at_once(tmp_path):
    lines = wrong(tmp_path, '[api]\nport = 99999\n[store]\ntime_zone = "Mars/Olympus"\ncountry = "narnia"\n')
    assert [line.split(": ")[1] for line in lines] == ["store.country", "store.time_zone", "api.port"]


def test_broken_toml_says_where(tmp_path):
    assert "line 1" in wrong(tmp_path, "[api\n")[0]


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(SettingsError, match="gateway init"):
        load(tmp_path / "none.toml", {})


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    file = tmp_path / "gateway.toml"
    file.write_text("[api]\nport = 1\n", encoding="utf-8")
    monkeypatch.setenv("GATEWAY_API__PORT", "8999")
    assert load(file).api.port == 8999


def test_a_secret_comes_from_its_file_and_is_not_shown(tmp_path):
    (tmp_path / "token").write_text("s3cret-of-the-shop\n", encoding="ascii")
    file = tmp_path / "gateway.toml"
    file.write_text('[headoffice]\nurl = "http://127.0.0.1:1"\ntoken_file = "token"\n', encoding="utf-8")
    settings = load(file, {})
    assert settings.headoffice.token.get_secret_value() == "s3cret-of-the-shop"
    assert "s3cret" not in repr(settings)


def test_a_wrong_token_is_not_repeated_in_the_error(tmp_path):
    assert all("12345" not in line for line in wrong(tmp_path, "[headoffice]\ntoken = 12345\n"))


def test_two_printers_of_one_name_are_refused(tmp_path):
    one = '[[devices.printer]]\nname = "front"\naddress = "tcp://127.0.0.1:9100"\n'
    assert "same name" in wrong(tmp_path, one + one)[0]


def test_tls_is_on_whenever_other_machines_can_connect():
    from gateway.settings import Api

    assert Api(host="0.0.0.0").uses_tls
    assert not Api(host="127.0.0.1").uses_tls
    assert not Api(host="0.0.0.0", tls="off").uses_tls
    assert Api(host="127.0.0.1", tls="on").uses_tls


def test_the_head_office_file_is_exactly_the_defaults():
    text = tomllib.loads((ROOT / "config" / "headoffice.toml").read_text(encoding="utf-8"))
    settings = load_headoffice(ROOT / "config" / "headoffice.toml")
    assert settings.port == 8480
    assert set(text["headoffice"]) <= set(type(settings).model_fields)


def test_a_wrong_section_in_a_head_office_file_is_named(tmp_path):
    file = tmp_path / "office.toml"
    file.write_text("[office]\nport = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"use \[headoffice\]"):
        load_headoffice(file)
