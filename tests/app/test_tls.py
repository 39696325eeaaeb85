"""A store with other machines in it: TLS with the store's own CA, pairing by code over the API, MQTT likewise."""

import json
import secrets
import ssl
import subprocess

import pytest

from tests.cli.shell import CATALOGUE, Store, ask, sale
from tests.components import component, root

GATEWAY, TILL = "10.78.0.1", "10.78.0.2"


def stocked(folder, settings, **more):
    store = Store(folder, settings, **more)
    (folder / "products.csv").write_text(CATALOGUE, encoding="utf-8")
    assert store("catalogue", "import", folder / "products.csv").status == 0
    return store


@pytest.fixture
def cable():
    """Two network namespaces, the gateway's and the tills', joined by one cable."""
    root()
    ip = component("ip", "iproute2")
    name = f"sg{secrets.token_hex(3)}"
    ends = {f"{name}g": GATEWAY, f"{name}t": TILL}
    try:
        for end in ends:
            subprocess.run([ip, "netns", "add", end], check=True, timeout=20)
        one, other = ends
        peer = ["type", "veth", "peer", "name", "lan0", "netns", other]
        subprocess.run([ip, "link", "add", "lan0", "netns", one, *peer], check=True, timeout=20)
        for end, address in ends.items():
            for words in (["addr", "add", f"{address}/24", "dev", "lan0"], ["link", "set", "lan0", "up"]):
                subprocess.run([ip, "-n", end, *words], check=True, timeout=20)
            subprocess.run([ip, "-n", end, "link", "set", "lo", "up"], check=True, timeout=20)
        yield one, other
    finally:
        for end in ends:
            subprocess.run([ip, "netns", "delete", end], check=False, capture_output=True, timeout=20)


def in_namespace(namespace, *arguments):
    """Run another program there; answers its exit status and output."""
    ip = component("ip", "iproute2")
    done = subprocess.run(
        [ip, "netns", "exec", namespace, *map(str, arguments)], capture_output=True, timeout=60, check=False, text=True
    )
    return done.returncode, done.stdout


@pytest.mark.needs_root
@pytest.mark.needs_mosquitto
def test_a_till_on_the_network_is_paired_sells_and_hears(cable, tmp_path):
    """With programs that are not ours: curl and mosquitto_sub."""
    ours, theirs = cable
    curl, sub = component("curl", "curl"), component("mosquitto_sub", "mosquitto-clients")
    store = stocked(
        tmp_path, 'api.host = "0.0.0.0"\napi.port = 0\nmqtt.host = "0.0.0.0"\nmqtt.port = 0\n', namespace=ours
    )
    with store.run() as process:
        assert process.ready["api"].startswith("https://")
        code = store("till", "pair", "--json").json
        address, _, secret = code["link"].partition("/pair#")
        assert address.startswith(f"https://{GATEWAY}:")
        assert f"code={code['code']}" in secret

        def at(path, *options, ca=store.data / "ca.pem"):
            return in_namespace(theirs, curl, "-sS", "--cacert", ca, *options, f"{address}{path}")

        assert in_namespace(theirs, curl, "-sS", f"{address}/healthz")[0] == 60, "nobody is trusted unseen"
        pairing = json.dumps({"code": code["code"], "till_name": "front-1", "model": "curl"})
        asked, said = at("/v1/pairing", "--json", pairing)
        paired = json.loads(said)
        assert (asked, paired["till"], paired["api"]) == (0, "front-1", address)
        (tmp_path / "till-ca.pem").write_text(paired["ca"], encoding="ascii")

        identity, request = sale(1)
        bearer = ("-H", f"Authorization: Bearer {paired['token']}")
        options = ("-X", "PUT", *bearer, "--json", json.dumps(request))
        _, sold = at(f"/v1/documents/{identity}", *options, ca=tmp_path / "till-ca.pem")
        assert json.loads(sold)["number"] == 1
        assert json.loads(at("/metrics")[1])["code"] == "unauthorized", "figures are for this machine and its manager"
        assert "gateway_books_rows" in in_namespace(ours, curl, "-sSk", f"{process.ready['api']}/metrics")[1]

        mqtt = paired["mqtt"]
        assert (mqtt["host"], mqtt["tls"]) == (GATEWAY, True)
        login = ("-h", mqtt["host"], "-p", mqtt["port"], "-u", mqtt["user"], "-P", mqtt["password"])
        trust = ("--cafile", tmp_path / "till-ca.pem")
        hear = ("-t", "root/v1/shop/gw/status", "-C", "1", "-W")
        status, heard = in_namespace(theirs, sub, *login, *trust, *hear, "20")
        assert (status, json.loads(heard)["state"]) == (0, "online")
        assert in_namespace(theirs, sub, *login, *hear, "1")[0] != 0, "not without TLS"
        assert process.stop() == 0


def test_tls_on_this_machine_alone(tmp_path):
    store = stocked(tmp_path, 'api.tls = "on"\napi.port = 0\n')
    with store.run() as process:
        api = process.ready["api"]
        assert api.startswith("https://127.0.0.1:")
        assert store("status").status == 0, "the command line trusts the store's CA by itself"
        token = store("till", "token", "front-1", "--json").json
        identity, request = sale(1)
        answer = ask("PUT", f"{api}/v1/documents/{identity}", token["token"], request, ca=token["ca"])
        assert (answer.status, answer.json["number"]) == (201, 1)
        other = Store(tmp_path / "other")
        assert other("status").status == 0
        with pytest.raises(ssl.SSLCertVerificationError):
            ask("GET", f"{api}/healthz", ca=other.ca)
        with pytest.raises(ConnectionError):
            ask("GET", f"http{api.removeprefix('https')}/healthz")
        assert process.stop() == 0
    with store.run() as process:
        again = ask("PUT", f"{process.ready['api']}/v1/documents/{identity}", token["token"], request, ca=token["ca"])
        assert (again.status, again.body) == (200, answer.body), "the same CA after a restart"
        assert process.stop() == 0
