"""What the embedded broker mends of amqtt: sessions, rights and limits, said by raw clients over real sockets."""

import asyncio
import datetime as dt
import ssl
import threading

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.devices.broker import EmbeddedBroker, Limits
from gateway.devices.topics import GATEWAY_USER
from tests.devices.store import GATEWAY_PASSWORD, PASSWORDS, STORE, TREE, Till, is_right

MINE = f"{TREE.root}/till/front/evt/job/+"
EVENT = TREE.event("front", "j")


class Raw:
    """A client without manners: acknowledges by hand, or not at all."""

    def __init__(self, address, name="front", *, client_id=None, clean=False, ack=True, keep_alive=30, will=None):
        self.heard = []
        self.session_present = None
        self.is_gone = threading.Event()
        self._came = threading.Condition()
        self._up = threading.Event()
        self._ack = ack
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=client_id or f"{name}-raw",
            clean_session=clean,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        self.client.username_pw_set(name, PASSWORDS[name])
        if will is not None:
            self.client.will_set(*will)
        self.client.on_connect = self._connected
        self.client.on_subscribe = lambda *_: self._up.set()
        self.client.on_disconnect = lambda *_: self.is_gone.set()
        self.client.on_message = self._take
        self.client.connect_async(*address, keepalive=keep_alive)
        self.client.loop_start()

    def _connected(self, client, _data, flags, _reason, _properties):
        self.session_present = flags.session_present
        if client._username == b"front":
            client.subscribe(MINE, qos=1)
        else:
            self._up.set()

    def _take(self, client, _data, message):
        if self._ack:
            client.ack(message.mid, message.qos)
        with self._came:
            self.heard.append((message.topic, message.payload, message.dup))
            self._came.notify_all()

    async def up(self):
        assert await asyncio.to_thread(self._up.wait, 10)
        return self

    async def until(self, count):
        def wait():
            with self._came:
                return self._came.wait_for(lambda: len(self.heard) >= count, 10)

        assert await asyncio.to_thread(wait), self.heard

    async def gone(self):
        assert await asyncio.to_thread(self.is_gone.wait, 10)

    async def say(self, topic, payload=b"x", *, retain=False):
        sent = self.client.publish(topic, payload, qos=1, retain=retain)
        await asyncio.to_thread(sent.wait_for_publish, 10)

    async def leave(self):
        def leave():
            self.client.disconnect()
            self.client.loop_stop()

        await asyncio.to_thread(leave)

    async def vanish(self):
        """Break the connection without a word."""

        def vanish():
            opened = self.client.socket()
            opened.shutdown(2)
            self.is_gone.wait(10)
            self.client.loop_stop()

        await asyncio.to_thread(vanish)


@pytest.fixture
async def gateway(embedded):
    client = await Raw(embedded.address, GATEWAY_USER, client_id="speaker", clean=True).up()
    yield client
    await client.leave()


async def test_what_was_not_acknowledged_comes_again_with_the_session(embedded, gateway):
    till = await Raw(embedded.address, ack=False).up()
    for number in range(3):
        await gateway.say(EVENT, b"%d" % number)
    await till.until(3)
    await till.vanish()
    await gateway.say(EVENT, b"3")
    again = await Raw(embedded.address).up()
    await again.until(4)
    assert again.session_present
    assert [payload for _, payload, _ in again.heard] == [b"0", b"1", b"2", b"3"]
    assert [dup for _, _, dup in again.heard] == [True, True, True, False]
    await again.say(TREE.till_status("front"))
    await again.leave()
    third = await Raw(embedded.address).up()
    await gateway.say(EVENT, b"4")
    await third.until(1)
    assert [payload for _, payload, _ in third.heard] == [b"4"]
    await third.leave()


async def test_a_second_connection_of_a_session_takes_it_over_and_goes_on_hearing(embedded, gateway):
    for _ in range(3):
        old = await Raw(embedded.address).up()
        new = await Raw(embedded.address).up()
        await old.gone()
        await gateway.say(EVENT, b"after")
        await new.until(1)
        assert new.heard[-1][1] == b"after"
        await old.leave()
        await new.leave()


