"""The administrator's word: ranges, confirmed series, tills, pairing, the catalogue, the audit."""

import uuid

import orjson
import pytest

from gateway.ledger.commands import LockTenure
from tests.api.store import CAI, open_store, sale

CSV = {"Content-Type": "text/csv"}
RANGE = {
    "series": "000-001-01",
    "authority_kind": "CAI",
    "authority_ref": CAI,
    "first": 501,
    "last": 600,
    "valid_from": "",
    "valid_until": "2027-06-30",
}


async def test_a_range_is_loaded_once_listed_and_cancelled(store):
    identity = str(uuid.uuid4())
    path = f"/v1/admin/ranges/{identity}"
    status, said = await store.said("PUT", path, RANGE, who="admin")
    assert status == 201
    assert said == {"id": identity, **RANGE, "wrap": 0, "by": "administrator", "seq": 6}
    status, again = await store.said("PUT", path, RANGE, who="admin")
    assert (status, again) == (200, said)
    status, said = await store.said("PUT", path, {**RANGE, "last": 700}, who="admin")
    assert (status, said["code"]) == (409, "key_reused")
    _, page = await store.said("GET", "/v1/admin/ranges", who="admin")
    assert page["items"][-1] == {"id": identity, **RANGE, "state": "loaded", "wrap": 0, "next": 501, "left": 100}
    status, said = await store.said("PUT", f"{path}/cancel", {"reason": "returned"}, who="admin")
    assert status == 200
    assert said["unused"] == {"first": 501, "last": 600, "cause": "cancelled"}
    status, said = await store.said("PUT", f"{path}/cancel", {"reason": "returned"}, who="admin")
    assert (status, said["code"], said["state"]) == (409, "range_ended", "cancelled")


async def test_ranges_come_in_pages(store):
    _, all_ = await store.said("GET", "/v1/admin/ranges", who="admin")
    _, first = await store.said("GET", "/v1/admin/ranges?limit=1", who="admin")
    _, rest = await store.said("GET", f"/v1/admin/ranges?limit=1&cursor={first['next']}", who="admin")
    assert first["items"] + rest["items"] == all_["items"]
    assert rest["next"] is None


async def test_a_till_that_saw_a_later_number_locks_the_series_until_it_is_confirmed(store):
    await store.issue()
    path = f"/v1/documents/{uuid.uuid4()}"
    status, said = await store.said("PUT", path, sale(last_seen={"000-001-01": 7}))
    assert (status, said["code"], said["seen"]) == (409, "number_ahead", 7)
    status, said = await store.said("PUT", f"/v1/documents/{uuid.uuid4()}", sale())
    assert (status, said["code"]) == (409, "series_locked")
    _, status_now = await store.said("GET", "/v1/status")
    assert status_now["ranges"][0]["state"] == "locked"
    confirm = "/v1/admin/series/000-001-01/confirm"
    status, said = await store.said("PUT", confirm, {"last_number": 7, "reason": "seen on paper"}, who="admin")
    assert status == 200
    assert said["lost"] == {"first": 2, "last": 7, "cause": "issued before a restore"}
    assert (await store.issue())["number"] == 8


async def test_a_locked_tenure_is_opened_by_the_administrator(store):
    await store.parts.desk.submit(LockTenure("restored from a backup"))
    status, said = await store.said("PUT", f"/v1/documents/{uuid.uuid4()}", sale())
    assert (status, said["code"]) == (409, "tenure_locked")
    assert (await store.said("GET", "/v1/status"))[1]["lock"] == "restored from a backup"
    unlock = {"reason": "these are the right books"}
    status, said = await store.said("PUT", "/v1/admin/tenure/unlock", unlock, who="admin")
    assert (status, said["reason"]) == (200, unlock["reason"])
    assert (await store.issue())["number"] == 1


async def test_a_till_is_made_listed_and_revoked(store):
    status, made = await store.said("PUT", "/v1/admin/tills/kiosk", who="admin")
    assert status == 201
    assert set(made) == {"till", "token", "store", "api", "ca", "ca_fingerprint", "mqtt"}
    assert made["till"] == "kiosk"
    assert made["mqtt"]["user"] == "kiosk"
    assert (await store.said("GET", "/v1/status", who=made["token"]))[0] == 200
    _, page = await store.said("GET", "/v1/admin/tills", who="admin")
    assert [till["name"] for till in page["items"]] == ["back", "front-1", "front-2", "kiosk"]
    status, gone = await store.said("DELETE", "/v1/admin/tills/kiosk", who="admin")
    assert status == 200
    assert gone["revoked_at"] == "2026-11-21T16:20:31.118Z"
    assert (await store.said("GET", "/v1/status", who=made["token"]))[0] == 401
    assert await store.said("DELETE", "/v1/admin/tills/kiosk", who="admin") == (200, gone)
    status, remade = await store.said("PUT", "/v1/admin/tills/kiosk", who="admin")
    assert status == 201
    assert remade["token"] != made["token"]


