"""What can be read of the books, on real ones: in order, in pages, and quickly whatever their size."""

import pytest

from gateway.ledger.commands import DocumentType, LockTenure
from gateway.storage import documents
from tests.authority.counter import opened, stocked
from tests.ledger.shop import CREDITS, DAY_MS, SERIES, credit, granted, line, sale, void


async def sell(counter, count, first=0):
    return [(await counter.done(sale(f"sale-{number}", line("apple")))).body for number in range(first, first + count)]


async def pages(counter, **asked):
    """Everything that is listed, three at a time."""
    found, after = [], 0
    while page := await documents.documents(counter.reader, after=after, limit=3, **asked):
        assert len(page) <= 3
        found += page
        after = page[-1]["seq"]
    return found


async def test_a_document_is_read_as_it_was_answered(counter):
    (sold,) = await sell(counter, 1)
    assert await documents.document(counter.reader, "sale-0") == sold
    assert await documents.document(counter.reader, "nobody") is None


async def test_a_void_document_is_read_with_its_reason(counter):
    (sold,) = await sell(counter, 1)
    answer = (await counter.done(void("sale-0", "typed wrong"))).body
    assert await documents.document(counter.reader, "sale-0") == answer
    assert answer == {**sold, "status": "void", "void": {"reason": "typed wrong", "till": "front-1"}}


async def test_all_documents_are_listed_in_pages_as_they_were_issued(counter):
    await sell(counter, 5)
    await counter.done(credit("note", "sale-1"))
    await sell(counter, 2, first=5)
    listed = [each["id"] for each in await pages(counter)]
    assert listed == ["sale-0", "sale-1", "sale-2", "sale-3", "sale-4", "note", "sale-5", "sale-6"]


async def test_a_series_is_listed_by_number_even_if_its_ranges_came_in_another_order(tmp_path):
    async with opened(tmp_path) as counter:
        await stocked(counter, ranges=[(501, 504), (1, 500)])
        await sell(counter, 10)
        await counter.done(credit("note", "sale-1"))
        listed = [each["number"] for each in await pages(counter, series=SERIES)]
        assert listed == [1, 2, 3, 4, 5, 6, 501, 502, 503, 504]
        assert [each["number"] for each in await pages(counter, series=SERIES, first_number=5)] == listed[4:]
        assert [each["id"] for each in await pages(counter, series=CREDITS)] == ["note"]
        assert await pages(counter, series="nobody") == []


async def test_a_number_is_found_with_and_without_its_series(counter):
    await sell(counter, 3)
    await counter.done(credit("note", "sale-1"))
    assert [each["id"] for each in await pages(counter, number=1)] == ["sale-0", "note"]
    assert [each["id"] for each in await pages(counter, number=1, series=CREDITS)] == ["note"]
    assert await pages(counter, number=77) == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-11-20", 9), ("2026-11-21", 9), ("2026-11-22", 6), ("2026-11-23", 3), ("2026-11-24", 3), ("2027-01-01", 0)],
)
async def test_documents_from_a_day_on_are_listed(counter, day, expected):
    for number, days in enumerate((1, 2, 0)):
        await sell(counter, 3, first=3 * number)
        counter.clock.advance(days * DAY_MS)
    assert [each["id"] for each in await pages(counter, first_date=day)] == [
        f"sale-{n}" for n in range(9 - expected, 9)
    ]
    assert len(await pages(counter, first_date=day, series=SERIES)) == expected


async def test_no_listing_sorts_or_scans_what_it_does_not_show(counter):
    await sell(counter, 3)
    plans = []
    asked = counter.reader.rows

    class Watched:
        """Reads as the reader does, and asks how it was done."""

        async def rows(self, sql, *values):
            plans.extend(row["detail"] for row in await asked(f"EXPLAIN QUERY PLAN {sql}", *values))
            return await asked(sql, *values)

        async def row(self, sql, *values):
            rows = await self.rows(sql, *values)
            return rows[0] if rows else None

    for options in (
        {},
        {"series": SERIES},
        {"number": 1},
        {"first_date": "2026-11-21"},
        {"series": SERIES, "after": 9},
    ):
        await documents.documents(Watched(), **options)
    await documents.issuer_of(Watched(), 3)
    assert plans
    assert not [plan for plan in plans if plan.startswith("SCAN")]
    assert any("journal_issuers" in plan for plan in plans)


async def test_a_document_shows_who_issued_it_then_and_not_who_issues_now(tmp_path):
    async with opened(tmp_path) as counter:
        await stocked(counter)
        (old,) = await sell(counter, 1)
    async with opened(tmp_path, store={"name": "El Centro"}) as counter:
        (new,) = await sell(counter, 1, first=1)
        assert (await documents.issuer_of(counter.reader, old["seq"]))["name"] == "La Esquina"
        assert (await documents.issuer_of(counter.reader, new["seq"]))["name"] == "El Centro"
        assert await documents.issuer_of(counter.reader, 1) == {}
        assert counter.verdict().is_sound


async def test_the_journal_is_read_in_order_from_any_row(counter):
    await sell(counter, 3)
    rows = await documents.journal_after(counter.reader, 0, 1000)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert await documents.journal_after(counter.reader, 4, 2) == rows[4:6]
    assert await documents.head(counter.reader) == rows[-1]


async def test_ranges_show_what_comes_next_and_what_is_left(tmp_path):
    async with opened(tmp_path) as counter:
        await stocked(counter, ranges=[(1, 3), (4, 6), (7, 9)])
        await sell(counter, 5)
        shown = {
            each["id"]: (each["state"], each["next"], each["left"]) for each in await documents.ranges(counter.reader)
        }
        assert shown["range-1"][::2] == ("exhausted", 0)
        assert (shown["range-4"], shown["range-7"]) == (("active", 6, 1), ("loaded", 7, 3))


async def test_stock_shows_tracked_products_and_what_is_on_hand(counter):
    await sell(counter, 2)
    listed = await documents.stock(counter.reader)
    assert [(each["sku"], each["on_hand"], each["policy"]) for each in listed] == [
        ("apple", 9_998_000, "tracked"), ("water", 0, "always_available"),
    ]  # fmt: skip
    assert await documents.stock_of(counter.reader, "apple") == listed[0]
    assert await documents.stock_of(counter.reader, "nobody") is None
    assert await documents.stock(counter.reader, after="apple") == listed[1:]


async def test_the_tenure_says_whose_books_these_are_and_whether_they_are_locked(counter):
    tenure = await documents.tenure(counter.reader)
    assert (tenure["store"], tenure["country"], tenure["lock"]) == ("shop", "honduras", None)
    assert tenure["epoch"] == counter.desk.epoch
    await counter.done(LockTenure("restored"))
    assert (await documents.tenure(counter.reader))["lock"] == "restored"


async def test_other_papers_have_their_own_series(counter):
    await counter.done(granted("deliveries", 1, 9, series="000-001-08"))
    done = await counter.done(sale("one", line("water"), type=DocumentType.DELIVERY_NOTE))
    assert done.body["formatted_number"] == "000-001-08-00000001"
