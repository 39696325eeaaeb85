"""The same commands where no gateway runs: the books are opened for the one command, and nothing else happens."""

import fcntl
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cli.shell import CATALOGUE, Store, ask, python_m_gateway, sale


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("stopped"))


def test_everything_is_prepared_before_the_first_start_and_is_there_after_it(tmp_path):
    store = Store(tmp_path, country="honduras")
    (tmp_path / "products.csv").write_text(CATALOGUE.replace("exempt", "isv15"), encoding="utf-8")
    assert store("catalogue", "import", tmp_path / "products.csv").status == 0
    options = ("--series", "000-001-01", "--cai", "ABC", "--first", 41, "--last", 60, "--valid-until", "2099-06-30")
    assert store("range", "load", *options).status == 0
    token = store("till", "token", "front-1").out.strip()
    identity, request = sale(1)
    with store.run() as process:
        answer = ask("PUT", f"{process.ready['api']}/v1/documents/{identity}", token, request)
        assert answer.json["formatted_number"] == "000-001-01-00000041"
        assert process.stop() == 0
    assert store("status", "--json").json["ranges"][0]["next"] == 42


def test_a_command_leaves_a_stopped_gateway_stopped(stopped):
    assert stopped("status").status == 0
    assert not (stopped.data / "ready.json").exists()
    checks = {each["check"]: each["what"] for each in stopped("doctor", "--json").json["checks"]}
    assert checks["gateway"] == "not running"


def test_commands_at_the_same_time_take_turns(stopped):
    with ThreadPoolExecutor() as several:
        said = list(several.map(lambda each: stopped("till", "token", f"till-{each}"), range(5)))
    assert [each.status for each in said] == [0] * 5, [each.err for each in said]
    assert len(stopped("till", "list", "--json").json["items"]) == 5


def test_a_command_and_a_gateway_that_start_together_both_get_their_way(tmp_path):
    store = Store(tmp_path)
    with store.run() as process:
        assert store("status").status == 0
        assert process.ready["data"] == str(store.data)
        assert process.stop() == 0


def test_what_a_killed_gateway_left_does_not_mislead(tmp_path):
    store = Store(tmp_path)
    with store.run() as process:
        assert process.ready
        process.kill()
    assert (store.data / "ready.json").exists()
    assert store("status").status == 0
    assert {each["check"]: each["what"] for each in store("doctor", "--json").json["checks"]}[
        "gateway"
    ] == "not running"


def test_a_test_page_needs_a_gateway_that_runs(stopped):
    said = stopped("device", "test", "front")
    assert (said.status, said.err) == (1, "gateway: the gateway is not running\n  gateway run\n")


def test_printers_are_listed_without_a_gateway(tmp_path):
    store = Store(tmp_path, '[[devices.printer]]\nname = "front"\naddress = "tcp://127.0.0.1:1"\n')
    assert "gateway stopped" in store("device", "list").out
    said = store("doctor", "--json")
    assert said.status == 1
    [printer] = [each for each in said.json["checks"] if each["check"] == "printer front"]
    assert (printer["ok"], printer["hint"]) == (False, "Check power, cable and address.")


def test_an_empty_data_directory_is_no_books(stopped, tmp_path):
    said = Store(tmp_path)("verify")
    assert (said.status, said.out) == (2, "")
    assert "no such file" in said.err


def test_the_module_is_the_program(stopped):
    said = python_m_gateway("status", "--json", "--config", stopped.config)
    assert (said.status, said.json["store"]) == (0, "shop")
    assert python_m_gateway("status", "--config", "nowhere.toml").status == 2


def test_somebody_who_never_leaves_the_books_is_named(tmp_path, stopped):
    assert stopped("status").status == 0
    with (stopped.data / "gateway.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = stopped("status", "--json")
    assert said.status == 1
    assert "in use" in said.err
    assert "ps -ef" in said.err
