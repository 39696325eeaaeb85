"""The catalogue that tills see: a change is one transaction and one version, so nobody sees half of it."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.storage.reader import Reader


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product as stored: `unit_price` in minor units, tax included."""

    sku: str
    name: str
    barcode: str | None
    unit_price: int
    tax: str
    policy: str = "tracked"
    sell_below_zero: bool = False
    price_list: str = "store"


def version(connection: sqlite3.Connection) -> int:
    """The catalogue's version now."""
    return int(connection.execute("SELECT version FROM catalogue").fetchone()[0])


def change(connection: sqlite3.Connection, products: Iterable[ProductRow], deleted: Sequence[str] = ()) -> int:
    """Put in or replace products and delete others, as one new version; answers it.

    What is already as asked keeps its version; if nothing changes, the catalogue's version stays.
    """
    changed = 0
    new = version(connection) + 1
    for product in products:
        changed += connection.execute(
            "INSERT INTO products (sku, name, barcode, unit_price, tax, policy, sell_below_zero, price_list, version)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sku) DO UPDATE SET name = excluded.name,"
            " barcode = excluded.barcode, unit_price = excluded.unit_price, tax = excluded.tax,"
            " policy = excluded.policy, sell_below_zero = excluded.sell_below_zero, price_list = excluded.price_list,"
            " version = excluded.version, deleted = 0 WHERE (name, barcode, unit_price, tax, policy, sell_below_zero,"
            " price_list, deleted) IS NOT (excluded.name, excluded.barcode, excluded.unit_price, excluded.tax,"
            " excluded.policy, excluded.sell_below_zero, excluded.price_list, 0)",
            (
                product.sku,
                product.name,
                product.barcode,
                product.unit_price,
                product.tax,
                product.policy,
                int(product.sell_below_zero),
                product.price_list,
                new,
            ),
        ).rowcount
    for sku in deleted:
        changed += connection.execute(
            "UPDATE products SET deleted = 1, version = ? WHERE sku = ? AND deleted = 0", (new, sku)
        ).rowcount
    if changed:
        connection.execute("UPDATE catalogue SET version = ?", (new,))
    return version(connection)


def known_skus(connection: sqlite3.Connection) -> set[str]:
    """Every SKU the catalogue ever had, deleted ones too."""
    return {row[0] for row in connection.execute("SELECT sku FROM products")}


async def products(
    reader: Reader, *, since: int = 0, after: str = "", barcode: str | None = None, limit: int = 100
) -> tuple[int, list[dict[str, Any]]]:
    """(version, rows): products changed after version `since`, by SKU after `after`, of one moment.

    Deleted ones are shown with `deleted` 1 when `since` is above 0, else left out.
    """
    rows = await reader.rows(
        "SELECT c.version AS catalogue, p.* FROM catalogue AS c LEFT JOIN (SELECT * FROM products WHERE sku > ?"
        " AND version > ? AND (deleted = 0 OR ?) AND (? IS NULL OR barcode = ?) ORDER BY sku LIMIT ?) AS p"
        " ORDER BY p.sku",
        after,
        since,
        int(since > 0),
        barcode,
        barcode,
        limit,
    )
    found = [dict(row) for row in rows if row["sku"] is not None]
    return int(rows[0]["catalogue"]), found


async def product(reader: Reader, sku: str) -> dict[str, Any] | None:
    """One product, or None when there is none or it was deleted."""
    row = await reader.row("SELECT * FROM products WHERE sku = ? AND deleted = 0", sku)
    return None if row is None else dict(row)


async def catalogue_version(reader: Reader) -> int:
    """The catalogue's version now."""
    row = await reader.row("SELECT version FROM catalogue")
    return 0 if row is None else int(row["version"])
