"""mDNS over real multicast: a gateway and its neighbours in two network namespaces joined by one cable."""

import asyncio
import json
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.components import component, root

ROOT = Path(__file__).parents[2]
GATEWAY_IP, TILL_IP = "10.77.0.1", "10.77.0.2"
RAW, LPD, IPP = "_pdl-datastream._tcp.local.", "_printer._tcp.local.", "_ipp._tcp.local."

pytestmark = pytest.mark.needs_root


class Peer:
    """A process of `mdns_peer` in a namespace; `until` reads what it says until something is true."""

    def __init__(self, process):
        self.process = process
        self.last = {}

    async def until(self, is_it, seconds=15.0):
        try:
            async with asyncio.timeout(seconds):
                while not is_it(self.last):
                    line = await self.process.stdout.readline()
                    if not line:
                        errors = (await self.process.stderr.read()).decode()
                        pytest.fail(f"the peer ended; it last said {self.last}\n{errors}")
                    self.last = json.loads(line)
        except TimeoutError:
            pytest.fail(f"not within {seconds} s; it last said {self.last}")
        return self.last

    def ask(self, line):
        self.process.stdin.write(f"{line}\n".encode())

    async def end(self):
        """Let it end by itself, and see that it did so without a word of complaint."""
        if self.process.returncode is None:
            self.process.stdin.close()
            await self.process.stdout.read()
        async with asyncio.timeout(15):
            assert await self.process.wait() == 0
        errors = (await self.process.stderr.read()).decode()
        assert "Traceback" not in errors, errors
        assert "Warning" not in errors, errors


