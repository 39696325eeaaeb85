"""Holds the writing thread inside a work, so that what is posted meanwhile waits together."""

import asyncio
import threading


class Plug:
    """`async with Plug(writer)`: nothing is written before the block ends; counts commits from then on."""

    def __init__(self, writer) -> None:
        self.writer = writer
        self.statements: list[str] = []
        self.begun, self.let_go = threading.Event(), threading.Event()

    def _work(self, connection):
        connection.set_trace_callback(self.statements.append)
        self.begun.set()
        assert self.let_go.wait(10)

    async def __aenter__(self):
        self.future = self.writer.post(self._work)
        assert await asyncio.to_thread(self.begun.wait, 10)
        return self

    async def __aexit__(self, *_):
        self.let_go.set()
        await self.future

    def commits(self) -> int:
        """Transactions since the block began, its own included."""
        return sum(statement.startswith("COMMIT") for statement in self.statements)
