"""A desk over real books in a folder, with a catalogue and a clock in the hand."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.authority.audit import Verdict, verify_books
from gateway.authority.desk import Desk, Done
from gateway.authority.opening import BOOKS_FILE, open_desk
from gateway.clock import HandClock
from gateway.ledger.commands import MovementKind, MoveStock
from gateway.settings import Settings
from gateway.storage import books, catalogue
from gateway.storage.catalogue import ProductRow
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer
from tests.ledger.shop import CREDITS, NOON, digest, granted

APPLES = ProductRow("apple", "Apple", None, 250, "isv15")
WATER = ProductRow("water", "Water", None, 100, "isv15", policy="always_available")


@dataclass
class Counter:
    """What a test holds in its hands."""

    folder: Path
    settings: Settings
    clock: HandClock
    writer: Writer
    desk: Desk
    reader: Reader

    @property
    def path(self) -> Path:
        return self.folder / BOOKS_FILE

    async def done(self, command: Any) -> Done:
        """Ask, and be served."""
        outcome = await self.desk.submit(command)
        assert isinstance(outcome, Done), outcome
        return outcome

    async def sql(self, statement: str, *values: Any) -> None:
        """Meddle with the file through its own writer."""
        await self.writer.run(lambda connection: connection.execute(statement, values).rowcount)

    def verdict(self) -> Verdict:
        """What `gateway verify` says of the folder."""
        return verify_books(self.folder)


def settings_of(folder: Path, country: str = "honduras", **sections: Any) -> Settings:
    """A small shop."""
    values: dict[str, Any] = {
        "store": {"id": "shop", "name": "La Esquina", "country": country},
        "storage": {"path": folder, "free_bytes_min": 0},
        "tills": {"allow_unlisted": True},
        "devices": {"printer": [{"name": "front", "address": "tcp://127.0.0.1:9"}]},
    }
    return Settings(**{name: {**values.get(name, {}), **sections.get(name, {})} for name in {**values, **sections}})


@contextlib.asynccontextmanager
async def opened(folder: Path, *, clock: HandClock | None = None, **sections: Any) -> AsyncIterator[Counter]:
    """Open the books in a folder, make them if there are none, and close them in the end."""
    settings = settings_of(folder, **sections)
    (folder / "ballast").touch()  # eight megabytes for each test are too many
    clock = clock or HandClock(NOON)
    writer = Writer(folder / BOOKS_FILE, check=books.check_books)
    writer.open()
    reader = Reader(folder / BOOKS_FILE)
    try:
        await reader.open()
        desk = await open_desk(settings, writer, clock)
        yield Counter(folder, settings, clock, writer, desk, reader)
        desk.close()
    finally:
        await reader.close()
        writer.close()


async def stocked(
    counter: Counter, *, apples: int = 10_000_000, ranges: Sequence[tuple[int, int]] = ((1, 100_000),)
) -> None:
    """Put apples and water in the catalogue, apples on the shelf, and ranges in the series."""
    await counter.writer.run(lambda connection: catalogue.change(connection, [APPLES, WATER]))
    for first, last in ranges:
        await counter.done(granted(f"range-{first}", first, last))
    await counter.done(granted("credits", 1, 100_000, series=CREDITS))
    await counter.done(receipt("first", apples))


def receipt(identity: str, apples: int) -> MoveStock:
    """Apples come in."""
    return MoveStock(identity, digest(identity, apples), "admin", MovementKind.RECEIPT, (("apple", apples),))
