"""Frozen settings: `config/gateway.toml`, then `GATEWAY_SECTION__KEY`, then `*_file` secrets. Unknown keys are errors.

The commented file `config/gateway.toml` carries every key with its unit, default and reason; a test keeps it whole.
"""

import difflib
import ipaddress
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from typing_extensions import override

from gateway.tongue import tr

Port = Annotated[int, Field(ge=0, le=65535)]
NAME = r"^[a-z0-9][a-z0-9-]{0,31}$"
Name = Annotated[str, Field(pattern=NAME)]
"""Lower-case letters, digits and hyphens: it stands in topics, host names and addresses."""
CODE = r"^\d{3}$"
_PORT = r"(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"
_HOST = r"(\[[0-9a-fA-F:.]+\]|[^\s/:?#@\[\]]+)"
URL = rf"^(https?://{_HOST}(:{_PORT})?(/[^\s]*)?)?$"
BROKER = rf"^(embedded|off|[^:\s]+:{_PORT})$"
PRINTER = rf"^tcp://{_HOST}:{_PORT}$"
CURRENCY = r"^([A-Z]{3})?$"
AMOUNT = r"^\d{1,12}(\.\d{1,2})?$"
MEANT = {
    NAME: (
        "use lower-case letters, digits and hyphens, at most 32, beginning with a letter or digit",
        "use minúsculas, dígitos y guiones, 32 como máximo, empezando con letra o dígito",
    ),
    CODE: ("three digits, as the tax office assigned them", "tres dígitos, como los asignó la oficina tributaria"),
    URL: (
        "an address such as https://office.example:8480, or nothing",
        "una dirección como https://office.example:8480, o nada",
    ),
    BROKER: ("embedded, off, or host:port of a Mosquitto", "embedded, off, o host:puerto de un Mosquitto"),
    PRINTER: ("an address such as tcp://192.168.1.50:9100", "una dirección como tcp://192.168.1.50:9100"),
    CURRENCY: ("three capital letters (ISO 4217), or nothing", "tres mayúsculas (ISO 4217), o nada"),
    AMOUNT: ("an amount such as 10000.00", "un monto como 10000.00"),
}
"""What a pattern wants, in words, in English and Spanish."""
_SPANISH = {
    "missing": "falta",
    "int_parsing": "debe ser un número entero",
    "int_type": "debe ser un número entero",
    "int_from_float": "debe ser un número entero",
    "float_parsing": "debe ser un número",
    "float_type": "debe ser un número",
    "bool_parsing": "debe ser true o false",
    "bool_type": "debe ser true o false",
    "string_type": "debe ser un texto",
    "path_type": "debe ser una ruta",
    "tuple_type": "debe ser una lista",
    "model_type": "debe ser una sección",
    "literal_error": "debe ser {expected}",
    "string_too_long": "debe tener {max_length} caracteres como máximo",
    "greater_than_equal": "debe ser {ge} o más",
    "greater_than": "debe ser mayor que {gt}",
    "less_than_equal": "debe ser {le} o menos",
}
"""What pydantic finds wrong, for a person who reads Spanish; its own words are the English."""
OTHER_VARIABLES = frozenset({"GATEWAY_CONFIG"})
"""Variables that begin like a setting and are the command line's."""


class SettingsError(Exception):
    """The configuration cannot be used; `lines` says what is wrong, one line each, with the nearest right key."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Establishment(_Section):
    """Where the store is, in the tax office's codes."""

    code: str = Field("000", pattern=CODE)
    emission_point: str = Field("001", pattern=CODE)
    address: str = Field("", max_length=200)


class Store(_Section):
    """Who the store is; printed on every document."""

    id: Name = "store-1"
    name: str = Field("Store", max_length=100)
    legal_name: str = Field("", max_length=100)
    tax_id: str = Field("", max_length=30)
    phone: str = Field("", max_length=40)
    email: str = Field("", max_length=100)
    address: str = Field("", max_length=200)
    country: Literal["plain", "honduras"] = "plain"
    time_zone: str = "America/Tegucigalpa"
    language: Literal["es", "en"] = "es"
    establishment: Establishment = Establishment()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = tr(
                "is not a time zone such as America/Tegucigalpa", "no es una zona horaria como America/Tegucigalpa"
            )
            raise ValueError(message) from error
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The store's fiscal time zone."""
        return ZoneInfo(self.time_zone)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Api(_Section):
    """Where tills reach the gateway."""

    host: str = "127.0.0.1"
    port: Port = 8470
    tls: Literal["auto", "on", "off"] = "auto"
    body_bytes_max: int = Field(1_048_576, ge=1024, le=16_777_216)
    reply_wait_ms_max: int = Field(10_000, ge=100)

    @property
    def uses_tls(self) -> bool:
        """`auto` means: whenever other machines can connect."""
        return self.tls == "on" or (self.tls == "auto" and not is_loopback(self.host))


