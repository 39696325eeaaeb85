import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.storage.registry import CodeRow
from gateway.tills import pairing
from gateway.tills.pairing import Guess
from gateway.tills.refusals import CATALOGUE, TillRefusedError

LIFE_MS = 600_000
KEPT = b"salt" * 4 + b"hash" * 8


@pytest.mark.parametrize(
    ("row", "guess", "now_ms", "worth"),
    [
        (None, KEPT, 0, Guess.NONE_LIVE),
        (CodeRow(KEPT, 1000, 0), KEPT, 500, Guess.NONE_LIVE),
        (CodeRow(KEPT, 1000, 5), KEPT, 999, Guess.RIGHT),
        (CodeRow(KEPT, 1000, 5), KEPT, 1000, Guess.EXPIRED),
        (CodeRow(KEPT, 1000, 5), b"", 1000, Guess.EXPIRED),
        (CodeRow(KEPT, LIFE_MS, 5), KEPT, 0, Guess.RIGHT),
        (CodeRow(KEPT, LIFE_MS, 5), KEPT, -1, Guess.EXPIRED),
        (CodeRow(KEPT, 1000, 5), KEPT[:-1], 500, Guess.WRONG),
        (CodeRow(KEPT, 1000, 5), b"", 500, Guess.WRONG),
    ],
)
def test_a_guess_is_judged_by_code_time_and_tries(row, guess, now_ms, worth):
    assert pairing.judge(row, guess, now_ms, LIFE_MS) is worth


def test_a_code_is_kept_salted_and_found_again_by_its_salt():
    kept = pairing.kept_form("012345")
    row = CodeRow(kept, 1000, 5)

    assert kept != pairing.kept_form("012345")
    assert pairing.kept_form("012345", pairing.salt_of(row)) == kept
    assert pairing.kept_form("012346", pairing.salt_of(row)) != kept


def test_a_code_is_six_digits():
    codes = {pairing.new_code() for _ in range(200)}

    assert len(codes) > 150
    assert all(len(code) == 6 and set(code) <= set(string.digits) for code in codes)


@given(st.text(max_size=12))
def test_only_six_ascii_digits_are_worth_the_slow_comparison(text):
    row = CodeRow(KEPT, 1000, 5)

    assert pairing.worth_trying(row, text) == (len(text) == 6 and all(each in "0123456789" for each in text))


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.code)
def test_every_refusal_says_in_both_languages_what_to_do(kind):
    values = {"till": "front-1", "tries_left": 4, "reserved": "admin", "tills_max": 500}
    error = TillRefusedError(kind.code, **values)

    for text in (kind.title_en, kind.title_es, kind.detail_en, kind.detail_es):
        assert text.format(**error.values).strip()
    assert error.kind is kind
    assert kind.detail_en != kind.detail_es
