"""Whatever is asked wrongly is answered by a problem with its code, and the books stay as they were, byte for byte."""

import io
import uuid

import orjson
import pytest
import pytest_asyncio

from tests.api.store import PROBLEM, open_store, sale

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEW = "0198f3c2-7b1e-7c44-9a55-3f1d2a6b7c10"
KNOWN = "0198f3c2-7b1e-7c44-9a55-000000000001"
JSON = {"Content-Type": "application/json"}
PUT = f"PUT /v1/documents/{NEW}"


def line(**more):
    return {"lines": [{"sku": "1082185", "quantity": "1", **more}]}


def raw(data, content_type="application/json", **headers):
    return {"data": data, "headers": {"Content-Type": content_type, **headers}}


def body(**more):
    return {"body": sale(**more)}


def without(name):
    return {"body": {key: value for key, value in sale().items() if key != name}}


CREDIT = {"type": "credit_note", "lines": [], "payments": []}

CASES = {
    # not JSON
    "empty": (PUT, raw(b""), 400, "malformed_json"),
    "cut JSON": (PUT, raw(b'{"type": "invoice", "lines": ['), 400, "malformed_json"),
    "text behind the JSON": (PUT, raw(orjson.dumps(sale()) + b"x"), 400, "malformed_json"),
    "bad UTF-8": (PUT, raw(orjson.dumps(sale()).replace(b"cash", b"ca\xff\xfe")), 400, "malformed_json"),
    "UTF-16": (PUT, raw(orjson.dumps(sale()).decode().encode("utf-16")), 400, "malformed_json"),
    "half a surrogate": (PUT, raw(orjson.dumps(sale()).replace(b"cash", rb"\ud800")), 400, "malformed_json"),
    "NaN": (PUT, raw(b'{"type": NaN}'), 422, "invalid_request"),
    "single quotes": (PUT, raw(b"{'type': 'invoice'}"), 400, "malformed_json"),
    "nested 100 000 deep": (PUT, raw(b"[" * 30_000 + b"]" * 30_000), 400, "malformed_json"),
    "nested 100 deep": (PUT, raw(b'{"type": ' * 100 + b"1" + b"}" * 100), 422, "invalid_request"),
    # not this shape
    "a list": (PUT, {"body": [sale()]}, 422, "invalid_request"),
    "a text": (PUT, raw(b'"sale"'), 422, "invalid_request"),
    "null": (PUT, raw(b"null"), 422, "invalid_request"),
    "no type": (PUT, without("type"), 422, "invalid_request"),
    "unknown type": (PUT, body(type="proforma"), 422, "invalid_request"),
    "unknown key": (PUT, body(total="0.99"), 422, "invalid_request"),
    "unknown key in a line": (PUT, body(**line(price="0.99")), 422, "invalid_request"),
    "lines that are no list": (PUT, body(lines={"sku": "1082185"}), 422, "invalid_request"),
    "lines null": (PUT, body(lines=None), 422, "invalid_request"),
    "501 lines": (PUT, body(lines=line()["lines"] * 501), 422, "invalid_request"),
    "21 payments": (PUT, body(payments=[{"method": "cash", "amount": "1"}] * 21), 422, "invalid_request"),
    "a line without SKU": (PUT, body(lines=[{"quantity": "1"}]), 422, "invalid_request"),
    "an empty SKU": (PUT, body(**line(sku="")), 422, "invalid_request"),
    "a SKU of 65 characters": (PUT, body(**line(sku="x" * 65)), 422, "invalid_request"),
    "a number for a SKU": (PUT, body(**line(sku=1082185)), 422, "invalid_request"),
    "NUL in a SKU": (PUT, body(**line(sku="1082185\0")), 422, "invalid_request"),
    "a line feed in a name": (PUT, body(**line(name="two\nlines")), 422, "invalid_request"),
    "ESC in a name": (PUT, body(**line(name="\x1b@")), 422, "invalid_request"),
    "a name of 201 characters": (PUT, body(**line(name="x" * 201)), 422, "invalid_request"),
    # amounts
    "a float for a price": (PUT, body(**line(unit_price=0.99)), 422, "invalid_request"),
    "an integer for a price": (PUT, body(**line(unit_price=1)), 422, "invalid_request"),
    "a negative price": (PUT, body(**line(unit_price="-0.99")), 422, "invalid_request"),
    "a price with an exponent": (PUT, body(**line(unit_price="1e3")), 422, "invalid_request"),
    "a price with a comma": (PUT, body(**line(unit_price="0,99")), 422, "invalid_request"),
    "a price with a sign": (PUT, body(**line(unit_price="+1")), 422, "invalid_request"),
    "a price with spaces": (PUT, body(**line(unit_price=" 1 ")), 422, "invalid_request"),
    "a price in Arabic digits": (PUT, body(**line(unit_price="١٢")), 422, "invalid_request"),
    "an empty price": (PUT, body(**line(unit_price="")), 422, "invalid_request"),
    "a huge price": (PUT, body(**line(unit_price="9" * 13)), 422, "invalid_request"),
    "a price finer than the currency": (PUT, body(**line(unit_price="0.999")), 422, "invalid_request"),
    "a payment finer than the currency": (
        PUT,
        body(payments=[{"method": "cash", "amount": "5.001"}]),
        422,
        "invalid_request",
    ),
    "a total finer than the currency": (PUT, body(expected_total="0.991"), 422, "invalid_request"),
    "a negative discount": (PUT, body(**line(discount="-0.01")), 422, "invalid_request"),
    "a float for a quantity": (PUT, body(**line(quantity=1.0)), 422, "invalid_request"),
    "true for a quantity": (PUT, body(**line(quantity=True)), 422, "invalid_request"),
    "a quantity of nothing": (PUT, body(**line(quantity="0.000")), 422, "invalid_request"),
    "a negative quantity": (PUT, body(**line(quantity="-1")), 422, "invalid_request"),
    "a quantity finer than a thousandth": (PUT, body(**line(quantity="1.0001")), 422, "invalid_request"),
    "a huge quantity": (PUT, body(**line(quantity="1" + "0" * 9)), 422, "invalid_request"),
    "a negative payment": (PUT, body(payments=[{"method": "cash", "amount": "-5"}]), 422, "invalid_request"),
    "a float for the expected total": (PUT, body(expected_total=0.99), 422, "invalid_request"),
    # other fields
    "last_seen as text": (PUT, body(last_seen={"000-001-01": "1"}), 422, "invalid_request"),
    "last_seen negative": (PUT, body(last_seen={"000-001-01": -1}), 422, "invalid_request"),
    "last_seen beyond 64 bits": (
        PUT,
        raw(b'{"type":"invoice","last_seen":{"000-001-01":99999999999999999999}}'),
        422,
        "invalid_request",
    ),
    "last_seen of 51 series": (PUT, body(last_seen={f"s{number}": 1 for number in range(51)}), 422, "invalid_request"),
    "a printer with capitals": (PUT, body(print_to="FRONT"), 422, "invalid_request"),
    "a reference that is no id": (
        PUT,
        body(**CREDIT, references=[{"document": "7", "reason": "x"}]),
        422,
        "invalid_request",
    ),
    "a reference without reason": (
        PUT,
        body(**CREDIT, references=[{"document": KNOWN, "reason": ""}]),
        422,
        "invalid_request",
    ),
    "a credit of line 0": (
        PUT,
        body(**CREDIT, references=[{"document": KNOWN, "reason": "x", "lines": [{"line": 0, "quantity": "1"}]}]),
        422,
        "invalid_request",
    ),
    # refused by the books
    "lines missing": (PUT, body(lines=[]), 422, "lines_missing"),
    "an unknown SKU without a price": (PUT, body(**line(sku="nothing")), 422, "line_incomplete"),
    "an unknown tax": (PUT, body(**line(sku="x", name="x", unit_price="1", tax="vat99")), 422, "tax_unknown"),
    "another tax": (PUT, body(**line(tax="isv15")), 422, "tax_mismatch"),
    "a discount larger than the line": (PUT, body(**line(discount="1.00")), 422, "discount_exceeds_line"),
    "a total that is wrong": (PUT, body(expected_total="1.00"), 409, "total_mismatch"),
    "too little paid": (PUT, body(payments=[{"method": "cash", "amount": "0.98"}]), 422, "payments_short"),
    "change on a card": (PUT, body(payments=[{"method": "card", "amount": "5"}]), 422, "payments_exceed"),
    "more than there is": (PUT, body(**line(quantity="51"), payments=[]), 409, "stock_short"),
    "an unknown printer": (PUT, body(print_to="kitchen"), 422, "device_unknown"),
    "a paper of another country": (PUT, body(type="receipt"), 422, "document_type_not_issued"),
    "a series without a range": (
        PUT,
        body(
            type="debit_note",
            references=[{"document": KNOWN, "reason": "x"}],
            customer={"tax_id": "08011999123456", "name": "Ana"},
        ),
        409,
        "range_missing",
    ),
    "a note on nothing": (PUT, body(**CREDIT), 422, "reference_missing"),
    "a note on an unknown document": (
        PUT,
        body(**CREDIT, references=[{"document": NEW, "reason": "x"}]),
        422,
        "original_unknown",
    ),
    "another till's id": (f"PUT /v1/documents/{KNOWN}", {"body": sale(), "who": "front-2"}, 409, "key_reused"),
    "the id with another body": (f"PUT /v1/documents/{KNOWN}", body(price_list="web"), 409, "key_reused"),
    "a void of nothing": (f"PUT /v1/documents/{NEW}/void", {"body": {"reason": "x"}}, 404, "document_unknown"),
    "a void without reason": (f"PUT /v1/documents/{KNOWN}/void", {"body": {}}, 422, "invalid_request"),
    "a void for nothing": (f"PUT /v1/documents/{KNOWN}/void", {"body": {"reason": ""}}, 422, "invalid_request"),
    # addresses, methods, headers
    "an id that is no UUID": ("PUT /v1/documents/42", body(), 422, "invalid_request"),
    "an id in braces": (f"PUT /v1/documents/%7B{NEW}%7D", body(), 422, "invalid_request"),
    "an id with a line feed": (f"PUT /v1/documents/{NEW}%0A", body(), 422, "invalid_request"),
    "NUL in an address": ("GET /v1/products/a%00b", {}, 422, "invalid_request"),
    "an address of bad UTF-8": ("GET /v1/products/%FF", {}, 404, "sku_unknown"),
    "an unknown product": ("GET /v1/products/nothing", {}, 404, "sku_unknown"),
    "an unknown product's stock": ("GET /v1/stock/nothing", {}, 404, "sku_unknown"),
    "an unknown document": (f"GET /v1/documents/{NEW}", {}, 404, "document_unknown"),
    "an unknown document's receipt": (f"GET /v1/documents/{NEW}/receipt", {}, 404, "document_unknown"),
    "an unknown job": (f"GET /v1/jobs/{NEW}", {}, 404, "job_unknown"),
    "an unknown address": ("GET /v2/documents", {}, 404, "not_found"),
    "a path too deep": (f"GET /v1/documents/{KNOWN}/void/x", {}, 404, "not_found"),
    "a wrong method": (f"DELETE /v1/documents/{KNOWN}", {}, 405, "method_not_allowed"),
    "another wrong method": (f"PATCH /v1/documents/{KNOWN}", {}, 405, "method_not_allowed"),
    "POST of a document": ("POST /v1/documents", body(), 405, "method_not_allowed"),
    "no content type": (
        PUT,
        {"data": orjson.dumps(sale()), "headers": {"Content-Type": ""}},
        415,
        "unsupported_media_type",
    ),
    "a form": (PUT, raw(b"type=invoice", "application/x-www-form-urlencoded"), 415, "unsupported_media_type"),
    "JSON in Latin-1": (
        PUT,
        raw(orjson.dumps(sale()), "application/json; charset=latin-1"),
        415,
        "unsupported_media_type",
    ),
    "a compressed body": (PUT, raw(b"\x1f\x8b", **{"Content-Encoding": "gzip"}), 415, "unsupported_media_type"),
    "an unknown paper": (
        f"GET /v1/documents/{KNOWN}/receipt",
        {"headers": {"Accept": "image/png"}},
        406,
        "not_acceptable",
    ),
    "no paper at all": (
        f"GET /v1/documents/{KNOWN}/receipt",
        {"headers": {"Accept": "*/*;q=0"}},
        406,
        "not_acceptable",
    ),
    "10 MB": (PUT, raw(io.BytesIO(b" " * 10_000_000)), 413, "too_large"),
    "a byte too much": (PUT, raw(orjson.dumps(sale()).ljust(65_537)), 413, "too_large"),
    "an unknown expectation": (PUT, raw(orjson.dumps(sale()), Expect="a-miracle"), 417, "expectation_failed"),
    # queries
    "a limit of 0": ("GET /v1/documents?limit=0", {}, 422, "invalid_request"),
    "a limit of 501": ("GET /v1/stock?limit=501", {}, 422, "invalid_request"),
    "a limit in words": ("GET /v1/stock?limit=ten", {}, 422, "invalid_request"),
    "an unknown parameter": ("GET /v1/documents?sort=date", {}, 422, "invalid_request"),
    "a parameter twice": ("GET /v1/documents?limit=1&limit=2", {}, 422, "invalid_request"),
    "a cursor of another kind": ("GET /v1/documents?cursor=WyJhIl0", {}, 422, "invalid_request"),
    "a cursor made up": ("GET /v1/stock?cursor=xyz", {}, 422, "invalid_request"),
    "a number that is none": ("GET /v1/documents?number=abc", {}, 422, "invalid_request"),
    "from a day that is none": ("GET /v1/documents?from=2026-13-01", {}, 422, "invalid_request"),
    "since before the beginning": ("GET /v1/products?since=-1", {}, 422, "invalid_request"),
    "events after a word": ("GET /v1/events?after=yesterday", {}, 422, "invalid_request"),
    "events after a strange id": ("GET /v1/events", {"headers": {"Last-Event-ID": "x"}}, 422, "invalid_request"),
    # who asks
    "no token": (PUT, {**body(), "who": ""}, 401, "unauthorized"),
    "a wrong token": (PUT, {**body(), "who": "nobody"}, 401, "unauthorized"),
    "a token of 10 000 characters": (PUT, {**body(), "who": "x" * 5_000}, 401, "unauthorized"),
    "another scheme": (PUT, {**body(), "who": "", "headers": {"Authorization": "Basic eDp5"}}, 401, "unauthorized"),
    "the administrator sells": (PUT, {**body(), "who": "admin"}, 403, "forbidden"),
    "a till lists tills": ("GET /v1/admin/tills", {}, 403, "forbidden"),
    "a till makes a till": ("PUT /v1/admin/tills/back-2", {}, 403, "forbidden"),
    "a till loads a range": (
        f"PUT /v1/admin/ranges/{NEW}",
        {"body": {"series": "000-001-01", "first": 1, "last": 2}},
        403,
        "forbidden",
    ),
    "a till audits": ("GET /v1/admin/verify", {}, 403, "forbidden"),
    "nobody audits": ("GET /v1/admin/verify", {"who": ""}, 401, "unauthorized"),
    # stock, jobs, link
    "a receipt of less than nothing": (
        f"PUT /v1/stock-movements/{NEW}",
        {"body": {"kind": "receipt", "lines": [{"sku": "1082185", "quantity": "-1"}]}},
        422,
        "invalid_request",
    ),
    "a count below nothing": (
        f"PUT /v1/stock-movements/{NEW}",
        {"body": {"kind": "count", "lines": [{"sku": "1082185", "quantity": "-0.001"}]}},
        422,
        "invalid_request",
    ),
    "a movement of nothing": (
        f"PUT /v1/stock-movements/{NEW}",
        {"body": {"kind": "count", "lines": []}},
        422,
        "invalid_request",
    ),
    "a movement of another kind": (
        f"PUT /v1/stock-movements/{NEW}",
        {"body": {"kind": "theft", "lines": [{"sku": "1082185", "quantity": "1"}]}},
        422,
        "invalid_request",
    ),
    "a movement of an unknown product": (
        f"PUT /v1/stock-movements/{NEW}",
        {"body": {"kind": "receipt", "lines": [{"sku": "nothing", "quantity": "1"}]}},
        422,
        "product_unknown",
    ),
    "a movement of what is not counted": (
        f"PUT /v1/stock-movements/{NEW}",
        {"body": {"kind": "receipt", "lines": [{"sku": "bag", "quantity": "1"}]}},
        422,
        "stock_not_tracked",
    ),
    "a job for nobody": (f"PUT /v1/jobs/{NEW}", {"body": {"kind": "kick", "device": "kitchen"}}, 422, "device_unknown"),
    "a job of another kind": (
        f"PUT /v1/jobs/{NEW}",
        {"body": {"kind": "scan", "device": "front"}},
        422,
        "invalid_request",
    ),
    "a receipt of nothing": (
        f"PUT /v1/jobs/{NEW}",
        {"body": {"kind": "receipt", "device": "front"}},
        422,
        "invalid_request",
    ),
    "a receipt of an unknown document": (
        f"PUT /v1/jobs/{NEW}",
        {"body": {"kind": "receipt", "device": "front", "body": {"document": NEW}}},
        404,
        "document_unknown",
    ),
    "a text without lines": (
        f"PUT /v1/jobs/{NEW}",
        {"body": {"kind": "text", "device": "front", "body": {"lines": []}}},
        422,
        "invalid_request",
    ),
    "a sync without a head office": ("POST /v1/sync", {}, 503, "no_connection"),
    "an unknown mode": ("PUT /v1/link-mode", {"body": {"mode": "off"}}, 422, "invalid_request"),
    # the administrator's own mistakes
    "a range of another series": (
        f"PUT /v1/admin/ranges/{NEW}",
        {"body": {"series": "9", "first": 1, "last": 2}, "who": "admin"},
        404,
        "series_unknown",
    ),
    "a range backwards": (
        f"PUT /v1/admin/ranges/{NEW}",
        {"body": {"series": "000-001-01", "first": 900, "last": 800}, "who": "admin"},
        422,
        "range_invalid",
    ),
    "a range that overlaps": (
        f"PUT /v1/admin/ranges/{NEW}",
        {
            "body": {
                "series": "000-001-01",
                "authority_kind": "CAI",
                "authority_ref": "X",
                "first": 500,
                "last": 600,
                "valid_until": "2027-06-30",
            },
            "who": "admin",
        },
        409,
        "range_overlaps",
    ),
    "an end of a range that is no day": (
        f"PUT /v1/admin/ranges/{NEW}",
        {"body": {"series": "000-001-01", "first": 1, "last": 2, "valid_until": "30/06/2027"}, "who": "admin"},
        422,
        "invalid_request",
    ),
    "a cancelled range nobody loaded": (
        f"PUT /v1/admin/ranges/{NEW}/cancel",
        {"body": {"reason": "x"}, "who": "admin"},
        404,
        "range_unknown",
    ),
    "a confirmation below the books": (
        "PUT /v1/admin/series/000-001-01/confirm",
        {"body": {"last_number": 0, "reason": "x"}, "who": "admin"},
        409,
        "confirm_below_books",
    ),
    "a till with a bad name": ("PUT /v1/admin/tills/Front", {"who": "admin"}, 422, "invalid_request"),
    "a till with a reserved name": ("PUT /v1/admin/tills/gateway", {"who": "admin"}, 422, "till_name_invalid"),
    "a revocation of nobody": ("DELETE /v1/admin/tills/nobody", {"who": "admin"}, 404, "till_unknown"),
    "a catalogue in JSON": ("PUT /v1/admin/catalogue", {"body": [], "who": "admin"}, 415, "unsupported_media_type"),
    "a catalogue of bytes": (
        "PUT /v1/admin/catalogue",
        {**raw(b"sku,name\xff", "text/csv"), "who": "admin"},
        400,
        "malformed_csv",
    ),
    "a catalogue with mistakes": (
        "PUT /v1/admin/catalogue",
        {**raw(b"sku,name,unit_price,tax\n1,,x,none\n", "text/csv"), "who": "admin"},
        422,
        "catalogue_invalid",
    ),
    "a pairing code of letters": (
        "POST /v1/pairing",
        {"body": {"code": "abcdef", "till_name": "back-2"}, "who": ""},
        422,
        "invalid_request",
    ),
    "a pairing without a code": (
        "POST /v1/pairing",
        {"body": {"code": "123456", "till_name": "back-2"}, "who": ""},
        403,
        "pairing_refused",
    ),
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory):
    async with open_store(tmp_path_factory.mktemp("shop")) as opened:
        await opened.issue(document=KNOWN)
        yield opened