class Net:
    """Two namespaces, `gateway` and `tills`, each with `lan0`, the ends of one cable."""

    def __init__(self):
        self.ip_program = component("ip", "iproute2")
        name = f"sg{secrets.token_hex(3)}"
        self.namespaces = {"gateway": f"{name}g", "tills": f"{name}t"}
        self.peers = []

    def ip(self, *words, side=None):
        where = ["-n", self.namespaces[side]] if side else []
        subprocess.run([self.ip_program, *where, *words], check=True, capture_output=True, timeout=20)

    def make(self):
        for namespace in self.namespaces.values():
            self.ip("netns", "add", namespace)
        for side in self.namespaces:
            self.ip("link", "set", "lo", "up", side=side)
        self.plug()

    def plug(self, name="lan0"):
        gateway, tills = self.namespaces["gateway"], self.namespaces["tills"]
        self.ip("link", "add", name, "netns", gateway, "type", "veth", "peer", "name", name, "netns", tills)
        for side in self.namespaces:
            self.ip("link", "set", name, "up", side=side)

    def address(self, side, ip, verb="add"):
        self.ip("addr", verb, f"{ip}/24", "dev", "lan0", side=side)

    async def start(self, side, role, **spec):
        process = await asyncio.create_subprocess_exec(
            self.ip_program, "netns", "exec", self.namespaces[side],
            sys.executable, "-W", "error", "-X", "dev", "-m", "tests.tills.mdns_peer", role, json.dumps(spec),
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        peer = Peer(process)
        self.peers.append(peer)
        return peer

    async def clean(self):
        for peer in self.peers:
            if peer.process.returncode is None:
                peer.process.kill()
            await peer.process.communicate()
        for namespace in self.namespaces.values():
            subprocess.run([self.ip_program, "netns", "del", namespace], check=False, capture_output=True, timeout=20)


@pytest.fixture
async def bare_net():
    """The cable is in, no side has an address yet."""
    root()
    net = Net()
    try:
        net.make()
        yield net
    finally:
        await net.clean()


@pytest.fixture
async def net(bare_net):
    bare_net.address("gateway", GATEWAY_IP)
    bare_net.address("tills", TILL_IP)
    return bare_net


def is_announced(said):
    return said.get("announced_as")


async def test_a_till_finds_the_gateway_and_hears_its_goodbye(net):
    till = await net.start("tills", "browser")
    await till.until(lambda said: said.get("ready"))
    gateway = await net.start("gateway", "gateway")

    found = await till.until(lambda said: said.get("found"))
    await gateway.end()
    gone = await till.until(lambda said: said.get("gone"), 5)
    await till.end()

    assert found == {
        "found": "store-1._store-gateway._tcp.local.",
        "server": "gateway-store-1.local.",
        "addresses": [GATEWAY_IP],
        "port": 8470,
        "txt": {
            "store": "store-1",
            "api": "https://gateway-store-1.local:8470",
            "version": "0.1.0",
            "ca": "ab" * 32,
            "epoch": "7",
        },
    }
    assert gone == {"gone": "store-1._store-gateway._tcp.local."}


async def test_a_till_that_comes_later_finds_the_gateway_too(net):
    gateway = await net.start("gateway", "gateway")
    await gateway.until(is_announced)

    finder = await net.start("tills", "find", seconds=1.5)
    (found,) = (await finder.until(lambda said: "gateways" in said))["gateways"]
    await finder.end()
    await gateway.end()

    assert (found["label"], found["store"], found["addresses"], found["port"]) == (
        "store-1", "store-1", [GATEWAY_IP], 8470
    )  # fmt: skip
    assert (found["ca"], found["epoch"], found["version"]) == ("ab" * 32, "7", "0.1.0")


async def test_a_new_epoch_is_announced_and_silence_is_a_goodbye(net):
    till = await net.start("tills", "browser")
    gateway = await net.start("gateway", "gateway")
    await till.until(lambda said: said.get("found"))

    gateway.ask("epoch 8")
    await till.until(lambda said: said.get("txt", {}).get("epoch") == "8")
    gateway.ask("silence")
    await till.until(lambda said: said.get("gone"))

    await gateway.until(lambda said: said.get("announced_as") == "")
    await gateway.end()
    await till.end()


async def test_fifty_tills_are_listed_within_seconds_and_leave_with_their_goodbye(net):
    gateway = await net.start("gateway", "gateway")
    await gateway.until(is_announced)
    tills = await net.start("tills", "neighbours", address=TILL_IP, tills=50)
    await tills.until(lambda said: said.get("ready"))

    said = await gateway.until(lambda said: len(said["tills"]) == 50, 5)

    assert {till["till"] for till in said["tills"]} == {f"front-{number}" for number in range(50)}
    assert {(till["model"], till["app"], tuple(till["addresses"])) for till in said["tills"]} == {
        ("Elo", "pos 1.0", (TILL_IP,))
    }
    await tills.end()
    await gateway.until(lambda said: said["tills"] == [], 5)
    await gateway.end()


async def test_fifty_tills_that_were_there_first_are_listed_too(net):
    tills = await net.start("tills", "neighbours", address=TILL_IP, tills=50)
    await tills.until(lambda said: said.get("ready"))

    gateway = await net.start("gateway", "gateway")

    await gateway.until(lambda said: len(said.get("tills", ())) == 50, 8)
    await gateway.end()
    await tills.end()


async def test_a_till_without_power_is_forgotten_though_it_said_no_goodbye_and_one_that_answers_is_not(net):
    net.address("tills", "10.77.0.3")
    gateway = await net.start("gateway", "gateway", ask_again_s=0.5, forget_s=3.0)
    dying = await net.start("tills", "neighbours", address=TILL_IP, tills=1, host_ttl=2)
    living = {"kind": "_pos-till._tcp.local.", "label": "Living", "addresses": ["10.77.0.3"], "port": 1, "host_ttl": 2}
    tills = await net.start("tills", "neighbours", address="10.77.0.3", services=[living])
    await gateway.until(lambda said: len(said.get("tills", ())) == 2)

    dying.process.kill()

    await gateway.until(lambda said: len(said["tills"]) == 1, 20)
    (till,) = gateway.last["tills"]
    assert till["label"] == "Living"
    await gateway.until(lambda said: said["tills"][0]["last_seen_ms"] > till["last_seen_ms"])
    await gateway.end()
    await tills.end()


async def test_bad_names_and_link_local_addresses_are_not_listed(net):
    till = "_pos-till._tcp.local."
    gateway = await net.start("gateway", "gateway")
    neighbours = await net.start(
        "tills", "neighbours", address=TILL_IP, tills=1,
        services=[
            {"kind": till, "label": "A", "addresses": [TILL_IP], "port": 1, "txt": {"till": "Not A Name"}},
            {"kind": till, "label": "B", "addresses": ["169.254.3.4"], "port": 1, "txt": {"till": "linklocal"}},
            {"kind": till, "label": "C", "addresses": [TILL_IP], "port": 1, "txt": {"till": "admin"}},
            {"kind": till, "label": "D", "addresses": [TILL_IP], "port": 1, "txt": {}},
        ],
    )  # fmt: skip
    await neighbours.until(lambda said: said.get("ready"))

    said = await gateway.until(lambda said: len(said.get("tills", ())) == 2)

    assert [(each["label"], each["till"]) for each in said["tills"]] == [("Caja 0", "front-0"), ("D", "")]
    await gateway.end()
    await neighbours.end()


async def test_a_printer_that_answers_is_offered_and_others_are_not(net):
    addresses = {name: f"10.77.0.{number}" for number, name in enumerate(("good", "mute", "office", "known"), 3)}
    for address in addresses.values():
        net.address("tills", address)
    gateway = await net.start("gateway", "gateway", known_printers=[f"tcp://{addresses['known']}:9100"])
    printers = {address: "mute" if name == "mute" else "good" for name, address in addresses.items()}
    neighbours = await net.start(
        "tills", "neighbours", address=TILL_IP, printers=printers,
        services=[
            {"kind": RAW, "label": "Office", "addresses": [addresses["office"]], "txt": {"pdl": "application/PCL"}},
            {"kind": RAW, "label": "Known", "addresses": [addresses["known"]]},
            {"kind": RAW, "label": "Mute", "addresses": [addresses["mute"]]},
            {"kind": RAW, "label": "Off", "addresses": [TILL_IP]},
            {"kind": RAW, "label": "Elsewhere", "addresses": ["192.0.2.99"]},
            {"kind": RAW, "label": "Good", "addresses": [addresses["good"]]},
            {"kind": LPD, "label": "Good", "addresses": [addresses["good"]], "port": 515},
            {"kind": IPP, "label": "Good", "addresses": [addresses["good"]], "port": 631},
        ],
    )  # fmt: skip
    await neighbours.until(lambda said: said.get("ready"))

    said = await gateway.until(lambda said: said.get("printers"))
    neighbours.ask("tell")
    heard = await neighbours.until(lambda said: bytes.fromhex(said.get("heard", {}).get(addresses["mute"], "")))

    (printer,) = said["printers"]
    assert (printer["label"], printer["address"], printer["port"]) == ("Good", addresses["good"], 9100)
    assert (printer["maker"], printer["model"]) == ("EPSON", "TM-T20III")
    assert bytes.fromhex(heard["heard"][addresses["good"]]) == b"\x10\x04\x01\x1d\x49\x42\x1d\x49\x43"
    assert bytes.fromhex(heard["heard"][addresses["mute"]]) == b"\x10\x04\x01"
    assert heard["heard"][addresses["office"]] == heard["heard"][addresses["known"]] == ""
    await neighbours.end()
    await gateway.until(lambda said: said["printers"] == [], 5)
    await gateway.end()


async def test_an_interface_that_gets_its_address_later_is_followed(bare_net):
    bare_net.address("tills", TILL_IP)
    tills = await bare_net.start("tills", "neighbours", address=TILL_IP, tills=2)
    till = await bare_net.start("tills", "browser")
    gateway = await bare_net.start("gateway", "gateway")
    await tills.until(lambda said: said.get("ready"))
    await till.until(lambda said: said.get("ready"))
    await gateway.until(lambda said: said.get("announced_as") == "")

    bare_net.address("gateway", GATEWAY_IP)

    assert (await till.until(lambda said: said.get("found")))["addresses"] == [GATEWAY_IP]
    await gateway.until(lambda said: len(said["tills"]) == 2)
    for peer in (gateway, till, tills):
        await peer.end()


async def test_an_address_that_changes_is_announced(net):
    till = await net.start("tills", "browser")
    gateway = await net.start("gateway", "gateway")
    await till.until(lambda said: said.get("found"))

    net.address("gateway", GATEWAY_IP, "del")
    net.address("gateway", "10.77.0.9")

    await till.until(lambda said: "10.77.0.9" in said.get("addresses", ()))
    finder = await net.start("tills", "find", seconds=1.5)
    (found,) = (await finder.until(lambda said: "gateways" in said))["gateways"]
    assert found["addresses"] == ["10.77.0.9"]
    await gateway.end()
    await till.until(lambda said: said.get("gone"))
    await till.end()
    await finder.end()


async def test_a_cable_that_is_pulled_and_put_in_again_is_followed(net):
    gateway = await net.start("gateway", "gateway")
    await gateway.until(is_announced)

    net.ip("link", "del", "lan0", side="gateway")
    net.plug()
    net.address("gateway", GATEWAY_IP)
    net.address("tills", TILL_IP)
    tills = await net.start("tills", "neighbours", address=TILL_IP, tills=1)
    await gateway.until(lambda said: len(said["tills"]) == 1)

    finder = await net.start("tills", "find", seconds=1.5)
    (found,) = (await finder.until(lambda said: "gateways" in said))["gateways"]
    assert found["addresses"] == [GATEWAY_IP]
    for peer in (gateway, finder, tills):
        await peer.end()


async def test_a_second_gateway_of_the_same_store_does_not_take_the_firsts_name(net):
    first = await net.start("gateway", "gateway")
    await first.until(is_announced)

    second = await net.start("tills", "gateway")

    assert (await second.until(is_announced))["announced_as"] == "store-1-2._store-gateway._tcp.local."
    assert first.last["announced_as"] == "store-1._store-gateway._tcp.local."
    await second.end()
    await first.end()


async def test_a_gateway_speaks_where_tills_are_and_nowhere_else(bare_net):
    bare_net.address("gateway", GATEWAY_IP)
    bare_net.address("gateway", "169.254.7.7")
    for name, ip in (("docker0", "172.17.0.1"), ("lan1", "10.78.0.1")):
        bare_net.plug(name)
        bare_net.ip("addr", "add", f"{ip}/16", "dev", name, side="gateway")
    bare_net.ip("link", "set", "lan1", "down", side="tills")

    free = await bare_net.start("gateway", "addresses", only=[])
    chosen = await bare_net.start("gateway", "addresses", only=["docker0", "lan9"])

    assert (await free.until(lambda said: said))["addresses"] == [GATEWAY_IP]
    assert (await chosen.until(lambda said: said))["addresses"] == ["172.17.0.1"]
    await free.end()
    await chosen.end()
