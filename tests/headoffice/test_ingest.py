import asyncio
import os

import pytest
from backports import zstd

from gateway.ledger import chain
from gateway.ledger.facts import Row
from gateway.sync import codec
from tests.headoffice.journals import EPOCH, hello, journal, moved, send
from tests.sync.offices import as_held


async def begun(office):
    token = office.add_store()
    return token, await hello(office, token)


async def test_rows_are_acknowledged_with_where_the_stream_stands(office):
    token, session = await begun(office)
    rows = journal(5)
    status, standing = await send(office, token, session, rows)
    assert (status, standing) == (200, {"next": 6, "hash": rows[-1].hash.hex(), "epoch": EPOCH, "session": session})
    assert await office.rows() == as_held(rows)


async def test_a_duplicate_is_acknowledged_and_stored_once(office):
    token, session = await begun(office)
    rows = journal(5)
    for part in (rows, rows[:3], rows[1:4], rows):
        status, standing = await send(office, token, session, part)
        assert (status, standing["next"]) == (200, 6)
    assert await office.rows() == as_held(rows)


async def test_an_overlap_is_taken_from_where_the_stream_stands(office):
    token, session = await begun(office)
    rows = journal(6)
    await send(office, token, session, rows[:4])
    status, standing = await send(office, token, session, rows[2:])
    assert (status, standing["next"]) == (200, 7)
    assert await office.rows() == as_held(rows)


async def test_a_gap_stores_nothing_and_says_what_is_wanted(office):
    token, session = await begun(office)
    rows = journal(6)
    await send(office, token, session, rows[:2])
    status, problem = await send(office, token, session, rows[3:])
    assert (status, problem["code"], problem["next"]) == (409, "out_of_step", 3)
    assert problem["hash"] == rows[1].hash.hex()
    assert await office.rows() == as_held(rows[:2])


@pytest.mark.parametrize("first", [1, 3, 5])
async def test_another_history_stores_nothing(office, first):
    """As a duplicate, as an overlap, and as what would come next."""
    token, session = await begun(office)
    rows, other = journal(4), journal(6, salt="other-")
    await send(office, token, session, rows)
    status, problem = await send(office, token, session, other[first - 1 : first + 1])
    assert (status, problem["code"], problem["next"]) == (409, "out_of_step", 5)
    assert await office.rows() == as_held(rows)


async def test_another_epoch_stores_nothing_and_opens_no_line(office):
    token, session = await begun(office)
    rows = journal(4)
    await send(office, token, session, rows[:2])
    assert await hello(office, token, epoch="e-2") == 0
    status, problem = await send(office, token, 0, rows[2:], epoch="e-2")
    assert (status, problem["code"], problem["epoch"]) == (409, "epoch_unknown", EPOCH)
    assert (await send(office, token, session, rows[2:]))[0] == 200


async def test_an_older_line_stores_nothing(office):
    token, old = await begun(office)
    rows = journal(4)
    new = await hello(office, token)
    status, problem = await send(office, token, old, rows)
    assert (status, problem["code"], problem["session"]) == (409, "session_stale", new)
    assert await office.rows() == []


async def test_the_same_chunk_from_many_at_once_is_stored_once(office):
    token, session = await begun(office)
    rows = journal(50)
    answers = await asyncio.gather(*(send(office, token, session, rows) for _ in range(12)))
    assert {status for status, _ in answers} <= {200, 409}
    assert 200 in {status for status, _ in answers}
    assert {answer["next"] for _, answer in answers} == {51}
    assert await office.rows() == as_held(rows)
    (milk,) = (await office.get("/v1/stores/store-1/stock"))["items"]
    assert (milk["sku"], milk["on_hand"]) == ("MILK", "49.000")


async def test_different_chunks_that_follow_the_same_row_are_not_both_stored(office):
    token, session = await begun(office)
    first = journal(1)
    await send(office, token, session, first)
    others = [chain.next_row(first[0], 2_000 + number, "stock_moved", moved(f"m{number}")) for number in range(8)]
    answers = await asyncio.gather(*(send(office, token, session, [row]) for row in others))
    assert sorted(status for status, _ in answers) == [200] + [409] * 7
    assert len(await office.rows()) == 2
    assert (await office.get("/v1/stores/store-1/verify"))["sound"]


@pytest.mark.parametrize("frame", [b"", b"\0", b"x" * 44, b"\xff" * 200, os.urandom(1_000)])
async def test_bytes_that_are_no_chunk_are_refused(office, frame):
    token, session = await begun(office)
    status, problem = await send(office, token, session, frame=frame, first=1)
    assert (status, problem["code"]) == (422, "chunk_invalid")


async def test_a_bomb_is_refused(office):
    token, session = await begun(office)
    packed = zstd.compress(b"0" * (300 * 2**20), level=19)
    status, problem = await send(office, token, session, frame=codec.HEAD.pack(1, 1, bytes(32)) + packed, first=1)
    assert (status, problem["code"]) == (422, "chunk_invalid")
    assert "more than" in problem["detail"]


