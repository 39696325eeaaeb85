"""Whether the gateway lives, whether it can sell, and its figures."""

from aiohttp import web

from gateway.api.exchange import Ask, content, reply
from gateway.storage import documents as books

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def alive(ask: Ask) -> web.Response:  # noqa: ARG001 - answering is the answer
    """The event loop turns."""
    return reply({"status": "ok", "why": []})


async def ready(ask: Ask) -> web.Response:
    """The books can be read and the disk keeps what is written; 503 with the reasons otherwise."""
    why = []
    trouble = ask.parts.writer.trouble
    if trouble is not None:
        why.append(f"the disk does not keep what is written: {trouble}")
    elif await books.head(ask.parts.reader) is None:
        why.append("the books are not open")
    return reply({"status": "not_ready" if why else "ok", "why": why}, 503 if why else 200)


async def metrics(ask: Ask) -> web.Response:
    """What Prometheus reads."""
    return content(ask.parts.metrics.shown(), METRICS_TYPE)
