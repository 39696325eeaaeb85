"""Down: what head office decided for this store, each row exactly once, in order, or skipped with a reason.

Where the effect is a row of our own (the catalogue), the cursor moves in the same transaction. Where it is the
books', the command carries the order's own id: done twice it is done once, and the cursor moves after it. A row that
cannot be accepted is noted for head office in the transaction that skips it, so it never blocks what follows.
"""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import structlog
from pydantic import ValidationError

from gateway.authority import catalogue as sheets
from gateway.ledger.commands import LoadRange
from gateway.ledger.refusals import Refusal
from gateway.storage import catalogue, cursors
from gateway.storage.cursors import Connection, Skipped
from gateway.sync import link
from gateway.sync.protocol import WAIT_S_MAX, CatalogueDelta, Order, RangeGranted
from gateway.sync.store import BOOKS_FAULTS, Store
from gateway.sync.uplink import OfficeRefusedError, Uplink

PULLED = "pull"
"""The cursor's name: the last head-office row that was applied or skipped."""
BY = "head office"
WAIT_S = 25
"""A long poll; below the half minute after which the shortest routers forget a silent connection."""
EMPTY_PAUSE_S = 1.0
"""After an empty answer that came at once, so that a hasty head office is not asked without end."""
DETAIL_LETTERS_MAX = 500
BUGS = (AssertionError, ArithmeticError, LookupError, TypeError, ValueError)
"""What a bug looks like. An order comes from outside: it may be skipped by one, not bring the store down."""

assert WAIT_S <= WAIT_S_MAX

_log = structlog.get_logger("sync")

_Effect = Callable[[Connection], None]


class Pull:
    """The receiving half of the link. `settled` is set whenever there is something to tell head office."""

    def __init__(self, store: Store, uplink: Uplink) -> None:
        self.settled = asyncio.Event()
        self._store = store
        self._uplink = uplink
        self._kinds: dict[str, Callable[[Order], Awaitable[Skipped | None]]] = {
            "range_granted": self._load_range,
            "catalogue_delta": self._take_catalogue,
        }

    async def run(self, wait_s: int = WAIT_S) -> None:
        """Ask, apply, ask again, until the line breaks.

        Raises:
            OfficeRefusedError: the rows do not follow each other. Or what the uplink raises.
        """
        while True:
            began = self._store.clock.monotonic()
            if await self.once(wait_s) == 0 and self._store.clock.monotonic() - began < EMPTY_PAUSE_S:
                await asyncio.sleep(EMPTY_PAUSE_S)

    async def once(self, wait_s: int) -> int:
        """Ask once and settle what came; answers how many rows that was."""
        after = (await cursors.read(self._store.reader, PULLED)).value
        orders = await self._uplink.orders(after, wait_s)
        for expected, order in enumerate(orders, after + 1):
            if order.seq != expected:
                message = f"row {order.seq} came where row {expected} belongs"
                raise OfficeRefusedError("orders_gap", message)
            if not await self._settle(order):
                break
            self.settled.set()
        return len(orders)

    async def _settle(self, order: Order) -> bool:
        """Apply or skip one row; False when somebody else already had."""
        failures = 0
        while True:
            try:
                return await self._apply(order)
            except BOOKS_FAULTS as error:
                failures += 1
                _log.warning("order_waits", order=order.seq, kind=order.kind, why=type(error).__name__)
                await asyncio.sleep(link.retry_ms(failures, 200, 15_000, self._store.chance.random()) / 1000)

    async def _apply(self, order: Order) -> bool:
        try:
            skipped = await self._kinds.get(order.kind, _unknown)(order)
        except _MovedError:
            return False
        except ValidationError as error:
            skipped = Skipped(order.seq, "order_invalid", _validation(error))
        except BUGS as error:
            _log.exception("order_failed", order=order.seq, kind=order.kind)
            skipped = Skipped(order.seq, "internal", f"{type(error).__name__}: {error}"[:DETAIL_LETTERS_MAX])
        if skipped is None:
            _log.info("order_applied", order=order.seq, kind=order.kind)
            self._store.board.take_down("pull_refused", order.kind)
            return True
        _log.warning("order_refused", order=order.seq, kind=order.kind, code=skipped.code)
        moved = await self._move(order, lambda connection: cursors.skip(connection, skipped))
        self._store.board.put_up("pull_refused", order.kind, detail=skipped.detail)
        return moved

    async def _load_range(self, order: Order) -> Skipped | None:
        granted = RangeGranted.model_validate(order.body)
        outcome = await self._store.desk.submit(LoadRange(**granted.model_dump(), by=BY))
        if isinstance(outcome, Refusal):
            detail = outcome.kind.detail_en.format(**outcome.values)
            return Skipped(order.seq, outcome.code, detail[:DETAIL_LETTERS_MAX])
        if not await self._move(order):
            raise _MovedError
        return None

    async def _take_catalogue(self, order: Order) -> Skipped | None:
        """Stage a part; with the last one, all parts become the catalogue or none."""
        delta = CatalogueDelta.model_validate(order.body)
        parts = await cursors.staged(self._store.reader, delta.version) if delta.part > 1 else {}
        if sorted(parts) != list(range(1, delta.part)):
            return Skipped(
                order.seq, "catalogue_part_missing", f"an earlier part of version {delta.version} is missing"
            )
        deltas = (
            [CatalogueDelta.model_validate_json(text) for text in parts.values()] if delta.part == delta.parts else []
        )
        sheet = await asyncio.to_thread(self._sheet, [*deltas, delta])
        if sheet.problems:
            wrong = "; ".join(f"product {each.line}, {each.column}: {each.text}" for each in sheet.problems[:5])
            return Skipped(order.seq, "catalogue_invalid", wrong[:DETAIL_LETTERS_MAX])
        deleted = [sku for each in (*deltas, delta) for sku in each.deleted]
        text = orjson.dumps(order.body).decode()

        def effect(connection: Connection) -> None:
            if delta.part == 1:
                cursors.clear_staged(connection, delta.version)
            if delta.part < delta.parts:
                cursors.stage(connection, delta.version, delta.part, text)
                return
            catalogue.change(connection, sheet.products, deleted)
            cursors.clear_staged(connection, delta.version)

        if not await self._move(order, effect):
            raise _MovedError
        return None

    def _sheet(self, deltas: list[CatalogueDelta]) -> sheets.Sheet:
        """All products of these parts, checked together against the store's own rules."""
        records = [
            {
                "sku": product.sku,
                "name": product.name,
                "barcode": product.barcode or "",
                "unit_price": product.unit_price,
                "tax": product.tax,
                "policy": product.policy,
                "sell_below_zero": "1" if product.sell_below_zero else "0",
                "price_list": product.price_list,
            }
            for delta in deltas
            for product in delta.products
        ]
        return sheets.read_records(records, self._store.desk.house)

    async def _move(self, order: Order, effect: _Effect | None = None) -> bool:
        """Move the cursor over this row and do `effect` in the same transaction; False, and nothing, if it moved on."""

        def work(connection: Connection) -> bool:
            if not cursors.advance(connection, PULLED, order.seq):
                return False
            if effect is not None:
                effect(connection)
            return True

        return await self._store.writer.run(work)


async def _unknown(order: Order) -> Skipped | None:
    return Skipped(order.seq, "order_unknown", f"this release does not know {order.kind!r}")


class _MovedError(Exception):
    """The cursor is past this row: a line that was given up has settled it."""


def _validation(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)[:5]
    text = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in found)
    return text[:DETAIL_LETTERS_MAX]
