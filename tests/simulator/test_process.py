import asyncio

import pytest

from gateway.simulator.process import Process, ProcessError, answer, run
from gateway.simulator.stage import until


async def test_a_program_that_does_not_start_leaves_its_last_words(tmp_path):
    process = Process("gateway", ["run", "--config", str(tmp_path / "nowhere.toml")], tmp_path / "log")
    async with asyncio.TaskGroup() as tasks:
        with pytest.raises(ProcessError, match=r"(?s)did not become ready:.*nowhere\.toml"):
            await process.start(tasks)
    assert process.pid == 0


async def test_a_command_answers_with_its_json_or_with_its_complaint(tmp_path):
    status, output, _ = await run("check-config", str(tmp_path / "nowhere.toml"), "--json")
    assert status == 1
    assert "nowhere.toml" in output
    with pytest.raises(ProcessError, match="exit status 1"):
        await answer("check-config", str(tmp_path / "nowhere.toml"), "--json")


async def test_waiting_for_what_never_happens_ends():
    with pytest.raises(ProcessError, match="waited 0 s for a miracle"):
        await until(lambda: False, "a miracle", seconds=0.01)


async def test_waiting_ends_when_it_is_so():
    asked = iter([False, False, True])

    async def is_so():
        return next(asked)

    await until(is_so, "the third time", seconds=5, pause_s=0)
