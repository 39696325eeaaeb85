import pytest

from gateway.storage.writer import Writer


@pytest.fixture
def path(tmp_path):
    return tmp_path / "books.sqlite3"


@pytest.fixture
def writer(path):
    path.with_name("ballast").touch()  # eight megabytes for each test are too many
    opened = Writer(path)
    opened.open()
    yield opened
    opened.close()