async def test_a_stranger_who_names_anothers_session_gets_nothing_and_changes_nothing(embedded, gateway):
    till = await Raw(embedded.address, client_id="the-tills-own").up()
    for name, password in (("front", "wrong"), (GATEWAY_USER, "wrong")):
        async with Till(embedded.address, name, password=password, clean=False) as stranger:
            assert stranger.reason
    other = await Raw(embedded.address, "back", client_id="the-tills-own").up()
    assert other.session_present is False
    await other.say(TREE.device_state("front"), b"forged", retain=True)
    await gateway.say(EVENT, b"mine")
    await till.until(1)
    assert [payload for _, payload, _ in till.heard] == [b"mine"]
    assert other.heard == []
    await other.leave()
    await till.leave()


async def test_a_failed_login_under_another_name_does_not_lend_its_rights(embedded, gateway):
    till = await Raw(embedded.address, client_id="a-client").up()
    reader, writer = await asyncio.open_connection(*embedded.address)
    writer.write(_connect(GATEWAY_USER, "wrong"))
    assert await reader.read() == b"\x20\x02\x00\x04"
    writer.close()
    listener = await Raw(embedded.address, GATEWAY_USER, client_id="listener", clean=True).up()
    listener.client.subscribe(f"{TREE.root}/#", qos=1)
    await till.say(TREE.device_state("front"), b"forged")
    await till.say(TREE.till_status("front"), b"allowed")
    await listener.until(1)
    assert [payload for _, payload, _ in listener.heard] == [b"allowed"]
    await listener.leave()
    await till.leave()


async def test_a_resumed_session_is_sent_no_retained_message_that_it_may_not_read(embedded, gateway):
    back = await Raw(embedded.address, "back").up()
    await back.say(TREE.till_status("back"), b"private", retain=True)
    watcher = await Raw(embedded.address, GATEWAY_USER, client_id="watcher", clean=True).up()
    watcher.client.subscribe(f"{TREE.root}/till/+/status", qos=1)
    await watcher.until(1)
    till = await Raw(embedded.address).up()
    await till.leave()
    again = await Raw(embedded.address).up()
    await gateway.say(EVENT, b"mine")
    await again.until(1)
    assert [payload for _, payload, _ in again.heard] == [b"mine"]
    for client in (again, watcher, back):
        await client.leave()


async def test_a_client_that_falls_silent_is_dropped_and_its_will_is_told(embedded, gateway):
    gateway.client.subscribe(f"{TREE.root}/till/+/status", qos=1)
    reader, writer = await asyncio.open_connection(*embedded.address)
    writer.write(_connect("front", "front-secret", keep_alive=1, will=(TREE.till_status("front"), b"gone")))
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    await gateway.until(1)
    assert gateway.heard[0][:2] == (TREE.till_status("front"), b"gone")
    writer.close()


async def test_a_will_for_a_topic_that_is_not_the_tills_is_not_told(embedded, gateway):
    gateway.client.subscribe(f"{TREE.root}/#", qos=1)
    reader, writer = await asyncio.open_connection(*embedded.address)
    writer.write(_connect("front", "front-secret", will=(TREE.gateway_status, b"forged")))
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    writer.transport.abort()
    till = await Raw(embedded.address).up()
    await till.say(TREE.till_status("front"), b"after")
    await gateway.until(1)
    assert [payload for _, payload, _ in gateway.heard] == [b"after"]
    await till.leave()


def _text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return len(data).to_bytes(2, "big") + data


def _connect(user, password, keep_alive=30, will=None):
    flags = 0xC0 | (0x2C if will else 0)
    body = _text("MQTT") + bytes([4, flags]) + keep_alive.to_bytes(2, "big") + _text("a-client")
    body += b"".join(map(_text, will or ())) + _text(user) + _text(password)
    assert len(body) < 128 * 128
    low, high = len(body) % 128, len(body) // 128
    return bytes([0x10, low | 0x80, high] if high else [0x10, low]) + body


@pytest.mark.parametrize(
    "data",
    [
        b"\x10\xff\xff\xff\x7f",
        b"\x10\xff\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00",
        b"\x30\x03abc",
        b"\x10\x04\x00\x09MQTT",
        b"\x10\x0c\x00\x04MQTT\x05\x02\x00\x00\x00\x00",
        b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00",
    ],
)
async def test_bad_bytes_end_the_connection_and_nothing_else(embedded, gateway, data):
    reader, writer = await asyncio.open_connection(*embedded.address)
    writer.write(data)
    writer.write_eof()
    async with asyncio.timeout(10):
        answer = await reader.read()
    assert answer in {b"", b"\x20\x02\x00\x01", b"\x20\x02\x00\x04"}
    writer.close()
    till = await Raw(embedded.address).up()
    await gateway.say(EVENT, b"well")
    await till.until(1)
    await till.leave()


