"""A whole gateway is stopped, killed, started again: what was answered stays, to the byte."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cli.shell import CATALOGUE, Store, ask, sale


def opened(folder, settings="", **more):
    """A store with a product and a till, not running."""
    store = Store(folder, settings, **more)
    (folder / "products.csv").write_text(CATALOGUE, encoding="utf-8")
    assert store("catalogue", "import", folder / "products.csv").status == 0
    store.token = store("till", "token", "front-1").out.strip()
    return store


@pytest.fixture
def store(tmp_path):
    return opened(tmp_path)


def put(api, store, number):
    identity, request = sale(number)
    return ask("PUT", f"{api}/v1/documents/{identity}", store.token, request)


def test_sigterm_stops_with_zero_and_a_checkpoint(store):
    with store.run() as process:
        assert put(process.ready["api"], store, 1).status == 201
        assert process.stop() == 0
        assert [json.loads(line)["event"] for line in process.err.splitlines()][-1] == "gateway_stopped"
    wal = store.data / "books.sqlite3-wal"
    assert not wal.exists() or wal.stat().st_size == 0
    assert not (store.data / "ready.json").exists()
    assert store("verify").json["documents"] == 1


def test_sigterm_in_the_middle_of_sales_answers_what_it_took(store):
    with store.run() as process, ThreadPoolExecutor(8) as tills:
        api = process.ready["api"]
        assert put(api, store, 0).status == 201
        selling = [tills.submit(put, api, store, number) for number in range(1, 40)]
        assert process.send(signal.SIGTERM) == 0
        answered = []
        for each in selling:
            try:
                answer = each.result()
            except OSError:
                continue
            assert answer.status in {201, 503}, answer.body
            answered += [answer.json["number"]] * (answer.status == 201)
    verdict = store("verify").json
    assert verdict["sound"]
    assert set(answered) <= set(range(1, verdict["documents"] + 1))


def test_kill_9_and_a_restart_give_the_same_bytes(store):
    with store.run() as process:
        api = process.ready["api"]
        first = [put(api, store, number) for number in range(5)]
        read = [ask("GET", f"{api}/v1/documents/{each.json['id']}", store.token).body for each in first]
        process.kill()
    with store.run() as process:
        api = process.ready["api"]
        again = [put(api, store, number) for number in range(5)]
        assert [each.status for each in again] == [200] * 5
        assert [each.body for each in again] == [each.body for each in first]
        assert [ask("GET", f"{api}/v1/documents/{each.json['id']}", store.token).body for each in first] == read
        assert put(api, store, 5).json["number"] == 6
        assert process.stop() == 0
    assert store("verify").json["sound"]


def test_a_killed_gateway_never_answers_a_number_twice(store):
    """Tills that sell while it is killed ask again under the same ids: every id has one number, every number one id."""
    numbers = {}
    for _ in range(3):
        with store.run() as process, ThreadPoolExecutor(6) as tills:
            api = process.ready["api"]
            selling = {number: tills.submit(put, api, store, number) for number in range(30)}
            selling[5].exception()
            process.kill()
            for number, each in selling.items():
                if each.exception() is None and each.result().status in {200, 201}:
                    told = each.result().json["number"]
                    assert numbers.setdefault(number, told) == told
    with store.run() as process:
        for number in range(30):
            told = put(process.ready["api"], store, number).json["number"]
            assert numbers.setdefault(number, told) == told
        assert process.stop() == 0
    assert sorted(numbers.values()) == list(range(1, 31))
    assert store("verify").json["sound"]


def test_a_changed_name_is_on_new_receipts_only(store):
    def paper(api, identity):
        return ask("GET", f"{api}/v1/documents/{identity}/receipt", store.token, Accept="text/plain").body.decode()

    with store.run() as process:
        old = put(process.ready["api"], store, 1).json["id"]
        before = paper(process.ready["api"], old)
        assert process.stop() == 0
    assert "Pulpería" in before
    store.write(name="Supermercado")
    with store.run() as process:
        api = process.ready["api"]
        new = put(api, store, 2).json["id"]
        assert paper(api, old) == before
        assert "Supermercado" in paper(api, new)
        assert "Pulpería" not in paper(api, new)
        assert process.stop() == 0


def test_a_revoked_till_is_told_nothing_more(store):
    with store.run() as process:
        api = process.ready["api"]
        assert put(api, store, 1).status == 201
        assert store("till", "revoke", "front-1").status == 0
        assert put(api, store, 2).status == 401
        assert put(api, store, 1).status == 401, "not even what it sold itself"
        assert process.stop() == 0


def test_ranges_are_loaded_while_it_runs_and_follow_each_other(tmp_path):
    store = opened(tmp_path, country="honduras")
    load = ("range", "load", "--series", "000-001-01", "--valid-until", "2099-06-30")
    with store.run() as process:
        api = process.ready["api"]
        refused = put(api, store, 1)
        assert (refused.status, refused.json["code"]) == (409, "range_missing")
        banner = ask("GET", f"{api}/v1/status", store.token).json
        assert [each["code"] for each in banner["warnings"]] == ["range_missing"]
        assert store(*load, "--cai", "FIRST", "--first", 1, "--last", 2).status == 0
        assert store(*load, "--cai", "SECOND", "--first", 3, "--last", 4).status == 0
        sold = [put(api, store, number).json for number in range(1, 5)]
        assert [each["number"] for each in sold] == [1, 2, 3, 4]
        assert [each["authority"]["ref"] for each in sold] == ["FIRST", "FIRST", "SECOND", "SECOND"]
        spent = put(api, store, 5)
        assert (spent.status, spent.json["code"]) == (409, "range_exhausted")
        assert store(*load, "--cai", "THIRD", "--first", 5, "--last", 6).status == 0
        assert put(api, store, 5).json["number"] == 5, "the refused sale goes through under its own id"
        assert process.stop() == 0
    assert store("verify").json["last_numbers"] == {"000-001-01": 5}
