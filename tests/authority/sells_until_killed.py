"""Sell as fast as the disk takes it and print each answer: run by `test_killed.py`, which kills it."""

import asyncio
import sys
from pathlib import Path

from tests.authority.counter import opened, stocked
from tests.ledger.shop import line, sale

TILLS = 8


async def sell_for_ever(folder, day):
    async with opened(folder) as counter, asyncio.TaskGroup() as tills:
        if day == "1":
            await stocked(counter, apples=10**12)

        async def till(name):
            for serial in range(1_000_000):
                done = await counter.done(sale(f"{day}/{name}/{serial}", line("apple"), line("water"), till=name))
                print(done.body["id"], done.body["number"], done.seq, flush=True)

        for number in range(TILLS):
            tills.create_task(till(f"till-{number}"))


if __name__ == "__main__":
    asyncio.run(sell_for_ever(Path(sys.argv[1]), sys.argv[2]))
