"""The stream of events: every journal row once, in order, with its `seq` as the event's id; and what is true now.

Rules of this file:
- A journal row is one event, whose `id` is the row's seq: a till that resumes with `Last-Event-ID` (or `?after=`) hears
  every row after it, none lost and none twice. `document`, `stock`, `numbering` and `store` are such events.
- `status`, `catalogue` and `job` say what is true now; they carry no id and are not repeated. A stream begins with
  `status` and `catalogue`, so that nothing that changed while nobody listened stays unknown.
- Nothing is kept for a slow reader: what it does not take within `stream_write_s_max` ends its stream, and it resumes.
"""

import asyncio
import socket
from dataclasses import dataclass

from aiohttp import web

from gateway.api import auth
from gateway.api.exchange import Ask
from gateway.api.problems import SERVER, Problem, invalid
from gateway.api.tail import TAIL, Tail, frame
from gateway.api.wire import SEQ_MAX, EventsQuery

HEARTBEAT_PULSES = 30
"""A comment after this many silent pulses: proxies and tills notice a dead stream by its absence."""
SEND_BUFFER_BYTES = 65_536
"""The kernel's share for one stream: what is beyond it waits in the journal, not in memory."""
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "Server": SERVER,
}


async def stream(ask: Ask, query: EventsQuery) -> web.StreamResponse:
    """Events from the row after `Last-Event-ID` or `after`; without either, from now on."""
    tail, limits = ask.request.app[TAIL], ask.parts.limits
    after = _begin(ask, query)
    if tail.listeners >= limits.streams_max:
        raise Problem("busy", limit=f"{limits.streams_max} streams")
    response = web.StreamResponse(headers=_HEADERS)
    await tail.join()
    try:
        await response.prepare(ask.request)
        _keep_small(ask.request)
        await _serve(_Listener(ask, response, tail, after, tail.last_job, tail.pulses))
    except TimeoutError:
        if ask.request.transport is not None:
            ask.request.transport.abort()
    except ConnectionError:
        pass
    finally:
        tail.leave()
    return response


@dataclass(slots=True)
class _Listener:
    """One stream and what it has been told."""

    ask: Ask
    response: web.StreamResponse
    tail: Tail
    seq: int
    job: int
    spoke_at: int
    status: int = -1
    catalogue: int = -1
    registry: int = -1


async def _serve(listener: _Listener) -> None:
    """Until the reader goes, is too slow or loses its right, or the gateway stops."""
    tail, registry = listener.tail, listener.ask.parts.registry
    write_s_max = listener.ask.parts.limits.stream_write_s_max
    while not tail.is_closing:
        news = tail.news
        if listener.registry != registry.changes:
            listener.registry = registry.changes
            if not auth.is_known(listener.ask.request, registry):
                return
        present = await _present(listener)
        rows = await tail.rows_after(listener.seq)
        if rows:
            listener.seq = rows[-1][0]
        frames = [*present, *(each for _, each in rows)]
        if not frames and tail.pulses - listener.spoke_at >= HEARTBEAT_PULSES:
            frames.append(b": still here\n\n")
        if frames:
            listener.spoke_at = tail.pulses
            async with asyncio.timeout(write_s_max):
                await listener.response.write(b"".join(frames))
        if not rows:
            await news.wait()


async def _present(listener: _Listener) -> list[bytes]:
    """What is true now and was not told yet."""
    tail, frames = listener.tail, []
    if listener.status != tail.status_number:
        listener.status = tail.status_number
        frames.append(await tail.banner(listener.ask.language))
    if listener.catalogue != tail.catalogue_version:
        listener.catalogue = tail.catalogue_version
        frames.append(frame("catalogue", {"version": tail.catalogue_version}))
    if listener.job < tail.last_job:
        by = listener.ask.by
        frames.extend(tail.jobs_after(listener.job, None if by == auth.ADMINISTRATOR else by))
        listener.job = tail.last_job
    return frames


def _begin(ask: Ask, query: EventsQuery) -> int:
    """After which row; a till that knows more than the books begins at their end (and sees it by `status.seq`)."""
    last = ask.request.headers.get("Last-Event-ID", "")
    newest = ask.parts.desk.seq
    if last:
        if not (last.isascii() and last.isdigit() and len(last) <= 16 and int(last) <= SEQ_MAX):
            raise invalid("Last-Event-ID", "is not the id of an event", "no es el id de un evento")
        return min(int(last), newest)
    return newest if query.after is None else min(query.after, newest)


def _keep_small(request: web.Request) -> None:
    """Let what a slow reader does not take wait in the journal and not in the kernel."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
