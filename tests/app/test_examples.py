"""What the documents tell people to type works: run here as it stands on the page, against a gateway."""

import asyncio
import json
import os
import re
import subprocess
import textwrap
import time
from pathlib import Path

import pytest

from gateway.simulator.printer import SimulatedPrinter
from tests.cli.shell import Process, Store, ask, environment, gateway
from tests.components import component

ROOT = Path(__file__).parent.parent.parent
QUIET = {"GATEWAY_API__PORT": "0", "GATEWAY_MQTT__PORT": "0", "GATEWAY_DISCOVERY__ENABLED": "false"}
COMMAND_S_MAX = 40
HEARD_S_MAX = 20


def blocks(page):
    """The indented code of a page, block by block."""
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", (ROOT / page).read_text(encoding="utf-8"))
    return [textwrap.dedent(each).strip() for each in re.findall(r"(?m)(?:^(?: {4}.*)?\n)+", text) if each.strip()]


def bash(script, **variables):
    """Run a script as a person's shell does."""
    component("bash", "bash")
    component("curl", "curl")
    return subprocess.run(
        ["bash", "-eu", "-c", script],
        capture_output=True,
        check=False,
        timeout=COMMAND_S_MAX,
        text=True,
        env={**environment(), **variables, "PATH": os.environ["PATH"]},
    )


def test_the_readme_from_init_to_the_first_sale(tmp_path):
    """Every command of it, in its order; only ports are free ones."""
    said = [line for block in blocks("README.md") for line in block.splitlines()]
    commands = [re.sub(r"\s+#.*", "", line) for line in said if line.startswith("./run gateway ")]
    assert [command.split()[2] for command in commands[:3]] == ["init", "run", "catalogue"]
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    init, run, *others = (command.split()[2:] for command in commands)
    assert gateway(*init, cwd=tmp_path, env=QUIET, stdin="\n" * 5).status == 0
    with Process(*run, cwd=tmp_path, env=QUIET) as process:
        for each in others:
            found = gateway(*each, cwd=tmp_path, env=QUIET)
            assert found.status == 0, (each, found.err)
        token = re.search(r"TOKEN=\$\(\./run gateway (.+)\)", "\n".join(said)).group(1)
        curl = next(block for block in blocks("README.md") if "curl -X PUT" in block).partition("\n")[2]
        curl = curl.replace("http://127.0.0.1:8470", process.ready["api"]) + " -s"
        token = gateway(*token.split(), cwd=tmp_path, env=QUIET).out.strip()
        first, again = (bash(curl, TOKEN=token) for _ in range(2))
        assert json.loads(first.stdout)["formatted_number"] == "000-001-01-00000001", first
        assert again.stdout == first.stdout
        assert process.stop() == 0


@pytest.fixture
async def shop(tmp_path):
    """The store of the pages: its products, its printer, its till."""
    async with SimulatedPrinter() as printer:
        store = Store(
            tmp_path,
            f'[[devices.printer]]\nname = "front"\naddress = "{printer.address}"\ndrawer = true\n',
            store="store-1",
        )
        assert store("catalogue", "import", ROOT / "docs" / "guides" / "products.csv").status == 0
        with store.run() as process:
            store.ready = await asyncio.to_thread(lambda: process.ready)
            yield store
            assert await asyncio.to_thread(process.stop) == 0


async def test_the_curl_commands_of_the_till_api(shop):
    """In their order; what the page leaves out (…) and endless streams are not run."""
    code = shop("till", "pair", "--json").json["code"]
    script = []
    for block in blocks("docs/till-api.md"):
        for command in re.split(r"\n(?=\S)", block):
            if "…" in command or "-sN" in command:
                continue
            script.append(command)
    api = shop.ready["api"]
    variables = {"GW": api}
    statuses = {}
    for command in script:
        if command.startswith(("TILL=", "ID=")):
            name, _, value = command.partition("=")
            variables[name] = value.strip('"').replace("$TOKEN", variables.get("TOKEN", ""))
            continue
        if "/void" in command:
            first = next(each for each in script if "/v1/documents/$ID " in each)
            again = first.replace("$ID", "0198f3c2-7b1e-7c44-9a55-3f1d2a6b7c14")
            assert (await asyncio.to_thread(lambda text: bash(text, **variables), again)).returncode == 0
        typed = command.replace("913811", code) + " -o /dev/stderr -w '%{http_code}'"
        done = await asyncio.to_thread(lambda text: bash(text, **variables), typed.replace("curl -si", "curl -s"))
        what = re.search(r"\$GW(/v1/[a-z-]+(?:/\S+?)?)[\"? ]", command + " ").group(1)
        statuses.setdefault(what, []).append(int(done.stdout))
        if "/v1/pairing" in command:
            paired = json.loads(done.stderr)
            variables["TOKEN"] = paired["token"]
    assert all(status in {200, 201} for each in statuses.values() for status in each), statuses
    assert len(statuses) >= 10
    documents = ask("GET", f"{api}/v1/documents", variables["TOKEN"]).json["items"]
    assert [(each["type"], each["status"], each["number"]) for each in documents] == [
        ("invoice", "issued", 1),
        ("invoice", "void", 2),
        ("credit_note", "issued", 1),
    ]
    assert [documents[0]["total"], documents[0]["change"], documents[2]["total"]] == ["109.50", "90.50", "12.25"]


