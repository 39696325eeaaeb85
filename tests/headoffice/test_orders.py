import pytest

from tests.headoffice.journals import headers

RANGE = {"series": "000-001-01", "authority_kind": "CAI", "authority_ref": "ABC-1", "first": 1, "last": 500}
MILK = {"sku": "MILK", "name": "Leche", "unit_price": "1.50", "tax": "isv15"}
CSV = "sku,name,barcode,unit_price,tax,policy,sell_below_zero,price_list\n"


async def orders(office, store="store-1"):
    return (await office.get(f"/v1/stores/{store}/orders"))["items"]


async def put_csv(office, text):
    content = text if isinstance(text, bytes) else text.encode()
    return await office.put("/v1/stores/store-1/catalogue", data=content, headers={"Content-Type": "text/csv"})


async def test_the_same_range_again_is_the_same_grant(office):
    office.add_store()
    first = await office.put("/v1/stores/store-1/ranges/r-1", json=RANGE)
    again = await office.put("/v1/stores/store-1/ranges/r-1", json=RANGE)
    assert (first, again) == ((201, {"id": "r-1", "order": 1}), (200, {"id": "r-1", "order": 1}))
    assert len(await orders(office)) == 1


async def test_other_numbers_under_the_same_id_are_refused(office):
    office.add_store()
    await office.put("/v1/stores/store-1/ranges/r-1", json=RANGE)
    status, problem = await office.put("/v1/stores/store-1/ranges/r-1", json={**RANGE, "last": 501})
    assert (status, problem["code"]) == (409, "key_reused")
    assert len(await orders(office)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"first": 0}, {"first": "1"}, {"first": 1.5}, {"first": 501}, {"last": 2**60}, {"series": ""},
        {"valid_until": "2026-13-01"}, {"valid_until": "soon"}, {"extra": 1}, {"authority_ref": "a\nb"},
        {"valid_from": "2027-01-02", "valid_until": "2027-01-01"},
    ],
)  # fmt: skip
async def test_a_range_that_cannot_be_right_is_refused(office, changed):
    office.add_store()
    status, problem = await office.put("/v1/stores/store-1/ranges/r-1", json={**RANGE, **changed})
    assert (status, problem["code"]) == (422, "invalid_request")
    assert await orders(office) == []


async def test_each_store_has_a_stream_of_its_own(office):
    for store in ("store-1", "store-2"):
        office.add_store(store)
        for identity in ("r-1", "r-2"):
            await office.put(f"/v1/stores/{store}/ranges/{identity}", json=RANGE)
    for store in ("store-1", "store-2"):
        assert [order["seq"] for order in await orders(office, store)] == [1, 2]


async def test_the_same_catalogue_again_is_the_same_version(office):
    office.add_store()
    for status in (201, 200):
        answer = await office.put("/v1/stores/store-1/catalogue", json={"products": [MILK]})
        assert answer == (status, {"version": 1, "orders": [1], "products": 1, "deleted": 0})
    _, changed = await office.put("/v1/stores/store-1/catalogue", json={"products": [{**MILK, "name": "Leche 1 l"}]})
    assert (changed["version"], changed["orders"]) == (2, [2])


async def test_a_catalogue_comes_as_a_file(office):
    office.add_store()
    status, answer = await put_csv(
        office, f"\ufeff{CSV}MILK,Leche,779,1.50,isv15,tracked,1,store\nBAG,Bolsa,,0.10,isv15,,,\n"
    )
    assert (status, answer["products"]) == (201, 2)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "line 1, sku"),
        ("sku,name,unit_price\nA,a,1\n", "line 1, tax"),
        ("sku,name,unit_price,tax,colour\nA,a,1,isv15,red\n", "line 1, colour"),
        ("sku,name,unit_price,tax,on_hand\nA,a,1,isv15,4\n", "line 1, on_hand"),
        ("sku,name,unit_price,tax\nA,a,-1,isv15\n", "line 2.unit_price"),
        ("sku,name,unit_price,tax\nA,a,1\n", "line 2"),
        ("sku,name,unit_price,tax\nA,a,1,isv15,5\n", "line 2"),
        ("sku,name,unit_price,tax\nA,,1,isv15\n", "line 2.name"),
        ("sku,name,unit_price,tax,sell_below_zero\nA,a,1,isv15,maybe\n", "line 2, sell_below_zero"),
        ("sku,name,unit_price,tax,policy\nA,a,1,isv15,both\n", "line 2.policy"),
        ("sku,name,unit_price,tax\nA,a,1,isv15\nA,b,1,isv15\n", "sku A"),
        ("sku,name,unit_price,tax,barcode\nA,a,1,isv15,7\nB,b,1,isv15,7\n", "barcode 7"),
        (b"sku,name,unit_price,tax\nA,\xff,1,isv15\n", "body"),
        ('sku,name,unit_price,tax\nA,"a,1,isv15\n', "body"),
        ("sku,name,unit_price,tax\n", "products"),
    ],
)  # fmt: skip
async def test_a_file_with_a_mistake_is_refused_whole_and_says_where(office, text, where):
    office.add_store()
    status, problem = await put_csv(office, text)
    assert (status, problem["code"]) == (422, "invalid_request")
    assert where in [error["where"] for error in problem["errors"]]
    assert await orders(office) == []


