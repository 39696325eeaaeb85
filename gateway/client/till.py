"""What a till may ask of its gateway, one method for each operation."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any, Literal, Self, cast
from urllib.parse import quote

from gateway.client.ids import uuid7
from gateway.client.patience import ONCE, Patience
from gateway.client.problem import NoAnswerError, Problem
from gateway.client.stream import Reader
from gateway.client.values import (
    Document,
    DocumentRequest,
    Event,
    Page,
    Pairing,
    Product,
    Status,
    StockLevel,
)
from gateway.client.wire import Address, Observer, Wire
from gateway.clock import Clock, SystemClock

PAGE_ITEMS_MAX = 500
"""What the gateway gives at once."""


class Till(Wire):
    """One till's way to its gateway. Use it as `async with Till.at(url, token) as till`."""

    @classmethod
    def at(
        cls,
        url: str,
        token: str = "",
        *,
        ca: str = "",
        clock: Clock | None = None,
        generator: random.Random | None = None,
        patience: Patience | None = None,
        language: str = "",
    ) -> Self:
        """A till with this machine's clock and chance where none are given."""
        address = Address(url.rstrip("/"), token, ca)
        own, chance = clock or SystemClock(), generator or random.SystemRandom()
        return cls(address, own, chance, patience=patience, language=language)

    def new_id(self) -> str:
        """An id for a new request."""
        return uuid7(self.clock.now_ms(), self.generator)

    async def issue(self, document: str, body: DocumentRequest, *, observe: Observer | None = None) -> Document:
        """Issue the document, or hear what it was issued as before; as often as needed with the same id and body.

        Raises:
            Problem, NoAnswerError: as `Wire.ask`.
        """
        return cast(Document, await self.ask("PUT", f"/v1/documents/{quote(document)}", body, observe=observe))

    async def void(self, document: str, reason: str) -> Document:
        """Annul a document; its number stays spent."""
        return cast(Document, await self.ask("PUT", f"/v1/documents/{quote(document)}/void", {"reason": reason}))

    async def read(self, document: str) -> Document:
        """One document as it is now."""
        return cast(Document, await self.ask("GET", f"/v1/documents/{quote(document)}"))

    async def receipt(self, document: str, media_type: str = "text/plain") -> str:
        """The receipt as text or HTML."""
        path = f"/v1/documents/{quote(document)}/receipt"
        return str(await self.ask("GET", path, headers={"Accept": media_type}))

    async def documents(self, **query: str) -> AsyncIterator[Document]:
        """All documents that fit the query (`series`, `number`, `from`), page after page."""
        async for item in self._items("/v1/documents", query):
            yield cast(Document, item)

    async def documents_page(self, cursor: str = "", limit: int = PAGE_ITEMS_MAX, **query: str) -> Page:
        """One page of documents."""
        return await self._page("/v1/documents", {**query, "limit": str(limit)}, cursor)

    async def products(self, since: int = 0) -> AsyncIterator[Product]:
        """All products that changed after catalogue version `since`; 0 gives them all."""
        async for item in self._items("/v1/products", {"since": str(since)}):
            yield cast(Product, item)

    async def product(self, sku: str) -> Product:
        """One product."""
        return cast(Product, await self.ask("GET", f"/v1/products/{quote(sku, safe='')}"))

    async def stock(self) -> AsyncIterator[StockLevel]:
        """What is there of everything."""
        async for item in self._items("/v1/stock", {}):
            yield cast(StockLevel, item)

    async def stock_of(self, sku: str) -> StockLevel:
        """What is there of one product."""
        return cast(StockLevel, await self.ask("GET", f"/v1/stock/{quote(sku, safe='')}"))

    async def move_stock(self, movement: str, body: dict[str, Any]) -> dict[str, Any]:
        """Receive, count or adjust stock under an id of the till's making."""
        return cast(dict[str, Any], await self.ask("PUT", f"/v1/stock-movements/{quote(movement)}", body))

    async def status(self) -> Status:
        """The banner."""
        return cast(Status, await self.ask("GET", "/v1/status"))

    async def devices(self) -> list[dict[str, Any]]:
        """The store's devices and how they are."""
        return list((await self.ask("GET", "/v1/devices"))["items"])

    async def submit_job(self, job: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for a print or a kick under an id of the till's making."""
        return cast(dict[str, Any], await self.ask("PUT", f"/v1/jobs/{quote(job)}", body))

    async def jobs(self) -> list[dict[str, Any]]:
        """The till's jobs that are not at their end; an administrator hears everybody's."""
        return list((await self.ask("GET", "/v1/jobs"))["items"])

    async def settle_job(self, job: str, outcome: str) -> dict[str, Any]:
        """Say what a person saw of a job that is unknown: `printed`, or `reprint` for a copy."""
        return cast(dict[str, Any], await self.ask("PUT", f"/v1/jobs/{quote(job)}/outcome", {"outcome": outcome}))

    async def job(self, job: str) -> dict[str, Any]:
        """How a job stands."""
        return cast(dict[str, Any], await self.ask("GET", f"/v1/jobs/{quote(job)}"))

    async def pair(self, code: str, till_name: str, **more: str) -> Pairing:
        """Turn a pairing code into a token; the code is spent, so keep the answer."""
        body = {"code": code, "till_name": till_name, **more}
        return cast(Pairing, await self.ask("POST", "/v1/pairing", body, patience=ONCE))

    async def sync(self) -> Any:
        """Ask for a synchronisation now."""
        return await self.ask("POST", "/v1/sync", patience=ONCE)

    async def link_mode(self, mode: Literal["automatic", "working_offline"]) -> dict[str, Any]:
        """Work offline on purpose, or as the line allows."""
        return cast(dict[str, Any], await self.ask("PUT", "/v1/link-mode", {"mode": mode}))

    async def events(self, after: int | None = None) -> AsyncIterator[Event]:
        """The store's events for ever, over reconnects: each resumes after the last event that was read.

        Without `after` they begin with what happens from now on.

        Raises:
            Problem: the gateway refuses the stream for good (a revoked token, for instance).
            NoAnswerError: patience ended between two events.
        """
        reader, quiet = Reader(), 0
        begin = (await self.status())["seq"] if after is None else after
        path = f"/v1/events?after={begin}"
        while True:
            failure = NoAnswerError(f"{self.address.url}: the stream ends again and again")
            try:
                async for line in self.lines(path, {"Last-Event-ID": reader.last_id} if reader.last_id else {}):
                    event = reader.line(line)
                    if event is not None:
                        quiet = 0
                        yield event
            except (Problem, NoAnswerError) as error:
                if isinstance(error, Problem) and not error.is_passing:
                    raise
                failure = NoAnswerError(str(error))
            reader.forget()
            quiet += 1
            if quiet >= self.patience.tries_max:
                raise failure
            self.retries += 1
            await asyncio.sleep(self.patience.pause_ms(quiet, None, self.generator) / 1000)

    async def _items(self, path: str, query: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        cursor = ""
        while True:
            page = await self._page(path, {**query, "limit": str(PAGE_ITEMS_MAX)}, cursor)
            for item in page["items"]:
                yield item
            if page.get("next") is None:
                return
            cursor = str(page["next"])

    async def _page(self, path: str, query: dict[str, str], cursor: str) -> Page:
        asked = {**query, "cursor": cursor} if cursor else query
        return cast(Page, await self.ask("GET", path, query=asked))
