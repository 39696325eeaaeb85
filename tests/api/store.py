"""A whole store in a folder, served on the loopback: nothing in it is a stand-in; its printer is never there."""

import contextlib
import random
import uuid
from dataclasses import dataclass

import aiohttp
import orjson

from gateway.api.parts import Limits, Parts
from gateway.api.routes import application
from gateway.api.server import Server
from gateway.authority.opening import books_path, open_desk
from gateway.clock import HandClock
from gateway.devices.dispatch import Devices
from gateway.health.metrics import Metrics
from gateway.health.warnings import Board
from gateway.ledger.commands import LoadRange
from gateway.settings import Settings
from gateway.storage import documents as books
from gateway.storage.catalogue import ProductRow, change
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer
from gateway.sync.connection import Link
from gateway.sync.store import Store as LinkStore
from gateway.tills.registry import Reach, Registry

ADMIN = "admin-token-of-the-tests"
CAI = "A1B2C3-D4E5F6-A1B2C3-D4E5F6-A1B2C3-D4"
PROBLEM = "application/problem+json"
PRODUCTS = (
    ProductRow("1082185", "BANANAS", "7401", 99, "exempt"),
    ProductRow("825123", "SOFT DRINKS 12 PK", "7402", 399, "isv15", sell_below_zero=True),
    ProductRow("bag", "Bolsa", None, 150, "isv15", policy="always_available"),
)
TILLS = ("front-1", "front-2", "back")


@dataclass
class Store:
    """What a test holds in its hands."""

    parts: Parts
    server: Server
    session: aiohttp.ClientSession
    tokens: dict[str, str]

    @property
    def url(self):
        return self.server.url

    def headers(self, who="front-1"):
        token = ADMIN if who == "admin" else self.tokens.get(who, who)
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def ask(self, method, path, body=None, *, who="front-1", headers=None, data=None):
        """(status, headers, bytes) of one request."""
        sent = {**self.headers(who), **(headers or {})}
        if body is not None:
            data = orjson.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        async with self.session.request(method, self.url + path, data=data, headers=sent) as response:
            return response.status, response.headers, await response.read()

    async def said(self, method, path, body=None, **options):
        """(status, JSON) of one request."""
        status, _, content = await self.ask(method, path, body, **options)
        return status, orjson.loads(content)

    async def issue(self, body=None, *, document=None, who="front-1"):
        """Sell; answers the document."""
        path = f"/v1/documents/{document or uuid.uuid4()}"
        status, said = await self.said("PUT", path, body or sale(), who=who)
        assert status == 201, said
        return said

    async def journal(self):
        """Every row of the journal, hash and all."""
        return await books.journal_after(self.parts.reader, 0, 1_000_000)


def sale(quantity="1.000", **more):
    """A request for one line of bananas."""
    return {
        "type": "invoice",
        "lines": [{"sku": "1082185", "quantity": quantity}],
        "payments": [{"method": "cash", "amount": "5.00"}],
        **more,
    }


def settings_of(path, **more):
    """A shop in Honduras, with `more` by section."""
    values = {
        "store": {"id": "store-1", "name": "La Esquina", "country": "honduras"},
        "api": {"port": 0, "body_bytes_max": 65_536},
        "storage": {"path": path, "free_bytes_min": 0},
        "devices": {"printer": [{"name": "front", "address": "tcp://127.0.0.1:9", "drawer": True}]},
        "tills": {"allow_unlisted": True},
    }
    return Settings(**{section: {**values.get(section, {}), **more.get(section, {})} for section in {**values, **more}})


@contextlib.asynccontextmanager
async def open_store(path, *, ranges=((1, 500), (1, 50)), limits=None, uplink_of=None, **sections):
    """A store with three tills, three products, 50 bananas, and ranges for invoices and credit notes.

    `uplink_of(desk)` makes the way to a head office; without it there is none.
    """
    path.mkdir(exist_ok=True)
    settings, clock = settings_of(path, **sections), HandClock()
    writer, reader = Writer(books_path(settings)), Reader(books_path(settings))
    writer.open()
    try:
        desk = await open_desk(settings, writer, clock)
        await reader.open()
        board = Board(clock)
        reach = Reach("store-1", "http://127.0.0.1", "", "", "127.0.0.1", 1883, mqtt_tls=False)
        registry = Registry(writer, reader, clock, settings.tills, admin_token=ADMIN, reach=lambda: reach)
        await registry.load()
        tokens = {name: (await registry.make_till(name)).token for name in TILLS}
        devices = Devices(
            settings.devices,
            store="store-1",
            language="es",
            version="0.1.0",
            writer=writer,
            reader=reader,
            clock=clock,
            board=board,
            document_of=lambda identity: _paper(reader, identity),
        )
        uplink = None if uplink_of is None else uplink_of(desk)
        link_store = LinkStore(desk, reader, writer, board, clock, random.Random(1))
        parts = Parts(
            settings=settings,
            clock=clock,
            board=board,
            desk=desk,
            reader=reader,
            writer=writer,
            registry=registry,
            devices=devices,
            link=Link(link_store, uplink, settings.link, _nothing),
            metrics=Metrics(),
            version="0.1.0",
            limits=limits or Limits(),
        )
        await writer.run(lambda connection: change(connection, PRODUCTS))
        for code, (first, last) in zip(("01", "06"), ranges, strict=False):
            await desk.submit(
                LoadRange(str(uuid.uuid4()), f"000-001-{code}", "CAI", CAI, first, last, "", "2027-06-30")
            )
        async with Server(application(parts), parts) as server, aiohttp.ClientSession() as session:
            store = Store(parts, server, session, tokens)
            receipt = {"kind": "receipt", "lines": [{"sku": "1082185", "quantity": "50"}]}
            status, said = await store.said("PUT", f"/v1/stock-movements/{uuid.uuid4()}", receipt)
            assert status == 201, said
            yield store
    finally:
        await reader.close()
        writer.close()


async def _paper(reader, identity):
    document = await books.document(reader, identity)
    return None if document is None else (document, await books.issuer_of(reader, document["seq"]), ())


async def _nothing():
    return {}
