"""A whole store in a folder, served on the loopback: real books, real desk, real till list; printers and line are fakes."""

import contextlib
import json
import uuid
from dataclasses import dataclass, field

import aiohttp
import orjson

from gateway.api.parts import Limits, Parts
from gateway.api.routes import application
from gateway.api.server import Server
from gateway.authority.desk import Desk
from gateway.authority.opening import books_path, open_desk
from gateway.clock import HandClock
from gateway.devices import messages, receipt
from gateway.devices import refusals as device_refusals
from gateway.health.metrics import Metrics
from gateway.health.warnings import Board
from gateway.ledger.commands import LoadRange
from gateway.settings import Settings
from gateway.storage import documents as books
from gateway.storage import jobs
from gateway.storage.catalogue import ProductRow, change
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer
from gateway.tills.registry import Reach, Registry

ADMIN = "admin-token-of-the-tests"
CAI = "A1B2C3-D4E5F6-A1B2C3-D4E5F6-A1B2C3-D4"
PROBLEM = "application/problem+json"
PRODUCTS = (
    ProductRow("1082185", "BANANAS", "7401", 99, "exempt"),
    ProductRow("825123", "SOFT DRINKS 12 PK", "7402", 399, "isv15", sell_below_zero=True),
    ProductRow("bag", "Bolsa", None, 150, "isv15", policy="always_available"),
)


@dataclass
class FakeDevices:
    """Jobs go into the real table; nothing prints."""

    writer: Writer
    reader: Reader
    clock: HandClock
    names: tuple = ("front",)

    def listing(self):
        return [{"name": name, "kind": "printer", "profile": "generic-80mm", "state": {"online": True}} for name in self.names]

    async def submit_job(self, order):
        if order.device not in self.names:
            return device_refusals.refuse("device_unknown", device=order.device, known=", ".join(self.names))
        body = order.body.model_dump(mode="json", by_alias=True)
        new = jobs.NewJob(
            order.id,
            messages.digest(order.kind, order.device, order.body),
            order.kind.value,
            order.device,
            order.till,
            json.dumps(body),
            body.get("document"),
            None if order.deadline_ms is None else self.clock.now_ms() + order.deadline_ms,
        )
        made = await self.writer.run(lambda connection: jobs.insert(connection, new, self.clock.now_ms()))
        return made or device_refusals.refuse("key_reused", id=order.id)

    async def receipt(self, document, form):
        issuer = await books.issuer_of(self.reader, document["seq"])
        text = receipt.plain(receipt.render(document, issuer, (), "es", 42, copy=True))
        return text.encode() if form == "text" else b"\x1b@" + text.encode("cp437", "replace")


@dataclass
class FakeLink:
    """A line that is there, or is not."""

    up: bool = False
    mode: str = "automatic"

    def state(self):
        state = "working_offline" if self.mode != "automatic" else "online" if self.up else "offline"
        return {"state": state, "since": "2026-11-21T16:00:00.000Z", "waiting": 3, "oldest_ms": 1200, "eta_s": None}

    async def sync_now(self):
        return self.up

    async def set_mode(self, mode):
        self.mode = mode


@dataclass
class Store:
    """What a test holds in its hands."""

    url: str
    parts: Parts
    link: FakeLink
    clock: HandClock
    desk: Desk
    tokens: dict
    session: aiohttp.ClientSession
    server: Server
    reader: Reader
    writer: Writer
    ids: list = field(default_factory=list)

    def headers(self, who="front-1"):
        token = ADMIN if who == "admin" else self.tokens.get(who, who)
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def ask(self, method, path, body=None, who="front-1", headers=None, data=None):
        """(status, headers, bytes)."""
        sent = {**self.headers(who), **(headers or {})}
        if body is not None:
            data = orjson.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        async with self.session.request(method, self.url + path, data=data, headers=sent) as response:
            return response.status, response.headers, await response.read()

    async def said(self, *args, **options):
        """(status, JSON)."""
        status, _, body = await self.ask(*args, **options)
        return status, orjson.loads(body)

    async def issue(self, body=None, document=None, who="front-1"):
        document = document or str(uuid.uuid4())
        status, said = await self.said("PUT", f"/v1/documents/{document}", body or sale(), who=who)
        assert status == 201, said
        return said

    async def journal(self):
        """Every row of the journal, hash and all."""
        found = []
        while rows := await books.journal_after(self.reader, found[-1].seq if found else 0, 500):
            found += rows
        return found


def sale(quantity="1.000", **more):
    """A request for one line of bananas."""
    return {
        "type": "invoice",
        "lines": [{"sku": "1082185", "quantity": quantity}],
        "payments": [{"method": "cash", "amount": "5.00"}],
        **more,
    }


def settings_of(path, **more):
    values = {
        "store": {"id": "store-1", "name": "La Esquina", "country": "honduras"},
        "api": {"port": 0, "body_bytes_max": 65_536},
        "storage": {"path": path, "free_bytes_min": 0},
        "devices": {"printer": [{"name": "front", "address": "tcp://127.0.0.1:9"}]},
        "tills": {"allow_unlisted": True},
    }
    for section, change_ in more.items():
        values[section] = {**values.get(section, {}), **change_}
    return Settings(**values)


@contextlib.asynccontextmanager
async def open_store(path, *, ranges=True, tills=("front-1", "front-2", "back"), limits=None, **more):
    """A store with three tills, three products and 50 bananas."""
    settings = settings_of(path, **more)
    clock = HandClock()
    writer = Writer(books_path(settings))
    writer.open()
    reader = Reader(books_path(settings))
    try:
        desk = await open_desk(settings, writer, clock)
        await reader.open()
        reach = Reach("store-1", "http://127.0.0.1", "", "", "127.0.0.1", 1883, False)
        registry = Registry(writer, reader, clock, settings.tills, admin_token=ADMIN, reach=lambda: reach)
        await registry.load()
        tokens = {name: (await registry.make_till(name)).token for name in tills}
        link = FakeLink()
        parts = Parts(
            settings=settings,
            clock=clock,
            board=Board(clock),
            desk=desk,
            reader=reader,
            writer=writer,
            registry=registry,
            devices=FakeDevices(writer, reader, clock),
            link=link,
            metrics=Metrics(),
            version="0.1.0",
            limits=limits or Limits(),
        )
        await writer.run(lambda connection: change(connection, PRODUCTS))
        if ranges:
            await desk.submit(LoadRange(str(uuid.uuid4()), "000-001-01", "CAI", CAI, 1, 500, "", "2027-06-30"))
            await desk.submit(LoadRange(str(uuid.uuid4()), "000-001-06", "CAI", CAI, 1, 50, "", "2027-06-30"))
        async with Server(application(parts), parts) as server, aiohttp.ClientSession() as session:
            store = Store(server.url, parts, link, clock, desk, tokens, session, server, reader, writer)
            await store.said(
                "PUT",
                f"/v1/stock-movements/{uuid.uuid4()}",
                {"kind": "receipt", "lines": [{"sku": "1082185", "quantity": "50"}]},
            )
            yield store
    finally:
        await reader.close()
        writer.close()
