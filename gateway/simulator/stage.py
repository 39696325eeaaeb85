"""A store and its head office as real processes on this machine, in a folder of their own, with a line between them.

Nothing here is special to a demonstration: the configuration files are ordinary ones, the programs are started as
`gateway run` and `gateway headoffice run`, and everything else is asked over the commands and the API.
"""

import asyncio
import json
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from gateway.client.admin import Admin
from gateway.client.patience import Patience
from gateway.client.till import Till
from gateway.simulator.line import Line
from gateway.simulator.process import Process, ProcessError, answer, run

ORDER_MS_MAX = 10_000
PATIENT = Patience(tries_max=200, total_ms_max=120_000)
"""A restart under load on a slow machine included."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What kind of store is put up."""

    store: str = "demo"
    name: str = "Pulpería El Ejemplo"
    country: str = "honduras"
    language: str = "en"
    printers: Mapping[str, str] = field(default_factory=dict)
    """Name → address, `tcp://host:port`."""
    broker: str = "embedded"
    environment: Mapping[str, str] = field(default_factory=dict)
    """For the gateway alone."""


class Stage:
    """Put up part by part: head office, then the store, then its tills; `async with` ends what is still running."""

    def __init__(self, folder: Path, plan: Plan, tasks: asyncio.TaskGroup) -> None:
        self.folder = folder
        self.plan = plan
        self.api = ""
        self.data = folder / "data"
        self.starts = 0
        self.line: Line | None = None
        self._tasks = tasks
        self._lines = AsyncExitStack()
        self._api_port = 0
        self._office_port = 0
        self._office: Process | None = None
        self._gateway: Process | None = None
        self._store_token = ""
        self._reader_token = ""
        self._writer_token = ""

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        running = [process for process in (self._gateway, self._office) if process is not None]
        for process in running:  # all of them, before the first wait that could be cancelled
            process.kill_now()
        try:
            for process in running:
                await process.kill()
        finally:
            await self._lines.aclose()

    @property
    def config(self) -> Path:
        """The store's configuration file."""
        return self.folder / "gateway.toml"

    @property
    def office_url(self) -> str:
        """Head office itself, not through the line."""
        return f"http://127.0.0.1:{self._office_port}"

    async def open_head_office(self) -> None:
        """Start head office, tell it of the store, and lay the line."""
        await self.start_head_office()
        config = str(self._office_config)
        added, reader, writer = await asyncio.gather(
            answer("headoffice", "store", "add", self.plan.store, "--config", config, "--json"),
            answer("headoffice", "token", "reader", "--config", config, "--json"),
            answer("headoffice", "token", "writer", "--config", config, "--json"),
        )
        self._store_token, self._reader_token, self._writer_token = added["token"], reader["token"], writer["token"]
        self.line = await self._lines.enter_async_context(Line("127.0.0.1", self._office_port))

    async def start_head_office(self) -> None:
        """Start head office, again on the same port."""
        path = self.folder / "headoffice-data"
        text = f'[headoffice]\nhost = "127.0.0.1"\nport = {self._office_port}\npath = "{path}"\n'
        self._office_config.write_text(text, encoding="utf-8")
        arguments = ["headoffice", "run", "--config", str(self._office_config)]
        self._office = Process("head office", arguments, self.folder / "headoffice.log")
        ready = await self._office.start(self._tasks)
        self._office_port = _port_of(ready["url"])

    async def kill_head_office(self) -> None:
        """Power off."""
        assert self._office is not None
        await self._office.kill()

    async def start_gateway(self, environment: Mapping[str, str] | None = None) -> None:
        """Start the gateway, again on the same port."""
        self.config.write_text(self._settings(), encoding="utf-8")
        merged = {**self.plan.environment, **(environment or {})}
        self._gateway = Process("gateway", ["run", "--config", str(self.config)], self.folder / "gateway.log", merged)
        ready = await self._gateway.start(self._tasks)
        self._api_port = _port_of(ready["api"])
        self.api = str(ready["api"]).rstrip("/")
        self.starts += 1

    async def kill_gateway(self) -> None:
        """Power off."""
        assert self._gateway is not None
        await self._gateway.kill()

    async def stop_gateway(self) -> int:
        """Ask it to end; answers the exit status."""
        assert self._gateway is not None
        return await self._gateway.stop()

    async def command(self, *arguments: str) -> Any:
        """One command on this store, as an administrator types it; answers its JSON."""
        return await answer(*arguments, "--config", str(self.config), "--json")

    def admin(self, *, patience: Patience | None = None) -> Admin:
        """The administrator's way to the gateway."""
        token = (self.data / "admin.token").read_text(encoding="ascii").strip()
        return Admin.at(self.api, token, patience=patience)

    async def pair(self, names: list[str]) -> dict[str, str]:
        """Pair these tills; answers their tokens."""
        async with self.admin() as admin:
            return {name: (await admin.make_till(name))["token"] for name in names}

    def till(self, token: str, generator: random.Random, patience: Patience = PATIENT) -> Till:
        """A till's way to the gateway; the port stays the same over restarts."""
        return Till.at(self.api, token, generator=generator, patience=patience)

    async def grant_range(self, identity: str, body: dict[str, Any]) -> None:
        """Have head office grant a range; the store pulls it when it has a line."""
        await self._ask_office("PUT", f"/v1/stores/{self.plan.store}/ranges/{identity}", self._writer_token, body)

    async def office_status(self) -> dict[str, Any]:
        """What head office knows of the store; `seq` is how many rows it holds."""
        found = await self._ask_office("GET", f"/v1/stores/{self.plan.store}/status", self._reader_token)
        assert isinstance(found, dict)
        return found

    async def verify_store(self) -> dict[str, Any]:
        """`gateway verify DATA --json`: the verdict on the books."""
        return await _verdict("verify", str(self.data), "--json")

    async def verify_head_office(self) -> dict[str, Any]:
        """`gateway verify --headoffice URL --json`: the verdict on what head office holds."""
        return await _verdict(
            "verify",
            "--headoffice",
            self.office_url,
            "--store",
            self.plan.store,
            "--token",
            self._reader_token,
            "--json",
        )

    async def _ask_office(self, method: str, path: str, token: str, body: Any = None) -> Any:
        async with (
            asyncio.timeout(ORDER_MS_MAX / 1000),
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
            session.request(method, self.office_url + path, json=body) as response,
        ):
            found = await response.json(content_type=None)
        if response.status >= 400:
            message = f"head office: {method} {path}: {response.status} {found}"
            raise ProcessError(message)
        return found

    @property
    def _office_config(self) -> Path:
        return self.folder / "headoffice.toml"

    def _settings(self) -> str:
        plan = self.plan
        parts = [
            f'[store]\nid = "{plan.store}"\nname = "{plan.name}"\nlegal_name = "{plan.name} S.A."',
            f'tax_id = "08011999123456"\ncountry = "{plan.country}"\nlanguage = "{plan.language}"',
            f'[api]\nhost = "127.0.0.1"\nport = {self._api_port}\ntls = "off"',
            f'[storage]\npath = "{self.data}"\nfree_bytes_min = 0',
            f'[mqtt]\nbroker = "{plan.broker}"\nport = 0',
            "[discovery]\nenabled = false",
            "[tills]\nallow_unlisted = true",
            "[link]\nretry_ms_min = 100\nretry_ms_max = 1000\nreply_wait_ms_max = 5000",
            "[fiscal]\nrange_low_numbers = 20",
            '[log]\nform = "json"',
        ]
        if self.line is not None:
            parts.append(f'[headoffice]\nurl = "{self.line.url}"\ntoken = "{self._store_token}"')
        for name, address in plan.printers.items():
            parts.append(f'[[devices.printer]]\nname = "{name}"\naddress = "{address}"')
        return "\n".join(parts) + "\n"