async def test_a_packet_beyond_the_limit_ends_the_connection(embedded, gateway):
    till = await Raw(embedded.address).up()
    till.client.publish(TREE.till_status("front"), b"x" * (Limits().packet_bytes + 1), qos=1)
    await till.gone()
    await till.leave()
    await gateway.say(EVENT)


async def test_a_session_that_stays_away_keeps_the_newest_messages():
    limits = Limits(queued_messages=3)
    async with EmbeddedBroker("127.0.0.1", 0, store=STORE, is_right=is_right, limits=limits) as broker:
        gateway = await Raw(broker.address, GATEWAY_USER, client_id="speaker", clean=True).up()
        till = await Raw(broker.address).up()
        await till.leave()
        for number in range(5):
            await gateway.say(EVENT, b"%d" % number)
        again = await Raw(broker.address).up()
        await again.until(3)
        assert [payload for _, payload, _ in again.heard] == [b"2", b"3", b"4"]
        await again.leave()
        await gateway.leave()


async def test_a_connection_that_never_says_who_it_is_ends():
    limits = Limits(connect_s=0.2)
    async with EmbeddedBroker("127.0.0.1", 0, store=STORE, is_right=is_right, limits=limits) as broker:
        reader, writer = await asyncio.open_connection(*broker.address)
        writer.write(b"\x10")
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()


async def test_there_are_so_many_connections_and_no_more():
    limits = Limits(connections=2)
    async with EmbeddedBroker("127.0.0.1", 0, store=STORE, is_right=is_right, limits=limits) as broker:
        clients = [await Raw(broker.address, client_id=f"c{number}").up() for number in range(2)]
        reader, writer = await asyncio.open_connection(*broker.address)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        for client in clients:
            await client.leave()


async def test_a_user_has_so_many_sessions_and_no_more(embedded, gateway):
    limit = Limits().sessions_of_user
    clients = [await Raw(embedded.address, client_id=f"c{number}").up() for number in range(limit + 1)]
    await clients[0].gone()
    await gateway.say(EVENT)
    for client in clients[1:]:
        await client.until(1)
    for client in clients:
        await client.leave()


async def test_a_revoked_till_is_cut_off_and_its_session_forgotten(embedded, gateway):
    till = await Raw(embedded.address).up()
    await embedded.drop("front")
    await till.gone()
    await till.leave()
    await gateway.say(EVENT)
    again = await Raw(embedded.address).up()
    assert again.session_present is False
    await gateway.say(EVENT, b"new")
    await again.until(1)
    assert [payload for _, payload, _ in again.heard] == [b"new"]
    await again.leave()


async def test_what_tills_say_before_the_gateway_comes_is_kept_for_it(embedded):
    till = await Raw(embedded.address).up()
    await till.say(TREE.job("front", "front", "submit"), b"early")
    gateway = await Raw(embedded.address, GATEWAY_USER, client_id=TREE.gateway_client).up()
    await gateway.until(1)
    assert gateway.session_present
    assert gateway.heard[0][1] == b"early"
    await gateway.leave()
    await till.leave()


async def test_it_listens_where_it_is_told_and_nowhere_else(embedded):
    host, port = embedded.address
    assert host == "127.0.0.1"
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.2", port)


async def test_an_address_that_is_taken_is_said_so(embedded):
    host, port = embedded.address
    with pytest.raises(OSError, match=f"cannot listen on {host}:{port}"):
        async with EmbeddedBroker(host, port, store=STORE, is_right=is_right):
            pass


async def test_with_a_certificate_it_speaks_tls_only(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "store-1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "both.pem").write_bytes(
        pem
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    async with EmbeddedBroker("127.0.0.1", 0, store=STORE, is_right=is_right, tls=context) as broker:
        trusting = ssl.create_default_context(cadata=pem.decode())
        reader, writer = await asyncio.open_connection(*broker.address, ssl=trusting, server_hostname="localhost")
        writer.write(_connect(GATEWAY_USER, GATEWAY_PASSWORD))
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
        writer.close()
        reader, writer = await asyncio.open_connection(*broker.address)
        writer.write(_connect(GATEWAY_USER, GATEWAY_PASSWORD))
        async with asyncio.timeout(10):
            assert b"\x20\x02\x00\x00" not in await reader.read()
        writer.close()