class Storage(_Section):
    """Where the books are."""

    path: Path = Path("data")
    free_bytes_min: int = Field(64 * 2**20, ge=0)


class HeadOffice(_Section):
    """The other end of the line."""

    url: str = Field("", pattern=URL)
    token: SecretStr = SecretStr("")
    token_file: Path | None = None
    ca_file: Path | None = None


class Link(_Section):
    """What the line may be used for."""

    rate_kbit_max: int = Field(0, ge=0)
    chunk_bytes_max: int = Field(1_000_000, ge=2_000)
    chunk_rows_max: int = Field(2_000, ge=1)
    chunk_seconds: float = Field(1.0, gt=0, le=60)
    reply_wait_ms_max: int = Field(15_000, ge=100)
    retry_ms_min: int = Field(200, ge=10)
    retry_ms_max: int = Field(15_000, ge=100)


class Mqtt(_Section):
    """The device bus."""

    broker: str = Field("embedded", pattern=BROKER)
    host: str = "127.0.0.1"
    port: Port = 1883
    tls: Literal["auto", "on", "off"] = "auto"
    user: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None

    @property
    def uses_tls(self) -> bool:
        """`auto` means: whenever other machines can connect to the embedded broker."""
        return self.tls == "on" or (self.tls == "auto" and self.broker == "embedded" and not is_loopback(self.host))


class Discovery(_Section):
    """mDNS on the local network."""

    enabled: bool = True
    interfaces: tuple[str, ...] = ()


class Tills(_Section):
    """What tills may do."""

    allow_unlisted: bool = False
    pairing_minutes: int = Field(10, ge=1, le=60)
    pairing_tries: int = Field(5, ge=1, le=20)


class Printer(_Section):
    """One receipt printer."""

    name: Name
    profile: str = "generic-80mm"
    address: str = Field(pattern=PRINTER)
    drawer: bool = False


class Devices(_Section):
    """What is plugged in."""

    printer: tuple[Printer, ...] = ()
    job_wait_ms_max: int = Field(20_000, ge=100)
    kick_deadline_ms: int = Field(5_000, ge=500)


class Fiscal(_Section):
    """What the country's rules leave to the shop."""

    currency: str = Field("", pattern=CURRENCY)
    consumer_limit: str = Field("10000.00", pattern=AMOUNT)
    range_low_numbers: int = Field(100, ge=0)
    range_low_days: int = Field(30, ge=0)


class Log(_Section):
    """What is said while running."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    form: Literal["auto", "console", "json"] = "auto"


class Settings(BaseSettings):
    """Everything a store must say."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="GATEWAY_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    store: Store = Store()
    api: Api = Api()
    storage: Storage = Storage()
    headoffice: HeadOffice = HeadOffice()
    link: Link = Link()
    mqtt: Mqtt = Mqtt()
    discovery: Discovery = Discovery()
    tills: Tills = Tills()
    devices: Devices = Devices()
    fiscal: Fiscal = Fiscal()
    log: Log = Log()

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _devices_have_one_name_each(self) -> "Settings":
        names = [printer.name for printer in self.devices.printer]
        if len(names) != len(set(names)):
            message = tr("two devices have the same name", "dos dispositivos tienen el mismo nombre")
            raise ValueError(message)
        return self


