"""Where a gateway is started from the command line, for good or for one command; and what keeps it from starting.

Only this file knows the whole program; it is read when it is needed, so that asking a running gateway is quick.
"""

import asyncio
import contextlib
import errno
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from gateway.app import running
from gateway.authority.opening import books_path
from gateway.cli.speech import StopError
from gateway.devices.profiles import ProfileError
from gateway.settings import Settings
from gateway.storage.books import ForeignBooksError
from gateway.storage.folder import FolderInUseError
from gateway.storage.migrate import ForeignFileError
from gateway.storage.writer import NotDurableError
from gateway.tills.certificates import CertificateError

HINTS = {
    errno.EADDRINUSE: "Another program has this port: ss -ltnp shows which. Or set api.port, mqtt.port.",
    errno.EADDRNOTAVAIL: "api.host or mqtt.host is not an address of this machine: ip addr shows them.",
    errno.EACCES: "Run this as the user the gateway runs as, and let that user write to storage.path.",
    errno.EPERM: "Run this as the user the gateway runs as, and let that user write to storage.path.",
    errno.EROFS: "storage.path is on a file system that cannot be written.",
    errno.ENOSPC: "The disk is full: free some space.",
    errno.EEXIST: "storage.path must be a directory.",
    errno.ENOTDIR: "storage.path must be a directory.",
}
"""What to do about an error of the system, by its number."""
ANY_HINT = "gateway doctor looks at every part."


def serve(settings: Settings, ready: Callable[[dict[str, Any]], None]) -> int:
    """The daemon, until it is told to stop; answers the exit status."""
    with explained(settings):
        return asyncio.run(running.run(settings, ready))


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[str]:
    """The address of a gateway that lives as long as the block: on loopback, printing and sending nothing.

    Raises:
        FolderInUseError: another one is in.
    """
    with explained(settings, but=FolderInUseError):
        async with running.opened(settings, for_a_visit=True) as gateway:
            yield gateway.url


@contextlib.contextmanager
def explained(settings: Settings, *, but: type[Exception] | None = None) -> Iterator[None]:
    """What keeps a gateway from starting, in one line with what to do; `but` goes through as it is."""
    file = books_path(settings)
    try:
        yield
    except Exception as error:
        if but is not None and isinstance(error, but):
            raise
        stop = _stop(error, file.as_posix())
        if stop is None:
            raise
        raise stop from error


def _stop(error: Exception, file: str) -> StopError | None:
    match error:
        case StopError():
            return error
        case FolderInUseError():
            hint = "One gateway for one data directory; every other command asks the one that runs."
            return StopError(str(error), hint)
        case CertificateError():
            return StopError(error.detail, error.hint)
        case ProfileError():
            return StopError(str(error), "Profiles are in firmware_profiles/.")
        case OSError():
            return StopError(f"cannot start: {error}", HINTS.get(_number(error), ANY_HINT))
        case _:
            return _about_books(error, file)


def _number(error: BaseException | None) -> int:
    """The system's number of an error, or of the one behind it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return error.errno
        error = error.__cause__
    return 0


def _about_books(error: Exception, file: str) -> StopError | None:
    match error:
        case ForeignBooksError():
            hint = "Set storage.path, or store.id and country, to what they were."
        case ForeignFileError():
            hint = "storage.path names another program's file, a newer release's, or a damaged one: gateway verify"
        case NotDurableError():
            hint = "Is the disk full, or read-only? gateway doctor"
        case sqlite3.DatabaseError():
            hint = "Look with `gateway verify`; do not delete or repair anything."
        case _:
            return None
    return StopError(f"{file}: {str(error) or 'the disk does not take it'}", hint)
