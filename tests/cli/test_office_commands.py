"""Head office from the command line: let a store in, hand out tokens, judge what it holds, and what may go wrong."""

import shutil
import socket
import subprocess

import pytest

from tests.cli.shell import CATALOGUE, Process, Store, ask, gateway, sale
from tests.components import component


class Office:
    """A head office's settings, and the commands on it."""

    def __init__(self, folder, more=""):
        self.config = folder / "headoffice.toml"
        self.path = folder / "office"
        self.config.write_text(f'[headoffice]\nport = 0\npath = "office"\n{more}', encoding="utf-8")

    def __call__(self, *arguments, **more):
        return gateway("headoffice", *arguments, "--config", self.config, **more)

    def run(self):
        return Process("headoffice", "run", "--config", self.config)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Head office and a store that has told it everything and runs on."""
    folder = tmp_path_factory.mktemp("both")
    office = Office(folder)
    with office.run() as headquarters:
        office.url = headquarters.ready["url"]
        made = office("store", "add", "shop", "--json").json
        store = Store(folder / "shop", f'headoffice = {{ url = "{office.url}", token = "{made["token"]}" }}\n')
        (folder / "products.csv").write_text(CATALOGUE, encoding="utf-8")
        assert store("catalogue", "import", folder / "products.csv").status == 0
        till = store("till", "token", "front-1").out.strip()
        with store.run() as process:
            store.api = process.ready["api"]
            for number in range(3):
                identity, request = sale(number)
                assert ask("PUT", f"{store.api}/v1/documents/{identity}", till, request).status == 201
            assert ask("POST", f"{store.api}/v1/sync", till).status == 200
            office.reader = office("token", "reader").out.strip()
            yield office, store
            assert process.stop() == 0
        assert headquarters.stop() == 0


def in_step(office, store):
    """Ask until head office has all of the store's rows: a sync request answers when it is under way."""
    options = ("--headoffice", office.url, "--store", "shop", "--token", office.reader)
    said = gateway("verify", store.data, *options)
    for _ in range(200):
        if not said.json["behind"]:
            break
        ask("POST", f"{store.api}/v1/sync", store.admin_token)
        said = gateway("verify", store.data, *options)
    return said


def test_what_head_office_holds_is_judged_beside_the_store(both):
    office, store = both
    said = in_step(office, store)
    assert (said.status, said.json["sound"]) == (0, True)
    assert said.json["store"]["head"] == said.json["headoffice"]["head"]
    alone = gateway("verify", "--headoffice", office.url, "--store", "shop", env={"HEADOFFICE_TOKEN": office.reader})
    assert (alone.status, alone.json["head"]) == (0, said.json["store"]["head"])
    assert alone.json["documents"] >= 3


def test_the_store_of_the_settings_is_meant_if_none_is_named(both):
    office, store = both
    said = store("verify", "--headoffice", office.url, "--token", office.reader)
    assert (said.status, said.json["subject"]) == (0, f"{office.url} shop")


def test_a_store_with_another_history_is_found(both, tmp_path):
    office, store = both
    in_step(office, store)
    other = Store(tmp_path)
    assert other("status").status == 0
    (tmp_path / "products.csv").write_text(CATALOGUE, encoding="utf-8")
    for _ in range(2):
        assert other("catalogue", "import", tmp_path / "products.csv").status == 0
    said = gateway("verify", other.data, "--headoffice", office.url, "--store", "shop", "--token", office.reader)
    assert said.status == 1
    assert said.json["difference"] == "store and head office hold different histories"
    assert said.json["store"]["sound"], "each is whole by itself"
    assert said.json["headoffice"]["sound"]


