import pytest

from gateway.devices import jobs
from gateway.devices.jobs import ENDS, LIFE, Happening, State

NOW = 1_795_278_031_118


def test_nothing_follows_an_end():
    assert not [state for state, _ in LIFE if state in ENDS]


def test_every_state_that_is_no_end_leads_somewhere_and_every_state_is_reached():
    assert {state for state, _ in LIFE} == set(State) - ENDS
    assert set(LIFE.values()) == set(State) - {State.ACCEPTED}


def test_a_happening_leads_to_one_state_wherever_it_happens():
    for happening in Happening:
        assert {jobs.after(state, happening) for state in jobs.sources(happening)} == {jobs.target(happening)}


def test_what_was_sent_goes_back_to_the_queue_only_when_no_byte_had_left():
    back = {what for (state, what), to in LIFE.items() if to is State.QUEUED and state is not State.QUEUED}
    assert back == {Happening.TAKEN_IN, Happening.UNSENT}


def test_an_unknown_job_is_decided_by_a_person_only():
    assert {what for state, what in LIFE if state is State.UNKNOWN} == {Happening.SAID_PRINTED, Happening.COPIED}


def test_what_is_not_in_the_table_cannot_happen():
    assert jobs.after(State.DONE, Happening.LOST) is None
    assert jobs.after(State.HELD, Happening.CANCELLED) is None


@pytest.mark.parametrize(
    ("allowed_ms", "age_ms", "waited", "late_at"),
    [
        (None, 0, False, None),
        (None, 99_999, True, None),
        (5_000, 0, False, NOW + 5_001),
        (5_000, 4_000, False, NOW + 1_001),
        (5_000, 6_000, False, NOW),
        (5_000, 0, True, NOW),
        (-1, 0, False, NOW),
    ],
)
def test_a_deadline_counts_from_arrival_by_the_gateways_clock_alone(allowed_ms, age_ms, waited, late_at):
    due = jobs.due_at(NOW, allowed_ms, age_ms, waited=waited)
    if late_at is None:
        assert not jobs.is_late(NOW * 2, due)
    else:
        assert jobs.is_late(late_at, due)
        assert late_at == NOW or not jobs.is_late(late_at - 1, due)