class HeadOfficeSettings(BaseSettings):
    """The reference head office's own file: one section, `headoffice`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="HEADOFFICE_")

    host: str = "127.0.0.1"
    port: Port = 8480
    path: Path = Path("headoffice-data")
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    body_bytes_max: int = Field(16_777_216, ge=1024)

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings


def load(path: Path, environment: dict[str, str] | None = None) -> Settings:
    """Read a store's settings; relative paths in the file are relative to the file.

    Raises:
        SettingsError: no such file, not TOML, an unknown key or `GATEWAY_` variable, a value of the wrong kind.
    """
    values = _read_toml(path)
    _refuse_unknown_variables(environment if environment is not None else dict(os.environ))
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(_lines(path, error, Settings)) from error
    return _with_secrets(_relative_to(path, settings))


def load_headoffice(path: Path) -> HeadOfficeSettings:
    """Read a head office's settings.

    Raises:
        SettingsError: as `load`.
    """
    values = _read_toml(path)
    unknown = sorted(set(values) - {"headoffice"})
    if unknown:
        told = tr(
            "is not a section of a head office's file; use [headoffice]",
            "no es una sección del archivo de una casa matriz; use [headoffice]",
        )
        raise SettingsError([f"{path}: [{name}] {told}" for name in unknown])
    try:
        settings = HeadOfficeSettings(**values.get("headoffice", {}))
    except ValidationError as error:
        raise SettingsError(_lines(path, error, HeadOfficeSettings)) from error
    files = {"path": settings.path, "tls_cert_file": settings.tls_cert_file, "tls_key_file": settings.tls_key_file}
    return settings.model_copy(
        update={name: None if each is None else _beside(path, each) for name, each in files.items()}
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        told = tr("no such file; `gateway init` writes one", "no existe; `gateway init` escribe uno")
        raise SettingsError([f"{path}: {told}"]) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError([f"{path}: {error}"]) from error


def _beside(file: Path, path: Path) -> Path:
    return path if path.is_absolute() else Path(os.path.normpath(file.resolve().parent / path))


def _relative_to(file: Path, settings: Settings) -> Settings:
    storage = settings.storage.model_copy(update={"path": _beside(file, settings.storage.path)})
    office, mqtt = settings.headoffice, settings.mqtt
    if office.token_file is not None:
        office = office.model_copy(update={"token_file": _beside(file, office.token_file)})
    if office.ca_file is not None:
        office = office.model_copy(update={"ca_file": _beside(file, office.ca_file)})
    if mqtt.password_file is not None:
        mqtt = mqtt.model_copy(update={"password_file": _beside(file, mqtt.password_file)})
    return settings.model_copy(update={"storage": storage, "headoffice": office, "mqtt": mqtt})


def _with_secrets(settings: Settings) -> Settings:
    office, mqtt = settings.headoffice, settings.mqtt
    if office.token_file is not None:
        office = office.model_copy(update={"token": _secret(office.token_file, "headoffice.token_file")})
    if mqtt.password_file is not None:
        mqtt = mqtt.model_copy(update={"password": _secret(mqtt.password_file, "mqtt.password_file")})
    return settings.model_copy(update={"headoffice": office, "mqtt": mqtt})


def _secret(path: Path, key: str) -> SecretStr:
    """The file's text; `CREDENTIALS_DIRECTORY` (systemd) is looked in when the path does not exist."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not path.exists() and folder and (Path(folder) / path.name).exists():
        path = Path(folder) / path.name
    try:
        return SecretStr(path.read_text(encoding="utf-8").strip())
    except OSError as error:
        raise SettingsError([f"{key}: {error}"]) from error


def _refuse_unknown_variables(environment: dict[str, str]) -> None:
    lines = []
    for name in sorted(environment):
        if not name.startswith("GATEWAY_") or name in OTHER_VARIABLES:
            continue
        keys = name.removeprefix("GATEWAY_").lower().split("__")
        known = _keys(Settings, keys[:-1])
        if known is None or keys[-1] not in known:
            right = [
                f"GATEWAY_{section}__{key}".upper()
                for section in _keys(Settings, []) or ()
                for key in _keys(Settings, [section]) or ()
            ]
            lines.append(f"{tr('environment', 'entorno')}: {name} {_not_a_setting()}{_nearest(name, right)}")
    if lines:
        raise SettingsError(lines)


def _lines(path: Path, error: ValidationError, model: type[BaseModel]) -> list[str]:
    lines = []
    for problem in error.errors():
        where = [str(part) for part in problem["loc"]]
        name = ".".join(where) or "file"
        if problem["type"] == "extra_forbidden":
            known = _keys(model, where[:-1]) or set()
            lines.append(f"{path}: {name} {_not_a_setting()}{_nearest(where[-1], list(known))}")
        else:
            is_secret = "token" in name or "password" in name
            given = "" if is_secret else f" ({tr('given', 'se dio')}: {str(problem['input'])[:60]!r})"
            lines.append(f"{path}: {name}: {reason(problem)}{given}")
    return lines


def reason(problem: ErrorDetails) -> str:
    """What is wrong with one value, in words that need no regular expressions."""
    if problem["type"] == "string_pattern_mismatch":
        return tr(*MEANT[problem["ctx"]["pattern"]])
    text = problem["msg"].removeprefix("Value error, ")
    spanish = _SPANISH.get(problem["type"])
    return tr(text, text if spanish is None else spanish.format(**problem.get("ctx", {})).replace("' or '", "' o '"))


def _not_a_setting() -> str:
    return tr("is not a setting", "no es una clave de la configuración")


def _nearest(wrong: str, right: list[str]) -> str:
    close = difflib.get_close_matches(wrong, right, n=1, cutoff=0.5)
    if close:
        return tr(f"; did you mean {close[0]}?", f"; ¿quiso decir {close[0]}?")
    return f"; {tr('known', 'conocidas')}: {', '.join(sorted(right))}" if right else ""


def _keys(model: type[BaseModel], path: list[str]) -> set[str] | None:
    for part in path:
        if part.isdigit():
            continue
        field = model.model_fields.get(part)
        if field is None:
            return None
        inner = _model_in(field.annotation)
        if inner is None:
            return None
        model = inner
    return set(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