async def test_the_events_of_the_till_api_begin_where_they_are_asked_to(shop):
    token = shop("till", "token", "front-1").out.strip()
    command = next(block for block in blocks("docs/till-api.md") if "/v1/events?after" in block)
    variables = {"GW": shop.ready["api"], "TILL": f"Authorization: Bearer {token}"}
    done = await asyncio.to_thread(lambda: bash(f"{command.replace('after=3', 'after=0')} --max-time 1", **variables))
    assert done.returncode == 28, "it goes on until it is cut off"
    heard = re.findall(r"(?m)^event: (\w+)\n(?:id: (\d+)\n)?", done.stdout)
    assert [name for name, seq in heard if not seq] == ["status", "catalogue"]
    assert [int(seq) for _, seq in heard if seq] == [1, 2, 3]


def test_the_curl_commands_of_the_head_office_guide(tmp_path):
    """A range, a catalogue, and what the store made of them."""
    config = tmp_path / "headoffice.toml"
    config.write_text('[headoffice]\nport = 0\npath = "office"\n', encoding="utf-8")
    [block] = [each for each in blocks("docs/guides/head-office.md") if each.startswith("curl")]
    with Process("headoffice", "run", "--config", config) as office:
        assert gateway("headoffice", "store", "add", "centro", "--config", config).status == 0
        reader, writer = (
            gateway("headoffice", "token", role, "--config", config).out.strip() for role in ("reader", "writer")
        )
        variables = {"OFFICE": office.ready["url"], "READER": reader, "WRITER": writer}
        products = (ROOT / "docs" / "guides" / "products.csv").read_text(encoding="utf-8").splitlines()
        without_stock = "".join(f"{line.rpartition(',')[0]}\n" for line in products)
        (tmp_path / "products.csv").write_text(without_stock, encoding="utf-8")
        script = block.replace("@products.csv", f"@{tmp_path / 'products.csv'}")
        done = [bash(f"{each} -sf", **variables) for each in re.split(r"\n(?=\S)", script)]
        assert [each.returncode for each in done] == [0, 0, 0], done
        assert [each["kind"] for each in json.loads(done[2].stdout)["items"]] == [
            "range_granted",
            "catalogue_delta",
        ]
        assert office.stop() == 0


@pytest.mark.needs_mosquitto
async def test_the_commands_of_the_mqtt_page(shop, tmp_path):
    """The functions, the subscription and every message of it."""
    component("mosquitto_pub", "mosquitto-clients")
    paired = ask("PUT", f"{shop.ready['api']}/v1/admin/tills/front-1", shop.admin_token).json["mqtt"]
    parts = [block for block in blocks("docs/mqtt.md") if re.match(r"(sub|pub)\b", block)]
    functions, subscription, *messages = parts
    assert functions.startswith("sub()")
    assert len(messages) == 3
    heard = tmp_path / "heard"
    variables = {"PORT": str(paired["port"]), "PASSWORD": paired["password"]}

    def run():
        with subprocess.Popen(
            ["bash", "-c", f"{functions}\n{subscription} -W {HEARD_S_MAX} > {heard}"],
            env={**environment(), **variables, "PATH": os.environ["PATH"]},
            start_new_session=True,
        ) as listening:
            try:
                until(heard, lambda text: "/gw/status" in text)
                for number, message in enumerate(messages):
                    assert bash(f"{functions}\n{message}", **variables).returncode == 0
                    if number == 0:
                        until(heard, lambda text: '"state":"done"' in text)
                    if number == 1:
                        until(heard, lambda text: '"ev_seq":0' in text)
            finally:
                os.killpg(listening.pid, 15)

    await asyncio.to_thread(run)
    told = [json.loads(line.partition(" ")[2]) for line in heard.read_text().splitlines() if "/evt/job/" in line]
    assert [each["state"] for each in told] == ["accepted", "sending", "done", "done"]
    assert [each["ev_seq"] > 0 for each in told] == [True, True, True, False]


def until(file, true):
    """Wait until another program has written something."""
    give_up = time.monotonic() + HEARD_S_MAX
    while not (file.exists() and true(file.read_text())):
        assert time.monotonic() < give_up, file.read_text()
        time.sleep(0.02)
