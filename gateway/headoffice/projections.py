"""What journal rows mean for head office's tables: documents, their voids, and stock. Pure.

A kind this release does not know is stored and shown nowhere; a known kind in a form it does not know is an error,
because a document that silently is not there is worse than a line that stands still and says why.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.ledger.facts import Row

QUANTITY_MAX = 10**15


class NotUnderstoodError(ValueError):
    """A row has not the form that head office knows."""

    def __init__(self, row: Row, why: str) -> None:
        super().__init__(why)
        self.row = row
        self.why = why


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A number that was given."""

    seq: int
    id: str
    series: str
    number: int
    formatted: str


@dataclass(slots=True)
class Effects:
    """What a run of rows changes beside the journal."""

    documents: list[DocumentRow] = field(default_factory=list)
    voids: list[tuple[str, int]] = field(default_factory=list)
    """(document id, journal row)"""
    stock: dict[str, tuple[int, int]] = field(default_factory=dict)
    """SKU → (signed thousandths, journal row of the last movement)"""
    opened_by: set[str] = field(default_factory=set)
    """The stores whose books these rows say they open."""


def effects(rows: Iterable[Row]) -> Effects:
    """All that a run of rows means.

    Raises:
        NotUnderstoodError: the first row that is not as it should be.
    """
    found = Effects()
    for row in rows:
        try:
            body = orjson.loads(row.text)
            _add(found, row, body)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise NotUnderstoodError(row, f"{type(error).__name__} {error}"[:200]) from error
    return found


def _add(found: Effects, row: Row, body: Any) -> None:
    match row.kind:
        case "books_opened":
            found.opened_by.add(_text(body["store"]))
        case "document_issued":
            document = body["document"]
            found.documents.append(
                DocumentRow(
                    row.seq,
                    _text(document["id"]),
                    _text(document["series"]),
                    _whole(document["number"]),
                    _text(document["formatted_number"]),
                )
            )
            _move(found, row.seq, body["movements"])
        case "document_voided":
            found.voids.append((_text(body["document"]), row.seq))
            _text(body["reason"]), _text(body["till"])
            _move(found, row.seq, body["movements"])
        case "stock_moved":
            _move(found, row.seq, body["movements"])
        case _:
            pass


def _move(found: Effects, seq: int, movements: list[list[Any]]) -> None:
    for sku, quantity in movements:
        before, _ = found.stock.get(_text(sku), (0, 0))
        found.stock[sku] = (before + _whole(quantity), seq)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        message = f"{str(value)[:40]!r} is not a text"
        raise TypeError(message)
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > QUANTITY_MAX:
        message = f"{str(value)[:40]!r} is not a number that can be counted with"
        raise ValueError(message)
    return value
