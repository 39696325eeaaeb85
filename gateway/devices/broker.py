"""The embedded MQTT broker: amqtt, with the store's own rules of who may speak, and without its known faults.

It listens where it is told and nowhere else, lets nobody in without a password, and a till speaks and hears below its
own name only (`topics`). It keeps nothing on disk: the table of jobs does, and tills repeat what was not accepted.

What is mended here, found in amqtt 0.12.1 and held by the wire tests:

- A connection took over a session, and its user name, before its password was checked. Here the password comes first,
  and a session belongs to the user who made it.
- A second connection of one session left it "disconnected" for ever. Here the old connection ends first.
- Messages without PUBACK were forgotten at a disconnect. Here they come again with the session.
- Retained messages went to every resumed session whatever its rights. Here they follow a subscription and the rights.
- Silent clients stayed for ever, packets and queues had no limit.
"""

import asyncio
import contextlib
import logging
import math
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from amqtt.adapters import ReaderAdapter, StreamReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.broker import Broker, Server
from amqtt.contexts import Action, BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import AMQTTError, BrokerError, MQTTError, NoDataError
from amqtt.mqtt.connack import BAD_USERNAME_PASSWORD, ConnackPacket
from amqtt.mqtt.constants import QOS_1
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.puback import PubackPacket
from amqtt.session import ApplicationMessage, IncomingApplicationMessage, OutgoingApplicationMessage, Session
from typing_extensions import override

from gateway.devices import topics

KEEP_ALIVE_FACTOR = 1.5
"""MQTT 3.1.1, 3.1.2.10: silence that long ends a connection."""

PasswordCheck = Callable[[str, str], bool]
"""Whether a user may come in with this password."""


class PacketTooLargeError(ConnectionError):
    """A client announced a packet beyond `Limits.packet_bytes`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker bears."""

    connections: int = 1_000
    sessions_of_user: int = 8
    queued_messages: int = 1_000
    """Kept for one session that is away; the oldest go first, the table of jobs has them."""
    packet_bytes: int = 262_144
    connect_s: float = 10.0
    """From the first byte to a whole CONNECT."""
    session_s: int = 86_400
    """How long a session is kept for a client that is away."""
    close_s: float = 2.0
    """For the last bytes of a connection that ends."""
    stop_s: float = 10.0


class EmbeddedBroker:
    """`async with` it: listening from here to there. `port` 0 takes a free one; `address` says which."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        store: str,
        is_right: PasswordCheck,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Store the arguments; `is_right` is asked for tills and for the gateway's own user (`topics.GATEWAY_USER`)."""
        self.host = host
        self.port = port
        self._tree = topics.Tree(store)
        self._is_right = is_right
        self._tls = tls
        self._limits = limits or Limits()
        self._broker: _Broker | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where this machine reaches it."""
        return ("127.0.0.1" if self.host in {"", "0.0.0.0", "::"} else self.host, self.port)  # noqa: S104 - compared

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            OSError: the address cannot be used; its text says why.
        """
        config = BrokerConfig(
            listeners={"default": ListenerConfig(type=ListenerType.TCP, bind="127.0.0.1:0")},
            plugins={},
            session_expiry_interval=self._limits.session_s,
        )
        self._broker = _Broker(config, self._tree, self._is_right, self._tls, self._limits)
        try:
            await self._broker.listen(self.host, self.port)
        except BrokerError as error:
            self._broker = None
            message = f"the MQTT broker cannot listen on {self.host}:{self.port}: {error}"
            raise OSError(message) from error
        self.port = self._broker.port
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection and stop listening."""
        broker, self._broker = self._broker, None
        if broker is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.stop_s):
                    await broker.shutdown()

    async def drop(self, user: str) -> None:
        """End a user's connections and forget its sessions: it was revoked."""
        if self._broker is not None:
            await self._broker.drop(user)


class _Reader(StreamReaderAdapter):
    """Refuses to read a packet that is larger than any of ours."""

    def __init__(self, reader: asyncio.StreamReader, limits: Limits) -> None:
        super().__init__(reader)
        self._limits = limits

    @override
    async def read(self, n: int = -1) -> bytes:
        if n > self._limits.packet_bytes:
            message = f"a packet of {n} bytes"
            raise PacketTooLargeError(message)
        return await super().read(n)


class _Writer(StreamWriterAdapter):
    """Does not wait for ever for the last bytes to a client that has died."""

    def __init__(self, writer: asyncio.StreamWriter, limits: Limits) -> None:
        super().__init__(writer)
        self._limits = limits

    @override
    async def close(self) -> None:
        if not self.is_closed:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(self._limits.close_s):
                    await super().close()
            self.abort()

    def abort(self) -> None:
        """End the connection now."""
        self._writer.transport.abort()


