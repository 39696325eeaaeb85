"""A store's device bus for tests: a table on disk, simulated printers, a broker, tills that speak MQTT."""

import asyncio
import contextlib
import json
import uuid
from dataclasses import dataclass, field

import paho.mqtt.client as paho

from gateway.clock import SystemClock
from gateway.devices.bus import Bus, Server
from gateway.devices.dispatch import Devices, Timing
from gateway.devices.drivers.escpos_dialogue import Patience
from gateway.devices.mailbox import Rhythm
from gateway.devices.station import Pace
from gateway.devices.topics import GATEWAY_USER, Tree, Verb
from gateway.health.warnings import Board
from gateway.settings import Devices as DevicesSettings
from gateway.settings import Printer
from gateway.storage import jobs
from gateway.storage.reader import Reader
from gateway.storage.writer import Writer

STORE = "store-1"
TREE = Tree(STORE)
GATEWAY_PASSWORD = "the-gateways-own"
PASSWORDS = {GATEWAY_USER: GATEWAY_PASSWORD, "front": "front-secret", "back": "back-secret"}
QUICK = Timing(
    pace=Pace(idle_s=0.1, retry_s=0.05, durable_retry_s=0.05),
    patience=Patience(status_s=1.0, barrier_s=1.2, poll_s=0.05, silence_s=1.0),
    rhythm=Rhythm(look_s=0.05, repeat_s=0.3, repeat_s_max=1.0, broker_grace_s=0.1),
)
DOCUMENT = "0198f3c2-7b1e-7c44-9a55-3f1d2a6b7c10"
ISSUER = {
    "name": "Pulpería El Sol",
    "legal_name": "Comercial El Sol S. de R.L.",
    "tax_id": "08019995123456",
    "phone": "2230-0000",
    "email": "sol@example.hn",
    "address": "Col. Kennedy, Tegucigalpa",
    "establishment": "000",
    "establishment_address": "Blvd. Morazán, Tegucigalpa",
    "currency_symbol": "L",
    "time_zone": "America/Tegucigalpa",
}
LEGEND = ("Original: Cliente", "Copia: Obligado tributario emisor")


def document(identity=DOCUMENT, **changes):
    return {
        "id": identity,
        "type": "invoice",
        "status": "issued",
        "series": "000-001-01",
        "number": 42,
        "formatted_number": "000-001-01-00000042",
        "issued_at": "2026-11-21T16:20:31.118Z",
        "fiscal_date": "2026-11-21",
        "till": "front",
        "issued_by": {"cashier": "ana", "shift": ""},
        "price_list": "store",
        "lines": [
            {
                "sku": "1082185",
                "name": "Plátano maduro",
                "quantity": "1.000",
                "unit_price": "3.99",
                "discount": "0.50",
                "total": "3.49",
                "tax": "exempt",
            },
            {
                "sku": "ad-hoc",
                "name": "Bolsa",
                "quantity": "2.000",
                "unit_price": "1.50",
                "discount": "0.00",
                "total": "3.00",
                "tax": "isv15",
            },
        ],
        "taxes": [
            {"code": "exempt", "rate": "0", "base": "3.49", "amount": "0.00"},
            {"code": "isv15", "rate": "15", "base": "2.61", "amount": "0.39"},
        ],
        "total": "6.49",
        "payments": [{"method": "cash", "amount": "10.00"}],
        "change": "3.51",
        "customer": {"tax_id": "08011999123456", "name": "Juana Núñez"},
        "references": [],
        "authority": {
            "kind": "CAI",
            "ref": "A1B2C3-D4E5F6-A1B2C3-D4E5F6-A1B2C3-D4",
            "first": 1,
            "last": 500,
            "valid_until": "2027-06-30",
        },
        "seq": 1093,
        "warnings": [],
        "job": None,
        **changes,
    }


async def document_of(identity):
    """Every document exists, but for those whose id begins with zeros."""
    return None if identity.startswith("0000") else (document(identity), ISSUER, LEGEND)


def is_right(user, password):
    return PASSWORDS.get(user) == password


@dataclass
class Table:
    """The file with the jobs, and what a test asks of it."""

    writer: Writer
    reader: Reader

    async def insert(self, kind="text", device="front", till="front", body=None, **more):
        identity = str(uuid.uuid4())
        body = json.dumps(body or {"lines": [f"job {identity[:8]}"]})
        new = jobs.NewJob(identity, b"digest", kind, device, till, body, **more)
        await self.writer.run(lambda connection: jobs.insert(connection, new, SystemClock().now_ms()))
        return identity

    async def state(self, identity):
        row = await jobs.job(self.reader, identity)
        return row.state, row.detail

    async def states(self, identity):
        rows = await self.reader.rows("SELECT state, detail FROM job_events WHERE job = ? ORDER BY ev_seq", identity)
        return [tuple(row) for row in rows]

    async def until(self, identity, state, limit_s=10.0):
        """Wait until a job stands somewhere; the rows are the truth, so this asks them."""
        async with asyncio.timeout(limit_s):
            while (await self.state(identity))[0] != state:
                await asyncio.sleep(0.01)
        return await self.state(identity)


