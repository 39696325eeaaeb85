import pytest_asyncio

from tests.authority.counter import opened, stocked


@pytest_asyncio.fixture
async def counter(tmp_path):
    """A shop that may sell a million apples."""
    async with opened(tmp_path) as opened_counter:
        await stocked(opened_counter)
        yield opened_counter
