"""One side of an mDNS conversation, in a process of its own so that it can live in another network namespace.

`gateway SPEC` runs the gateway's discovery, `neighbours SPEC` announces tills and printers with python-zeroconf, and
`browser` is a till's own browser. SPEC is JSON. Each prints a JSON line when something changed, takes lines as orders,
and ends cleanly when its input ends.
"""

import asyncio
import contextlib
import json
import sys
from dataclasses import asdict

import structlog
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from gateway.clock import SystemClock
from gateway.tills.addresses import local_addresses
from gateway.tills.discovery import GATEWAY_KIND, TILL_KIND, Announcement, Discovery, Pace, find_gateways
from tests.tills.fake_printer import FakePrinter


def say(**words):
    print(json.dumps(words), flush=True)


async def questions():
    """The lines of the input, until it ends."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        yield line.decode().strip()
    transport.close()


async def gateway(spec):
    said = {"store": "store-1", "api": "https://gateway-store-1.local:8470", "port": 8470, "version": "0.1.0",
            "ca": "ab" * 32, "epoch": "7"}  # fmt: skip
    current = [Announcement(**said)]
    discovery = Discovery(
        SystemClock(),
        lambda: current[0],
        known_printers=lambda: frozenset(spec.get("known_printers", ())),
        pace=Pace(follow_s=0.1, ask_again_s=spec.get("ask_again_s", 125.0), forget_s=spec.get("forget_s", 600.0)),
    )

    def view():
        return {
            "announced_as": discovery.announced_as,
            "tills": [asdict(till) for till in discovery.seen_tills()],
            "printers": [asdict(printer) for printer in discovery.seen_printers()],
        }

    async def report():
        before = None
        while True:
            if (now := view()) != before:
                say(**now)
                before = now
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(discovery.run()), group.create_task(report())]
        async for question in questions():
            if question.startswith("epoch "):
                current[0] = Announcement(**{**said, "epoch": question.split()[1]})
            elif question == "silence":
                current[0] = None
        for task in tasks:
            task.cancel()
    say(ended=True)


async def neighbours(spec):
    printers = {}
    infos = [
        AsyncServiceInfo(
            TILL_KIND,
            f"Caja {number}.{TILL_KIND}",
            port=1,
            properties={"till": f"front-{number}", "model": "Elo", "app": "pos 1.0"},
            server=f"till-{number}.local.",
            parsed_addresses=[spec["address"]],
            host_ttl=spec.get("host_ttl", 120),
        )
        for number in range(spec.get("tills", 0))
    ]
    for service in spec.get("services", ()):
        kind = service["kind"]
        infos.append(
            AsyncServiceInfo(
                kind,
                f"{service['label']}.{kind}",
                port=service.get("port", 9100),
                properties=service.get("txt", {}),
                server=f"{service['label'].lower()}.local.",
                parsed_addresses=service["addresses"],
                host_ttl=service.get("host_ttl", 120),
            )
        )
    servers = []
    for address, how in spec.get("printers", {}).items():
        printers[address] = FakePrinter(mute=how == "mute")
        servers.append(await printers[address].listen(address, 9100))
    zeroconf = AsyncZeroconf(interfaces=[spec["address"]])
    registered = await asyncio.gather(*(zeroconf.async_register_service(info) for info in infos))
    say(ready=True)
    await asyncio.gather(*registered)
    async for question in questions():
        if question == "tell":
            say(heard={address: printer.heard.hex() for address, printer in printers.items()})
    for server in servers:
        server.close()
    await zeroconf.async_close()
    say(ended=True)


async def browser():
    zeroconf = AsyncZeroconf(interfaces=[address.ip for address in local_addresses()])

    async def resolve(name):
        info = AsyncServiceInfo(GATEWAY_KIND, name)
        if await info.async_request(zeroconf.zeroconf, 3000):
            words = {key.decode(): value.decode() for key, value in info.properties.items()}
            say(found=name, server=info.server, addresses=info.parsed_addresses(), port=info.port, txt=words)

    async with asyncio.TaskGroup() as group:

        def on_change(zeroconf, service_type, name, state_change):
            if state_change is ServiceStateChange.Removed:
                say(gone=name)
            else:
                group.create_task(resolve(name))

        async with AsyncServiceBrowser(zeroconf.zeroconf, [GATEWAY_KIND], [on_change]):
            say(ready=True)
            async for _ in questions():
                pass
    await zeroconf.async_close()
    say(ended=True)


async def find(spec):
    say(gateways=[asdict(found) for found in await find_gateways(spec["seconds"])])


async def addresses(spec):
    say(addresses=[address.ip for address in local_addresses(tuple(spec["only"]))])


def main():
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    role, spec = sys.argv[1], json.loads(sys.argv[2])
    run = {"gateway": gateway, "neighbours": neighbours, "find": find, "addresses": addresses}.get(role)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(spec) if run else browser(), debug=False)


if __name__ == "__main__":
    main()
