"""A gateway that speaks the wire and misbehaves on request: it loses requests and answers, is busy, says no, hangs."""

import asyncio
import hashlib
import json
from collections import deque

from aiohttp import web


class FakeGateway:
    """Numbers documents from 1. Each entry of `faults` spoils one request, in turn."""

    def __init__(self):
        self.faults = deque()
        self.bodies = {}
        self.documents = {}
        self.requests = []
        self.stock = {}
        self.products = []
        self.tills = []
        self.events = []
        self.stream_ends_after = None
        self.resumed_after = []
        self.release = asyncio.Event()
        self.app = web.Application(middlewares=[self._spoil])
        self.app.add_routes(
            [
                web.put("/v1/documents/{id}", self._issue),
                web.put("/v1/documents/{id}/void", self._void),
                web.get("/v1/documents/{id}", self._read),
                web.get("/v1/documents", self._list),
                web.get("/v1/products", self._products),
                web.get("/v1/status", self._status),
                web.get("/v1/events", self._stream),
                web.post("/v1/pairing", self._pair),
                web.get("/v1/admin/tills", self._tills),
                web.put("/v1/admin/tills/{name}", self._make_till),
                web.post("/v1/admin/catalogue", self._catalogue),
            ]
        )

    @web.middleware
    async def _spoil(self, request, handler):
        self.requests.append((request.method, request.path_qs, await request.read(), dict(request.headers)))
        fault = self.faults.popleft() if self.faults else None
        if fault == "lose_request":
            request.transport.abort()
            return web.Response()
        if fault == "busy":
            return problem(503, "busy", "same_request_again", headers={"Retry-After": "0"})
        if fault == "garbage":
            return web.Response(text="{", content_type="application/json")
        if fault == "portal":
            return web.Response(text="<h1>Welcome, guest</h1>", content_type="text/html")
        if fault == "elsewhere":
            raise web.HTTPTemporaryRedirect("http://127.0.0.1:1/sign-in")
        if fault == "hang":
            await self.release.wait()
        response = await handler(request)
        if fault == "lose_answer":
            request.transport.abort()
        return response

    async def _issue(self, request):
        document, body = request.match_info["id"], await request.json()
        digest = hashlib.sha256(await request.read()).digest()
        if document in self.documents:
            if self.bodies[document] != digest:
                return problem(409, "key_reused", "change_and_retry")
            return web.json_response(self.documents[document])
        for line in body["lines"]:
            if line["sku"] in self.stock and self.stock[line["sku"]] <= 0:
                return problem(409, "stock_short", "change_and_retry", sku=line["sku"], available="0.000")
        number = len(self.documents) + 1
        self.bodies[document] = digest
        self.documents[document] = {
            "id": document,
            "type": body["type"],
            "status": "issued",
            "series": "000-001-01",
            "number": number,
            "formatted_number": f"000-001-01-{number:08d}",
            "total": body["expected_total"],
        }
        return web.json_response(self.documents[document], status=201)

    async def _void(self, request):
        self.documents[request.match_info["id"]]["status"] = "void"
        return web.json_response(self.documents[request.match_info["id"]])

    async def _read(self, request):
        found = self.documents.get(request.match_info["id"])
        return web.json_response(found) if found else problem(404, "document_unknown", "change_and_retry")

    async def _list(self, request):
        return _page(list(self.documents.values()), request, size=3)

    async def _products(self, request):
        return _page(self.products, request, size=2)

    async def _status(self, request):
        return web.json_response({"store": "fake", "seq": len(self.documents), "ranges": [], "warnings": []})

    async def _pair(self, request):
        body = await request.json()
        if body["code"] != "123456":
            return problem(403, "pairing_refused", "change_and_retry")
        return web.json_response({"till": body["till_name"], "token": "secret", "ca": None, "mqtt": None})

    async def _tills(self, request):
        return web.json_response({"items": [{"name": name} for name in self.tills], "next": None})

    async def _make_till(self, request):
        if request.headers["Authorization"] != "Bearer admin":
            return problem(403, "forbidden", "call_manager")
        self.tills.append(request.match_info["name"])
        return web.json_response({"till": self.tills[-1], "token": f"token-{self.tills[-1]}"}, status=201)

    async def _catalogue(self, request):
        assert request.content_type == "text/csv"
        rows = (await request.text()).splitlines()[1:]
        self.products = [{"sku": row.split(",")[0]} for row in rows]
        return web.json_response({"added": len(rows), "dry_run": request.query["dry_run"] == "true"})

    async def _stream(self, request):
        after = int(request.headers.get("Last-Event-ID", request.query.get("after", "0")))
        self.resumed_after.append(after)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": hello\n\n")
        for sent, event in enumerate(self.events[after:]):
            if sent == self.stream_ends_after:
                await response.write(b'data: {"half')
                request.transport.abort()
                return response
            text = f"id: {event['seq']}\nevent: {event['kind']}\ndata: {json.dumps(event)}\n\n"
            await response.write(text.encode())
        await self.release.wait()
        return response


def problem(status, code, advice, headers=None, **extras):
    body = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": code, "advice": advice}
    content = json.dumps({**body, "instance": "x", **extras})
    return web.Response(text=content, status=status, content_type="application/problem+json", headers=headers)


def _page(items, request, size):
    start = int(request.query.get("cursor", "0"))
    end = start + size
    return web.json_response({"items": items[start:end], "next": str(end) if end < len(items) else None})
