"""The shapes that outsiders rely on, over HTTP, key by key."""

import uuid

import orjson
import pytest

from gateway.ledger.commands import LoadRange
from tests.api.store import CAI, open_store, sale

DOCUMENT = "0198f3c2-7b1e-7c44-9a55-3f1d2a6b7c10"
SHIFT = "0198f3c0-7b1e-7c44-9a55-3f1d2a6b7c10"
REQUEST = {
    "type": "invoice",
    "issued_by": {"cashier": "ana", "shift": SHIFT},
    "price_list": "store",
    "lines": [
        {"sku": "1082185", "quantity": "1.000", "unit_price": "0.99", "discount": "0.00"},
        {"sku": "ad-hoc", "name": "Bolsa", "quantity": "2", "unit_price": "1.50", "tax": "isv15"},
    ],
    "payments": [{"method": "cash", "amount": "5.00"}],
    "customer": {"tax_id": "08011999123456", "name": "Ana Díaz"},
    "references": [],
    "expected_total": "3.99",
    "last_seen": {"000-001-01": 0},
    "print_to": "front",
}


async def test_a_document_is_answered_exactly_as_promised(store):
    status, headers, body = await store.ask("PUT", f"/v1/documents/{DOCUMENT}", REQUEST)
    assert status == 201
    assert headers["Content-Type"] == "application/json"
    assert orjson.loads(body) == {
        "id": DOCUMENT,
        "type": "invoice",
        "status": "issued",
        "series": "000-001-01",
        "number": 1,
        "formatted_number": "000-001-01-00000001",
        "issued_at": "2026-11-21T16:20:31.118Z",
        "fiscal_date": "2026-11-21",
        "till": "front-1",
        "issued_by": {"cashier": "ana", "shift": SHIFT},
        "price_list": "store",
        "lines": [
            {
                "sku": "1082185",
                "name": "BANANAS",
                "quantity": "1.000",
                "unit_price": "0.99",
                "discount": "0.00",
                "total": "0.99",
                "tax": "exempt",
            },
            {
                "sku": "ad-hoc",
                "name": "Bolsa",
                "quantity": "2.000",
                "unit_price": "1.50",
                "discount": "0.00",
                "total": "3.00",
                "tax": "isv15",
            },
        ],
        "taxes": [
            {"code": "exempt", "rate": "0", "base": "0.99", "amount": "0.00"},
            {"code": "isv15", "rate": "15", "base": "2.61", "amount": "0.39"},
        ],
        "total": "3.99",
        "payments": [{"method": "cash", "amount": "5.00"}],
        "change": "1.01",
        "customer": {"tax_id": "08011999123456", "name": "Ana Díaz"},
        "references": [],
        "authority": {"kind": "CAI", "ref": CAI, "first": 1, "last": 500, "valid_until": "2027-06-30"},
        "seq": 7,
        "warnings": [],
        "job": str(uuid.uuid5(uuid.NAMESPACE_OID, f"print:{DOCUMENT}")),
    }


async def test_the_retry_gets_the_same_bytes_with_200(store):
    first = await store.ask("PUT", f"/v1/documents/{DOCUMENT}", REQUEST)
    again = await store.ask("PUT", f"/v1/documents/{DOCUMENT}", REQUEST)
    assert (first[0], again[0]) == (201, 200)
    assert first[2] == again[2]