@pytest.mark.parametrize(
    "body",
    [
        {"products": [MILK, MILK]}, {"products": [MILK], "deleted": ["MILK"]}, {"deleted": ["A", "A"]}, {},
        {"products": [{**MILK, "unit_price": 1.5}]}, {"products": [{**MILK, "unit_price": "1,50"}]},
        {"products": [{**MILK, "sku": "x" * 65}]}, {"products": [{**MILK, "name": "a\x00"}]}, {"product": []},
        [], "text", 5,
    ],
)  # fmt: skip
async def test_a_change_that_cannot_be_right_is_refused_whole(office, body):
    office.add_store()
    status, problem = await office.put("/v1/stores/store-1/catalogue", json=body)
    assert (status, problem["code"]) == (422, "invalid_request")
    assert await orders(office) == []


async def test_a_body_of_another_kind_is_refused(office):
    office.add_store()
    for path in ("catalogue", "ranges/r-1"):
        status, problem = await office.put(
            f"/v1/stores/store-1/{path}", data=b"<xml/>", headers={"Content-Type": "text/xml"}
        )
        assert (status, problem["code"]) == (415, "unsupported_media_type")


async def report(office, token, applied, refused=(), epoch="e-1"):
    body = {"sent_at": 1, "seq": 0, "orders_applied": applied, "refused": list(refused), "status": {}}
    return await office.ask("PUT", "/v1/stores/store-1/heartbeat", token, json=body, headers=headers(epoch))


async def test_a_refusal_is_shown_with_its_reason(office):
    token = office.add_store()
    for number in range(3):
        await office.put(f"/v1/stores/store-1/ranges/r-{number}", json=RANGE)
    assert (await report(office, token, 2, [{"seq": 2, "code": "range_overlaps", "detail": "1-500 meets 1-500"}]))[
        0
    ] == 200
    shown = [(order["state"], order["code"], order["detail"]) for order in await orders(office)]
    assert shown == [("applied", "", ""), ("refused", "range_overlaps", "1-500 meets 1-500"), ("waiting", "", "")]


async def test_an_order_after_head_office_lost_some_is_not_taken_for_an_old_one(office):
    token = office.add_store()
    await report(office, token, 7)
    _, given = await office.put("/v1/stores/store-1/ranges/r-1", json=RANGE)
    assert given["order"] == 8


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"sent_at": 1, "seq": -1, "orders_applied": 0, "status": {}}',
     b'{"sent_at": 1, "seq": 1, "orders_applied": 0, "status": []}',
     b'{"sent_at": 1, "seq": 1, "orders_applied": 0, "status": {}, "more": 1}'],
)  # fmt: skip
async def test_a_heartbeat_in_another_form_is_refused(office, body):
    token = office.add_store()
    sent = {**headers(), "Content-Type": "application/json"}
    status, problem = await office.ask("PUT", "/v1/stores/store-1/heartbeat", token, data=body, headers=sent)
    assert (status, problem["code"]) == (422, "invalid_request")


async def test_a_copy_of_a_store_is_seen_and_says_nothing_about_orders(office):
    from tests.headoffice.journals import hello, journal, send

    token = office.add_store()
    await send(office, token, await hello(office, token), journal(2))
    await office.put("/v1/stores/store-1/ranges/r-1", json=RANGE)
    await report(office, token, 1, epoch="another")
    assert [order["state"] for order in await orders(office)] == ["waiting"]
    copies = (await office.get("/v1/stores/store-1/status"))["head_office"]["copies"]
    assert [copy["epoch"] for copy in copies] == ["another"]
