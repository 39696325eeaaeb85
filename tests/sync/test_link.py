import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sync import link
from gateway.sync.link import Line, Lost, Reached, State, SwitchedOff, SwitchedOn

OFFLINE, CATCHING_UP, ONLINE, OFF = State.OFFLINE, State.CATCHING_UP, State.ONLINE, State.WORKING_OFFLINE

TABLE = [
    # before        event                              after
    (OFFLINE,       Reached(9, 0, 0),                  ONLINE),
    (OFFLINE,       Reached(9, 1, 0),                  CATCHING_UP),
    (OFFLINE,       Lost(9),                           OFFLINE),
    (OFFLINE,       SwitchedOff(9, None),              OFF),
    (OFFLINE,       SwitchedOn(9),                     OFFLINE),
    (CATCHING_UP,   Reached(9, 51, 0),                 CATCHING_UP),
    (CATCHING_UP,   Reached(9, 1, 10_001),             CATCHING_UP),
    (CATCHING_UP,   Reached(9, 3, 100),                ONLINE),
    (CATCHING_UP,   Lost(9),                           OFFLINE),
    (CATCHING_UP,   SwitchedOff(9, None),              OFF),
    (ONLINE,        Reached(9, 1, 0),                  ONLINE),
    (ONLINE,        Reached(9, 51, 0),                 CATCHING_UP),
    (ONLINE,        Reached(9, 1, 10_001),             CATCHING_UP),
    (ONLINE,        Lost(9),                           OFFLINE),
    (ONLINE,        SwitchedOff(9, 99),                OFF),
    (OFF,           Reached(9, 0, 0),                  OFF),
    (OFF,           Lost(9),                           OFF),
    (OFF,           SwitchedOff(9, 99),                OFF),
    (OFF,           SwitchedOn(9),                     OFFLINE),
    (State.NONE,    Reached(9, 0, 0),                  State.NONE),
    (State.NONE,    SwitchedOff(9, None),              State.NONE),
]  # fmt: skip


@pytest.mark.parametrize(("before", "event", "after"), TABLE)
def test_the_line_turns_as_the_table_says(before, event, after):
    line = link.step(Line(before, 5), event)
    assert line.state is after
    assert line.since_ms == (5 if after is before else 9)


def test_fruitless_lines_are_counted_until_one_was_useful():
    line = link.begin(1, has_office=True)
    for expected in (1, 2, 3):
        line = link.step(link.step(line, Reached(2, 5, 0)), Lost(3))
        assert line.failures == expected
    assert link.step(link.step(line, Reached(4, 0, 0)), Lost(5, was_useful=True)).failures == 1


def test_working_offline_ends_when_its_time_has_come():
    line = link.step(Line(ONLINE, 1), SwitchedOff(2, 100))
    assert not link.is_due(line, 99)
    assert link.is_due(line, 100)
    assert not link.is_due(link.step(line, SwitchedOff(3, None)), 10**15)
    assert not link.is_due(Line(ONLINE, 1), 100)


@given(st.integers(1, 200), st.floats(0, 1))
def test_a_pause_doubles_up_to_its_end_and_keeps_at_least_half(failures, jitter):
    whole = min(200 * 2 ** min(failures - 1, 30), 15_000)
    assert whole / 2 <= link.retry_ms(failures, 200, 15_000, jitter) <= whole


def test_without_a_head_office_there_is_no_line():
    assert link.begin(7, has_office=False) == Line(State.NONE, 7)
