"""The banner: what a till shows of the gateway's state, as one reply and as an event."""

from typing import Any

from aiohttp import web

from gateway.api.exchange import Ask, reply
from gateway.api.parts import Parts
from gateway.clock import iso
from gateway.storage import catalogue
from gateway.storage import documents as books


async def status(ask: Ask) -> web.Response:
    """The banner now."""
    return reply(await banner(ask.parts, ask.language))


async def banner(parts: Parts, language: str) -> dict[str, Any]:
    """`replies.StatusReply`."""
    tenure = await books.tenure(parts.reader)
    settings = parts.settings
    return {
        "store": settings.store.id,
        "name": settings.store.name,
        "country": settings.store.country,
        "currency": parts.desk.house.currency,
        "version": parts.version,
        "now": iso(parts.clock.now_ms()),
        "link": parts.link.state(),
        "seq": parts.desk.seq,
        "epoch": tenure["epoch"],
        "lock": tenure["lock"],
        "catalogue_version": await catalogue.catalogue_version(parts.reader),
        "ranges": await standings(parts, locked=tenure["lock"] is not None),
        "warnings": [warning.shown(language) for warning in parts.board.up()],
    }


async def standings(parts: Parts, *, locked: bool) -> list[dict[str, Any]]:
    """Where each series of the store stands (`replies.SeriesReply`): the range its next number comes from."""
    house = parts.desk.house
    heads = {head["key"]: head for head in await books.series(parts.reader)}
    live: dict[str, list[dict[str, Any]]] = {}
    for each in await books.ranges(parts.reader):
        if each["state"] in {"active", "loaded"}:
            live.setdefault(each["series"], []).append(each)
    shown = []
    for series in house.series():
        head, ranges = heads.get(series), live.get(series, [])
        entry = _standing(series, head, ranges, range_required=house.rules.RANGE_REQUIRED)
        if locked or (head is not None and head["locked_by"] is not None):
            entry["state"] = "locked"
        shown.append(entry)
    return shown


def _standing(
    series: str, head: dict[str, Any] | None, ranges: list[dict[str, Any]], *, range_required: bool
) -> dict[str, Any]:
    if ranges:
        now, later = ranges[0], ranges[1:]
        return {
            "series": series,
            "next": now["next"],
            "last": now["last"],
            "left": now["left"],
            "reserve": sum(each["left"] for each in later),
            "valid_until": now["valid_until"] or None,
            "state": now["state"],
        }
    return {
        "series": series,
        "next": None if range_required else (0 if head is None else head["last_number"]) + 1,
        "last": None,
        "left": None,
        "reserve": 0,
        "valid_until": None,
        "state": "missing" if range_required else "open",
    }