@pytest.mark.parametrize("name", CASES)
async def test_a_wrong_request_is_refused_and_changes_nothing(shop, name):
    asked, options, status, code = CASES[name]
    method, path = asked.split(" ", 1)
    before = await shop.journal()
    answered, headers, content = await shop.ask(method, path, options.get("body"), **_without_body(options))
    said = orjson.loads(content)
    assert (answered, said["code"]) == (status, code), said
    assert headers["Content-Type"] == PROBLEM
    assert said["status"] == status
    assert said["instance"] == path.partition("?")[0]
    assert await shop.journal() == before


def _without_body(options):
    return {name: value for name, value in options.items() if name != "body"}


async def test_a_refusal_says_where_and_what_in_the_askers_language(shop):
    wrong = sale(lines=[{"sku": "1082185", "quantity": 1.5, "colour": "red"}])
    for accept, what in (("en", "Extra inputs are not permitted"), ("es", "no se conoce")):
        _, said = await shop.said("PUT", f"/v1/documents/{NEW}", wrong, headers={"Accept-Language": accept})
        assert {"where": "lines[0].colour", "what": what} in said["errors"]
        assert [error["where"] for error in said["errors"]] == ["lines[0].quantity", "lines[0].colour"]


async def test_a_range_that_ran_out_or_expired_is_said_so(tmp_path):
    async with open_store(tmp_path, ranges=((1, 1),)) as store:
        await store.issue()
        before = await store.journal()
        status, said = await store.said("PUT", f"/v1/documents/{NEW}", sale())
        assert (status, said["code"], said["advice"]) == (409, "range_exhausted", "call_manager")
        ranges = f"/v1/admin/ranges/{uuid.uuid4()}"
        more = {
            "series": "000-001-01",
            "authority_kind": "CAI",
            "authority_ref": "X",
            "first": 2,
            "last": 9,
            "valid_until": "2026-11-30",
        }
        assert await store.journal() == before
        assert (await store.said("PUT", ranges, more, who="admin"))[0] == 201
        store.parts.clock.advance(30 * 86_400_000)
        before = await store.journal()
        status, said = await store.said("PUT", f"/v1/documents/{NEW}", sale())
        assert (status, said["code"], said["valid_until"]) == (409, "range_expired", "2026-11-30")
        assert await store.journal() == before


