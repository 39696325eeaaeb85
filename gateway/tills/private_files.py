"""Files that only the gateway may read, written so that a power cut leaves the old one or the new one, whole."""

import contextlib
import os
import secrets
from pathlib import Path

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644


def replace_file(path: Path, content: bytes, *, mode: int = PRIVATE_MODE) -> None:
    """Put a file in place of another, durably; readers see the old one or the new one. Blocks."""
    fresh = _written_beside(path, content, mode)
    try:
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    _sync_folder(path.parent)


def make_file_once(path: Path, content: bytes) -> bytes:
    """The content of a private file, which is made with `content` if there is none: of two makers one wins. Blocks."""
    if not path.exists():
        fresh = _written_beside(path, content, PRIVATE_MODE)
        try:
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
        _sync_folder(path.parent)
    return read_private(path)


def read_private(path: Path) -> bytes:
    """Read a private file; rights that somebody widened are narrowed again. Blocks."""
    if path.stat().st_mode & 0o077:
        path.chmod(PRIVATE_MODE)
    return path.read_bytes()


def _written_beside(path: Path, content: bytes, mode: int) -> Path:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
