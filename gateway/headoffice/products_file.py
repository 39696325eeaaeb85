"""A catalogue as a CSV file: the same columns as the store's own import, without `on_hand`. Pure."""

import csv
import io
from collections.abc import Iterable

from pydantic import ValidationError

from gateway.headoffice.problems import Wrong, wrong_in
from gateway.sync.protocol import Product

COLUMNS = ("sku", "name", "barcode", "unit_price", "tax", "policy", "sell_below_zero", "price_list")
REQUIRED = ("sku", "name", "unit_price", "tax")
WRONG_MAX = 1_000
"""A file with more mistakes than this is the wrong file."""

_FLAGS = {
    "1": True,
    "true": True,
    "yes": True,
    "si": True,
    "sí": True,
    "": False,
    "0": False,
    "false": False,
    "no": False,
}


def read(content: bytes) -> tuple[list[Product], list[Wrong]]:
    """The products of a file, and everything that is wrong in it, by line (1 is the header)."""
    products: list[Product] = []
    wrong: list[Wrong] = []
    try:
        lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        lines.fieldnames = [name.strip().lower() for name in lines.fieldnames or ()]
        wrong += _header(lines.fieldnames)
        for record in lines if not wrong else ():
            _read_line(lines.line_num, record, products, wrong)
            if len(wrong) > WRONG_MAX:
                break
    except (UnicodeDecodeError, csv.Error) as error:
        wrong.append(Wrong("body", f"is not CSV in UTF-8: {error}", f"no es CSV en UTF-8: {error}"))
    return products, wrong


def repeated(products: Iterable[Product], deleted: Iterable[str]) -> list[Wrong]:
    """SKUs and barcodes that a change names twice."""
    wrong: list[Wrong] = []
    skus: set[str] = set()
    barcodes: set[str] = set()
    for product in products:
        if product.sku in skus:
            wrong.append(_twice(f"sku {product.sku}"))
        if product.barcode is not None and product.barcode in barcodes:
            wrong.append(_twice(f"barcode {product.barcode}"))
        skus.add(product.sku)
        barcodes.add(product.barcode or "")
    for sku in deleted:
        if sku in skus:
            wrong.append(_twice(f"sku {sku}"))
        skus.add(sku)
    return wrong


def _header(names: Iterable[str]) -> list[Wrong]:
    given = list(names)
    wrong = [
        Wrong(f"line 1, {name}", "the column is missing", "falta la columna") for name in REQUIRED if name not in given
    ]
    for name in given:
        if name == "on_hand":
            english = "stock is received in the store; leave this column out"
            wrong.append(
                Wrong("line 1, on_hand", english, "las existencias se reciben en la tienda; omita esta columna")
            )
        elif name not in COLUMNS:
            wrong.append(Wrong(f"line 1, {name[:64]}", "is not a column", "no es una columna"))
    return wrong


def _read_line(number: int, record: dict[str, str | None], products: list[Product], wrong: list[Wrong]) -> None:
    place = f"line {number}"
    if None in record or None in record.values():
        wrong.append(Wrong(place, "has not as many cells as the header", "no tiene tantas celdas como el encabezado"))
        return
    values: dict[str, object] = {name: value.strip() for name, value in record.items() if value and value.strip()}
    flag = _FLAGS.get(str(values.pop("sell_below_zero", "")).lower())
    if flag is None:
        wrong.append(Wrong(f"{place}, sell_below_zero", "must be 1 or 0", "debe ser 1 o 0"))
        return
    try:
        products.append(Product.model_validate({**values, "sell_below_zero": flag}))
    except ValidationError as error:
        wrong.extend(wrong_in(error, place))


def _twice(what: str) -> Wrong:
    return Wrong(what, "is named twice", "aparece dos veces")