class _Handler(BrokerProtocolHandler):
    """One connection: keeps what was not acknowledged, ends when nothing is heard."""

    def flow(self, work: Awaitable[Any]) -> None:
        """Send something and await its PUBACK beside everything else; what becomes of it stands in the session."""
        task = asyncio.ensure_future(work)
        self._flows.add(task)
        task.add_done_callback(self._flowed)

    @override
    def attach(self, session: Session, reader: ReaderAdapter, writer: WriterAdapter) -> None:
        self._flows: set[asyncio.Future[Any]] = set()
        super().attach(session, reader, writer)

    @override
    async def _retry_deliveries(self) -> None:
        if self.session is not None:
            for message in list(self.session.inflight_out.values()):
                self.flow(self._handle_message_flow(message))

    @override
    async def _handle_qos1_message_flow(
        self, app_message: OutgoingApplicationMessage | IncomingApplicationMessage
    ) -> None:
        session = self.session
        try:
            await super()._handle_qos1_message_flow(app_message)
        finally:
            if (
                isinstance(app_message, OutgoingApplicationMessage)
                and app_message.puback_packet is None
                and app_message.packet_id is not None
                and session is not None
                and not session.clean_session
            ):
                session.inflight_out[app_message.packet_id] = app_message

    @override
    async def handle_puback(self, puback: PubackPacket) -> None:
        await super().handle_puback(puback)
        if puback.packet_id not in self._puback_waiters and self.session is not None:
            self.session.inflight_out.pop(puback.packet_id, None)

    @override
    def handle_read_timeout(self) -> None:
        self._abort()

    @override
    async def stop(self) -> None:
        """End the connection first: cancelling the reader alone is lost when a packet comes at the same moment."""
        self._abort()
        await super().stop()

    def _abort(self) -> None:
        if isinstance(self.writer, _Writer):
            self.writer.abort()

    def _flowed(self, task: asyncio.Future[Any]) -> None:
        self._flows.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.logger.info("not acknowledged, kept for the next connection: %s", task.exception())


