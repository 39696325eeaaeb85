"""The table of what can happen between a job and a printer, case by case: events in, commands out."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.devices.drivers.escpos_dialogue import Claim, Dialogue, Patience, Report, Seen, Send, Task
from gateway.devices.drivers.escpos_replies import ASK_STATUS, Completed, Passed, RealTime, Replies, status_of
from gateway.devices.jobs import Happening

PATIENCE = Patience(status_s=2.0, barrier_s=20.0, poll_s=1.0, silence_s=10.0)
WELL = b"\x12\x12\x12"
NO_PAPER = b"\x1a\x32\x7e"
COVER_OPEN = b"\x1a\x16\x12"
OFFLINE = b"\x1a\x12\x12"
BROKEN = b"\x1a\x52\x12"
BARRIER = b"\x37\x22abcd\x00"
RECEIPT = Task(payload=b"paper", barrier=b"<H>", letters=b"abcd")
BY_ORDER = Task(payload=b"paper", barrier=b"<r>")
UNPROVEN = Task(payload=b"paper", barrier=b"")
MUTE = Task(payload=b"paper", barrier=b"<r>", asks_status=False)
KICK = Task(payload=b"pulse", barrier=b"<H>", letters=b"abcd", urgent=b"<urgent>")
ASK = Send(ASK_STATUS)


def seen(answers):
    return Seen(status_of(*answers))


class Play:
    """A dialogue and the clock beside it."""

    def __init__(self, task=RECEIPT):
        self.talk = Dialogue(task, PATIENCE)
        self.now = 100.0
        self.first = self.talk.begin(self.now)

    def hears(self, data, after=0.0):
        self.now += after
        return self.talk.received(data, self.now)

    def waits(self, seconds):
        self.now += seconds
        return self.talk.tick(self.now)

    def claimed(self, *, granted=True, connected=True):
        return self.talk.claimed(self.now, granted=granted, connected=connected)

    def to_sent(self):
        """Through the first status and the claim."""
        if self.first == [ASK]:
            assert self.hears(WELL) == [seen(WELL), Claim()]
        assert self.claimed()
        return self


def test_a_healthy_printer_is_asked_then_sent_to_then_believed():
    play = Play()
    assert play.first == [ASK]
    assert play.hears(WELL) == [seen(WELL), Claim()]
    assert play.claimed() == [Send(b"paper<H>")]
    assert play.hears(BARRIER, after=0.003) == [Report(Happening.CONFIRMED)]
    assert play.talk.is_over


def test_bytes_may_come_one_at_a_time():
    play = Play()
    assert [command for byte in WELL for command in play.hears(bytes([byte]))] == [seen(WELL), Claim()]
    play.claimed()
    assert [command for byte in BARRIER for command in play.hears(bytes([byte]))] == [Report(Happening.CONFIRMED)]


def test_nothing_is_sent_to_a_printer_that_says_it_cannot_print():
    for answers, why in (
        (NO_PAPER, "paper_out"),
        (COVER_OPEN, "cover_open"),
        (OFFLINE, "offline"),
        (BROKEN, "printer_error"),
    ):
        play = Play()
        assert play.hears(answers) == [seen(answers), Report(Happening.WAITS, why)]
        assert play.talk.is_over


def test_nothing_is_sent_to_a_printer_that_does_not_answer():
    play = Play()
    assert play.waits(1.9) == []
    assert play.waits(0.2) == [Report(Happening.WAITS, "offline")]
    assert Play().talk.lost() == [Report(Happening.WAITS, "offline")]


def test_a_job_that_is_no_longer_ours_is_not_sent():
    play = Play()
    play.hears(WELL)
    assert play.claimed(granted=False) == []
    assert play.talk.is_over


def test_a_connection_that_broke_before_the_first_byte_leaves_the_job_in_the_queue():
    play = Play()
    play.hears(WELL)
    assert play.claimed(connected=False) == [Report(Happening.UNSENT, "offline")]


def test_a_connection_that_breaks_after_the_first_byte_leaves_an_unknown():
    assert Play().to_sent().talk.lost() == [Report(Happening.LOST, "connection_lost")]


def test_without_paper_after_sending_the_job_is_held_and_its_late_barrier_counts():
    play = Play().to_sent()
    assert play.waits(1.0) == [ASK]
    assert play.hears(NO_PAPER) == [seen(NO_PAPER), Report(Happening.STALLED, "paper_out")]
    assert play.talk.is_stalled
    for _ in range(500):
        assert play.waits(1.0) == [ASK]
        assert play.hears(NO_PAPER) == [seen(NO_PAPER)]
    assert play.waits(1.0) == [ASK]
    assert play.hears(WELL) == [seen(WELL)]
    assert not play.talk.is_stalled
    assert play.hears(BARRIER, after=3.0) == [Report(Happening.CONFIRMED)]


def test_a_barrier_that_comes_before_the_printer_is_asked_again_counts_too():
    play = Play().to_sent()
    play.waits(1.0)
    play.hears(NO_PAPER)
    assert play.hears(BARRIER, after=60.0) == [Report(Happening.CONFIRMED)]


def test_a_held_job_tells_when_the_reason_changes():
    play = Play().to_sent()
    play.waits(1.0)
    play.hears(NO_PAPER)
    play.waits(1.0)
    assert play.hears(COVER_OPEN) == [seen(COVER_OPEN), Report(Happening.STALLED, "cover_open")]


def test_a_held_job_whose_connection_breaks_is_unknown():
    play = Play().to_sent()
    play.waits(1.0)
    play.hears(NO_PAPER)
    assert play.talk.lost() == [Report(Happening.LOST, "connection_lost")]


def test_a_printer_that_is_well_and_gives_no_barrier_leaves_an_unknown():
    play = Play().to_sent()
    for _ in range(19):
        assert play.waits(1.0) == [ASK]
        assert play.hears(WELL) == [seen(WELL)]
    assert play.waits(1.0) == [Report(Happening.LOST, "no_barrier")]


def test_after_a_new_roll_the_barrier_has_its_whole_time_again():
    play = Play().to_sent()
    play.waits(1.0)
    play.hears(NO_PAPER, after=30.0)
    play.waits(1.0)
    play.hears(WELL)
    for _ in range(19):
        play.waits(1.0)
        assert play.hears(WELL) == [seen(WELL)]
    assert play.waits(1.0) == [Report(Happening.LOST, "no_barrier")]


def test_a_printer_that_falls_silent_leaves_an_unknown():
    play = Play().to_sent()
    assert play.waits(1.0) == [ASK]
    assert play.waits(8.9) == []
    assert play.waits(0.2) == [Report(Happening.LOST, "silent")]


def test_another_jobs_barrier_is_not_ours():
    play = Play().to_sent()
    assert play.hears(b"\x37\x22zzzz\x00\x00") == []
    assert play.hears(BARRIER) == [Report(Happening.CONFIRMED)]


def test_a_barrier_before_anything_was_sent_is_not_believed():
    play = Play()
    assert play.hears(BARRIER) == []
    assert play.hears(WELL) == [seen(WELL), Claim()]


def test_a_printer_without_letters_is_believed_by_order():
    play = Play(BY_ORDER).to_sent()
    assert play.hears(BARRIER) == []
    assert play.hears(b"\x00") == [Report(Happening.CONFIRMED)]


def test_a_printer_without_barrier_is_believed_when_it_is_well_afterwards_and_says_that_it_is_unproven():
    play = Play(UNPROVEN).to_sent()
    play.waits(1.0)
    assert play.hears(NO_PAPER) == [seen(NO_PAPER), Report(Happening.STALLED, "paper_out")]
    play.waits(1.0)
    assert play.hears(WELL) == [seen(WELL), Report(Happening.CONFIRMED, "unconfirmed")]


def test_a_printer_without_status_is_sent_to_at_once_and_its_barrier_decides():
    play = Play(MUTE)
    assert play.first == [Claim()]
    assert play.claimed() == [Send(b"paper<r>")]
    assert play.waits(19.0) == []
    assert play.hears(b"\x00") == [Report(Happening.CONFIRMED)]
    other = Play(MUTE).to_sent()
    assert other.waits(20.0) == [Report(Happening.LOST, "no_barrier")]


def test_a_drawer_opens_without_paper_by_its_real_time_pulse_and_the_next_answer_proves_it():
    play = Play(KICK)
    assert play.hears(NO_PAPER) == [seen(NO_PAPER), Claim()]
    assert play.claimed() == [Send(b"<urgent>"), ASK]
    assert play.hears(NO_PAPER) == [seen(NO_PAPER), Report(Happening.CONFIRMED)]


def test_a_drawer_of_a_healthy_printer_opens_in_order():
    play = Play(KICK)
    assert play.hears(WELL) == [seen(WELL), Claim()]
    assert play.claimed() == [Send(b"pulse<H>")]
    assert play.hears(BARRIER) == [Report(Happening.CONFIRMED)]


events = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([WELL, NO_PAPER, COVER_OPEN, BARRIER, b"\x00", "lost"]),
    st.floats(0.01, 25.0),
)


@given(st.sampled_from([RECEIPT, BY_ORDER, UNPROVEN, MUTE, KICK]), st.lists(events, max_size=40), st.booleans())
def test_whatever_comes_a_job_is_sent_at_most_once_and_ends_at_most_once(task, script, granted):
    play = Play(task)
    done = list(play.first)
    for event in script:
        if play.talk.is_over:
            break
        if done and done[-1] == Claim():
            done += play.claimed(granted=granted)
        elif event == "lost":
            done += play.talk.lost()
        elif isinstance(event, float):
            done += play.waits(event)
        else:
            done += play.hears(event)
    sent = [command for command in done if isinstance(command, Send) and command != ASK]
    assert len(sent) <= 1
    assert done.count(Claim()) <= 1
    ends = [command for command in done if isinstance(command, Report) and command.happening != Happening.STALLED]
    assert len(ends) <= 1
    if sent:
        assert not {each.happening for each in ends} & {Happening.WAITS, Happening.UNSENT}
    else:
        assert not {each.happening for each in ends} & {Happening.CONFIRMED, Happening.LOST, Happening.STALLED}


@given(st.lists(st.binary(max_size=9), max_size=20))
def test_replies_do_not_depend_on_how_the_stream_was_cut(chunks):
    whole, pieces = Replies(), Replies()
    assert whole.feed(b"".join(chunks)) == [reply for chunk in chunks for reply in pieces.feed(chunk)]


def test_automatic_status_is_told_apart_from_everything_else():
    stream = b"\x14\x00\x00\x0f" + b"\x12" + b"\x37\x2212\x16\x12\x00" + b"\x0c" + b"\x37\xff"
    assert Replies().feed(stream) == [RealTime(0x12), Completed(b"12\x16\x12"), Passed(0x0C)]
