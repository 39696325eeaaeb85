"""MQTT passwords in the form of Mosquitto's password file, so that either broker can check them.

`$7$<iterations>$<salt>$<hash>`: PBKDF2 with HMAC-SHA512, base64. Few iterations are enough: the passwords are random
and longer than anybody can try; what must be slow is a person's password.
Source: mosquitto 2.0 `src/password_mosq.c` and mosquitto_passwd(1); checked against both programs in the tests.
"""

import base64
import binascii
import hashlib
import hmac
import secrets

PASSWORD_BYTES = 24
ITERATIONS = 101
"""Mosquitto's own default."""
ITERATIONS_MAX = 1_000_000
"""A line from elsewhere may not hold the event loop for longer than about a second."""
SALT_BYTES = 12
_HASH_BYTES = 64


def new_password() -> str:
    """A fresh password; it is never seen again after its one answer."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def password_hash(password: str) -> str:
    """What is kept of a password: the part of a password file's line that follows `name:`."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = _derived(password, salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def is_right(password: str, kept: str) -> bool:
    """Whether a password is the one that `kept` was made of; a form that is not `$7$` is never right."""
    try:
        nothing, kind, iterations, salt, digest = kept.split("$")
        count = int(iterations)
        if nothing or kind != "7" or not 1 <= count <= ITERATIONS_MAX:
            return False
        expected = base64.b64decode(digest, validate=True)
        given = _derived(password, base64.b64decode(salt, validate=True), count)
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(given, expected)


def _derived(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode("utf-8", "surrogatepass"), salt, iterations, _HASH_BYTES)