class _Broker(Broker):
    """The broker's rules over amqtt's packets, sessions and subscriptions."""

    def __init__(
        self,
        config: BrokerConfig,
        tree: topics.Tree,
        is_right: PasswordCheck,
        tls: ssl.SSLContext | None,
        limits: Limits,
    ) -> None:
        super().__init__(config)
        self._limits = limits
        self.port = 0
        self._tree = tree
        self._is_right = is_right
        self._tls = tls
        self._turns: dict[str, asyncio.Lock] = {}
        self._open: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def listen(self, host: str, port: int) -> None:
        """Listen, with the gateway's own session there already: what tills say before it comes is kept for it."""
        self._host, self._port_wanted = host, port
        key = f"{topics.GATEWAY_USER}/{self._tree.gateway_client}"
        self.logger.addFilter(_is_not_raised_too)
        await self.start()
        handler, session = self.create_offline_session(key)
        session.username, session.clean_session = topics.GATEWAY_USER, False
        self._sessions[key] = (session, handler)
        for topic in self._tree.listened:
            await self.add_subscription((topic, QOS_1), session)

    @override
    async def _create_server_instance(
        self,
        listener_name: str,
        listener_type: ListenerType,
        address: str | None,
        port: int,
        ssl_context: ssl.SSLContext | None,
    ) -> asyncio.Server:
        server = await asyncio.start_server(
            partial(self.stream_connected, listener_name=listener_name),
            self._host,
            self._port_wanted,
            reuse_address=True,
            ssl=self._tls,
            ssl_handshake_timeout=None if self._tls is None else self._limits.connect_s,
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

    @override
    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            if len(self._open) <= self._limits.connections:
                await self._client_connected(
                    listener_name, _Reader(reader, self._limits), _Writer(writer, self._limits)
                )
        except (OSError, asyncio.IncompleteReadError) as error:
            self.logger.info("connection ended: %s", error)
        finally:
            writer.transport.abort()
            self._open.pop(task, None)

    @override
    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Read CONNECT and check the password; only then look at sessions, and only at this user's own."""
        try:
            async with asyncio.timeout(self._limits.connect_s):
                handler, session = await _Handler.init_from_connect(reader, writer, self.plugins_manager)
        except (TimeoutError, OSError, ValueError) as error:
            await writer.close()
            raise AMQTTError(str(error)) from error
        except (AMQTTError, MQTTError, NoDataError):
            await writer.close()
            raise
        user = session.username or ""
        if not user or not self._is_right(user, session.password or ""):
            await ConnackPacket.build(0, BAD_USERNAME_PASSWORD).to_stream(writer)
            await writer.close()
            message = f"no such user or password: {user!r}"
            raise AMQTTError(message)
        session.client_id = f"{user}/{session.client_id}"
        session.keep_alive = math.ceil(session.keep_alive * KEEP_ALIVE_FACTOR)
        if session.will_topic is not None and not self._tree.may_publish(user, session.will_topic):
            session.will_flag = False
        return handler, session

    @override
    async def _handle_client_session(
        self,
        reader: ReaderAdapter,
        writer: WriterAdapter,
        client_session: Session,
        handler: BrokerProtocolHandler,
        server: Server,
        listener_name: str,
    ) -> None:
        """Serve one connection; an older one of the same session ends first."""
        key = client_session.client_id or ""
        _, old_handler = self._sessions.get(key, (None, None))
        if old_handler is not None:
            await old_handler.handle_connection_closed()
        async with self._turns.setdefault(key, asyncio.Lock()):
            session = await self._resumed(client_session)
            session.transitions.connect()
            handler.attach(session, reader, writer)
            self._sessions[key] = (session, handler)
            try:
                await handler.mqtt_connack_authorize(True)
                await handler.start()
                await self._publish_session_retained_messages(session)
                await self._client_message_loop(session, handler)
            finally:
                await self._ended(session, handler)
        if session.clean_session and self._sessions.get(key, (None, None))[1] is handler:
            await self._delete_session(key)
        if key not in self._sessions:
            self._turns.pop(key, None)

    async def _ended(self, session: Session, handler: BrokerProtocolHandler) -> None:
        """A connection that broke, or broke the rules, leaves its will like one that fell silent."""
        if session.transitions.is_connected():
            nothing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            nothing.set_result(None)
            await self._handle_disconnect(session, handler, nothing)

    async def _resumed(self, new: Session) -> Session:
        """The session that this client left, with what the new CONNECT says; or the new one."""
        key = new.client_id or ""
        old = self._sessions.get(key, (None, None))[0]
        if new.clean_session or old is None or old.clean_session:
            await self._delete_session(key)
            await self._make_room(new.username or "")
            new.parent = 0
            return new
        for name in ("will_flag", "will_retain", "will_qos", "will_topic", "will_message", "keep_alive"):
            setattr(old, name, getattr(new, name))
        old.parent = 1
        return old

    async def _make_room(self, user: str) -> None:
        """A user's oldest sessions go when there are too many of them."""
        keys = [key for key in self._sessions if key.startswith(f"{user}/")]
        for key in keys[: max(len(keys) - self._limits.sessions_of_user + 1, 0)]:
            await self._cleanup_session(key)

    @override
    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        user = session.username or ""
        if action is Action.PUBLISH:
            return self._tree.may_publish(user, topic)
        return self._tree.may_read(user, topic)

    @override
    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """To a new subscription, what this session may read of it."""
        pattern, qos = subscription
        handler = self._get_handler(session)
        for topic, retained in list(self._retained_messages.items()):
            if not isinstance(handler, _Handler) or not self._matches(topic, pattern):
                continue
            if await self._topic_filtering(session, topic, Action.RECEIVE):
                handler.flow(handler.mqtt_publish(topic, retained.data, min(qos, retained.qos or 0), retain=True))

    @override
    async def _retain_broadcast_message(self, broadcast: dict[str, Any], qos: int, target_session: Session) -> None:
        waiting: asyncio.Queue[ApplicationMessage] = target_session.retained_messages
        while waiting.qsize() >= self._limits.queued_messages:
            waiting.get_nowait()
        await super()._retain_broadcast_message(broadcast, qos, target_session)

    @override
    async def _publish_session_retained_messages(self, session: Session) -> None:
        """What waited for this session, in order, without waiting for each to be acknowledged."""
        handler = self._get_handler(session)
        while isinstance(handler, _Handler) and not session.retained_messages.empty():
            kept = session.retained_messages.get_nowait()
            handler.flow(handler.mqtt_publish(kept.topic, kept.data, kept.qos, retain=False))

    @override
    async def shutdown(self) -> None:
        """Let nobody in while everybody is sent away."""
        for server in self._servers.values():
            server.instance.close()
        await super().shutdown()
        for writer in self._open.values():
            writer.transport.abort()
        if self._open:
            await asyncio.wait(list(self._open))

    async def drop(self, user: str) -> None:
        """As `EmbeddedBroker.drop`."""
        for key in [key for key in self._sessions if key.startswith(f"{user}/")]:
            await self._cleanup_session(key)


def _is_not_raised_too(record: logging.LogRecord) -> bool:
    """What the caller hears as an error is not logged as well."""
    return record.getMessage() != "Broker startup failed"
