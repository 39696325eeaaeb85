"""Requests to one gateway: the token, the store's CA, the retry rule.

The rule: after a time-out, a lost connection, or an answer that says "later" (503 with `Retry-After`, or the advice
`same_request_again`), the *same bytes* go to the *same path* again, with pauses that grow. That is safe because every
write carries an id of the till's own making and the gateway answers a repeated id with the first answer.
"""

import asyncio
import json
import random
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Self

import aiohttp

from gateway.client.patience import Patience
from gateway.client.problem import NoAnswerError, Problem
from gateway.clock import Clock

ANSWER_BYTES_MAX = 64_000_000
"""A catalogue page is the largest answer there is."""
STREAM_LINE_BYTES_MAX = 2**20
STREAM_SILENCE_MS_MAX = 45_000
"""The gateway sends a comment at least every 15 s; three of them missing means that the line is dead."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one request as seen from here; times are monotonic seconds.

    `status` is None and `answer` empty when no answer came.
    """

    started: float
    ended: float
    status: int | None
    answer: Any


Observer = Callable[[Attempt], None]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the gateway is and who asks. `ca` is the store CA as PEM text; empty trusts the machine's own CAs."""

    url: str
    token: str = ""
    ca: str = ""

    def tls(self) -> ssl.SSLContext | bool:
        """What aiohttp takes as `ssl`.

        With a pinned CA the name is not compared: that CA signs this store's gateways and nothing else, and tills
        reach them under whatever address the local network gave them.
        """
        if not self.ca:
            return True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        context.load_verify_locations(cadata=self.ca)
        return context


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    content: bytes | None
    query: Mapping[str, str]
    headers: Mapping[str, str]


class Wire:
    """An open way to the gateway; `async with` closes it. `observe` hears of every single try."""

    PATIENCE: ClassVar[Patience] = Patience()

    def __init__(
        self,
        address: Address,
        clock: Clock,
        generator: random.Random,
        *,
        patience: Patience | None = None,
        language: str = "",
    ) -> None:
        """`language`, such as `es`, is what problems and warnings are asked for in; empty leaves it to the gateway."""
        self.address = address
        self.clock = clock
        self.generator = generator
        self.language = language
        self.retries = 0
        self.patience = patience or self.PATIENCE
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers = {"Authorization": f"Bearer {self.address.token}"} if self.address.token else {}
        if self.language:
            headers["Accept-Language"] = self.language
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self.address.tls(), limit=8),
            headers={"Accept": "application/json", **headers},
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=STREAM_LINE_BYTES_MAX,
        )
        # aiohttp repeats a lost PUT once without a word; here every try is counted, observed and paused for.
        self._session._retry_connection = False  # noqa: SLF001 - no public switch; a test notices if it moves
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: Patience | None = None,
        observe: Observer | None = None,
    ) -> Any:
        """Send until answered; answers the JSON (or text) of a 2xx answer. `body` may be `bytes` (sent as they are).

        Raises:
            Problem: the gateway refuses, or still says "later" when patience ends.
            NoAnswerError: no answer at all when patience ends; whether it was done is unknown.
        """
        limits = patience or self.patience
        content, extra = _content(body)
        extra.update(headers or {})
        began, tries = self.clock.monotonic(), 0
        while True:
            tries += 1
            try:
                return await self._once(_Request(method, path, content, query or {}, extra), limits, observe)
            except Problem as problem:
                if not problem.is_passing:
                    raise
                failure: Problem | NoAnswerError = problem
            except NoAnswerError as error:
                failure = error
            retry_after_ms = failure.retry_after_ms if isinstance(failure, Problem) else None
            pause_ms = limits.pause_ms(tries, retry_after_ms, self.generator)
            spent_ms = (self.clock.monotonic() - began) * 1000
            if tries >= limits.tries_max or spent_ms + pause_ms > limits.total_ms_max:
                raise failure
            self.retries += 1
            await asyncio.sleep(pause_ms / 1000)

    async def _once(self, request: _Request, limits: Patience, observe: Observer | None) -> Any:
        assert self._session is not None, "use `async with`"
        started = self.clock.monotonic()
        status: int | None = None
        answer: Any = None
        try:
            async with (
                asyncio.timeout(limits.reply_ms_max / 1000),
                self._session.request(
                    request.method,
                    self.address.url + request.path,
                    data=request.content,
                    params=request.query,
                    headers=request.headers,
                    allow_redirects=False,
                ) as response,
            ):
                answer = await _answer(response, is_object="Accept" not in request.headers)
                status = response.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NoAnswerError(_why(self.address.url, error)) from error
        finally:
            if observe is not None:
                observe(Attempt(started, self.clock.monotonic(), status, answer))
        if status >= 400:
            raise Problem(status, _as_problem(answer), _retry_after_ms(response))
        return answer

    async def lines(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The lines of one stream until its end; no retry here.

        Raises:
            Problem: the gateway refuses the stream.
            NoAnswerError: the line is lost or silent for `STREAM_SILENCE_MS_MAX`.
        """
        assert self._session is not None, "use `async with`"
        try:
            limit = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=STREAM_SILENCE_MS_MAX / 1000)
            wanted = {"Accept": "text/event-stream", **headers}
            async with self._session.get(self.address.url + path, headers=wanted, timeout=limit) as response:
                if response.status >= 400:
                    raise Problem(response.status, _as_problem(await _answer(response)), _retry_after_ms(response))
                async for line in response.content:
                    yield line
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise NoAnswerError(_why(self.address.url, error)) from error


def _content(body: Any) -> tuple[bytes | None, dict[str, str]]:
    if body is None:
        return None, {}
    if isinstance(body, bytes):
        return body, {"Content-Type": "application/octet-stream"}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), {"Content-Type": "application/json"}


async def _answer(response: aiohttp.ClientResponse, *, is_object: bool = False) -> Any:
    """The body as JSON where it says so, else as text.

    Raises:
        ClientPayloadError: not an answer of a gateway, such as the page of a guest network's sign-in.
    """
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > ANSWER_BYTES_MAX:
            message = f"an answer of more than {ANSWER_BYTES_MAX} bytes"
            raise aiohttp.ClientPayloadError(message)
    answer: Any = content.decode("utf-8", "replace")
    if "json" in response.content_type:
        try:
            answer = json.loads(content)
        except ValueError as error:
            message = f"not JSON: {error}"
            raise aiohttp.ClientPayloadError(message) from error
    if 300 <= response.status < 400 or (is_object and response.status < 300 and not isinstance(answer, dict)):
        message = f"not a gateway's answer: {response.status} {response.content_type}"
        raise aiohttp.ClientPayloadError(message)
    return answer


def _as_problem(answer: Any) -> dict[str, Any]:
    return answer if isinstance(answer, dict) else {"detail": str(answer)[:300]}


def _retry_after_ms(response: aiohttp.ClientResponse) -> int | None:
    """`Retry-After` in seconds; its other form, a date, is not used by gateways."""
    text = response.headers.get("Retry-After", "")
    return int(text) * 1000 if text.isascii() and text.isdigit() else None


def _why(url: str, error: Exception) -> str:
    return f"{url}: {type(error).__name__}: {error}".rstrip(": ")
