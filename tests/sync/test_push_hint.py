"""Under load the journal is read ahead of what the desk has said: that is no fork."""

import dataclasses

from gateway.sync.backlog import Backlog
from gateway.sync.plan import Bounds
from gateway.sync.push import Push
from tests.sync.offices import as_held
from tests.sync.pushing import push_line


class LateDesk:
    """A desk whose news come late, as when its thread waits for its turn; the rows are in the journal already."""

    def __init__(self, desk, late):
        self._desk = desk
        self._late = late

    @property
    def seq(self):
        return max(self._desk.seq - self._late, 0)

    def __getattr__(self, name):
        return getattr(self._desk, name)


async def test_rows_that_are_in_the_journal_before_the_desk_says_so_are_no_fork(office, shop):
    token = office.add_store()
    await shop.sell(5)
    await push_line(shop, office.url, token)
    late = dataclasses.replace(shop.store, desk=LateDesk(shop.store.desk, 3))
    async with shop.uplink(office.url, token) as uplink:
        standing = await Push(late, uplink, Backlog(late), Bounds()).meet()
    assert standing.next == shop.store.desk.seq + 1
    assert await shop.lock() is None
    assert await office.rows() == as_held(await shop.rows())
