"""The command line as a person runs it: real processes on real folders, each with a time limit and ended by its id."""

import atexit
import codecs
import contextlib
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.cli.zygote import Zygote

COMMAND_S_MAX = 50
READY_S_MAX = 40
STOP_S_MAX = 20
HTTP_S_MAX = 30
NOBODY = 65534


_zygote: list[Zygote] = []


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """Ours, without anybody's settings or language in it."""
    ours = ("GATEWAY_", "HEADOFFICE_", "LC_ALL", "LC_MESSAGES", "LANG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "NO_COLOR": "1", "TERM": "dumb", **(more or {})}


def gateway(*arguments: object, limit_s: float = COMMAND_S_MAX, stdin: str = "", **more: Any) -> Said:
    """Run one command to its end. Whatever was wrong, nobody is shown a traceback."""
    process = Process(*arguments, stdin=stdin, **more)
    try:
        status = process.wait(limit_s)
    finally:
        process.end()
    assert "Traceback" not in process.err + process.out, process.err
    return Said(status, process.out, process.err)


def python_m_gateway(*arguments: object, stdin: str = "", **more: Any) -> Said:
    """The same as a person starts it, from nothing: slower."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=COMMAND_S_MAX,
        check=False,
        env=environment(),
        **more,
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


class Process:
    """A command that runs; what it says is kept in `out` and `err`."""

    def __init__(
        self,
        *arguments: object,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        user: int | None = None,
        namespace: str | None = None,
        stdin: str = "",
        out: int | None = None,
        source: int | None = None,
    ) -> None:
        """Start it; `out` and `source` are descriptors that stand for its output and input instead of ours."""
        self.out = self.err = ""
        self.status: int | None = None
        self._heard = threading.Condition()
        if not _zygote:
            _zygote.append(Zygote(environment()))
            atexit.register(_zygote[0].close)
        request = {
            "arguments": list(map(str, arguments)),
            "env": environment(env),
            "cwd": str(cwd or Path.cwd()),
            "user": user,
            "namespace": namespace,
        }
        pipes = [os.pipe() for _ in range(4)]
        theirs = [pipes[0][0], *(each[1] for each in pipes[1:])]
        given = [source if source is not None else theirs[0], out if out is not None else theirs[1], *theirs[2:]]
        _zygote[0].start(request, given)
        for each in theirs:
            os.close(each)
        with os.fdopen(pipes[0][1], "w", encoding="utf-8") as given, contextlib.suppress(BrokenPipeError):
            given.write(stdin)
        self._ending = os.fdopen(pipes[3][0], "r")
        self.pid = int(self._ending.readline())
        self._listeners = [
            threading.Thread(target=self._listen, args=("out", pipes[1][0]), daemon=True),
            threading.Thread(target=self._listen, args=("err", pipes[2][0]), daemon=True),
            threading.Thread(target=self._await_end, daemon=True),
        ]
        for each in self._listeners:
            each.start()

    def until(self, true: Callable[[], Any], limit_s: float = READY_S_MAX) -> Any:
        """Wait until what it said, or its end, makes something true; answers that."""
        with self._heard:
            self._heard.wait_for(lambda: true() or self.status is not None, limit_s)
            found = true()
            assert found, f"ended with {self.status}, said {self.out!r}, {self.err}"
            return found

    @property
    def ready(self) -> dict[str, Any]:
        """Its ready line, waited for."""
        return self.until(lambda: _event(self.out, "ready"))

    def logged(self, event: str) -> dict[str, Any]:
        """The first line of its log that says so, waited for."""
        return self.until(lambda: _event(self.err, event))

    def wait(self, limit_s: float = STOP_S_MAX) -> int:
        """Wait for its end; answers the exit status."""
        with self._heard:
            assert self._heard.wait_for(lambda: self.status is not None, limit_s), f"no end: {self.out} {self.err}"
        for each in self._listeners:
            each.join()
        assert "Traceback" not in self.err, self.err
        return self.status

    def send(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; answers the exit status."""
        os.kill(self.pid, number)
        return self.wait()

    def stop(self) -> int:
        return self.send(signal.SIGTERM)

    def kill(self) -> int:
        return self.send(signal.SIGKILL)

    def end(self) -> None:
        """Whatever became of it, it is gone."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        for each in self._listeners:
            each.join(STOP_S_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _listen(self, name: str, number: int) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with os.fdopen(number, "rb", buffering=0) as stream:
            while content := stream.read(65_536):
                with self._heard:
                    setattr(self, name, getattr(self, name) + decoder.decode(content))
                    self._heard.notify_all()

    def _await_end(self) -> None:
        with self._ending as ending:
            text = ending.readline()
        with self._heard:
            self.status = int(text or -signal.SIGKILL)
            self._heard.notify_all()


def _event(text: str, event: str) -> dict[str, Any]:
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            said = json.loads(line)
            if said.get("event") == event:
                return said
    return {}


class Store:
    """A store's settings in a folder of its own, and the commands on it."""

    def __init__(
        self,
        folder: Path,
        settings: str = "",
        *,
        store: str = "shop",
        country: str = "plain",
        namespace: str | None = None,
    ) -> None:
        self.folder = folder
        self.namespace = namespace
        self.data = folder / "data"
        self.config = folder / "gateway.toml"
        folder.mkdir(parents=True, exist_ok=True)
        self.write(settings, store=store, country=country)

    def write(self, settings: str = "", *, store: str = "shop", country: str = "plain", name: str = "Pulpería") -> None:
        """The settings: everything quiet and on free ports; `settings` are lines as `section.key = value`, or TOML."""
        self.config.write_text(
            f'store = {{ id = "{store}", name = "{name}", country = "{country}", language = "es" }}\n'
            f'storage = {{ path = "data", free_bytes_min = 0 }}\n'
            'log.form = "json"\n'
            "discovery.enabled = false\n"
            + ("" if "api." in settings else "api.port = 0\n")
            + ("" if "mqtt." in settings else "mqtt.port = 0\n")
            + settings,
            encoding="utf-8",
        )

    def __call__(self, *arguments: object, **more: Any) -> Said:
        return gateway(*arguments, "--config", self.config, namespace=self.namespace, **more)

    def run(self, **more: Any) -> Process:
        return Process("run", "--config", self.config, namespace=self.namespace, **more)

    @property
    def admin_token(self) -> str:
        return (self.data / "admin.token").read_text(encoding="ascii").strip()

    @property
    def ca(self) -> str:
        return (self.data / "ca.pem").read_text(encoding="ascii")


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(method: str, url: str, token: str = "", body: Any = None, *, ca: str = "", **headers: str) -> Answer:
    """One request on a connection of its own, as an outsider's program makes it."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(cadata=ca)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=HTTP_S_MAX, context=trust)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=HTTP_S_MAX)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    if isinstance(body, dict):
        body = json.dumps(body)
        sent.setdefault("Content-Type", "application/json")
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        return Answer(response.status, dict(response.headers), response.read())
    finally:
        connection.close()


def sale(number: int) -> tuple[str, dict[str, Any]]:
    """The id and the request of a small sale; the same number gives the same."""
    request = {
        "type": "invoice",
        "lines": [{"sku": "1082185", "quantity": "1"}],
        "payments": [{"method": "cash", "amount": "5.00"}],
    }
    return f"0198f3c2-7b1e-7c44-9a55-{number:012d}", request


CATALOGUE = (
    "sku,name,barcode,unit_price,tax,policy,sell_below_zero,on_hand\n"
    "1082185,Leche 1 L,7421000000001,0.99,exempt,tracked,0,5000\n"
)
