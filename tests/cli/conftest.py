"""One stopped store for the tests that only look at it, one running gateway for the tests that ask it."""

import pytest

from tests.cli.shell import CATALOGUE, Store


@pytest.fixture
def store(tmp_path):
    """A store that never ran."""
    return Store(tmp_path)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A store with one product whose gateway runs; `store.ready` is its ready line."""
    store = Store(tmp_path_factory.mktemp("running"))
    with store.run() as process:
        store.ready = process.ready
        store.pid = process.pid
        (store.folder / "products.csv").write_text(CATALOGUE, encoding="utf-8")
        assert store("catalogue", "import", store.folder / "products.csv").status == 0
        yield store
        assert process.stop() == 0