async def test_the_same_request_written_differently_is_the_same_request(store):
    first = await store.ask("PUT", f"/v1/documents/{DOCUMENT}", REQUEST)
    turned = orjson.dumps(dict(reversed(REQUEST.items())), option=orjson.OPT_INDENT_2)
    again = await store.ask(
        "PUT",
        f"/v1/documents/{DOCUMENT.upper()}",
        data=turned,
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    assert again[0] == 200
    assert again[2] == first[2]


async def test_of_a_key_that_stands_there_twice_the_last_one_counts(store):
    body = orjson.dumps(REQUEST)
    twice = b'{"type": "receipt", "price_list": "web", ' + body[1:]
    headers = {"Content-Type": "application/json"}
    first = await store.ask("PUT", f"/v1/documents/{DOCUMENT}", data=twice, headers=headers)
    again = await store.ask("PUT", f"/v1/documents/{DOCUMENT}", data=body, headers=headers)
    assert (first[0], again[0]) == (201, 200)
    assert first[2] == again[2]


async def test_the_same_id_with_another_body_is_refused(store):
    await store.ask("PUT", f"/v1/documents/{DOCUMENT}", REQUEST)
    status, said = await store.said("PUT", f"/v1/documents/{DOCUMENT}", {**REQUEST, "expected_total": None})
    assert (status, said["code"], said["advice"]) == (409, "key_reused", "change_and_retry")
    assert said["instance"] == f"/v1/documents/{DOCUMENT}"


async def test_the_same_answer_comes_after_a_restart(tmp_path):
    async with open_store(tmp_path) as store:
        first = await store.ask("PUT", f"/v1/documents/{DOCUMENT}", REQUEST)
    async with open_store(tmp_path, ranges=()) as store:
        again = await store.ask("PUT", f"/v1/documents/{DOCUMENT}", REQUEST)
    assert (first[0], again[0]) == (201, 200)
    assert first[2] == again[2]


async def test_a_document_is_read_by_every_till_and_by_the_administrator(store):
    issued = await store.issue(REQUEST, document=DOCUMENT)
    for who in ("front-1", "front-2", "admin"):
        assert await store.said("GET", f"/v1/documents/{DOCUMENT}", who=who) == (200, issued)


async def test_a_void_keeps_the_number_and_says_why(store):
    issued = await store.issue(REQUEST, document=DOCUMENT)
    first = await store.ask("PUT", f"/v1/documents/{DOCUMENT}/void", {"reason": "wrong customer"})
    again = await store.ask("PUT", f"/v1/documents/{DOCUMENT}/void", {"reason": "wrong customer"})
    assert (first[0], again[0]) == (201, 200)
    assert first[2] == again[2]
    void = {**issued, "status": "void", "void": {"reason": "wrong customer", "till": "front-1"}}
    assert orjson.loads(first[2]) == void
    assert await store.said("GET", f"/v1/documents/{DOCUMENT}") == (200, void)
    status, said = await store.said("PUT", f"/v1/documents/{DOCUMENT}/void", {"reason": "another"})
    assert (status, said["code"]) == (409, "document_already_void")


async def test_a_credit_note_names_the_lines_of_its_original(store):
    await store.issue(REQUEST, document=DOCUMENT)
    credit = {
        "type": "credit_note",
        "references": [
            {"document": DOCUMENT.upper(), "reason": "returned", "lines": [{"line": 1, "quantity": "1"}]},
        ],
    }
    noted = await store.issue(credit)
    assert noted["formatted_number"] == "000-001-06-00000001"
    assert noted["total"] == "0.99"
    assert noted["references"][0]["document"] == DOCUMENT
    status, said = await store.said("PUT", f"/v1/documents/{uuid.uuid4()}", credit)
    assert (status, said["code"]) == (409, "credit_exceeds_original")


async def test_documents_are_listed_by_number_in_pages(store):
    issued = [await store.issue() for _ in range(5)]
    status, page = await store.said("GET", "/v1/documents?series=000-001-01&limit=2")
    assert status == 200
    assert [item["number"] for item in page["items"]] == [1, 2]
    seen = page["items"]
    while page["next"] is not None:
        _, page = await store.said("GET", f"/v1/documents?series=000-001-01&limit=2&cursor={page['next']}")
        assert page["items"]
        seen += page["items"]
    assert seen == issued


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("number=000-001-01-00000002", [2]),
        ("number=2", [2]),
        ("number=2&series=000-001-01", [2]),
        ("number=000-001-01-00000002&series=000-001-06", []),
        ("number=77", []),
        ("from=2", [2, 3]),
        ("from=2026-11-21", [1, 2, 3]),
        ("from=2026-11-22", []),
        ("series=000-001-06", []),
        ("", [1, 2, 3]),
    ],
)
async def test_documents_are_found_by_number_and_from(store, query, numbers):
    for _ in range(3):
        await store.issue()
    status, page = await store.said("GET", f"/v1/documents?{query}")
    assert status == 200
    assert [item["number"] for item in page["items"]] == numbers
    assert page["next"] is None


async def test_products_come_since_a_version(store):
    status, page = await store.said("GET", "/v1/products?since=0")
    assert status == 200
    assert page["version"] == 1
    assert page["items"][0] == {
        "sku": "1082185",
        "name": "BANANAS",
        "barcode": "7401",
        "unit_price": "0.99",
        "tax": "exempt",
        "policy": "tracked",
        "sell_below_zero": False,
        "price_list": "store",
        "version": 1,
        "deleted": False,
    }
    assert await store.said("GET", "/v1/products/1082185") == (200, page["items"][0])
    assert await store.said("GET", "/v1/products?barcode=7402") == (
        200,
        {"items": [page["items"][1]], "next": None, "version": 1},
    )
    assert await store.said("GET", "/v1/products?since=1") == (200, {"items": [], "next": None, "version": 1})


async def test_every_page_of_products_carries_the_version_of_the_first(store):
    _, first = await store.said("GET", "/v1/products?limit=1")
    await store.ask(
        "PUT",
        "/v1/admin/catalogue",
        data=b"sku,name,unit_price,tax\n0new,New,1.00,isv15\n",
        who="admin",
        headers={"Content-Type": "text/csv"},
    )
    _, second = await store.said("GET", f"/v1/products?limit=500&cursor={first['next']}")
    _, fresh = await store.said("GET", f"/v1/products?since={second['version']}")
    assert (first["version"], second["version"]) == (1, 1)
    assert [item["sku"] for item in fresh["items"]] == ["0new"]
    assert fresh["version"] == 2


