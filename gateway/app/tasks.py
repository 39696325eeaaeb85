"""The daemon's tasks: they live as long as a block, and one that fails for good ends it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any


class Tasks:
    """A task group that ends its tasks when the block is left."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: list[asyncio.Task[None]] = []

    def create_task(self, work: Coroutine[Any, Any, None], *, name: str) -> "asyncio.Task[None]":
        """Start a task of the group."""
        task: asyncio.Task[None] = self._group.create_task(work, name=name)
        self._tasks.append(task)
        return task

    def cancel(self) -> None:
        """End them all."""
        for task in self._tasks:
            task.cancel()


@contextlib.asynccontextmanager
async def tasks() -> AsyncIterator[Tasks]:
    """Tasks for the length of a block. What the block raises leaves as it is; what a task raises ends the block."""
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        running = Tasks(group)
        try:
            yield running
        except Exception as error:  # noqa: BLE001 - raised again below, outside the group
            failure = error
        finally:
            running.cancel()
    if failure is not None:
        raise failure
