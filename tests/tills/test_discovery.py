import asyncio

import pytest

from gateway.clock import SystemClock
from gateway.tills.addresses import LocalAddress, is_usable
from gateway.tills.discovery import Discovery, Pace, find_gateways


async def test_a_network_that_cannot_be_spoken_to_is_tried_again_and_a_stop_is_clean():
    loop, again = asyncio.get_running_loop(), asyncio.Event()
    tries = []

    def addresses():
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no such device")
        loop.call_soon_threadsafe(again.set)
        return ()

    discovery = Discovery(SystemClock(), lambda: None, addresses=addresses, pace=Pace(follow_s=0.01, retry_s=0.01))
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        running = group.create_task(discovery.run())
        await again.wait()
        running.cancel()

    assert discovery.announced_as == ""
    assert discovery.seen_tills() == ()
    assert discovery.seen_printers() == ()


async def test_where_there_is_no_network_no_gateway_is_found():
    async with asyncio.timeout(10):
        assert await find_gateways(0.05, interfaces=("no-such-interface",)) == ()


def test_the_network_of_an_address_is_what_is_reached_without_a_router():
    network = LocalAddress("lan0", 2, "10.77.1.1", 23).network

    assert str(network) == "10.77.0.0/23"


@pytest.mark.parametrize(("ip", "usable"), [("10.0.0.1", True), ("fd00::1", True), ("::1", False), ("x", False)])
def test_an_address_is_usable_if_somebody_else_can_be_there(ip, usable):
    assert is_usable(ip) is usable