async def test_a_body_of_ten_megabytes_is_taken(office):
    token, session = await begun(office)
    noise = os.urandom(10 * 2**20).hex()
    rows = [*journal(1)]
    rows.append(chain.next_row(rows[-1], 2_000, "stock_moved", {**moved("m"), "reason": noise}))
    assert len(codec.encode(rows)) > 10_000_000
    status, standing = await send(office, token, session, rows)
    assert (status, standing["next"]) == (200, 3)


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_beyond_the_limit_is_refused(office, chunked):
    token, session = await begun(office)
    frame = bytes(office.settings.body_bytes_max + 1)

    async def parts():
        for start in range(0, len(frame), 2**20):
            yield frame[start : start + 2**20]

    status, problem = await send(office, token, session, frame=parts() if chunked else frame, first=1)
    assert (status, problem["code"]) == (413, "too_large")


async def test_a_compressed_body_is_not_unpacked(office):
    token, session = await begun(office)
    status, problem = await send(office, token, session, journal(2), **{"Content-Encoding": "gzip"})
    assert (status, problem["code"]) == (415, "unsupported_media_type")


async def test_the_address_and_the_frame_must_agree(office):
    token, session = await begun(office)
    status, problem = await send(office, token, session, journal(3), first=2)
    assert (status, problem["code"]) == (422, "chunk_invalid")


async def test_books_of_another_store_are_refused(office):
    token, session = await begun(office)
    status, problem = await send(office, token, session, journal(3, store="store-2"))
    assert (status, problem["code"], problem["named"]) == (422, "wrong_store", "store-2")


async def test_books_that_do_not_say_whose_they_are_are_refused(office):
    token, session = await begun(office)
    status, problem = await send(office, token, session, [chain.next_row(None, 1, "stock_moved", moved("m"))])
    assert (status, problem["code"]) == (422, "wrong_store")


async def test_books_opened_again_for_another_store_are_refused(office):
    token, session = await begun(office)
    rows = journal(2)
    rows.append(chain.next_row(rows[-1], 3_000, "books_opened", {"store": "store-2", "epoch": "e"}))
    status, problem = await send(office, token, session, rows)
    assert (status, problem["code"]) == (422, "wrong_store")
    assert await office.rows() == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("stock_moved", {}),
        ("stock_moved", {"movements": [["MILK", "1"]]}),
        ("stock_moved", {"movements": [["MILK", True]]}),
        ("stock_moved", {"movements": [["MILK", 10**16]]}),
        ("stock_moved", {"movements": [["MILK"]]}),
        ("document_issued", {"movements": [], "document": {"id": 1}}),
        ("document_voided", {"document": "d", "movements": []}),
        ("books_opened", []),
    ],
)
async def test_a_row_of_a_known_kind_in_another_form_is_refused(office, kind, body):
    token, session = await begun(office)
    rows = journal(2)
    rows.append(chain.next_row(rows[-1], 3_000, kind, body))
    status, problem = await send(office, token, session, rows)
    assert (status, problem["code"], problem["seq"]) == (422, "row_not_understood", 3)
    assert await office.rows() == []


async def test_a_row_that_is_not_json_is_refused(office):
    token, session = await begun(office)
    first = journal(1)[0]
    row = Row(2, 5, "something_new", "{", first.hash, chain.row_hash(first.hash, 2, 5, "something_new", "{"))
    status, problem = await send(office, token, session, [first, row])
    assert (status, problem["code"]) == (422, "row_not_understood")


async def test_a_kind_that_is_not_known_yet_is_kept(office):
    token, session = await begun(office)
    rows = journal(2)
    rows.append(chain.next_row(rows[-1], 3_000, "shift_closed", {"anything": [1, 2]}))
    assert (await send(office, token, session, rows))[0] == 200
    assert await office.rows() == as_held(rows)


async def test_stores_do_not_meet(office):
    tokens = {store: office.add_store(store) for store in ("store-1", "store-2")}
    for store, token in tokens.items():
        session = await hello(office, token, store)
        assert (await send(office, token, session, journal(4, store), store=store))[0] == 200
    for store in tokens:
        assert await office.rows(store) == as_held(journal(4, store))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Gateway-Protocol", "2"),
        ("Gateway-Protocol", ""),
        ("Gateway-Epoch", "é"),
        ("Gateway-Epoch", ""),
        ("Gateway-Session", "-1"),
        ("Gateway-Session", "x"),
    ],
)
async def test_another_protocol_is_refused_with_a_reason(office, name, value):
    token, session = await begun(office)
    status, problem = await send(office, token, session, journal(2), **{name: value})
    assert status in {400, 422}
    assert problem["code"] in {"protocol_unknown", "invalid_request"}
    assert await office.rows() == []
