"""Sell on a disk that fails in the middle: run by `test_bad_disk.py` in a process of its own; prints one JSON line."""

import asyncio
import json
import os
import resource
import sqlite3
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gateway.authority.desk import Done
from gateway.ledger.chain import body_text
from gateway.storage import catalogue, documents
from gateway.storage.writer import BALLAST_BYTES, NotDurableError
from tests.authority.counter import APPLES, opened, stocked
from tests.ledger.shop import line, sale

TRIES_MAX = 50


class ArmedDisk:
    """`tests/rigs/iofault.c` misbehaves while its file exists."""

    def __init__(self) -> None:
        self.file = Path(os.environ["IOFAULT_ARM"])

    def fail(self):
        self.file.touch()

    def mend(self):
        self.file.unlink()


class SmallFiles:
    """No file may grow, as on a disk without room: a limit of the kernel's."""

    def fail(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def mend(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class FullDisk:
    """A file system of a few megabytes, filled to the last byte."""

    def __init__(self, folder) -> None:
        self.file = folder / "filler"

    def fail(self):
        with self.file.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def mend(self):
        self.file.unlink()


async def watched_day(folder, disk):
    """The disk is mended while somebody reads an old state of the file, and goes on when they are done."""
    async with opened(folder) as counter:
        await stocked(counter)
        await sell(counter, ["before"])
        reader = sqlite3.connect(f"file:{counter.path}?mode=ro", uri=True, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM journal").fetchone()
        disk.fail()
        during = await sell(counter, ["during"])
        disk.mend()
        for _ in range(TRIES_MAX):
            watched = await sell(counter, ["watched"])
            trouble = counter.writer.trouble
            if trouble is None or "somebody reads" in trouble:
                break
        reader.close()
        after = await sell_at_last(counter, "after")
    outcomes = [type(each).__name__ for each in [*during, *watched, *after]]
    return {"outcomes": outcomes, "trouble": trouble, "sound": counter.verdict().is_sound}


async def ballast_day(folder, disk):
    """The disk is full and nobody mends it: what was kept for this is given back, and the books can move again."""
    (folder / "ballast").write_bytes(bytes(BALLAST_BYTES))
    async with opened(folder) as counter:
        await stocked(counter)
        disk.fail()
        during = await sell(counter, ["during"])
        after = await sell_at_last(counter, "after")
    outcomes = [type(each).__name__ for each in [*during, *after]]
    return {"outcomes": outcomes, "ballast": (folder / "ballast").exists(), "sound": counter.verdict().is_sound}


async def price_day(folder, disk):
    """A new price and a sale at it are lost together; the price that comes instead is the one that counts."""

    def priced(price):
        return lambda connection: catalogue.change(connection, [replace(APPLES, unit_price=price)])

    async with opened(folder) as counter:
        await stocked(counter)
        before = await counter.done(sale("before", line("apple")))
        disk.fail()
        change = counter.writer.post(priced(99_900))
        lost = [*await sell(counter, ["lost"]), *await asyncio.gather(change, return_exceptions=True)]
        disk.mend()
        for _ in range(TRIES_MAX):
            with suppress(NotDurableError):
                version = await counter.writer.run(priced(300))
                break
        after = await counter.done(sale("after", line("apple")))
    totals = [before.body["total"], after.body["total"]]
    return {"lost": [type(each).__name__ for each in lost], "version": version, "totals": totals}


async def sell(counter, names):
    """Sell under each name at once; what became of each."""
    commands = [sale(name, line("apple"), line("water")) for name in names]
    return await asyncio.gather(*map(counter.desk.submit, commands), return_exceptions=True)


async def sell_at_last(counter, name):
    """Ask again and again, as a till does."""
    for _ in range(TRIES_MAX):
        outcomes = await sell(counter, [name])
        if isinstance(outcomes[0], Done):
            break
    return outcomes


async def day(folder, disk):
    """Sell, fail, mend, ask again, and look at what stands."""
    async with opened(folder) as counter:
        await stocked(counter)
        heard = {}

        def hear(names, outcomes):
            heard.update({n: body_text(o.body) for n, o in zip(names, outcomes, strict=True) if isinstance(o, Done)})

        before = [f"before-{number}" for number in range(20)]
        hear(before, await sell(counter, before))
        disk.fail()
        during = [f"during-{number}" for number in range(10)]
        failed = await sell(counter, during)
        hear(during, failed)
        later = await sell(counter, ["later-1"]) + await sell(counter, ["later-2"])
        trouble = counter.writer.trouble
        disk.mend()
        await sell_at_last(counter, "mended")
        again = await sell(counter, during)
        hear(during, again)
        after = [f"after-{number}" for number in range(20)]
        hear(after, await sell(counter, after))
        stands = {each["id"]: body_text(each) for each in await documents.documents(counter.reader, limit=1000)}
    verdict = counter.verdict()
    return {
        "failed": [type(each).__name__ for each in failed],
        "later": [type(each).__name__ for each in later],
        "not_durable": all(isinstance(each, NotDurableError) for each in [*failed, *later]),
        "trouble": trouble,
        "trouble_after": counter.writer.trouble,
        "again": [type(each).__name__ for each in again],
        "heard": len(heard),
        "lost": sorted(name for name, text in heard.items() if stands.get(name) != text),
        "documents": len(stands),
        "sound": verdict.is_sound,
        "breaches": [each.text for each in verdict.found],
        "last_numbers": verdict.tally.last_numbers,
    }


DAYS = {"day": day, "watched": watched_day, "ballast": ballast_day, "prices": price_day}


def main():
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    disk = {"armed": ArmedDisk, "small": SmallFiles, "full": lambda: FullDisk(folder)}[kind]()
    print(json.dumps(asyncio.run(DAYS[sys.argv[-1]](folder, disk))))


if __name__ == "__main__":
    main()