def test_a_restored_store_is_found_behind_head_office(both, tmp_path):
    office, store = both
    in_step(office, store)
    early = Store(tmp_path)
    early.data.mkdir()
    shutil.copy(store.data / "books.sqlite3", early.data)
    for name in ("books.sqlite3-wal", "books.sqlite3-shm"):
        if (store.data / name).exists():
            shutil.copy(store.data / name, early.data)
    till = store("till", "token", "front-2").out.strip()
    identity, request = sale(77)
    assert ask("PUT", f"{store.api}/v1/documents/{identity}", till, request).status == 201
    in_step(office, store)
    said = gateway("verify", early.data, "--headoffice", office.url, "--store", "shop", "--token", office.reader)
    assert (said.status, said.json["behind"] < 0) == (1, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--token", "wrong"), "--token"),
        ((), "--token"),
        (("--store", "nobody", "--token", "{reader}"), "nobody"),
        (("--store", "no/../body", "--token", "{reader}"), "Not Found"),
    ],
)
def test_head_office_that_says_no_is_no_verdict(both, options, words):
    office, _ = both
    given = [each.format(reader=office.reader) for each in options]
    store = [] if "--store" in options else ["--store", "shop"]
    said = gateway("verify", "--headoffice", office.url, *store, *given)
    assert (said.status, said.out) == (2, "")
    assert words in said.err or "No such" in said.err


def test_head_office_that_is_not_there_is_no_verdict():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    said = gateway("verify", "--headoffice", url, "--store", "shop", "--token", "x")
    assert (said.status, "Is head office running?" in said.err) == (2, True)
    assert gateway("verify", "--headoffice", "office", "--store", "shop").status == 2


def test_something_else_at_the_address_is_no_verdict(both, tmp_path):
    _, store = both
    said = gateway("verify", "--headoffice", store.api, "--store", "shop", "--token", store.admin_token)
    assert (said.status, said.out) == (2, "")


def test_stores_and_tokens_that_cannot_be(both):
    office, _ = both
    again = office("store", "add", "shop")
    assert (again.status, "store shop is there already" in again.err) == (1, True)
    assert office("store", "add", "My Shop").status == 1
    unknown = office("store", "code", "nobody")
    assert (unknown.status, "store add" in unknown.err) == (1, True)
    assert office("token", "boss").status == 2
    code = office("store", "code", "shop").out.strip()
    assert len(code.replace("-", "")) == 8


def test_settings_of_head_office_that_are_wrong(tmp_path):
    none = gateway("headoffice", "run", "--config", tmp_path / "none.toml")
    assert (none.status, "config/headoffice.toml" in none.err) == (2, True)
    wrong = Office(tmp_path, "prot = 1\n")("token", "reader")
    assert (wrong.status, "did you mean port?" in wrong.err) == (2, True)


def test_head_office_obeys_its_environment(tmp_path):
    office = Office(tmp_path)
    assert office("token", "reader", env={"HEADOFFICE_PATH": str(tmp_path / "elsewhere")}).status == 0
    assert (tmp_path / "elsewhere" / "headoffice.sqlite3").exists()
    assert not office.path.exists()


def test_a_port_that_head_office_cannot_have(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        office = Office(tmp_path)
        office.config.write_text(f'[headoffice]\nport = {taken.getsockname()[1]}\npath = "office"\n', encoding="utf-8")
        said = office("run")
    assert (said.status, said.out) == (1, "")
    assert "address already in use" in said.err


def test_a_file_that_is_not_head_offices(tmp_path):
    office = Office(tmp_path)
    office.path.mkdir()
    (office.path / "headoffice.sqlite3").write_bytes(b"nothing of ours " * 100)
    for command in (("run",), ("token", "reader"), ("store", "add", "shop")):
        said = office(*command)
        assert (said.status, "headoffice.sqlite3: file is not a database" in said.err) == (1, True), said.err


def test_head_office_with_a_certificate_of_its_own(tmp_path):
    openssl = component("openssl", "openssl")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=office", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem",
         "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    office = Office(tmp_path, 'tls_cert_file = "cert.pem"\ntls_key_file = "key.pem"\n')
    office("store", "add", "shop")
    reader = office("token", "reader").out.strip()
    with office.run() as process:
        options = ("--headoffice", process.ready["url"], "--store", "shop", "--token", reader)
        trusted = gateway("verify", *options, "--ca-file", tmp_path / "cert.pem")
        assert (trusted.status, trusted.json["rows"]) == (0, 0)
        assert gateway("verify", *options).status == 2
        assert gateway("verify", *options, "--ca-file", tmp_path / "none.pem").status == 2
        assert process.stop() == 0
