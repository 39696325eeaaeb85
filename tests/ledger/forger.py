"""What a forger does to a journal: plain damage, and changes with every hash made anew."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateway.fiscal import honduras
from gateway.ledger import chain
from gateway.ledger.commands import CancelRange, ConfirmSeries, LockTenure, UnlockTenure
from gateway.ledger.facts import Row
from gateway.ledger.invariants import breaches
from tests.ledger.shop import (
    BUYER,
    CREDITS,
    DAY_MS,
    NOON,
    SERIES,
    Shop,
    cash,
    credit,
    granted,
    house,
    line,
    move,
    sale,
    unlisted,
    void,
)


def long_day() -> Shop:
    """Books with every kind of fact in them, and all promises kept."""
    shop = Shop(house(honduras))
    shop.stock("apple", 250, tax="isv15", on_hand=50_000)
    shop.stock("pear", 300, tax="exempt", on_hand=50_000)
    shop.done(granted("r1", 1, 4))
    shop.done(granted("r2", 5, 500, valid_until="2026-12-31"))
    shop.done(granted("r6", 1, 500, series=CREDITS, authority_ref="credits"))
    for step in range(6):
        shop.done(sale(f"sale-{step}", line("apple", 3000), line("pear", 2000), customer=BUYER, payments=cash(2000)))
    shop.done(credit("note-1", "sale-2", (1, 1000)))
    shop.done(credit("note-2", "sale-2", (1, 1000), (2, 500)))
    shop.done(void("note-1"))
    shop.done(void("sale-0"))
    shop.done(move("count", ("apple", 30_000)))
    shop.refused(sale("ahead", line("apple"), last_seen=((SERIES, 9),)))
    shop.done(ConfirmSeries(SERIES, 9, "paper"))
    shop.done(LockTenure("restored"))
    shop.done(UnlockTenure("compared"))
    shop.at = NOON + DAY_MS
    shop.done(sale("sale-6", unlisted(100, tax="isv18")))
    shop.done(CancelRange("r2", "new printer"))
    shop.done(granted("r3", 501, 900))
    shop.done(sale("sale-7", line("pear")))
    assert shop.breaches() == []
    return shop


def rechained(rows: list[Row]) -> list[Row]:
    """The rows with places and hashes as if they had been written so."""
    made: list[Row] = []
    for row in rows:
        made.append(chain.next_row(made[-1] if made else None, row.at, row.kind, chain.body_of(row)))
    return made


def rewritten(row: Row, change: Callable[[Any], Any]) -> Row:
    """The row with its body changed in place; its hash no longer fits."""
    body = chain.body_of(row)
    change(body)
    return replace(row, text=chain.body_text(body))


def forged(rows: list[Row], seq: int, change: Callable[[Any], Any]) -> list[Row]:
    """One body changed, and the chain made whole again."""
    return rechained([rewritten(row, change) if row.seq == seq else row for row in rows])


def rules(rows: list[Row]) -> set[str]:
    """The promises that a journal breaks."""
    return {breach.rule for breach in breaches(rows)}


def seq_of(rows: list[Row], kind: str, **wanted: Any) -> int:
    """The first row of a kind whose body, or document, says all that is wanted."""
    for row in rows:
        body = chain.body_of(row)
        said = {**body, **body["document"]} if isinstance(body.get("document"), dict) else body
        if row.kind == kind and all(said.get(name) == value for name, value in wanted.items()):
            return row.seq
    raise LookupError(kind, wanted)


def assert_said(said, rows) -> None:
    """Some breach begins with these words, rule and all."""
    texts = [f"{breach.rule} {breach.text}" for breach in breaches(rows)]
    assert any(text.startswith(said) for text in texts), texts
