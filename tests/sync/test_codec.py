import contextlib

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger import chain
from gateway.ledger.facts import Row
from gateway.sync import codec
from gateway.sync.codec import FrameError

BODIES = st.dictionaries(
    st.text(max_size=8),
    st.one_of(st.integers(-(2**53), 2**53), st.text(max_size=40), st.none(), st.booleans()),
    max_size=4,
)


@st.composite
def journals(draw, most=8):
    """Rows that follow each other, as they stand in some journal from some row on."""
    first = draw(st.integers(1, 2**40))
    last_hash = chain.START if first == 1 else draw(st.binary(min_size=32, max_size=32))
    rows, at = [], draw(st.integers(0, 2**45))
    for seq in range(first, first + draw(st.integers(1, most))):
        at += draw(st.integers(0, 100_000))
        kind = draw(st.sampled_from(["document_issued", "stock_moved", "something_new"]))
        text = chain.body_text(draw(BODIES))
        row = Row(seq, at, kind, text, last_hash, chain.row_hash(last_hash, seq, at, kind, text))
        rows.append(row)
        last_hash = row.hash
    return rows


def received(frame, rows):
    """What a receiver that holds everything before `rows` makes of a frame."""
    return codec.rows_after(codec.decode(frame), rows[0].seq - 1, rows[0].prev_hash)


@given(journals())
def test_what_is_sent_is_what_is_received(rows):
    assert received(codec.encode(rows), rows) == rows


@given(journals(), st.data())
def test_a_receiver_that_holds_some_of_the_rows_takes_the_others(rows, data):
    held = data.draw(st.integers(0, len(rows) - 1))
    chunk = codec.decode(codec.encode(rows))
    assert codec.rows_after(chunk, rows[held].seq - 1, rows[held].prev_hash) == rows[held:]


@given(journals(), st.data())
@settings(max_examples=300)
def test_a_flipped_bit_is_refused_or_changes_nothing(rows, data):
    frame = bytearray(codec.encode(rows))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with contextlib.suppress(FrameError):
        assert received(bytes(frame), rows) == rows


@given(journals(most=3))
@settings(max_examples=30)
def test_a_frame_cut_anywhere_is_refused(rows):
    frame = codec.encode(rows)
    for end in range(len(frame)):
        with pytest.raises(FrameError):
            codec.decode(frame[:end])


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_reason(noise):
    with pytest.raises(FrameError):
        codec.decode(noise)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=200))
def test_any_head_over_any_rows_is_refused_or_hashes_to_its_end(first, count, plain):
    frame = codec.HEAD.pack(first, count, b"\7" * 32) + codec.pack(plain)
    with pytest.raises(FrameError):
        codec.rows_after(codec.decode(frame), max(first, 1) - 1, chain.START)


@given(journals(), st.binary(min_size=1, max_size=20))
def test_something_after_the_rows_is_refused(rows, tail):
    with pytest.raises(FrameError):
        codec.decode(codec.encode(rows) + tail)


@given(journals(), st.binary(min_size=32, max_size=32))
def test_rows_that_continue_another_history_are_refused(rows, other):
    if other == rows[0].prev_hash:
        return
    with pytest.raises(FrameError, match="do not hash"):
        codec.rows_after(codec.decode(codec.encode(rows)), rows[0].seq - 1, other)


@given(journals(most=3))
def test_a_gap_and_a_duplicate_are_refused(rows):
    chunk = codec.decode(codec.encode(rows))
    for after in (rows[0].seq - 2, rows[-1].seq):
        with pytest.raises(FrameError, match="do not continue"):
            codec.rows_after(chunk, after, rows[0].prev_hash)


def test_rows_with_a_gap_between_them_cannot_be_encoded():
    row = chain.next_row(None, 1, "stock_moved", {})
    later = chain.next_row(chain.next_row(row, 2, "stock_moved", {}), 3, "stock_moved", {})
    with pytest.raises(FrameError):
        codec.encode([row, later])


@pytest.mark.parametrize("text", ["{}\n{}", "\n"])
def test_a_body_with_a_line_end_cannot_be_encoded(text):
    with pytest.raises(FrameError):
        codec.encode(
            [Row(1, 1, "stock_moved", text, chain.START, chain.row_hash(chain.START, 1, 1, "stock_moved", text))]
        )


def test_nothing_cannot_be_encoded():
    with pytest.raises(FrameError):
        codec.encode([])


def test_a_bomb_is_refused_before_it_has_grown():
    bomb = zstd.compress(b"0" * (256 * 2**20), level=19)
    assert len(bomb) < 100_000
    with pytest.raises(FrameError, match="more than 1000000 bytes"):
        codec.decode(codec.HEAD.pack(1, 1, bytes(32)) + bomb, 1_000_000)


def test_a_frame_that_wants_a_huge_window_is_refused():
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    compressor = zstd.ZstdCompressor(options=options)
    packed = compressor.compress(b"0\nkind\n{}\n") + compressor.flush()
    with pytest.raises(FrameError, match="cannot be read"):
        codec.decode(codec.HEAD.pack(1, 1, bytes(32)) + packed)


@pytest.mark.parametrize(
    "plain",
    [b"", b"1\nkind\n{}", b"1\nkind\n{}\n\n", b"01\nkind\n{}\n", b"1\nKind\n{}\n", b"-1\nkind\n{}\n", b"1\n\n{}\n",
     b"1\nkind\n\xff\n", b"99999999999999999\nkind\n{}\n", b"9999999999999999\nkind\n{}\n", b"\xd9\xa1\nkind\n{}\n"],
)  # fmt: skip
def test_rows_in_another_form_are_refused(plain):
    with pytest.raises(FrameError):
        codec.decode(codec.HEAD.pack(1, 1, bytes(32)) + codec.pack(plain))


def test_a_frame_is_far_smaller_than_its_rows():
    row, rows = None, []
    for number in range(500):
        row = chain.next_row(
            row, 1_000 * number, "document_issued", {"number": number, "lines": ["milk", "bread"] * 20}
        )
        rows.append(row)
    assert len(codec.encode(rows)) < sum(map(codec.plain_size, rows)) / 20
