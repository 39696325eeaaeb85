import socket
import subprocess

import pytest

from gateway.tills import passwords
from tests.components import component

SHELL_SAFE = "a password with spaces"


def test_a_password_is_recognised_and_no_other():
    kept = passwords.password_hash("right")

    assert passwords.is_right("right", kept)
    assert not passwords.is_right("Right", kept)
    assert not passwords.is_right("", kept)
    assert kept != passwords.password_hash("right")


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "right",
        "$6$salt$hash",
        "$7$101$$",
        "$7$0$c2FsdA==$aGFzaA==",
        "$7$9999999999$c2FsdA==$aGFzaA==",
        "$7$x$c2FsdA==$aGFzaA==",
        "$7$101$not base64$aGFzaA==",
        "$7$101$c2FsdA==$",
        "x$7$101$c2FsdA==$aGFzaA==",
    ],
)
def test_a_form_we_do_not_know_is_never_right(kept):
    assert not passwords.is_right("right", kept)
    assert not passwords.is_right("", kept)


@pytest.mark.needs_mosquitto
def test_we_recognise_what_mosquitto_passwd_wrote(tmp_path):
    program = component("mosquitto_passwd", "mosquitto")
    file = tmp_path / "passwords"

    subprocess.run([program, "-c", "-b", str(file), "front-1", SHELL_SAFE], check=True, capture_output=True, timeout=20)

    user, kept = file.read_text().strip().split(":")
    assert user == "front-1"
    assert passwords.is_right(SHELL_SAFE, kept)
    assert not passwords.is_right("another", kept)


@pytest.fixture
def broker(tmp_path):
    """A real mosquitto that knows one till by the hash we made; gives its port and the password."""
    program = component("mosquitto", "mosquitto")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    password = passwords.new_password()
    (tmp_path / "passwords").write_text(f"front-1:{passwords.password_hash(password)}\n")
    (tmp_path / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {tmp_path}/passwords\nlog_dest stderr\n"
        "user root\n"
    )
    with subprocess.Popen(
        [program, "-c", str(tmp_path / "mosquitto.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            if "running" in line:
                break
        yield port, password
        process.terminate()


@pytest.mark.needs_mosquitto
def test_mosquitto_lets_in_by_our_hash_and_refuses_another_password(broker):
    port, password = broker
    publish = [component("mosquitto_pub", "mosquitto-clients"), "-p", str(port), "-t", "t", "-m", "m", "-u", "front-1"]

    right = subprocess.run([*publish, "-P", password], capture_output=True, timeout=20, check=False)
    wrong = subprocess.run([*publish, "-P", password + "x"], capture_output=True, timeout=20, check=False)
    nobody = subprocess.run([*publish[:-1], "front-2", "-P", password], capture_output=True, timeout=20, check=False)

    assert right.returncode == 0, right.stderr
    assert wrong.returncode == 5
    assert nobody.returncode == 5
