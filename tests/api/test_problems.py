"""Every "no" is well formed, in both languages."""

import string

import orjson
import pytest

from gateway.api import codes, problems
from gateway.api.problems import Problem
from gateway.ledger.refusals import Refusal

KINDS = sorted(codes.CATALOGUE.values(), key=lambda kind: kind.code)


def values_of(kind):
    texts = kind.title_en + kind.title_es + kind.detail_en + kind.detail_es
    return {name: f"<{name}>" for _, name, _, _ in string.Formatter().parse(texts) if name}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_code_renders_in_both_languages_with_its_values_beside_it(kind, language):
    problem = problems.of_refusal(Refusal(kind.code, values_of(kind)))
    shown = problems.body(problem, language, "/v1/x")
    assert list(shown)[:7] == ["type", "title", "status", "code", "detail", "advice", "instance"]
    assert shown["type"] == f"/v1/docs#{kind.code}"
    assert 400 <= shown["status"] < 600
    assert "{" not in shown["detail"]
    assert shown["title"] == (kind.title_es if language == "es" else kind.title_en)
    assert orjson.loads(orjson.dumps(shown)) == shown


def test_values_never_cover_the_members_of_a_problem():
    problem = problems.of_refusal(Refusal("original_not_creditable", {"document": "d", "status": "void"}))
    shown = problems.body(problem, "en", "/")
    assert shown["status"] == 409
    assert shown["document_status"] == "void"


def test_stock_short_says_what_is_available():
    problem = problems.of_refusal(Refusal("stock_short", {"sku": "1", "available": "2.000", "asked": "3.000"}))
    assert problems.body(problem, "en", "/")["available"] == "2.000"


def test_a_text_from_outside_is_never_read_as_a_template():
    problem = problems.of_refusal(Refusal("product_unknown", {"line": 1, "sku": "{line.__class__}"}))
    assert "{line.__class__}" in problems.body(problem, "en", "/")["detail"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("de", "en"),
        ("es", "es"),
        ("es-HN", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "en"),
        ("es;q=0.9,en;q=0.8", "es"),
        ("fr, es;q=0.3", "es"),
        ("es;q=0", "en"),
        ("es;q=nonsense", "en"),
        (";;;,,,=", "en"),
    ],
)
def test_the_language_is_the_one_the_asker_likes_better(header, language):
    assert problems.language_of(header) == language


@pytest.mark.parametrize("code", ["busy", "stopping", "not_durable", "answer_late", "no_connection"])
def test_what_passes_says_when_to_ask_again(code):
    assert int(Problem(code).headers["Retry-After"]) >= 1
    assert Problem(code).kind.advice == "same_request_again"
