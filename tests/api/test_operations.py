"""The table, the routes, the OpenAPI document and the readable page say the same."""

import re

import orjson
import pytest

from gateway.api import codes, docs_page, openapi
from gateway.api.auth import Who
from gateway.api.operations import OPERATIONS
from gateway.api.wire import PATH_TYPES

METHODS = {"get", "put", "post", "delete"}


async def test_every_route_stands_in_the_document_and_every_documented_operation_is_routed(store):
    app = store.server._app
    routed = {(route.method.lower(), route.resource.canonical) for route in app.router.routes()}
    status, document = await store.said("GET", "/v1/openapi.json", who="")
    documented = {
        (method, path) for path, methods in document["paths"].items() for method in methods if method in METHODS
    }
    assert status == 200
    assert routed == documented


def test_operation_ids_and_addresses_are_unique():
    assert len({operation.id for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_operation_is_described_in_both_languages_with_codes_that_exist(operation):
    assert operation.en
    assert operation.es
    assert operation.en != operation.es
    assert set(operation.codes) <= set(codes.CATALOGUE)
    assert set(operation.path_names) <= set(PATH_TYPES)
    assert operation.path.startswith("/v1/admin/") == (operation.who is Who.ADMIN)


ANYWHERE = {"malformed_http", "not_found", "method_not_allowed", "expectation_failed"}
ELSEWHERE = {"job_invalid"}
"""Codes of the device bus that only MQTT and the console can meet."""


def test_every_code_is_named_by_an_operation_or_may_come_before_one_is_found():
    named = {code for operation in OPERATIONS for code in operation.codes}
    assert set(codes.CATALOGUE) - named == ANYWHERE | ELSEWHERE


def test_every_reference_of_the_document_leads_somewhere():
    document = openapi.document(OPERATIONS, "1")
    text = orjson.dumps(document).decode()
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named <= set(document["components"]["schemas"])
    assert document["openapi"] == "3.1.0"


def test_writes_of_tills_are_not_for_the_administrator_and_reads_are():
    document = openapi.document(OPERATIONS, "1")
    issue = document["paths"]["/v1/documents/{id}"]
    assert issue["put"]["security"] == [{"till": []}]
    assert issue["get"]["security"] == [{"till": []}, {"administrator": []}]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_shows_every_operation_and_explains_every_code_and_fetches_nothing(language):
    page = docs_page.render(OPERATIONS, language, "1").decode()
    for operation in OPERATIONS:
        assert f"id='{operation.id}'" in page
        assert operation.path in page
    for code in codes.CATALOGUE:
        assert page.count(f"id='{code}'") == 1
    anchors = set(re.findall(r"id='?([\w-]+)'?", page))
    linked = set(re.findall(r"href='#([\w-]+)'", page))
    assert linked <= anchors
    assert not re.search(r"<(script|img|link|iframe)|src=|url\(", page)


async def test_the_page_comes_in_the_askers_language(store):
    for accept, word in (("es-HN,es;q=0.9,en;q=0.5", "Operaciones"), ("en", "Operations"), ("", "Operations")):
        status, headers, page = await store.ask("GET", "/v1/docs", who="", headers={"Accept-Language": accept})
        assert status == 200
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert word in page.decode()
