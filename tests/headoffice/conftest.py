import pytest

from tests.sync.offices import open_office


@pytest.fixture
async def office(tmp_path):
    async with open_office(tmp_path / "office") as opened:
        yield opened
