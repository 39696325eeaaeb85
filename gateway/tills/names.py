"""What a till may be called: its name stands in documents, topics, logs and the broker's password file."""

from pydantic import TypeAdapter, ValidationError

from gateway.settings import Name

RESERVED_NAMES = frozenset({"admin", "administrator", "console", "gateway"})
"""Would be mistaken for the gateway itself."""

_NAME: TypeAdapter[str] = TypeAdapter(Name)


def is_till_name(name: str) -> bool:
    """Whether a till may have this name: `gateway.settings.Name`, and not reserved."""
    try:
        _NAME.validate_python(name, strict=True)
    except ValidationError:
        return False
    return name not in RESERVED_NAMES