async def test_stock_is_what_the_movements_say(store):
    await store.issue(sale("3.250"))
    status, page = await store.said("GET", "/v1/stock")
    assert status == 200
    assert page["items"][0] == {
        "sku": "1082185",
        "on_hand": "46.750",
        "available": "46.750",
        "policy": "tracked",
        "sell_below_zero": False,
        "seq": 7,
    }
    assert await store.said("GET", "/v1/stock/1082185") == (200, page["items"][0])
    _, first = await store.said("GET", "/v1/stock?limit=1")
    _, rest = await store.said("GET", f"/v1/stock?cursor={first['next']}")
    assert first["items"] + rest["items"] == page["items"]


async def test_a_movement_is_answered_with_its_changes_and_repeated_alike(store):
    path = f"/v1/stock-movements/{uuid.uuid4()}"
    request = {"kind": "count", "lines": [{"sku": "1082185", "quantity": "48.5"}], "reason": "Friday"}
    first, again = await store.ask("PUT", path, request), await store.ask("PUT", path, request)
    assert (first[0], again[0]) == (201, 200)
    assert first[2] == again[2]
    assert orjson.loads(first[2]) == {
        "id": path.rsplit("/", 1)[1],
        "seq": 6,
        "kind": "count",
        "by": "front-1",
        "reason": "Friday",
        "lines": [{"sku": "1082185", "quantity": "-1.500"}],
    }
    status, said = await store.said("PUT", path, {**request, "reason": "Saturday"})
    assert (status, said["code"]) == (409, "key_reused")


async def test_the_status_has_what_tills_show(store):
    store.parts.board.put_up("range_low", "000-001-01", series="000-001-01", left=7)
    await store.issue()
    status, said = await store.said("GET", "/v1/status", headers={"Accept-Language": "es"})
    assert status == 200
    link = said.pop("link")
    assert set(link) == {"state", "since", "waiting", "oldest_ms", "eta_s"}
    assert link["state"] == "none"
    assert said == {
        "store": "store-1",
        "name": "La Esquina",
        "country": "honduras",
        "currency": "HNL",
        "version": "0.1.0",
        "now": "2026-11-21T16:20:31.118Z",
        "seq": 7,
        "epoch": store.parts.desk.epoch,
        "lock": None,
        "catalogue_version": 1,
        "ranges": [
            {
                "series": "000-001-01",
                "next": 2,
                "last": 500,
                "left": 499,
                "reserve": 0,
                "valid_until": "2027-06-30",
                "state": "active",
            },
            {
                "series": "000-001-06",
                "next": 1,
                "last": 50,
                "left": 50,
                "reserve": 0,
                "valid_until": "2027-06-30",
                "state": "loaded",
            },
            *(
                {
                    "series": series,
                    "next": None,
                    "last": None,
                    "left": None,
                    "reserve": 0,
                    "valid_until": None,
                    "state": "missing",
                }
                for series in ("000-001-07", "000-001-08")
            ),
        ],
        "warnings": [
            {
                "code": "range_low",
                "severity": "warning",
                "text": "Serie 000-001-01: quedan 7 números.",
                "hint": "Solicite el siguiente rango autorizado y cárguelo.",
                "since_ms": store.parts.clock.now_ms(),
                "series": "000-001-01",
                "left": 7,
            }
        ],
    }


async def test_a_range_in_reserve_is_counted_and_comes_next(tmp_path):
    async with open_store(tmp_path, ranges=((1, 2),)) as store:
        await store.parts.desk.submit(LoadRange(str(uuid.uuid4()), "000-001-01", "CAI", CAI, 3, 10, "", "2027-06-30"))
        for left, reserve in ((1, 8), (8, 0)):
            await store.issue()
            _, said = await store.said("GET", "/v1/status")
            assert (said["ranges"][0]["left"], said["ranges"][0]["reserve"]) == (left, reserve)


async def test_where_no_range_is_needed_the_series_are_open(tmp_path):
    async with open_store(tmp_path, ranges=(), store={"country": "plain"}) as store:
        await store.issue()
        _, said = await store.said("GET", "/v1/status")
    assert said["ranges"][0] == {
        "series": "000-001-01",
        "next": 2,
        "last": None,
        "left": None,
        "reserve": 0,
        "valid_until": None,
        "state": "open",
    }


async def test_life_readiness_and_figures_need_no_token_on_this_machine(store):
    assert await store.said("GET", "/healthz", who="") == (200, {"status": "ok", "why": []})
    assert await store.said("GET", "/readyz", who="") == (200, {"status": "ok", "why": []})
    status, headers, body = await store.ask("GET", "/metrics", who="")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b'gateway_api_requests_total{operation="ready",status="200"} 1.0' in body


async def test_figures_asked_for_through_a_proxy_need_the_administrator(store):
    forwarded = {"X-Forwarded-For": "192.168.1.9"}
    assert (await store.ask("GET", "/metrics", who="", headers=forwarded))[0] == 401
    assert (await store.ask("GET", "/metrics", headers=forwarded))[0] == 403
    assert (await store.ask("GET", "/metrics", who="admin", headers=forwarded))[0] == 200
