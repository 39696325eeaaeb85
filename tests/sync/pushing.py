"""Pushing from a test: until all is there, over whatever breaks."""

import asyncio

from gateway.sync.plan import Bounds
from gateway.sync.uplink import LinkError, NoLineError


async def push_line(shop, url, token, bounds=None):
    """One line: hello, then rows until head office has acknowledged all there are now; answers the Push."""
    until = shop.store.desk.seq
    async with shop.uplink(url, token) as uplink:
        push = shop.push(uplink, bounds or Bounds())
        standing = await push.meet()
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(push.run(standing))
                while push._backlog.acknowledged < until:
                    push._backlog._moved.clear()
                    await push._backlog._moved.wait()
                sending.cancel()
        except* LinkError as broken:
            raise broken.exceptions[0] from None
        return push


async def push_all(shop, url, token, bounds=None, tries_max=10):
    """The same over as many lines as it takes; answers how many broke."""
    for broken in range(tries_max):
        try:
            await push_line(shop, url, token, bounds)
        except NoLineError:
            continue
        return broken
    message = f"{tries_max} lines broke"
    raise AssertionError(message)
