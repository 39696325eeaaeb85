"""Bearer tokens: 256 random bits, shown once, kept as SHA-256. A fast hash is right here, nobody can guess 256 bits."""

import hashlib
import secrets
from pathlib import Path

from gateway.tills import private_files

TOKEN_BYTES = 32
ADMIN_FILE = "admin.token"


def new_token() -> str:
    """A fresh token; it is never seen again after its one answer."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    """What is kept of a token, and what `Registry.till_of` and `is_admin` are asked with."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def admin_token(folder: Path) -> str:
    """The administrator's token: file `admin.token` (mode 0600) of the data directory, made at the first start. Blocks.

    Deleting the file and starting again makes another one. An empty file is no token: it is replaced.
    """
    path = folder / ADMIN_FILE
    token = private_files.make_file_once(path, f"{new_token()}\n".encode()).decode("ascii", "replace").strip()
    if not token:
        private_files.replace_file(path, f"{new_token()}\n".encode())
        token = private_files.read_private(path).decode("ascii").strip()
    return token