async def test_a_range_that_was_cancelled_is_said_so(tmp_path):
    async with open_store(tmp_path) as store:
        _, page = await store.said("GET", "/v1/admin/ranges", who="admin")
        path = f"/v1/admin/ranges/{page['items'][0]['id']}/cancel"
        assert (await store.said("PUT", path, {"reason": "withdrawn"}, who="admin"))[0] == 200
        before = await store.journal()
        status, said = await store.said("PUT", f"/v1/documents/{NEW}", sale())
        assert (status, said["code"], said["advice"]) == (409, "range_cancelled", "call_manager")
        assert await store.journal() == before


async def test_a_wrong_method_is_told_the_right_ones(shop):
    _, headers, _ = await shop.ask("DELETE", f"/v1/documents/{KNOWN}")
    assert headers["Allow"] == "GET, PUT"


async def test_what_the_disk_cannot_take_is_refused_before_it_is_asked(tmp_path):
    async with open_store(tmp_path) as store:
        store.parts.desk._free_bytes_min = 2**62
        before = await store.journal()
        status, said = await store.said("PUT", f"/v1/documents/{NEW}", sale())
        assert (status, said["code"]) == (507, "disk_low")
        assert await store.journal() == before


async def test_a_desk_that_is_closed_says_that_it_is_stopping(tmp_path):
    async with open_store(tmp_path) as store:
        store.parts.desk.close()
        status, headers, content = await store.ask("PUT", f"/v1/documents/{NEW}", sale())
        assert (status, orjson.loads(content)["code"]) == (503, "stopping")
        assert headers["Retry-After"] == "5"
