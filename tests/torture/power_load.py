"""The workload of the power-cut rig: the real desk over the real writer, selling, with a promise for each answer.

`python -m tests.torture.power_load DIR SYNCHRONOUS COUNT` prints `ACK {"id", "number", "answer"}` (SHA-256 of the
answer) as soon as a till would have heard it.
"""

import asyncio
import hashlib
import json
import random
import sys
from pathlib import Path

from gateway.authority.opening import books_path, open_desk
from gateway.clock import SystemClock
from gateway.ledger.amounts import Milli, Minor
from gateway.ledger.commands import DocumentType, IssueDocument, Line, LoadRange, Payment
from gateway.settings import Settings
from gateway.simulator.baskets import bundled
from gateway.storage.writer import Writer

TILLS = 4


async def main(folder, synchronous, count):
    settings = Settings(store={"country": "honduras"}, storage={"path": Path(folder)}, tills={"allow_unlisted": True})
    writer = Writer(books_path(settings), synchronous=synchronous)
    writer.open()
    desk = await open_desk(settings, writer, SystemClock())
    await desk.submit(LoadRange("range-1", "000-001-01", "CAI", "F00D-1", 1, 99_999, "", "2099-12-31"))
    baskets = iter(bundled()[:count])
    generator = random.Random(count)

    async def till(name):
        for basket in baskets:
            command = sale(basket, name, f"{generator.getrandbits(128):032x}")
            done = await desk.submit(command)
            answer = hashlib.sha256(json.dumps(done.body).encode()).hexdigest()
            print("ACK", json.dumps({"id": command.id, "number": done.body["number"], "answer": answer}), flush=True)

    async with asyncio.TaskGroup() as tills:
        for number in range(TILLS):
            tills.create_task(till(f"till-{number}"))
    writer.close()


def sale(basket, till, document):
    lines = tuple(
        Line(line.sku, Milli(line.quantity), Minor(line.unit_price), Minor(line.discount), line.name, "exempt")
        for line in basket.lines
    )
    payments = (Payment("cash", Minor(basket.total)),)
    digest = hashlib.sha256(document.encode()).digest()
    return IssueDocument(document, digest, till, DocumentType.INVOICE, lines, payments)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
