"""Receipts in every form, jobs over HTTP, the line by hand."""

import asyncio
import uuid

import pydantic
import pytest

from gateway.sync.uplink import Address, Uplink
from tests.api.store import open_store, sale
from tests.sync.offices import open_office


async def paper(store, document, accept):
    status, headers, content = await store.ask("GET", f"/v1/documents/{document}/receipt", headers={"Accept": accept})
    assert status == 200, content
    assert headers["Vary"] == "Accept"
    return headers["Content-Type"], content


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/plain", "text/plain; charset=utf-8"),
        ("*/*", "text/plain; charset=utf-8"),
        ("text/*", "text/plain; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("application/vnd.escpos", "application/vnd.escpos"),
        ("application/*", "application/vnd.escpos"),
        ("text/plain;q=0.5, application/vnd.escpos;q=0.9", "application/vnd.escpos"),
        ("image/png, text/plain;q=0.1", "text/plain; charset=utf-8"),
    ],
)
async def test_the_paper_comes_as_the_asker_likes_it(store, accept, content_type):
    issued = await store.issue()
    assert (await paper(store, issued["id"], accept))[0] == content_type


async def test_the_paper_is_a_copy_and_says_when_it_is_void(store):
    issued = await store.issue(sale(customer={"tax_id": "08011999123456", "name": "<b>Ana</b>"}))
    _, text = await paper(store, issued["id"], "text/plain")
    assert "COPIA" in text.decode()
    assert issued["formatted_number"] in text.decode()
    _, page = await paper(store, issued["id"], "text/html")
    assert "&lt;b&gt;Ana&lt;/b&gt;" in page.decode()
    _, printed = await paper(store, issued["id"], "application/vnd.escpos")
    assert printed.startswith(b"\x1b@")
    await store.said("PUT", f"/v1/documents/{issued['id']}/void", {"reason": "x"})
    _, text = await paper(store, issued["id"], "text/plain")
    assert "ANULADA" in text.decode()


async def test_devices_say_what_they_are_and_how_they_are(store):
    status, said = await store.said("GET", "/v1/devices")
    assert status == 200
    (device,) = said["items"]
    assert (device["name"], device["kind"], device["jobs"]) == ("front", "printer", ["receipt", "text", "kick"])
    assert said["next"] is None


async def test_a_job_is_queued_once_and_looked_up(store):
    issued = await store.issue()
    path = f"/v1/jobs/{uuid.uuid4()}"
    asked = {"kind": "receipt", "device": "front", "body": {"document": issued["id"], "copy": True}}
    status, job = await store.said("PUT", path, asked)
    assert status == 201
    assert job == {
        "id": path.rsplit("/", 1)[1],
        "kind": "receipt",
        "device": "front",
        "till": "front-1",
        "document": issued["id"],
        "state": "queued",
        "detail": "",
        "settled_by": None,
        "created_at": "2026-11-21T16:20:31.118Z",
        "changed_at": "2026-11-21T16:20:31.118Z",
        "deadline": None,
    }
    assert await store.said("PUT", path, asked) == (200, job)
    assert await store.said("GET", path, who="back") == (200, job)
    for who, other in (("front-1", {**asked, "body": {"document": issued["id"]}}), ("back", asked)):
        status, said = await store.said("PUT", path, other, who=who)
        assert (status, said["code"]) == (409, "key_reused")


async def test_a_drawer_has_a_deadline(store):
    path = f"/v1/jobs/{uuid.uuid4()}"
    status, job = await store.said("PUT", path, {"kind": "kick", "device": "front", "deadline_ms": 2_000})
    assert (status, job["deadline"]) == (201, "2026-11-21T16:20:33.118Z")


async def test_a_sale_with_a_printer_has_its_job(store):
    issued = await store.issue(sale(print_to="front"))
    status, job = await store.said("GET", f"/v1/jobs/{issued['job']}")
    assert (status, job["kind"], job["document"]) == (200, "receipt", issued["id"])


async def test_without_a_head_office_there_is_nothing_to_be_in_step_with(store):
    status, headers, _ = await store.ask("POST", "/v1/sync")
    assert status == 503
    assert int(headers["Retry-After"]) >= 1
    status, said = await store.said("PUT", "/v1/link-mode", {"mode": "automatic"})
    assert (status, said["link"]["state"]) == (200, "none")


async def test_a_store_is_in_step_now_and_works_offline_by_hand(tmp_path):
    async with open_office(tmp_path / "office") as office:
        token = pydantic.SecretStr(office.add_store("store-1"))

        def uplink_of(desk):
            return Uplink(Address(office.url, token, "store-1", desk.epoch, reply_wait_ms_max=5_000))

        async with open_store(tmp_path / "store", uplink_of=uplink_of) as store, asyncio.TaskGroup() as group:
            running = group.create_task(store.parts.link.run())
            status, said = await store.said("POST", "/v1/sync")
            assert status == 200
            assert said["link"]["state"] in {"catching_up", "online"}
            status, said = await store.said("PUT", "/v1/link-mode", {"mode": "working_offline"})
            assert (status, said["link"]["state"]) == (200, "working_offline")
            status, said = await store.said("POST", "/v1/sync")
            assert (status, said["code"]) == (503, "no_connection")
            status, said = await store.said("PUT", "/v1/link-mode", {"mode": "automatic"})
            assert said["link"]["state"] in {"offline", "catching_up", "online"}
            running.cancel()


async def test_a_person_settles_a_job_that_is_unknown_and_only_that(store):
    path = f"/v1/jobs/{uuid.uuid4()}"
    await store.said("PUT", path, {"kind": "text", "device": "front", "body": {"lines": ["Hello"]}})
    status, said = await store.said("PUT", f"{path}/outcome", {"outcome": "printed"})
    assert (status, said["code"]) == (409, "job_settled")
    status, said = await store.said("PUT", f"/v1/jobs/{uuid.uuid4()}/outcome", {"outcome": "printed"})
    assert (status, said["code"]) == (404, "job_unknown")
    status, said = await store.said("PUT", f"{path}/outcome", {"outcome": "maybe"})
    assert (status, said["code"]) == (422, "invalid_request")
