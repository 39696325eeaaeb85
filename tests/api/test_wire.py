"""What the models let through, the ledger can read."""

import contextlib
import string

import orjson
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api import pages
from gateway.api.exchange import Ask
from gateway.api.problems import Problem
from gateway.api.wire import Amount, DocumentRequest, LineRequest, Quantity, SignedQuantity
from gateway.ledger import amounts

DIGITS = st.text(alphabet="0123456789.-+eE ٣", max_size=24)
KINDS = {"amount": pydantic.TypeAdapter(Amount), "quantity": pydantic.TypeAdapter(Quantity)}


def accepted(kind, text):
    try:
        kind.validate_python(text)
    except pydantic.ValidationError:
        return False
    return True


@given(text=DIGITS | st.from_regex(r"\A[0-9]{1,11}(\.[0-9]{0,7})?\Z", alphabet=st.sampled_from("0123456789.")))
def test_a_quantity_is_accepted_exactly_when_it_is_a_decimal_above_nothing_in_thousandths(text):
    whole, _, decimals = text.partition(".")
    is_plain = whole == "0" or (whole[:1] in set("123456789") and len(whole) <= 9)
    try:
        fits = is_plain and amounts.parse(text, 3) > 0 and len(decimals) <= 6
    except ValueError:
        fits = False
    assert accepted(KINDS["quantity"], text) == fits


@given(text=st.from_regex(r"\A[0-9]{1,12}(\.[0-9]{1,6})?\Z", alphabet=st.sampled_from("0123456789.")))
def test_every_amount_of_the_right_form_is_read_or_is_finer_than_the_currency(text):
    assert accepted(KINDS["amount"], text)
    fine = text.partition(".")[2].rstrip("0")
    if len(fine) <= 2:
        assert 0 <= amounts.parse(text, 2) <= amounts.AMOUNT_MAX


@given(value=st.floats() | st.integers() | st.booleans() | st.none() | st.lists(st.text()))
def test_an_amount_is_a_text_and_nothing_else(value):
    for kind in (*KINDS.values(), pydantic.TypeAdapter(SignedQuantity)):
        assert not accepted(kind, value)


@given(
    number=st.integers(min_value=0, max_value=2**53 - 1),
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40),
)
def test_a_cursor_comes_back_as_it_was_and_fits_the_query(number, text):
    assert pages.number_in(pages.cursor_of(number)) == number
    assert pages.text_in(pages.cursor_of(text)) == text
    assert pages.number_and_text_in(pages.cursor_of(number, text)) == (number, text)
    assert set(pages.cursor_of(number, text)) <= set(string.ascii_letters + string.digits + "-_")


@given(cursor=st.text(max_size=40) | st.binary(max_size=30).map(lambda raw: pages.cursor_of(raw.hex())))
def test_a_cursor_that_was_made_up_is_refused(cursor):
    for read in (pages.number_in, pages.number_and_text_in):
        with pytest.raises(Problem, match="invalid_request"):
            read(cursor)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(value=JSON, other=JSON)
def test_the_digest_is_of_what_is_said_and_not_of_how_it_is_written(value, other):
    def digest(written):
        return Ask(None, None, "", written).digest()

    tight, loose = orjson.dumps(value), orjson.dumps(_turned(value), option=orjson.OPT_INDENT_2)
    assert digest(tight) == digest(loose)
    same = orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)
    assert (digest(tight) == digest(orjson.dumps(other))) == same


def _turned(value):
    if isinstance(value, dict):
        return {key: _turned(value[key]) for key in reversed(value)}
    return [_turned(each) for each in value] if isinstance(value, list) else value


@given(st.binary(max_size=200) | JSON.map(orjson.dumps))
def test_any_bytes_are_a_request_or_a_validation_error(raw):
    with contextlib.suppress(pydantic.ValidationError):
        assert DocumentRequest.model_validate_json(raw).type


def test_models_are_frozen_and_their_defaults_are_not_shared():
    first = DocumentRequest.model_validate_json(b'{"type": "invoice"}')
    second = DocumentRequest.model_validate_json(b'{"type": "invoice"}')
    assert first.last_seen is not second.last_seen
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        LineRequest(sku="x", quantity="1").sku = "y"
