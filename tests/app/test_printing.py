"""From the sale to the paper: a whole gateway, a printer on TCP, a real broker; once, whatever is switched off."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import threading
from dataclasses import dataclass, field

import paho.mqtt.client as paho
import pytest
import pytest_asyncio
from paho.mqtt.enums import CallbackAPIVersion

from gateway.client.problem import Problem
from gateway.client.till import Till
from gateway.simulator.printer import SimulatedPrinter
from tests.cli.shell import CATALOGUE, Store, ask, sale
from tests.components import component

EVENT_S_MAX = 20


class Mosquitto:
    """Debian's broker with the files that the gateway keeps for it."""

    def __init__(self, folder, data):
        program = component("mosquitto", "mosquitto")
        self.port = free_port()
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\nuser root\n"
            f"password_file {data}/mosquitto/passwords\nacl_file {data}/mosquitto/acl\n",
            encoding="ascii",
        )
        self._program = program

    def __enter__(self):
        return self

    def start(self):
        self._process = subprocess.Popen(
            [self._program, "-c", self.config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def reload(self):
        self._process.send_signal(signal.SIGHUP)

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Listener:
    """A till on MQTT, and what it hears."""

    mqtt: dict
    store: str = "shop"
    heard: list = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    codes: list = field(default_factory=list)

    def __post_init__(self):
        self._news = threading.Condition()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.mqtt["user"], clean_session=True)
        self.client.username_pw_set(self.mqtt["user"], self.mqtt["password"])
        self.client.on_connect = self._connected
        self.client.on_message = self._received
        self.client.on_disconnect = lambda *_: self.ended.set()

    def _connected(self, client, _data, _flags, reason, _properties):
        with self._news:
            self.codes.append(reason.is_failure)
            self._news.notify_all()
        own = f"till/{self.mqtt['user']}/evt/#"
        topics = ("gw/status", "dev/+/info", "dev/+/state", own)
        client.subscribe([(f"root/v1/{self.store}/{topic}", 1) for topic in topics])

    def _received(self, _client, _data, message):
        with self._news:
            self.heard.append((message.topic, json.loads(message.payload)))
            self._news.notify_all()

    def until(self, true):
        with self._news:
            assert self._news.wait_for(true, EVENT_S_MAX), (self.heard, self.codes)

    def states(self, job):
        return [body["state"] for topic, body in self.heard if topic.endswith(f"/evt/job/{job}") and body["ev_seq"]]

    def __enter__(self):
        self.client.connect(self.mqtt["host"], self.mqtt["port"], keepalive=20)
        self.client.loop_start()
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()


@contextlib.asynccontextmanager
async def printing_store(folder, broker):
    """A printer, a store with a till that prints on it, and its gateway; `broker` is embedded or mosquitto."""
    async with SimulatedPrinter() as printer:
        settings = f'[[devices.printer]]\nname = "front"\naddress = "{printer.address}"\ndrawer = true\n'
        with contextlib.ExitStack() as stack:
            mosquitto = None
            if broker == "mosquitto":
                mosquitto = stack.enter_context(Mosquitto(folder, folder / "data"))
                settings = f'mqtt.broker = "127.0.0.1:{mosquitto.port}"\nmqtt.password = "between-us"\n{settings}'
            store = Store(folder, settings)
            store.printer = printer
            (folder / "products.csv").write_text(CATALOGUE, encoding="utf-8")
            assert store("catalogue", "import", folder / "products.csv").status == 0
            store.process = stack.enter_context(store.run())
            store.api = (await asyncio.to_thread(lambda: store.process.ready))["api"]
            store.mqtt = ask("PUT", f"{store.api}/v1/admin/tills/front-1", store.admin_token).json
            store.token, store.mqtt = store.mqtt["token"], store.mqtt["mqtt"]
            store.mosquitto = mosquitto
            if mosquitto is not None:
                await passwords_say(store, lambda text: "front-1:$7$" in text)
                mosquitto.start()
            await asyncio.to_thread(store.process.logged, "broker_reached")
            yield store
            if store.process.status is None:
                assert await asyncio.to_thread(store.process.stop) == 0


async def passwords_say(store, true):
    """Wait until the file that the gateway keeps for Mosquitto says something."""
    file = store.data / "mosquitto" / "passwords"
    async with asyncio.timeout(EVENT_S_MAX):
        while not (file.exists() and true(file.read_text(encoding="ascii"))):
            await asyncio.sleep(0.02)


pytestmark = pytest.mark.asyncio(loop_scope="module")
BROKERS = ["embedded", pytest.param("mosquitto", marks=pytest.mark.needs_mosquitto)]


@pytest_asyncio.fixture(params=BROKERS, scope="module", loop_scope="module")
async def printing(request, tmp_path_factory):
    """A store that several tests share."""
    async with printing_store(tmp_path_factory.mktemp("printing"), request.param) as store:
        yield store


@pytest_asyncio.fixture(loop_scope="module")
async def embedded(tmp_path):
    async with printing_store(tmp_path, "embedded") as store:
        yield store


def to_print(number):
    identity, request = sale(number)
    return identity, {**request, "print_to": "front"}


class Stream:
    """The events of the store as one till hears them."""

    def __init__(self, till):
        self.events = []
        self._till = till
        self._news = asyncio.Condition()

    async def __aenter__(self):
        self.ended = asyncio.ensure_future(self._listen())
        await self.until(lambda: self.events)
        return self

    async def __aexit__(self, *_):
        self.ended.cancel()
        await asyncio.wait([self.ended])

    async def until(self, true):
        async with asyncio.timeout(EVENT_S_MAX), self._news:
            await self._news.wait_for(true)

    def states(self, job):
        return [each.data["state"] for each in self.events if each.kind == "job" and each.data["id"] == job]

    async def _listen(self):
        async for event in self._till.events():
            async with self._news:
                self.events.append(event)
                self._news.notify_all()


async def until_job(till, job, *states):
    """Ask for a job until it stands in one of these states."""
    async with asyncio.timeout(EVENT_S_MAX):
        while (found := await till.job(job))["state"] not in states:
            await asyncio.sleep(0.02)
    return found


async def test_a_document_is_on_paper_once_and_its_states_are_told(printing):
    printer = printing.printer
    async with Till.at(printing.api, printing.token) as till, Stream(till) as stream:
        identity, request = to_print(1)
        with Listener(printing.mqtt) as listener:
            await asyncio.to_thread(listener.until, lambda: len(listener.heard) >= 3)
            document = await till.issue(identity, request)
            await asyncio.to_thread(listener.until, lambda: listener.states(document["job"])[-1:] == ["done"])
            assert listener.states(document["job"]) == ["accepted", "sending", "done"]
        await stream.until(lambda: stream.states(document["job"])[-1:] == ["done"])
        assert stream.states(document["job"]) == ["accepted", "sending", "done"]
        told = [each.data["document"]["id"] for each in stream.events if each.kind == "document"]
        assert told == [document["id"]]
        assert await till.issue(identity, request) == document
        assert (await till.job(document["job"]))["state"] == "done"
    papers = [each.text for each in printer.receipts if document["formatted_number"] in each.text]
    assert [each.count(document["formatted_number"]) for each in papers] == [1]
    assert "Pulpería" in papers[0]
    assert printer.paper.errors == []
    said = await asyncio.to_thread(printing, "device", "list", "--json")
    assert said.json["items"][0]["state"]["online"] is True


async def test_a_till_asks_for_a_paper_over_mqtt_and_hears_of_it(printing):
    with Listener(printing.mqtt) as till:
        await asyncio.to_thread(till.until, lambda: len(till.heard) >= 3)
        topics = dict(till.heard)
        assert topics["root/v1/shop/gw/status"]["state"] == "online"
        assert topics["root/v1/shop/dev/front/info"]["jobs"] == ["receipt", "text", "kick"]
        job = "0198f3c2-7b1e-7c44-9a55-00000000abcd"
        message = {"v": 1, "job_id": job, "kind": "text", "dev": "front", "created": 0, "body": {"lines": ["Buen día"]}}
        topic = "root/v1/shop/till/front-1/job/front/submit"
        for _ in range(2):
            till.client.publish(topic, json.dumps(message), qos=1).wait_for_publish(EVENT_S_MAX)
        await asyncio.to_thread(till.until, lambda: till.states(job)[-1:] == ["done"])
    assert [paper.text.strip() for paper in printing.printer.receipts].count("Buen día") == 1


async def test_a_printer_that_was_off_prints_once_when_it_is_on(embedded):
    printer = embedded.printer
    await printer.power_off()
    async with Till.at(embedded.api, embedded.token) as till:
        document = await till.issue(*to_print(1))
        await until_job(till, document["job"], "queued")
        async with asyncio.timeout(EVENT_S_MAX):
            while not (warnings := (await till.status())["warnings"]):
                await asyncio.sleep(0.05)
        assert [each["code"] for each in warnings] == ["printer_offline"]
        said = await asyncio.to_thread(embedded, "device", "jobs")
        assert document["job"] in said.out
        tested = await asyncio.to_thread(embedded, "status", "--json")
        assert tested.json["warnings"][0]["device"] == "front"
        await printer.power_on()
        await until_job(till, document["job"], "done")
        async with asyncio.timeout(EVENT_S_MAX):
            while (await till.status())["warnings"]:
                await asyncio.sleep(0.05)
    assert [paper.text.count(document["formatted_number"]) for paper in printer.receipts] == [1]


async def test_a_test_page_is_printed_and_a_printer_without_paper_is_told(embedded):
    said = await asyncio.to_thread(embedded, "device", "test", "front")
    assert (said.status, said.out) == (0, "front: printed\n")
    assert "áéíóúüñ" in embedded.printer.receipts[0].text
    embedded.printer.faults.paper_out = True
    held = await asyncio.to_thread(embedded, "device", "test", "front")
    assert (held.status, "paper out" in held.out) == (1, True), held
    embedded.printer.faults.paper_out = False
    await embedded.printer.changed()
    again = await asyncio.to_thread(embedded, "device", "test", "front")
    assert (again.status, len(embedded.printer.receipts)) == (0, 2), "the page nobody waits for is not printed"


async def test_kill_9_in_the_middle_of_a_paper_leaves_it_to_a_person(embedded):
    printer = embedded.printer
    printer.faults.seconds_per_command = 0.2
    async with Till.at(embedded.api, embedded.token) as till:
        document = await till.issue(*to_print(1))
        await printer.wait_for(lambda: printer.bytes_received > 0)
        await asyncio.to_thread(embedded.process.kill)
    await printer.power_cycle()
    printer.faults.seconds_per_command = 0
    received = printer.bytes_received
    embedded.process = embedded.run()
    try:
        api = (await asyncio.to_thread(lambda: embedded.process.ready))["api"]
        async with Till.at(api, embedded.token) as till:
            assert (await until_job(till, document["job"], "unknown"))["detail"] == "gateway_restarted"
            assert (await till.issue(*to_print(1)))["number"] == document["number"]
            other = await till.issue(*to_print(2))
            await until_job(till, other["job"], "done")
            assert [other["formatted_number"] in paper.text for paper in printer.receipts] == [True]
            assert (await till.job(document["job"]))["state"] == "unknown", "nobody printed it again"
            assert printer.bytes_received > received
            listed = await asyncio.to_thread(embedded, "device", "jobs", "--json")
            assert [(each["id"], each["state"]) for each in listed.json["items"]] == [(document["job"], "unknown")]
            settled = await asyncio.to_thread(embedded, "device", "settle", document["job"], "reprint", "--json")
            copy = await until_job(till, settled.json["detail"], "done")
            assert copy["document"] == document["id"]
            assert "COPIA" in printer.receipts[-1].text
            assert document["formatted_number"] in printer.receipts[-1].text
            assert (await till.status())["warnings"] == []
    finally:
        await asyncio.to_thread(embedded.process.stop)


async def test_a_revoked_till_loses_http_events_and_mqtt(printing):
    """At once; but Mosquitto has to read its files again, which is for who runs it to see to."""
    paired = (await asyncio.to_thread(printing, "till", "token", "stolen", "--json")).json
    if printing.mosquitto is not None:
        await passwords_say(printing, lambda text: "stolen:$7$" in text)
        printing.mosquitto.reload()
    async with Till.at(printing.api, paired["token"]) as till, Stream(till) as stream:
        with Listener(paired["mqtt"]) as listener:
            await asyncio.to_thread(listener.until, lambda: len(listener.heard) >= 3)
            assert (await asyncio.to_thread(printing, "till", "revoke", "stolen")).status == 0
            if printing.mosquitto is not None:
                await passwords_say(printing, lambda text: "stolen" not in text)
                printing.mosquitto.reload()
            assert await asyncio.to_thread(listener.ended.wait, EVENT_S_MAX)
            await asyncio.to_thread(listener.until, lambda: listener.codes[-1])
        async with asyncio.timeout(EVENT_S_MAX):
            with pytest.raises(Problem, match="unauthorized"):
                await stream.ended
        with pytest.raises(Problem, match="unauthorized"):
            await till.status()
