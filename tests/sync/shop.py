"""A real store without its tills: books on disk, a desk, and the link's half of everything."""

import contextlib
import hashlib
import random
import uuid
from dataclasses import dataclass

import pydantic

from gateway.authority.desk import Done
from gateway.authority.opening import open_desk
from gateway.clock import SystemClock
from gateway.health.warnings import Board
from gateway.ledger.amounts import Milli, Minor
from gateway.ledger.commands import DeclareIssuer, DocumentType, IssueDocument, Line, Payment, VoidDocument
from gateway.settings import Link as LinkSettings
from gateway.settings import Settings
from gateway.storage import documents
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer
from gateway.sync.backlog import Backlog
from gateway.sync.connection import Link
from gateway.sync.plan import Bounds
from gateway.sync.pull import Pull
from gateway.sync.push import Push
from gateway.sync.store import Store
from gateway.sync.uplink import Address, Uplink

QUICK = LinkSettings(retry_ms_min=10, retry_ms_max=100, reply_wait_ms_max=5_000)


@dataclass
class Shop:
    """One store; `store` is what the link is given."""

    store: Store
    epoch: str
    name: str
    path: object

    def address(self, url, token, **changes):
        return Address(url, pydantic.SecretStr(token), self.name, self.epoch, **{"reply_wait_ms_max": 5_000, **changes})

    def uplink(self, url, token, **changes):
        return Uplink(self.address(url, token, **changes))

    def push(self, uplink, bounds=Bounds()):  # noqa: B008 - frozen
        return Push(self.store, uplink, Backlog(self.store), bounds)

    def pull(self, uplink):
        return Pull(self.store, uplink)

    def link(self, uplink, settings=QUICK):
        return Link(self.store, uplink, settings, self.summary)

    async def summary(self):
        return {"store": self.name, "catalogue_version": 0, "ranges": [], "warnings": []}

    async def sell(self, count=1):
        """Issue invoices of one line; answers their ids."""
        sold = [sale(str(uuid.uuid4())) for _ in range(count)]
        for command in sold:
            assert isinstance(await self.store.desk.submit(command), Done)
        return [command.id for command in sold]

    async def declare(self):
        """A small row."""
        command = DeclareIssuer((("name", str(self.store.desk.seq)),))
        assert isinstance(await self.store.desk.submit(command), Done)

    async def void(self, document):
        outcome = await self.store.desk.submit(VoidDocument(document, b"\1" * 32, "front-1", "mistake"))
        assert isinstance(outcome, Done)

    async def rows(self):
        """The whole journal."""
        return await documents.journal_after(self.store.reader, 0, 1_000_000)

    async def lock(self):
        """Why the books are locked, or None."""
        return (await documents.tenure(self.store.reader))["lock"]


def sale(identity, sku="BAG"):
    """One invoice over one thing that the catalogue need not know."""
    line = Line(sku, Milli(2000), Minor(150), name="Bolsa", tax="isv15")
    return IssueDocument(
        identity,
        hashlib.sha256(identity.encode()).digest(),
        "front-1",
        DocumentType.INVOICE,
        (line,),
        (Payment("cash", Minor(500)),),
        cashier="ana",
    )


@contextlib.asynccontextmanager
async def open_shop(folder, name="store-1", clock=None, synchronous="OFF", seed=1):
    """Open (or make) the books in a folder."""
    clock = clock or SystemClock()
    settings = Settings(
        store={"id": name, "name": "Tienda"},
        storage={"path": folder, "free_bytes_min": 0},
        tills={"allow_unlisted": True},
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "books.sqlite3"
    writer = Writer(path, synchronous=synchronous)
    writer.open()
    reader = Reader(path)
    await reader.open()
    try:
        desk = await open_desk(settings, writer, clock)
        store = Store(desk, reader, writer, Board(clock), clock, random.Random(seed))
        epoch = (await documents.tenure(reader))["epoch"]
        yield Shop(store, epoch, name, path)
    finally:
        await reader.close()
        writer.close()
