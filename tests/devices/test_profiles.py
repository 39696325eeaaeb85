import pytest

from gateway.devices import profiles
from gateway.devices.profiles import FOLDER, ProfileError


def test_every_shipped_profile_loads_and_has_its_own_name():
    assert {"generic-80mm", "generic-58mm", "epson-tm-t20iii"} <= set(profiles.names())
    for name in profiles.names():
        assert profiles.load(name).name == name


def test_spanish_is_printed_in_cp858_by_every_shipped_profile():
    for name in profiles.names():
        text = profiles.load(name).text
        assert (text.code_page, text.code_page_number) == ("cp858", 19)


def changed(tmp_path, before, after):
    text = (FOLDER / "generic-80mm.toml").read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "generic-80mm.toml").write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        profiles.load("generic-80mm", tmp_path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("columns = 48", "colums = 48", "text.columns"),
        ("columns = 48", "columns = 4", "text.columns"),
        ('code_page = "cp858"', 'code_page = "utf-8"', "one-byte"),
        ('code_page = "cp858"', 'code_page = "cp1253"', "one-byte"),
        ('code_page = "cp858"', 'code_page = "cp-none"', "one-byte"),
        ('barrier = "gs_r"', 'barrier = "hope"', "dialogue.barrier"),
        ('cut = "partial"', 'cut = "partial"\nknife = 1', "paper.knife"),
        ('"drawer.open_level"', '"drawer.pin"', "drawer.open_level"),
        ('level = "code"', 'level = "hearsay"', "level"),
        ('name = "generic-80mm"', 'name = "generic-81mm"', "generic-81mm"),
        ("[text]", "[text", "generic-80mm.toml"),
    ],
)
def test_a_wrong_profile_is_refused_with_the_place(tmp_path, before, after, said):
    assert said in changed(tmp_path, before, after)


def test_a_printer_that_answers_nothing_is_refused(tmp_path):
    text = (FOLDER / "generic-80mm.toml").read_text(encoding="utf-8")
    text = text.replace('status = "dle_eot"', 'status = "none"').replace('barrier = "gs_r"', 'barrier = "none"')
    (tmp_path / "generic-80mm.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError, match="never be known"):
        profiles.load("generic-80mm", tmp_path)


def test_a_profile_that_is_not_there_names_those_that_are():
    with pytest.raises(ProfileError, match="generic-80mm"):
        profiles.load("generic-90mm")
