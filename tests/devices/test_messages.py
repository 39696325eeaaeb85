import contextlib
import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.devices import messages
from gateway.devices.jobs import Kind
from gateway.devices.messages import KickBody, ReceiptBody, SubmitMessage, TextBody

JOB = "0198f3c2-7b1e-7c44-9a55-3f1d2a6b7c10"
GOOD = {"v": 1, "job_id": JOB, "kind": "text", "dev": "front", "created": 1, "body": {}}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.one_of(st.binary(), json_values.map(lambda value: json.dumps(value).encode())))
def test_any_payload_is_a_message_or_a_validation_error(payload):
    for model in (SubmitMessage, messages.CancelMessage, messages.QueryMessage, messages.AckMessage):
        with contextlib.suppress(ValidationError):
            model.model_validate_json(payload)
    found = messages.job_id_in(payload)
    assert found is None or str(uuid.UUID(found)) == found


@given(st.dictionaries(st.sampled_from([*GOOD, "deadline", "age_ms", "extra"]), json_values))
def test_a_message_with_wrong_fields_never_passes_for_a_good_one(changes):
    payload = json.dumps({**GOOD, **changes}).encode()
    try:
        message = SubmitMessage.model_validate_json(payload)
    except ValidationError:
        return
    assert "extra" not in changes
    assert message.kind in set(Kind)
    assert message.v == 1


def test_an_unknown_field_is_refused_and_named():
    with pytest.raises(ValidationError) as caught:
        SubmitMessage.model_validate({**GOOD, "fence": 3})
    assert "fence" in messages.problem_of(caught.value)


def test_a_problem_never_repeats_what_was_sent():
    with pytest.raises(ValidationError) as caught:
        SubmitMessage.model_validate({**GOOD, "dev": "a secret that stood in the wrong field"})
    assert "secret" not in messages.problem_of(caught.value)


def test_the_job_id_is_found_in_a_message_that_is_wrong_otherwise():
    assert messages.job_id_in(json.dumps({"job_id": JOB.upper(), "v": 9}).encode()) == JOB
    assert messages.job_id_in(b"[1]") is None
    assert messages.job_id_in(b'{"job_id": "../../x"}') is None


def test_the_digest_is_that_of_what_is_asked_and_not_of_how_it_is_written():
    body = ReceiptBody.model_validate({"document": JOB})
    written = ReceiptBody.model_validate_json(f'{{"copy": false, "document": "{JOB.upper()}"}}')
    assert messages.digest("receipt", "front", body) == messages.digest("receipt", "front", written)
    others = {
        messages.digest("receipt", "front", body),
        messages.digest("receipt", "back", body),
        messages.digest("receipt", "front", ReceiptBody.model_validate({"document": JOB, "copy": True})),
        messages.digest("text", "front", TextBody(lines=("a",))),
        messages.digest("kick", "front", KickBody()),
    }
    assert len(others) == 5


def test_text_has_a_limit_in_lines_and_in_length():
    with pytest.raises(ValidationError):
        TextBody.model_validate({"lines": []})
    with pytest.raises(ValidationError):
        TextBody.model_validate({"lines": ["x"] * (messages.LINES_MAX + 1)})
    with pytest.raises(ValidationError):
        TextBody.model_validate({"lines": ["x" * (messages.LINE_LENGTH_MAX + 1)]})
