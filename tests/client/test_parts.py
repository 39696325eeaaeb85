import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.ids import uuid7
from gateway.client.patience import Patience
from gateway.client.stream import EVENT_BYTES_MAX, EventTooLargeError, Reader


@given(st.integers(0, 2**48 - 1), st.integers())
def test_an_id_is_a_uuid_of_version_7_that_holds_its_time(now_ms, seed):
    made = uuid.UUID(uuid7(now_ms, random.Random(seed)))
    assert (made.version, made.variant, made.int >> 80) == (7, uuid.RFC_4122, now_ms)


def test_ids_sort_by_the_time_they_were_made():
    generator = random.Random(1)
    ids = [uuid7(now_ms, generator) for now_ms in range(1_000_000_000_000, 1_000_000_000_200)]
    assert ids == sorted(set(ids))


@given(st.integers(1, 10_000), st.integers())
def test_a_pause_grows_and_is_bounded(tries, seed):
    patience = Patience(pause_ms_min=40, pause_ms_max=3_000)
    pause = patience.pause_ms(tries, None, random.Random(seed))
    assert 20 <= pause <= 3_000
    assert pause <= 40 * 2**tries


def test_a_server_is_waited_for_as_long_as_it_asks_but_not_for_ever():
    patience = Patience(retry_after_ms_max=10_000)
    assert patience.pause_ms(1, 2_000, random.Random(1)) >= 2_000
    assert patience.pause_ms(1, 86_400_000, random.Random(1)) <= 10_000 + patience.pause_ms_max


def lines_of(text):
    reader = Reader()
    return [event for line in text.encode().split(b"\n") if (event := reader.line(line + b"\n")) is not None]


def test_an_event_has_its_kind_its_id_and_its_data_as_json():
    (event,) = lines_of(': comment\nid: 7\nevent: stock\ndata: {"a":\ndata: 1}\n\n')
    assert (event.id, event.kind, event.data) == ("7", "stock", {"a": 1})


def test_an_event_without_data_is_none_and_data_that_is_no_json_is_text():
    assert [event.data for event in lines_of("event: nothing\n\ndata: plain\n\n")] == ["plain"]


def test_an_event_without_end_is_refused():
    reader = Reader()
    for _ in range(EVENT_BYTES_MAX // 1_000_000 - 1):
        assert reader.line(b"data: " + b"x" * 1_000_000) is None
    with pytest.raises(EventTooLargeError):
        reader.line(b"data: " + b"x" * 1_000_000)
