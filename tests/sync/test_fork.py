from gateway.ledger.chain import START, next_row
from gateway.sync import fork
from gateway.sync.fork import Own
from gateway.sync.protocol import Standing

FIRST = next_row(None, 1, "books_opened", {"store": "store-1"})
SECOND = next_row(FIRST, 2, "stock_moved", {})
OTHER = next_row(FIRST, 2, "stock_moved", {"other": 1})


def standing(following, row_hash, epoch="abc"):
    return Standing(next=following, hash=row_hash.hex(), epoch=epoch, session=1)


def test_a_prefix_of_the_own_history_is_no_fork():
    assert fork.divergence(standing(1, START, None), Own("abc", 2, None)) is None
    assert fork.divergence(standing(2, FIRST.hash), Own("abc", 2, FIRST)) is None
    assert fork.divergence(standing(3, SECOND.hash), Own("abc", 2, SECOND)) is None


def test_more_rows_than_the_own_is_a_fork():
    assert "they end at row 2" in fork.divergence(standing(4, b"\1" * 32), Own("abc", 2, None))


def test_another_row_in_the_same_place_is_a_fork():
    assert "row 2 is not the one" in fork.divergence(standing(3, OTHER.hash), Own("abc", 2, SECOND))
    assert "row 0 is not the one" in fork.divergence(standing(1, b"\1" * 32, None), Own("abc", 2, None))


def test_another_epoch_is_a_fork_although_the_rows_are_the_same():
    assert "another copy" in fork.divergence(standing(3, SECOND.hash, "xyz"), Own("abc", 2, SECOND))


def test_the_same_answer_is_the_same_evidence():
    assert fork.evidence(standing(3, OTHER.hash)) == fork.evidence(standing(3, OTHER.hash))
    assert fork.evidence(standing(3, OTHER.hash)) != fork.evidence(standing(4, OTHER.hash))