def series_of(plan: Plan, document_type: str = "invoice") -> str:
    """The series that this store's documents of a type belong to."""
    return {"invoice": "000-001-01"}[document_type] if plan.country == "honduras" else document_type


def new_folder(parent: Path, name: str) -> Path:
    """A folder that nobody else has."""
    return parent / f"{name}-{secrets.token_hex(4)}"


async def until(
    asked: Callable[[], bool | Awaitable[bool]], what: str, *, seconds: float, pause_s: float = 0.1
) -> None:
    """Ask again and again until it is so: other processes send no wake-ups.

    Raises:
        ProcessError: it is not so after `seconds`.
    """
    try:
        async with asyncio.timeout(seconds):
            while True:
                found = asked()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(pause_s)
    except TimeoutError:
        message = f"waited {seconds:.0f} s for {what}"
        raise ProcessError(message) from None


async def _verdict(*arguments: str) -> dict[str, Any]:
    """A verdict is an answer whether it is good (exit status 0) or not (1)."""
    status, output, errors = await run(*arguments)
    if status not in {0, 1} or not output.strip():
        message = f"gateway {arguments[0]}: exit status {status}: {(errors or output).strip()[-500:]}"
        raise ProcessError(message)
    found = json.loads(output)
    return {"exit_status": status, **found}


def _port_of(url: str) -> int:
    return int(url.rstrip("/").rsplit(":", 1)[1])
