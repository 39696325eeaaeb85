"""How the line is carried: HTTP for now. The only module that knows; `push` and `pull` see what it answers.

Every question has an end: a named time for the answer, plus what its bytes take on the slowest line that is still
believed in. The token goes into one header and nowhere else: redirects are not followed, and no error names it.
"""

import asyncio
import io
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import orjson
from pydantic import BaseModel, SecretStr, ValidationError

from gateway.sync import codec, protocol
from gateway.sync.codec import FrameError
from gateway.sync.plan import RATE_MIN
from gateway.sync.protocol import Heartbeat, Order, Orders, Standing

Model = TypeVar("Model", bound=BaseModel)

CONNECT_S_MAX = 10.0
"""A satellite's handshake takes two seconds; TLS three round trips more."""
ANSWER_BYTES_MAX = 65_536
"""Everything but orders is a few lines."""
PIECE_BYTES_MAX = 2**20
KEEP_ALIVE_S = 60.0
"""A silent connection is used again for some heartbeats; head office closes later than that."""
DETAIL_LETTERS_MAX = 300
SLOWER_MAX = 4.0
"""A chunk may take this many times as long as the last measurement says before the line counts as dead."""


_PASSING = frozenset({407, 408, 425, 429})
"""Somebody on the way, or head office at another moment, may answer differently."""


class LinkError(Exception):
    """The line gives no answer, or a "no"."""


class NoLineError(LinkError):
    """Nothing, or nothing that can be used, came back: try again later."""


class OfficeRefusedError(LinkError):
    """Head office answered "no" to this store; the same question will get the same answer."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Address:
    """Where head office is, and who asks: which store, which copy of its books, with which token."""

    url: str
    token: SecretStr
    store: str
    epoch: str
    ca_file: Path | None = None
    reply_wait_ms_max: int = 15_000

    def tls(self) -> ssl.SSLContext | bool:
        """What aiohttp takes as `ssl`: with a CA file that CA alone is believed.

        Raises:
            OSError, ssl.SSLError: the file cannot be used.
        """
        if self.ca_file is None:
            return True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(cafile=self.ca_file)
        return context


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a chunk: whether head office has its rows now, and where it stands."""

    is_there: bool
    standing: Standing


