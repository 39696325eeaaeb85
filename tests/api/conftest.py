import pytest

from tests.api.store import open_store


@pytest.fixture
async def store(tmp_path):
    async with open_store(tmp_path) as opened:
        yield opened
