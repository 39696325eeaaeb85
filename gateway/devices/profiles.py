"""What a device model can do: one TOML file each in `firmware_profiles/`, checked as it is loaded.

Every field says where it comes from (`sources`): the vendor's document, published code, a test, or general knowledge.
"""

import codecs
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from gateway.devices import topics

FOLDER = Path(__file__).resolve().parents[2] / "firmware_profiles"
"""The profiles that ship with the program."""


class ProfileError(Exception):
    """There is no such profile, or its file cannot be used; the text says which line to look at."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Section):
    """The line: font A, one code page for everything."""

    columns: Annotated[int, Field(ge=24, le=96)]
    width_dots: Annotated[int, Field(ge=192, le=1200)]
    code_page: str
    code_page_number: Annotated[int, Field(ge=0, le=255)]
    """The number after `ESC t`; it differs between vendors."""

    @model_validator(mode="after")
    def _page_is_one_byte_a_letter(self) -> Self:
        try:
            single = all(len(codecs.encode(letter, self.code_page)) == 1 for letter in "Añ¿")
        except (LookupError, UnicodeEncodeError):
            single = False
        if not single:
            message = f"code_page {self.code_page!r} is not a one-byte code page that Python knows and that has ñ and ¿"
            raise ValueError(message)
        return self


class Paper(_Section):
    """The end of a receipt."""

    cut: Literal["full", "partial", "none"]
    feed_lines: Annotated[int, Field(ge=0, le=20)]
    """Lines between the print head and the knife."""


class Drawer(_Section):
    """The pulse that opens a drawer."""

    pin: Literal[2, 5]
    on_ms: Annotated[int, Field(ge=2, le=510)]
    off_ms: Annotated[int, Field(ge=2, le=510)]
    when_offline: bool
    """Obeys DLE DC4 also without paper or with the cover open."""
    open_level: Literal["high", "low", "unknown"]
    """Pin 3 while the drawer is open."""


class Dialogue(_Section):
    """What the printer answers."""

    status: Literal["dle_eot", "none"]
    barrier: Literal["gs_paren_h", "gs_r", "none"]
    qr: Literal["native", "text"]

    @model_validator(mode="after")
    def _something_is_answered(self) -> Self:
        if self.status == "none" and self.barrier == "none":
            message = "a printer that answers neither status nor barrier can never be known to have printed"
            raise ValueError(message)
        return self


class Source(_Section):
    """Where fields come from, and how sure that is."""

    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    level: Literal["vendor", "code", "tested", "general"]
    source: Annotated[str, StringConstraints(min_length=8)]


class Profile(_Section):
    """One model of receipt printer."""

    name: Annotated[str, StringConstraints(pattern=f"^{topics.NAME}$")]
    title: str
    text: Text
    paper: Paper
    drawer: Drawer
    dialogue: Dialogue
    sources: tuple[Source, ...]

    @model_validator(mode="after")
    def _every_field_has_a_source(self) -> Self:
        sections = {"text": self.text, "paper": self.paper, "drawer": self.drawer, "dialogue": self.dialogue}
        there = {f"{name}.{field}" for name, section in sections.items() for field in type(section).model_fields}
        named = [field for source in self.sources for field in source.fields]
        wrong = sorted(there.symmetric_difference(named)) + sorted({each for each in named if named.count(each) > 1})
        if wrong:
            message = f"sources must name every field once; look at: {', '.join(wrong)}"
            raise ValueError(message)
        return self


def load(name: str, folder: Path = FOLDER) -> Profile:
    """Read one profile.

    Raises:
        ProfileError: no such file, not TOML, a field that is missing, unknown, out of range or without a source.
    """
    path = folder / f"{name}.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        profile = Profile.model_validate(values)
    except FileNotFoundError:
        known = ", ".join(names(folder)) or "none"
        message = f"there is no profile {name} in {folder}; known: {known}"
        raise ProfileError(message) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path}: {error}"
        raise ProfileError(message) from error
    except ValidationError as error:
        first = error.errors()[0]
        message = f"{path}: {'.'.join(map(str, first['loc'])) or 'profile'}: {first['msg']}"
        raise ProfileError(message) from error
    if profile.name != name:
        message = f"{path}: name is {profile.name!r}, the file says {name!r}"
        raise ProfileError(message)
    return profile


def names(folder: Path = FOLDER) -> tuple[str, ...]:
    """The profiles of a folder."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))
