"""Open the books of a store, make them on the first start, and put a desk in front of them."""

import secrets
from pathlib import Path

from gateway.authority.desk import Desk
from gateway.authority.house import books_of, house_of, issuer_of
from gateway.clock import Clock
from gateway.ledger.commands import DeclareIssuer
from gateway.settings import Settings
from gateway.storage import books
from gateway.storage.writer import Writer

BOOKS_FILE = "books.sqlite3"
"""In the data directory."""


def books_path(settings: Settings) -> Path:
    """The file of the books."""
    return settings.storage.path / BOOKS_FILE


async def open_desk(settings: Settings, writer: Writer, clock: Clock) -> Desk:
    """The desk over an opened writer; declares the issuer anew when the settings changed.

    Raises:
        ForeignBooksError: the file holds another store's books.
    """
    house = house_of(settings)
    wanted = books_of(settings, house, secrets.token_hex(8))
    epoch = await writer.run(lambda connection: books.open_books(connection, wanted, clock.now_ms()))
    desk = Desk(
        writer, clock, house, epoch, folder=settings.storage.path, free_bytes_min=settings.storage.free_bytes_min
    )
    issuer = issuer_of(settings)
    declared, last = await writer.run(
        lambda connection: (books.declared_issuer(connection), books.last_row(connection))
    )
    if declared != issuer:
        await desk.submit(DeclareIssuer(tuple(issuer.items())))
    elif last is not None:
        desk.resume(last.seq, last.at)
    return desk
