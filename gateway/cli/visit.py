"""Where a gateway is started from the command line, for good or for one command; and what keeps it from starting.

Only this file knows the whole program; it is read when it is needed, so that asking a running gateway is quick.
"""

import asyncio
import contextlib
import errno
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from gateway.app import running
from gateway.authority.opening import books_path
from gateway.cli.access import in_use
from gateway.cli.speech import StopError
from gateway.clock import SystemClock
from gateway.devices.profiles import ProfileError
from gateway.settings import Settings
from gateway.storage import folder
from gateway.storage.books import ForeignBooksError
from gateway.storage.folder import FolderInUseError
from gateway.storage.migrate import ForeignFileError
from gateway.storage.writer import NotDurableError
from gateway.tills.certificates import CertificateError
from gateway.tongue import tr

NOT_ITS_USER = (
    "Run this as the user the gateway runs as, and let that user write to storage.path.",
    "Ejecútelo con el usuario con que corre el gateway, y permita que ese usuario escriba en storage.path.",
)
NOT_A_FOLDER = ("storage.path must be a directory.", "storage.path debe ser un directorio.")
HINTS = {
    errno.EADDRINUSE: (
        "Another program has this port: ss -ltnp shows which. Or set api.port, mqtt.port.",
        "Otro programa tiene este puerto: ss -ltnp muestra cuál. O cambie api.port, mqtt.port.",
    ),
    errno.EADDRNOTAVAIL: (
        "api.host or mqtt.host is not an address of this machine: ip addr shows them.",
        "api.host o mqtt.host no es una dirección de este equipo: ip addr las muestra.",
    ),
    errno.EACCES: NOT_ITS_USER,
    errno.EPERM: NOT_ITS_USER,
    errno.EROFS: (
        "storage.path is on a file system that cannot be written.",
        "storage.path está en un sistema de archivos en que no se puede escribir.",
    ),
    errno.ENOSPC: ("The disk is full: free some space.", "El disco está lleno: libere espacio."),
    errno.EEXIST: NOT_A_FOLDER,
    errno.ENOTDIR: NOT_A_FOLDER,
}
"""What to do about an error of the system, by its number, in English and Spanish."""
VISIT_S_MAX = 5.0
VISIT_PAUSE_S = 0.05
FREE_BYTES_MIN = 2**20
ANY_HINT = ("gateway doctor looks at every part.", "gateway doctor revisa cada parte.")


def serve(settings: Settings, ready: Callable[[dict[str, Any]], None]) -> int:
    """The daemon, until it is told to stop; answers the exit status. A command that is in the books may finish."""
    clock = SystemClock()
    give_up = clock.monotonic() + VISIT_S_MAX
    with explained(settings):
        while True:
            try:
                return asyncio.run(running.run(settings, ready))
            except FolderInUseError:
                if folder.running(settings.storage.path) is not None or clock.monotonic() > give_up:
                    raise
            time.sleep(VISIT_PAUSE_S)


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
        stop = _stop(error, file)
        if stop is None:
            raise
        raise stop from error


def _stop(error: Exception, file: Path) -> StopError | None:
    match error:
        case StopError():
            return error
        case FolderInUseError():
            hint = tr(
                "One gateway for one data directory; every other command asks the one that runs.",
                "Un gateway por directorio de datos; los demás comandos le preguntan al que está en marcha.",
            )
            return StopError(in_use(error, file.parent), hint)
        case CertificateError():
            return StopError(error.detail, error.hint)
        case ProfileError():
            return StopError(
                str(error), tr("Profiles are in firmware_profiles/.", "Los perfiles están en firmware_profiles/.")
            )
        case OSError():
            return StopError(
                tr(f"cannot start: {error}", f"no puede iniciar: {error}"), tr(*HINTS.get(_number(error), ANY_HINT))
            )
        case _:
            return _about_books(error, file)


def _number(error: BaseException | None) -> int:
    """The system's number of an error, or of the one behind it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return error.errno
        error = error.__cause__
    return 0


def _is_full(file: Path) -> bool:
    """SQLite calls a full disk an I/O error when it has no room for its log."""
    return shutil.disk_usage(file.parent).free < FREE_BYTES_MIN


def _about_books(error: Exception, file: Path) -> StopError | None:
    match error:
        case ForeignBooksError():
            hint = tr(
                "Set storage.path, or store.id and country, to what they were.",
                "Ponga storage.path, o store.id y country, como estaban.",
            )
        case ForeignFileError():
            hint = tr(
                "storage.path names another program's file, a newer release's, or a damaged one: gateway verify",
                "storage.path nombra un archivo de otro programa, de una versión más nueva, o dañado: gateway verify",
            )
        case NotDurableError():
            hint = tr(
                "Is the disk full, or read-only? gateway doctor",
                "¿Está lleno el disco, o es de solo lectura? gateway doctor",
            )
        case sqlite3.OperationalError() if _is_full(file):
            hint = tr(*HINTS[errno.ENOSPC])
        case sqlite3.DatabaseError():
            hint = tr(
                "Look with `gateway verify`; do not delete or repair anything.",
                "Revise con `gateway verify`; no borre ni repare nada.",
            )
        case _:
            return None
    return StopError(f"{file}: {str(error) or tr('the disk does not take it', 'el disco no lo acepta')}", hint)