@contextlib.asynccontextmanager
async def opened(path):
    writer = Writer(path / "store.db", synchronous="OFF")
    writer.open()
    reader = Reader(path / "store.db")
    await reader.open()
    try:
        yield Table(writer, reader)
    finally:
        await reader.close()
        await asyncio.to_thread(writer.close)


def make_devices(table, printers=(), bus=None, board=None, **more):
    """`printers`: pairs of a simulated printer and a profile; the first is `front`, the second `kitchen`."""
    names = ("front", "kitchen", "bar")
    configured = DevicesSettings(
        printer=tuple(
            Printer(name=name, profile=profile, address=printer.address, drawer=True)
            for name, (printer, profile) in zip(names, printers, strict=False)
        ),
        kick_deadline_ms=more.pop("kick_deadline_ms", 5000),
    )
    clock = SystemClock()
    return Devices(
        configured,
        store=STORE,
        language="es",
        version="0.1.0",
        writer=table.writer,
        reader=table.reader,
        clock=clock,
        board=board or Board(clock),
        document_of=more.pop("document_of", document_of),
        bus=bus,
        timing=more.pop("timing", QUICK),
        **more,
    )


@contextlib.asynccontextmanager
async def running(devices):
    async with asyncio.TaskGroup() as group:
        task = group.create_task(devices.run())
        try:
            yield devices
        finally:
            devices.stop()
            async with asyncio.timeout(15):
                await task


def make_bus(address):
    return Bus(Server(address[0], address[1], GATEWAY_USER, GATEWAY_PASSWORD), TREE.gateway_client)


@dataclass
class Till:
    """A till that speaks MQTT: what it heard is in `heard`, what it stored in `events`."""

    address: tuple[str, int]
    name: str = "front"
    password: str | None = None
    topics: tuple[str, ...] = ()
    clean: bool = True
    heard: list = field(default_factory=list)
    reason: str = ""

    def __post_init__(self):
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._subscribed = False
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=f"{self.name}-till",
            clean_session=self.clean,
            reconnect_on_failure=self.password is None,
        )
        password = PASSWORDS.get(self.name) if self.password is None else self.password
        if self.name:
            self.client.username_pw_set(self.name, password)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._connected
        self.client.on_subscribe = lambda *_: self._loop.call_soon_threadsafe(self._subscribed_now)
        self.client.on_message = lambda _c, _d, message: self._loop.call_soon_threadsafe(self._take, message)

    async def __aenter__(self):
        topics = self.topics or (f"{TREE.root}/till/{self.name}/evt/job/+", f"{TREE.root}/dev/+/state",
                                 TREE.gateway_status)  # fmt: skip
        self.topics = topics
        self.client.connect_async(*self.address, keepalive=30)
        self.client.loop_start()
        await self.until(lambda: self._subscribed or self.reason)
        return self

    async def __aexit__(self, *_):
        await asyncio.to_thread(self._leave)

    def _leave(self):
        self.client.disconnect()
        self.client.loop_stop()

    def _connected(self, client, _data, _flags, reason, _properties):
        if reason.is_failure:
            self._loop.call_soon_threadsafe(self._refused, str(reason))
        else:
            client.subscribe([(topic, 1) for topic in self.topics])

    def _refused(self, reason):
        self.reason = reason
        self._changed.set()

    def _subscribed_now(self):
        self._subscribed = True
        self._changed.set()

    def _take(self, message):
        self.heard.append((message.topic, json.loads(message.payload) if message.payload else None, message.retain))
        self._changed.set()

    async def until(self, true, limit_s=10.0):
        async with asyncio.timeout(limit_s):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    def publish(self, topic, body, retain=False):
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.publish(topic, payload, qos=1, retain=retain)

    async def published(self, topic, body):
        """Publish and wait for the PUBACK."""
        await asyncio.to_thread(self.publish(topic, body).wait_for_publish, 5)

    def submit(self, identity=None, kind="text", device="front", body=None, till=None, **more):
        identity = identity or str(uuid.uuid4())
        message = {"v": 1, "job_id": identity, "kind": kind, "dev": device, "created": 1_000,
                   "body": {"lines": ["hola"]} if body is None else body, **more}  # fmt: skip
        self.publish(TREE.job(till or self.name, device, Verb.SUBMIT), message)
        return identity

    def say(self, state):
        self.publish(TREE.till_status(self.name), {"v": 1, "state": state}, retain=True)

    def acknowledge(self, ev_seq):
        self.publish(TREE.acknowledgement(self.name), {"v": 1, "ev_seq": ev_seq})

    def states(self, identity):
        """What was heard of a job, each stored event once."""
        seen, states = set(), []
        for topic, body, _ in self.heard:
            if topic.endswith(f"/evt/job/{identity}") and (body["ev_seq"] == 0 or body["ev_seq"] not in seen):
                seen.add(body["ev_seq"])
                states.append(body["state"])
        return states

    def details(self, identity):
        return [body["detail"] for topic, body, _ in self.heard if topic.endswith(f"/evt/job/{identity}")]

    async def until_online(self, epoch=1):
        """The gateway hears what is said from here on."""
        await self.until(
            lambda: any(
                body["state"] == "online" and body["gw_epoch"] >= epoch
                for topic, body, _ in self.heard
                if topic == TREE.gateway_status
            )
        )

    async def until_state(self, identity, state, limit_s=10.0):
        await self.until(lambda: state in self.states(identity), limit_s)
