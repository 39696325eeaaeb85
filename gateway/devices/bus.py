"""The gateway's own connection to the broker, embedded or Mosquitto: paho on a thread of its own, asyncio on this side.

A message is acknowledged only when its handler says so, after its rows are durable; one that was received and not
acknowledged comes again with the next connection. Nothing is queued here while there is no connection: the rows are.
Messages that come before the gateway's own echo have waited in the broker for nobody knows how long (`waited`).
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

KEEP_ALIVE_S = 15
CONNECT_S_MAX = 5.0
RECONNECT_S_MIN = 1
RECONNECT_S_MAX = 15
RECEIVED_MAX = 1_000
"""Messages that wait for the table; beyond it one is left unacknowledged, and its till sends it again."""
OUTGOING_MAX = 2_000
IN_FLIGHT_MAX = 100
LEAVE_S_MAX = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the broker is, and who we are to it."""

    host: str
    port: int
    user: str
    password: str
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Something to publish."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """Something that came: the `number`th of this process.

    `connection` counts the connections: an acknowledgement is of its own one only.
    """

    topic: str
    payload: bytes
    waited: bool
    number: int
    mid: int
    qos: int
    connection: int


class Bus:
    """`run` keeps one connection; `next`, `acknowledge` and `publish` belong to the event loop."""

    def __init__(self, server: Server, client_id: str) -> None:
        """Store the arguments; `client_id` names the session that the broker keeps (`Tree.gateway_client`)."""
        self.on_change: Callable[[], None] = _nothing
        """Called on the event loop whenever the connection came or went."""
        self.is_up = False
        self.ups = 0
        """How often a connection came up, subscriptions and all."""
        self.taken = 0
        """Messages received, acknowledged or not."""
        self._server = server
        self._client_id = client_id
        self._client: paho.Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._received: asyncio.Queue[Received] = asyncio.Queue(RECEIVED_MAX)
        self._connection = 0
        self._echo_topic = ""
        self._echoed = 0
        """The connection whose echo has come back."""

    async def run(self, topics: Sequence[str], echo_topic: str, will: Message) -> None:
        """Connect, stay connected, subscribe; when cancelled, say what the will says and go."""
        self._loop = asyncio.get_running_loop()
        self._echo_topic = echo_topic
        client = self._client = self._new_client(topics, will)
        client.connect_async(self._server.host, self._server.port, keepalive=KEEP_ALIVE_S)
        client.loop_start()
        try:
            await asyncio.Event().wait()
        finally:
            self._client = None
            await asyncio.to_thread(_leave, client, will)
            self._go_down(self._connection)

    async def next(self) -> Received:
        """The next message that is not the bus's own."""
        return await self._received.get()

    def acknowledge(self, received: Received) -> None:
        """The message's rows are durable: the broker may forget it."""
        if self._client is not None and received.connection == self._connection and received.qos:
            self._client.ack(received.mid, received.qos)

    def publish(self, message: Message) -> bool:
        """Hand a message to the connection; False: there is none, or it is full. The broker may still lose it.

        There may be one before `is_up`: what waited in the broker comes before the subscriptions are confirmed.
        """
        if self._client is None or not self._client.is_connected():
            return False
        sent = self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)
        return sent.rc == paho.MQTT_ERR_SUCCESS

    def _new_client(self, topics: Sequence[str], will: Message) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.username_pw_set(self._server.user, self._server.password)
        client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.connect_timeout = CONNECT_S_MAX
        client.reconnect_delay_set(RECONNECT_S_MIN, RECONNECT_S_MAX)
        client.max_queued_messages_set(OUTGOING_MAX)
        client.max_inflight_messages_set(IN_FLIGHT_MAX)
        if self._server.tls is not None:
            client.tls_set_context(self._server.tls)
        counted = _Connections(list(topics))
        client.on_socket_open = _set_no_delay
        client.on_connect = lambda *given: self._connected(counted, *given)
        client.on_subscribe = lambda *_: self._later(self._come_up, counted.count)
        client.on_disconnect = lambda *_: self._later(self._go_down, counted.count)
        client.on_message = lambda _client, _data, message: self._later(self._take, message, counted.count)
        return client

    def _connected(self, counted: "_Connections", client: paho.Client, *given: Any) -> None:
        """On paho's thread: subscribe, whether or not the broker still knows us."""
        reason = given[2]
        if reason.is_failure:
            log.warning("broker_refused", reason=str(reason))
            return
        counted.count += 1
        client.subscribe([(topic, 1) for topic in counted.topics])

    def _later(self, work: Any, *given: Any) -> None:
        """From paho's thread to the event loop."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is gone, and everybody with it
                self._loop.call_soon_threadsafe(work, *given)

    def _come_up(self, connection: int) -> None:
        self._connection = max(self._connection, connection)
        self.is_up = True
        self.ups += 1
        self.on_change()
        log.info("broker_reached", host=self._server.host, port=self._server.port)
        self.publish(Message(self._echo_topic, b"%d" % connection))

    def _go_down(self, connection: int) -> None:
        self._connection = max(self._connection, connection)
        if self.is_up:
            self.is_up = False
            log.warning("broker_lost", host=self._server.host, port=self._server.port)
        self.on_change()

    def _take(self, message: paho.MQTTMessage, connection: int) -> None:
        self._connection = max(self._connection, connection)
        waited = self._echoed != connection
        number = self.taken + 1
        received = Received(message.topic, bytes(message.payload), waited, number, message.mid, message.qos, connection)
        if message.topic == self._echo_topic:
            if message.payload == b"%d" % connection:
                self._echoed = connection
            self.acknowledge(received)
            return
        try:
            self._received.put_nowait(received)
            self.taken = number
        except asyncio.QueueFull:
            log.warning("message_left", topic=message.topic)


@dataclass(slots=True)
class _Connections:
    """Belongs to paho's thread."""

    topics: list[str]
    count: int = 0


def _nothing() -> None:
    """Nobody wants to know."""


def _set_no_delay(_client: paho.Client, _data: Any, opened: Any) -> None:
    """Without it every exchange costs 40 to 90 ms: PUBACK and PUBLISH are two small segments."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _leave(client: paho.Client, will: Message) -> None:
    """On a thread: say goodbye while the broker listens, then end paho's thread."""
    if client.is_connected():
        said = client.publish(will.topic, will.payload, qos=1, retain=True)
        with contextlib.suppress(RuntimeError, ValueError):
            said.wait_for_publish(LEAVE_S_MAX)
    client.disconnect()
    client.loop_stop()