async def test_a_code_becomes_a_till_once(store):
    status, code = await store.said("POST", "/v1/admin/pairing-codes", who="admin")
    assert status == 201
    assert set(code) == {"code", "expires_at", "tries", "link"}
    wrong = f"{(int(code['code']) + 1) % 10**6:06d}"
    status, said = await store.said("POST", "/v1/pairing", {"code": wrong, "till_name": "kiosk"}, who="")
    assert (status, said["code"], said["tries_left"]) == (403, "pairing_refused", code["tries"] - 1)
    asked = {"code": code["code"], "till_name": "kiosk", "model": "Sunmi T2"}
    status, paired = await store.said("POST", "/v1/pairing", asked, who="")
    assert status == 201
    assert (await store.said("GET", "/v1/status", who=paired["token"]))[0] == 200
    status, said = await store.said("POST", "/v1/pairing", {**asked, "till_name": "kiosk-2"}, who="")
    assert (status, said["code"]) == (403, "pairing_refused")


async def test_an_old_code_is_refused(store):
    _, code = await store.said("POST", "/v1/admin/pairing-codes", who="admin")
    store.parts.clock.advance(11 * 60_000)
    status, said = await store.said("POST", "/v1/pairing", {"code": code["code"], "till_name": "kiosk"}, who="")
    assert (status, said["code"]) == (403, "pairing_code_expired")


async def test_a_catalogue_goes_in_whole_or_not_at_all_and_comes_out_again(store):
    good = b"sku,name,unit_price,tax,on_hand\nmilk,Leche,22.50,exempt,12\nrice,Arroz,18.00,isv15,\n"
    bad = good + b"bad,,1.00,none,\n"
    status, said = await store.said("PUT", "/v1/admin/catalogue?dry_run=true", data=good, headers=CSV, who="admin")
    assert status == 200
    assert said == {"products": 2, "received": 1, "version": 1, "problems": [], "dry_run": True}
    status, said = await store.said("PUT", "/v1/admin/catalogue?dry_run=true", data=bad, headers=CSV, who="admin")
    assert status == 200
    assert [problem["line"] for problem in said["problems"]] == [4, 4]
    status, said = await store.said("POST", "/v1/admin/catalogue", data=bad, headers=CSV, who="admin")
    assert (status, said["code"], said["count"]) == (422, "catalogue_invalid", 2)
    assert (await store.said("GET", "/v1/status"))[1]["catalogue_version"] == 1
    for received in (1, 0):
        status, said = await store.said("POST", "/v1/admin/catalogue", data=good, headers=CSV, who="admin")
        assert (status, said["received"], said["version"]) == (200, received, 2)
    assert (await store.said("GET", "/v1/stock/milk"))[1]["on_hand"] == "12.000"
    status, headers, content = await store.ask("GET", "/v1/admin/catalogue", who="admin")
    assert (status, headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert "milk,Leche,,22.50,exempt,tracked" in content.decode()
    status, said = await store.said("PUT", "/v1/admin/catalogue", data=content, headers=CSV, who="admin")
    assert (status, said["version"]) == (200, 2)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_audit_finds_sound_books_sound(store, method):
    await store.issue()
    status, said = await store.said(method, "/v1/admin/verify", who="admin")
    assert status == 200
    assert (said["sound"], said["documents"], said["breaches"]) == (True, 1, [])


async def test_an_audit_finds_a_changed_row(tmp_path):
    async with open_store(tmp_path) as store:
        issued = await store.issue()
        await store.parts.writer.run(
            lambda connection: connection.execute(
                "UPDATE journal SET body = replace(body, '0.99', '0.90') WHERE seq = ?", (issued["seq"],)
            )
        )
        _, said = await store.said("GET", "/v1/admin/verify", who="admin")
        assert said["sound"] is False
        assert "I12" in {breach["rule"] for breach in said["breaches"]}


async def test_secrets_are_in_no_answer_but_the_one_that_hands_them_out(store):
    _, made = await store.said("PUT", "/v1/admin/tills/kiosk", who="admin")
    for path in ("/v1/admin/tills", "/v1/status", "/v1/devices", "/metrics", "/v1/admin/ranges"):
        _, _, content = await store.ask("GET", path, who="admin")
        assert made["token"].encode() not in content
        assert made["mqtt"]["password"].encode() not in content
    assert orjson.dumps(made)
