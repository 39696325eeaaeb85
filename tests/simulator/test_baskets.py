import csv
import gzip
import hashlib
import io
import json
from collections import Counter
from importlib import resources

import pytest
from backports import zstd

from gateway.simulator.baskets import BasketError, bundled, catalogue_csv, money, quantity, read

GOOD = {
    "basket": "7",
    "at": "2017-01-01T11:53:26Z",
    "lines": [{"sku": "1", "name": "SOAP", "quantity": "2.5", "unit_price": "3.99", "discount": "0.50"}],
}


def changed(**values):
    return {**GOOD, **values}


def line_changed(**values):
    return changed(lines=[{**GOOD["lines"][0], **values}])


SHA256 = "c4e63c74e4edd5847b223ea4922c7ba8856fab427c17d12df273d3de1a9e8bc6"


def test_the_bundled_file_is_the_one_that_the_script_makes():
    packed = (resources.files("gateway.simulator") / "baskets.jsonl.gz").read_bytes()
    assert hashlib.sha256(gzip.decompress(packed)).hexdigest() == SHA256
    assert len(packed) < 400_000


def test_the_bundled_baskets_are_real_ones_in_the_order_of_the_day():
    baskets = bundled()
    assert len(baskets) == 2000
    assert sum(len(basket.lines) for basket in baskets) == 19_250
    assert sum(basket.total for basket in baskets) == 6_812_133
    assert len({basket.id for basket in baskets}) == 2000
    assert [basket.at_ms for basket in baskets] == sorted(basket.at_ms for basket in baskets)


def test_no_bundled_basket_needs_a_named_buyer():
    assert max(basket.total for basket in bundled()) < 1_000_000


def test_fuel_is_sold_by_the_thousandth_and_everything_else_by_the_piece():
    broken = Counter(line.name for basket in bundled() for line in basket.lines if line.quantity % 1000)
    assert set(broken) == {"GASOLINE-REG UNLEADED"}


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_a_file_is_read_as_its_ending_says(tmp_path, ending):
    text = (json.dumps(GOOD) + "\n\n").encode()
    packed = {"jsonl": text, "jsonl.gz": gzip.compress(text), "jsonl.zst": zstd.compress(text)}[ending]
    path = tmp_path / f"baskets.{ending}"
    path.write_bytes(packed)
    (basket,) = read(path)
    assert (basket.id, basket.at_ms, basket.total) == ("7", 1_483_271_606_000, 948)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("{", "line 2"),
        ("[]", "line 2"),
        (json.dumps({"basket": "7", "at": GOOD["at"]}), "line 2: 'lines' is missing"),
        (json.dumps(changed(lines=[])), "line 2: lines must be a list"),
        (json.dumps(changed(at="yesterday")), "line 2: 'yesterday' is not an instant"),
        (json.dumps(changed(basket=7)), "line 2: basket must be a text"),
        (json.dumps(line_changed(unit_price=3.99)), "line 2: unit_price must be a text"),
        (json.dumps(line_changed(unit_price="3.999")), "line 2: '3.999' is not an amount"),
        (json.dumps(line_changed(quantity="-1")), "line 2: '-1' is not a quantity"),
        (json.dumps(line_changed(quantity="0.000")), "line 2: a quantity of 0"),
        (json.dumps(line_changed(discount="9.99")), "line 2: the discount is larger"),
        ("x" * 1_000_001, "line 2: longer than"),
    ],
)
def test_a_bad_line_is_named(tmp_path, bad, why):
    path = tmp_path / "baskets.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{bad}\n")
    with pytest.raises(BasketError, match=why):
        list(read(path))


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_a_file_that_is_cut_short_or_not_compressed_is_refused(tmp_path, ending):
    whole = {"gz": gzip.compress, "zst": zstd.compress}[ending](json.dumps(GOOD).encode() * 50)
    for name, content in (("cut", whole[: len(whole) // 2]), ("plain", b"{}")):
        path = tmp_path / f"{name}.{ending}"
        path.write_bytes(content)
        with pytest.raises(BasketError, match=name):
            list(read(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BasketError, match="nowhere"):
        list(read(tmp_path / "nowhere.jsonl"))


def test_the_catalogue_has_every_product_once_with_its_first_price():
    baskets = bundled()
    rows = list(csv.DictReader(io.StringIO(catalogue_csv(baskets, on_hand=50))))
    assert [row["sku"] for row in rows] == sorted({line.sku for basket in baskets for line in basket.lines})
    first = baskets[0].lines[0]
    row = next(row for row in rows if row["sku"] == first.sku)
    assert (row["name"], row["unit_price"]) == (first.name, money(first.unit_price))
    assert {row["on_hand"] for row in rows if row["policy"] == "tracked"} == {"50"}
    assert {row["on_hand"] for row in rows if row["policy"] == "always_available"} == {""}


def test_amounts_are_written_with_all_their_decimals():
    assert (money(5), money(399), quantity(5), quantity(1250)) == ("0.05", "3.99", "0.005", "1.250")
