import pytest

from gateway.storage import catalogue
from gateway.storage.catalogue import ProductRow
from gateway.storage.reader import Reader

APPLE = ProductRow("apple", "Apple", "741", 250, "isv15")
PEAR = ProductRow("pear", "Pear", None, 300, "exempt", policy="always_available")


@pytest.fixture
async def reader(writer, path):
    opened = Reader(path)
    await opened.open()
    yield opened
    await opened.close()


async def put(writer, *products, deleted=()) -> int:
    return await writer.run(lambda connection: catalogue.change(connection, products, deleted))


async def skus(reader, **asked) -> list[str]:
    return [row["sku"] for row in (await catalogue.products(reader, **asked))[1]]


async def test_a_change_is_one_version_however_many_products_it_has(writer, reader):
    assert await put(writer, APPLE, PEAR) == 1
    assert await put(writer, ProductRow("plum", "Plum", None, 10, "exempt")) == 2
    assert await catalogue.catalogue_version(reader) == 2


async def test_what_is_already_so_changes_no_version(writer, reader):
    await put(writer, APPLE, PEAR)
    assert await put(writer, APPLE, PEAR) == 1
    assert await put(writer, APPLE, ProductRow("pear", "Pear", None, 301, "exempt", policy="always_available")) == 2
    assert await skus(reader, since=1) == ["pear"]


async def test_a_change_that_fails_is_not_seen_in_part(writer, reader):
    await put(writer, APPLE)

    def half(connection):
        catalogue.change(connection, [PEAR])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await writer.run(half)
    assert (await catalogue.catalogue_version(reader), await skus(reader)) == (1, ["apple"])


async def test_a_deleted_product_is_gone_and_told_to_whoever_knew_it(writer, reader):
    await put(writer, APPLE, PEAR)
    await put(writer, deleted=["apple", "nobody"])
    assert await skus(reader) == ["pear"]
    version, rows = await catalogue.products(reader, since=1)
    assert (version, [(row["sku"], row["deleted"]) for row in rows]) == (2, [("apple", 1)])
    assert await catalogue.product(reader, "apple") is None
    assert await put(writer, deleted=["apple"]) == 2


async def test_a_product_may_come_back(writer, reader):
    await put(writer, APPLE)
    await put(writer, deleted=["apple"])
    assert await put(writer, APPLE) == 3
    assert (await catalogue.product(reader, "apple"))["unit_price"] == 250


async def test_products_come_in_pages_by_sku_and_by_barcode(writer, reader):
    await put(writer, *(ProductRow(f"p{number}", "x", str(number % 3), 1, "exempt") for number in range(9)))
    assert await skus(reader, limit=3) == ["p0", "p1", "p2"]
    assert await skus(reader, after="p2", limit=3) == ["p3", "p4", "p5"]
    assert await skus(reader, barcode="1") == ["p1", "p4", "p7"]


async def test_an_empty_catalogue_has_version_nought(reader):
    assert await catalogue.products(reader) == (0, [])
    assert await catalogue.catalogue_version(reader) == 0


async def test_every_sku_that_ever_was_is_known(writer):
    await put(writer, APPLE, PEAR)
    await put(writer, deleted=["apple"])
    assert await writer.run(catalogue.known_skus) == {"apple", "pear"}