class Uplink:
    """One store's way to head office; `async with` opens and closes it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._session: aiohttp.ClientSession | None = None

    @property
    def epoch(self) -> str:
        """Which copy of the store's books this line speaks for."""
        return self._address.epoch

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._address.tls(), limit=4, keepalive_timeout=KEEP_ALIVE_S),
            headers={
                "Authorization": f"Bearer {self._address.token.get_secret_value()}",
                protocol.PROTOCOL_HEADER: str(protocol.VERSION),
                protocol.EPOCH_HEADER: self._address.epoch,
                "Accept-Encoding": "identity",
            },
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S_MAX),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "User-Agent"),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def hello(self) -> Standing:
        """Open a line: where head office stands, and the session that may store rows from now on.

        Raises:
            NoLineError, OfficeRefusedError.
        """
        _, content = await self._ask("GET", self._path(protocol.CURSOR), _Limits(ANSWER_BYTES_MAX))
        return _read(Standing, content)

    async def send(self, frame: bytes, first: int, session: int, likely_s: float) -> Taken:
        """A chunk that begins with row `first`, which should take `likely_s` seconds to get there.

        Raises:
            NoLineError: whether it arrived is unknown; say hello again.
            OfficeRefusedError.
        """
        headers = {"Content-Type": codec.MEDIA_TYPE, protocol.SESSION_HEADER: str(session)}
        path = self._path(protocol.CHUNKS).replace("{first}", str(first))
        limits = _Limits(ANSWER_BYTES_MAX, slack_s=SLOWER_MAX * likely_s, may_conflict=True)
        status, content = await self._ask("POST", path, limits, content=frame, headers=headers)
        if status == 200:
            return Taken(True, _read(Standing, content))
        problem = _object(content)
        known = {name: problem[name] for name in Standing.model_fields if name in problem}
        try:
            return Taken(False, Standing.model_validate(known))
        except ValidationError:
            raise _refusal(status, problem) from None

    async def report(self, heartbeat: Heartbeat) -> None:
        """Say how the store is.

        Raises:
            NoLineError, OfficeRefusedError.
        """
        content = heartbeat.model_dump_json().encode()
        headers = {"Content-Type": "application/json"}
        await self._ask(
            "PUT", self._path(protocol.HEARTBEAT), _Limits(ANSWER_BYTES_MAX), content=content, headers=headers
        )

    async def orders(self, after: int, wait_s: int) -> tuple[Order, ...]:
        """Head-office rows above `after`, as soon as there are some; none after `wait_s` seconds.

        Raises:
            NoLineError, OfficeRefusedError.
        """
        path = f"{self._path(protocol.ORDERS)}?after={after}&wait_s={wait_s}"
        limits = _Limits(protocol.ORDER_BYTES_MAX, slack_s=wait_s)
        _, content = await self._ask("GET", path, limits)
        try:
            plain = await asyncio.to_thread(codec.unpack, content, protocol.ORDER_BYTES_MAX)
        except FrameError as error:
            message = f"head office's orders cannot be read: {error}"
            raise NoLineError(message) from error
        return _read(Orders, plain).items

    def _path(self, path: str) -> str:
        return self._address.url.rstrip("/") + path.replace("{store}", self._address.store)

    async def _ask(
        self,
        method: str,
        url: str,
        limits: "_Limits",
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        assert self._session is not None, "use `async with`"
        silence_s = self._address.reply_wait_ms_max / 1000 + limits.slack_s
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S_MAX, sock_read=silence_s)
        try:
            async with (
                asyncio.timeout(CONNECT_S_MAX + silence_s + limits.answer_bytes_max / RATE_MIN),
                self._session.request(
                    method, url, data=_payload(content), headers=headers, allow_redirects=False, timeout=timeout
                ) as response,
            ):
                found = await _whole(response, limits.answer_bytes_max)
                status = response.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise NoLineError(_told(error)[:DETAIL_LETTERS_MAX]) from error
        if status == 200 or (status == 409 and limits.may_conflict):
            return status, found
        if not 400 <= status < 500 or status in _PASSING:
            message = f"head office answers {status}"
            raise NoLineError(message)
        raise _refusal(status, _object(found))


@dataclass(frozen=True, slots=True)
class _Limits:
    """What one question may get: bytes of the answer, and seconds of silence beyond the setting's."""

    answer_bytes_max: int
    slack_s: float = 0.0
    may_conflict: bool = False


def _payload(content: bytes) -> bytes | io.BytesIO | None:
    """A large body as a file, which aiohttp hands over piece by piece."""
    if len(content) > PIECE_BYTES_MAX:
        return io.BytesIO(content)
    return content or None


async def _whole(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    found = bytearray()
    async for part in response.content.iter_any():
        found += part
        if len(found) > bytes_max:
            message = f"an answer of more than {bytes_max} bytes"
            raise aiohttp.ClientPayloadError(message)
    return bytes(found)


def _told(error: Exception) -> str:
    """What became of a request, for a person who has never heard of the classes of a library."""
    match error:
        case TimeoutError():
            return "head office does not answer in time"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return f"head office's certificate is not trusted: {error}"
        case aiohttp.ClientConnectorError():
            return f"head office cannot be reached: {error.strerror or error.os_error}"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() | OSError():
            return "the line to head office was cut"
        case _:
            return f"head office's answer cannot be used: {error}"


def _read(kind: type[Model], content: bytes) -> Model:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        message = f"head office's answer cannot be read: {error.error_count()} thing(s) are wrong in {kind.__name__}"
        raise NoLineError(message) from error


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(status: int, problem: Mapping[str, Any]) -> OfficeRefusedError:
    code = str(problem.get("code", f"http_{status}"))[:64]
    return OfficeRefusedError(code, str(problem.get("detail", f"it answered {status}"))[:DETAIL_LETTERS_MAX])
