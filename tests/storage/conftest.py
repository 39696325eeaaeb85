import pytest

from gateway.storage.writer import Writer


@pytest.fixture
def path(tmp_path):
    return tmp_path / "books.sqlite3"


@pytest.fixture
def writer(path):
    opened = Writer(path)
    opened.open()
    yield opened
    opened.close()
