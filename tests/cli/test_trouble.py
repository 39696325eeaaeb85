"""What a person can do wrong, or what has gone wrong with a machine: one line, a hint, the right exit status."""

import contextlib
import os
import socket
import sqlite3
import subprocess

import pytest

from tests.cli.shell import NOBODY, Store, gateway
from tests.components import root

EVERY_WAY_IN = (("run",), ("status",), ("till", "list"), ("range", "list"), ("catalogue", "export"), ("device", "list"))


def one_line_and_a_hint(said, status, *words):
    assert said.status == status, said.err
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines[0].startswith("gateway: ")
    assert [line for line in lines[1:] if not line.startswith("  ")] == []
    assert all(word in said.err for word in words), said.err
    assert "Errno" not in lines[0] or "[Errno" in lines[0]


@pytest.mark.parametrize("command", EVERY_WAY_IN, ids=" ".join)
def test_settings_that_are_not_there(tmp_path, command):
    said = gateway(*command, "--config", tmp_path / "none.toml")
    one_line_and_a_hint(said, 2, "none.toml: no such file", "gateway init")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("api.prot = 8470", "did you mean port?"),
        ("api.port = 99999", "api.port: "),
        ("[api\n", "line 1"),
        ('store.id = "My Shop"', "store.id: use lower-case letters, digits and hyphens"),
        ('headoffice.url = "office"', "headoffice.url: an address such as https://"),
        ('headoffice.url = "http://office:99999"', "headoffice.url: an address such as https://"),
        ('devices.printer = [{name = "front", address = "tcp://1.2.3.4:99999"}]', "an address such as tcp://"),
        ('headoffice.token_file = "none"', "headoffice.token_file"),
    ],
)
def test_settings_that_are_wrong_say_which_and_how(tmp_path, line, words):
    config = tmp_path / "gateway.toml"
    config.write_text(line, encoding="utf-8")
    one_line_and_a_hint(gateway("status", "--config", config), 2, str(config) if "_file" not in line else "", words)
    checked = gateway("check-config", config, "--json")
    assert (checked.status, checked.json["ok"]) == (1, False)
    assert words in checked.json["problems"][0]


def test_every_mistake_in_the_settings_is_named_at_once(tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text('api.port = "x"\nstore.country = "narnia"\n', encoding="utf-8")
    said = gateway("run", "--config", config)
    one_line_and_a_hint(said, 2, "api.port", "store.country")
    assert gateway("check-config", config).out.count("\n") == 2


def test_a_variable_that_is_no_setting(store):
    one_line_and_a_hint(store("status", env={"GATEWAY_API__PROT": "1"}), 2, "did you mean GATEWAY_API__PORT?")


def test_a_port_that_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for setting in (f"api.port = {port}\n", f"mqtt.port = {port}\n"):
            store = Store(tmp_path, setting)
            one_line_and_a_hint(store("run"), 1, "address already in use", "ss -ltnp")
            said = store("doctor", "--json")
            assert said.status == 1
            assert [each["what"] for each in said.json["checks"] if not each["ok"]] == [
                f"127.0.0.1:{port}: Address already in use"
            ]


@pytest.mark.parametrize("section", ["api", "mqtt"])
def test_an_address_of_another_machine(tmp_path, section):
    store = Store(tmp_path, f'{section}.host = "192.0.2.1"\n{section}.port = 0\n')
    one_line_and_a_hint(store("run"), 1, "192.0.2.1", "ip addr")


def test_a_printer_profile_that_is_not_there(tmp_path):
    printer = '[[devices.printer]]\nname = "front"\naddress = "tcp://127.0.0.1:9"\nprofile = "epsom"\n'
    one_line_and_a_hint(Store(tmp_path, printer)("run"), 1, "epsom", "firmware_profiles/")


def test_another_stores_books(store):
    assert store("status").status == 0
    store.write(store="other")
    for command in ("run", "status"):
        one_line_and_a_hint(store(command), 1, str(store.data), "'shop'", "'other'")
    said = store("doctor", "--json")
    assert (said.status, "other" in said.out) == (1, True)


def test_another_country(store):
    assert store("status").status == 0
    store.write(country="honduras")
    one_line_and_a_hint(store("run"), 1, "honduras", "country")


def another_programs_file(file):
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    connection.close()


@pytest.mark.parametrize(
    "fill", [another_programs_file, lambda file: file.write_bytes(os.urandom(20_000))], ids=["foreign", "junk"]
)
def test_a_file_that_is_not_ours_is_left_as_it_is(store, fill):
    store.data.mkdir()
    file = store.data / "books.sqlite3"
    fill(file)
    before = file.read_bytes()
    for command in ("run", "status"):
        one_line_and_a_hint(store(command), 1, str(file), "storage.path")
    one_line_and_a_hint(store("verify"), 2, str(file))
    assert store("doctor").status == 1
    assert file.read_bytes() == before


def test_books_of_a_newer_release(store):
    assert store("status").status == 0
    with sqlite3.connect(store.data / "books.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    one_line_and_a_hint(store("run"), 1, "newer")


def test_a_file_where_the_directory_should_be(store):
    store.data.touch()
    for command in ("run", "status"):
        one_line_and_a_hint(store(command), 1, "storage.path must be a directory")
    assert "storage.path must be a directory" in store("doctor").out


@pytest.mark.needs_root
def test_another_user_is_told_so(store):
    root()
    assert store("status").status == 0
    for folder in (store.folder, *store.folder.parents[:2]):
        folder.chmod(0o755)
    store.config.chmod(0o644)
    for command in ("run", "status", "till list"):
        one_line_and_a_hint(store(*command.split(), user=NOBODY), 1, "Run this as the user the gateway runs as")
    one_line_and_a_hint(store("verify", user=NOBODY), 2, "Run this as the user the gateway runs as")
    said = store("doctor", user=NOBODY)
    assert (said.status, "is closed to this user" in said.out) == (1, True)
    store.config.chmod(0o600)
    said = store("status", user=NOBODY)
    assert (said.status, "not readable" in said.err) == (2, True)


@pytest.mark.needs_root
def test_a_full_disk_and_one_that_cannot_be_written(tmp_path):
    root()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", tmp_path], check=False, timeout=20)
    if mounted.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        store = Store(tmp_path)
        assert store("status").status == 0
        (store.data / "ballast").unlink(missing_ok=True)
        with (tmp_path / "fill").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        for command in ("run", "status"):
            one_line_and_a_hint(store(command), 1, "The disk is full")
        (tmp_path / "fill").unlink()
        subprocess.run(["mount", "-o", "remount,ro", tmp_path], check=True, timeout=20)
        for command in ("run", "status"):
            one_line_and_a_hint(store(command), 1, "Read-only file system")
        assert store("verify").status == 0
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=False, timeout=20)


def test_a_pipe_that_nobody_reads_any_more(store):
    (store.folder / "many.csv").write_text(
        "sku,name,unit_price,tax\n" + "".join(f"S{each},product {each},1.00,exempt\n" for each in range(9_000)),
        encoding="utf-8",
    )
    assert store("catalogue", "import", store.folder / "many.csv").status == 0
    reading, writing = os.pipe()
    os.close(reading)
    try:
        said = store("catalogue", "export", out=writing)
    finally:
        os.close(writing)
    assert "Error" not in said.err
