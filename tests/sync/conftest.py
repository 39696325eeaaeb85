import pytest

from tests.sync.offices import open_office
from tests.sync.shop import open_shop


@pytest.fixture
async def office(tmp_path):
    async with open_office(tmp_path / "office") as opened:
        yield opened


@pytest.fixture
async def shop(tmp_path):
    async with open_shop(tmp_path / "shop") as opened:
        yield opened
