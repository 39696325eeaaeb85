from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.chain import START
from gateway.ledger.facts import Row
from gateway.sync import codec, plan
from gateway.sync.plan import Bounds, Pace, Sent

PACES = st.builds(
    Pace,
    rate=st.floats(plan.RATE_MIN, plan.RATE_MAX),
    rho=st.floats(plan.RHO_MIN, 1.0),
    row_bytes=st.floats(30, 100_000),
    round_trip_s=st.floats(0, 5),
)
BOUNDS = st.builds(
    Bounds,
    chunk_bytes_max=st.integers(2_000, 10_000_000),
    chunk_rows_max=st.integers(1, 5_000),
    chunk_seconds=st.floats(0.1, 60),
    rate_max=st.one_of(st.just(0.0), st.floats(1_000, 1e6)),
)
SENT = st.builds(
    Sent,
    rows=st.integers(1, 2_000),
    plain_bytes=st.integers(30, 10_000_000),
    wire_bytes=st.integers(50, 10_000_000),
    seconds=st.floats(0, 500),
    was_full=st.booleans(),
)


def rows_of(sizes):
    return [Row(seq, 0, "stock_moved", "x" * size, START, START) for seq, size in enumerate(sizes, 1)]


@given(PACES, BOUNDS, st.lists(st.integers(1, 5_000), min_size=1, max_size=50))
def test_a_chunk_keeps_to_its_bounds_and_is_never_empty(pace, bounds, sizes):
    rows = rows_of(sizes)
    taken = plan.rows_taken(rows, pace, bounds)
    assert 1 <= taken <= min(len(rows), bounds.chunk_rows_max)
    if taken > 1:
        assert sum(map(codec.plain_size, rows[:taken])) <= plan.plain_bytes_wanted(pace, bounds)
    assert 2_000 <= plan.plain_bytes_wanted(pace, bounds) <= bounds.chunk_bytes_max
    assert 1 <= plan.rows_wanted(pace, bounds) <= bounds.chunk_rows_max


def test_a_row_larger_than_any_chunk_goes_alone():
    assert plan.rows_taken(rows_of([5_000_000, 10]), Pace(), Bounds()) == 1


@given(PACES, st.lists(SENT, min_size=1, max_size=20), BOUNDS)
def test_whatever_was_measured_the_pace_stays_usable(pace, sent, bounds):
    for each in sent:
        before, pace = pace, plan.acknowledged(pace, each, bounds)
        assert pace.rate <= 2 * before.rate
        assert 0 < pace.rho <= 1
        assert pace.row_bytes > 0
        assert not bounds.rate_max or pace.rate <= bounds.rate_max
    assert plan.eta_s(1_000, pace, bounds) >= 1


def drained(line_rate, round_trip_s, chunks, bounds=None):
    """The pace after so many full chunks over a line of so many bytes per second."""
    bounds = bounds or Bounds()
    pace = plan.answered(Pace(), round_trip_s)
    for _ in range(chunks):
        plain = plan.plain_bytes_wanted(pace, bounds)
        wire = int(plain * 0.1)
        pace = plan.acknowledged(pace, Sent(10, plain, wire, wire / line_rate + round_trip_s, was_full=True), bounds)
    return pace


def test_a_fast_line_is_found_within_a_dozen_chunks_although_its_answers_are_late():
    assert drained(250_000, 0.3, 12).rate > 200_000


def test_a_slow_line_is_not_overrun():
    assert drained(8_000, 0.6, 12).rate < 12_000


def test_the_first_chunks_are_small():
    assert plan.plain_bytes_wanted(Pace(), Bounds()) <= 100_000


def test_a_single_sale_says_nothing_about_the_rate():
    sent = Sent(1, 1_500, 700, 5.0, was_full=False)
    assert plan.acknowledged(Pace(), sent, Bounds()).rate == plan.RATE_START


def test_the_settings_limit_holds_on_average():
    assert plan.pause_s(10_000, 0.25, Bounds(rate_max=8_000)) == 1.0
    assert plan.pause_s(10_000, 3.0, Bounds(rate_max=8_000)) == 0
    assert plan.pause_s(10_000, 0.25, Bounds()) == 0


def test_the_time_left_follows_rows_rate_and_round_trips():
    pace = Pace(rate=10_000, rho=0.1, row_bytes=1_000, round_trip_s=0)
    assert plan.eta_s(0, pace, Bounds()) == 0
    assert plan.eta_s(1_000, pace, Bounds()) == 11
    assert plan.eta_s(1_000, plan.answered(pace, 1.0), Bounds()) > 15


def test_a_line_that_came_back_is_taken_carefully():
    pace = plan.new_line(Pace(rate=100_000, round_trip_s=0.3))
    assert (pace.rate, pace.round_trip_s) == (50_000, 0)
