"""The tills of a benchmark, in a process of their own: `python -m tests.bench.load` with an `Order` as JSON on stdin.

Each till keeps one connection and one request in the air, and asks again as soon as it is answered. Requests are
bytes made beforehand, so that this process takes as little of the shared cores as Python can; how much it took is
reported. What it says is one JSON line.
"""

import gc
import json
import random
import resource
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.bench import sales

ANSWER_S_MAX = 20
"""A till that waits longer than this ends the run: something is wrong."""


@dataclass
class Order:
    """What to do: `run` must be new for each order, for it is part of every document id."""

    port: int
    tokens: list[str]
    tills: int
    warm_s: float
    measure_s: float
    run: int
    seed: int
    answers: str = ""
    """File that gets a line `id number` for each answer, also those of the warm-up; empty: none."""


@dataclass
class Outcome:
    """What the tills saw. Times in milliseconds."""

    answered: int
    seconds: float
    per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    generator_cpu: float
    """Share of one core that this process took."""
    others: dict[str, int] = field(default_factory=dict)
    """Answers other than 201, by status."""


class Till:
    """One connection with at most one request in the air."""

    __slots__ = ("asked", "document", "heard", "socket", "tails", "turn")

    def __init__(self, port, tails, turn):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tails = tails
        self.turn = turn
        self.heard = b""
        self.asked = 0.0
        self.document = ""

    def ask(self, document):
        self.document = document
        self.turn += 1
        request = b"PUT /v1/documents/" + document.encode() + self.tails[self.turn % len(self.tails)]
        self.asked = time.perf_counter()
        self.socket.sendall(request)

    def answer(self):
        """The whole answer, or None while a part of it is under way."""
        got = self.socket.recv(65_536)
        if not got:
            raise ConnectionError("the server closed a till's connection")
        self.heard += got
        head_bytes = self.heard.find(b"\r\n\r\n") + 4
        if head_bytes < 4:
            return None
        start = self.heard.index(b"ontent-Length: ") + 15
        if len(self.heard) < head_bytes + int(self.heard[start : self.heard.index(b"\r", start)]):
            return None
        whole, self.heard = self.heard, b""
        return whole


def number_of(answer):
    """The document's number in an answer; 0 when there is none."""
    start = answer.find(b'"number":') + 9
    return int(answer[start : answer.index(b",", start)]) if start >= 9 else 0


def connected(order):
    """The tills, each with its own token and its own order of baskets."""
    generator = random.Random(order.seed)
    bodies = sales.bodies(generator)
    tills = []
    for position in range(order.tills):
        token = order.tokens[position % len(order.tokens)]
        tails = [sales.tail_of(body, token) for body in bodies]
        generator.shuffle(tails)
        tills.append(Till(order.port, tails, position))
    return tills


def drive(order):  # noqa: C901 - one tight loop: every call in it would be on the other side's bill
    """Warm up, measure, let every till hear its last answer."""
    tills = connected(order)
    by_descriptor = {till.socket.fileno(): till for till in tills}
    poll = select.epoll()
    for descriptor in by_descriptor:
        poll.register(descriptor, select.EPOLLIN)
    took, others, answers = [], {}, []
    asked = 0

    def ask(till):
        nonlocal asked
        asked += 1
        till.ask(f"{order.run:08x}-0000-7000-8000-{asked:012x}")

    gc.collect()
    gc.freeze()
    gc.disable()
    begin = time.perf_counter() + order.warm_s
    end = begin + order.measure_s
    measured_from, cpu_from, counting = 0.0, 0.0, False
    for till in tills:
        ask(till)
    waiting = len(tills)
    while waiting:
        ready = poll.poll(ANSWER_S_MAX)
        if not ready:
            raise TimeoutError(f"no answer within {ANSWER_S_MAX} s")
        for descriptor, _ in ready:
            till = by_descriptor[descriptor]
            answer = till.answer()
            if answer is None:
                continue
            now = time.perf_counter()
            if not answer.startswith(b"HTTP/1.1 201"):
                status = answer[9:12].decode()
                others[status] = others.get(status, 0) + 1
            answers.append((till.document, number_of(answer)))
            if counting:
                took.append(now - till.asked)
            if now < end:
                ask(till)
            else:
                waiting -= 1
            if not counting and now >= begin:
                counting, measured_from, cpu_from = True, now, _cpu_s()
    seconds = time.perf_counter() - measured_from
    cpu = (_cpu_s() - cpu_from) / seconds
    if order.answers:
        with Path(order.answers).open("a", encoding="ascii") as file:
            file.writelines(f"{document} {number}\n" for document, number in answers)
    took.sort()
    return Outcome(
        answered=len(took),
        seconds=round(seconds, 3),
        per_s=round(len(took) / seconds, 1),
        p50_ms=round(took[len(took) // 2] * 1000, 4),
        p99_ms=round(took[len(took) * 99 // 100] * 1000, 4),
        max_ms=round(took[-1] * 1000, 4),
        generator_cpu=round(cpu, 3),
        others=others,
    )


def _cpu_s():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(json.dumps(asdict(drive(Order(**json.load(sys.stdin))))))
