import pytest

from gateway.ledger import chain
from gateway.sync import codec
from tests.headoffice.journals import hello, journal, send
from tests.sync.pushing import push_line
from tests.sync.shop import open_shop


@pytest.fixture
async def shop(tmp_path, office):
    async with open_shop(tmp_path / "shop") as opened:
        opened.sold = await opened.sell(7)
        await opened.void(opened.sold[2])
        await push_line(opened, office.url, office.add_store())
        yield opened


async def test_a_document_is_shown_as_the_till_was_answered(office, shop):
    from gateway.storage import documents

    for identity in shop.sold:
        shown = await office.get(f"/v1/stores/store-1/documents/{identity}")
        assert shown == await documents.document(shop.store.reader, identity)
    assert (await office.get(f"/v1/stores/store-1/documents/{shop.sold[2]}"))["status"] == "void"


async def test_documents_come_in_pages_in_the_order_of_their_numbers(office, shop):
    found, cursor = [], "0"
    while cursor is not None:
        page = await office.get(f"/v1/stores/store-1/documents?series=000-001-01&limit=3&cursor={cursor}")
        found += page["items"]
        cursor = page["next"]
    assert [document["number"] for document in found] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("number=3", [3]),
        ("number=000-001-01-00000003", [3]),
        ("series=000-001-01&from=6", [6, 7]),
        ("series=000-001-02", []),
        ("limit=2", [1, 2]),
    ],
)
async def test_documents_are_searched(office, shop, query, numbers):
    found = (await office.get(f"/v1/stores/store-1/documents?{query}"))["items"]
    assert [document["number"] for document in found] == numbers


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "cursor=-1", "from=x", "series=", "number=" + "1" * 65]
)
async def test_a_query_in_another_form_is_refused(office, shop, query):
    status, problem = await office.ask("GET", f"/v1/stores/store-1/documents?{query}")
    assert (status, problem["code"]) == (422, "invalid_request")
    assert problem["errors"][0]["where"]


async def test_stock_is_the_sum_of_all_movements(office):
    token = office.add_store()
    await send(office, token, await hello(office, token), journal(11))
    (milk,) = (await office.get("/v1/stores/store-1/stock"))["items"]
    assert milk == {"sku": "MILK", "on_hand": "10.000", "available": "10.000", "seq": 11}
    assert await office.get("/v1/stores/store-1/stock/MILK") == milk


async def test_what_is_not_there_has_a_code(office):
    office.add_store()
    for path, code in (("documents/d-1", "document_unknown"), ("stock/MILK", "sku_unknown")):
        status, problem = await office.ask("GET", f"/v1/stores/store-1/{path}")
        assert (status, problem["code"]) == (404, code)


async def test_the_journal_can_be_verified_by_anybody_who_reads_it(office, shop):
    rows, last_hash, after = await shop.rows(), chain.START, 0
    while page := (await office.get(f"/v1/stores/store-1/journal?after={after}&limit=4"))["items"]:
        for row in page:
            assert row["prev_hash"] == last_hash.hex()
            last_hash = chain.row_hash(last_hash, row["seq"], row["at"], row["kind"], row["body"])
            assert row["hash"] == last_hash.hex()
        after = page[-1]["seq"]
    assert (after, last_hash) == (rows[-1].seq, rows[-1].hash)


async def test_the_journal_comes_packed_to_those_who_ask_for_it(office, shop):
    rows = await shop.rows()
    packed = {"Accept": codec.MEDIA_TYPE}
    status, frame = await office.ask("GET", "/v1/stores/store-1/journal?after=2&limit=2000", headers=packed)
    assert status == 200
    assert codec.rows_after(codec.decode(frame), 2, rows[1].hash) == rows[2:]
    assert (await office.ask("GET", f"/v1/stores/store-1/journal?after={rows[-1].seq}", headers=packed))[0] == 204


async def test_a_verdict_counts_and_finds_nothing(office, shop):
    verdict = await office.get("/v1/stores/store-1/verify")
    rows = await shop.rows()
    assert verdict["sound"]
    assert (verdict["rows"], verdict["documents"], verdict["voids"]) == (len(rows), 7, 1)
    assert (verdict["head"], verdict["last_numbers"]) == (rows[-1].hash.hex(), {"000-001-01": 7})


async def test_a_journal_that_breaks_a_rule_is_kept_and_the_verdict_says_so(office):
    token = office.add_store()
    rows = journal(3)
    rows.append(chain.next_row(rows[-1], 1, "stock_moved", chain.body_of(rows[-1])))
    status, _ = await send(office, token, await hello(office, token), rows)
    assert status == 200
    verdict = await office.get("/v1/stores/store-1/verify")
    assert not verdict["sound"]
    assert {breach["seq"] for breach in verdict["breaches"]} == {4}


async def test_a_changed_row_is_found(office, shop):
    from gateway.headoffice.database import write_once

    def tamper(connection):
        connection.execute("UPDATE journal SET body = replace(body, '\"3.00\"', '\"2.00\"') WHERE seq = 5")

    write_once(office.settings.path, tamper)
    verdict = await office.get("/v1/stores/store-1/verify")
    assert "I12" in {breach["rule"] for breach in verdict["breaches"]}


async def test_a_store_that_never_spoke_is_offline_and_has_a_status(office):
    office.add_store()
    status = await office.get("/v1/stores/store-1/status")
    assert status["link"] == {"state": "offline", "since": None, "waiting": 0, "oldest_ms": 0, "eta_s": None}
    assert (status["seq"], status["epoch"], status["ranges"], status["warnings"]) == (0, None, [], [])


async def test_stores_come_in_pages(office):
    for number in range(5):
        office.add_store(f"store-{number}")
    first = await office.get("/v1/stores?limit=3")
    rest = await office.get(f"/v1/stores?limit=3&cursor={first['next']}")
    assert [store["store"] for store in first["items"] + rest["items"]] == [f"store-{number}" for number in range(5)]
    assert rest["next"] is None
