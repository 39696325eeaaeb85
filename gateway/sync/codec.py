"""The chunk: a run of journal rows as one frame on the wire.

    first u64 | count u32 | last_hash 32 bytes | zstd of the rows          (big-endian)

A row is three lines, `at LF kind LF body LF`: the instant as the difference to the row before (the first one as it
is), the rest as in the journal. Sequence numbers follow from `first`. `prev_hash` and `hash` do not travel: whoever
receives starts from the hash it already holds, builds the others again and compares the last one with `last_hash`,
so that a frame either gives exactly the rows that were sent or none.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from backports import zstd

from gateway.ledger import chain
from gateway.ledger.facts import Row

MEDIA_TYPE = "application/vnd.store-gateway.chunk"
HEAD = struct.Struct(">QI32s")
LEVEL = 9
"""Level 19 saves another tenth of the bytes and costs ten times the time; see the link's design figures."""
WINDOW_LOG_MAX = 23
"""8 MiB: what one frame may make the receiver set aside, whatever its header says."""
PLAIN_BYTES_MAX = 64 * 2**20
"""The rows of one frame, unpacked: several times the largest chunk that any setting allows."""
ROWS_MAX = 100_000
SEQ_MAX = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""
INSTANT_MAX = SEQ_MAX
ROW_BYTES_EXTRA = 24
"""What the instant and the kind add to the body of one row, roughly."""

_INSTANT = re.compile(rb"0|-?[1-9][0-9]{0,15}")
_KIND = re.compile(rb"[a-z][a-z_]{0,63}")


class FrameError(ValueError):
    """The bytes are not a chunk, or not the chunk that follows what the receiver holds; the text says why."""


class Entry(NamedTuple):
    """What travels of one row."""

    at: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A frame taken apart; `rows_after` turns it into rows."""

    first: int
    last_hash: bytes
    entries: tuple[Entry, ...]

    @property
    def last(self) -> int:
        """The sequence number of the last row."""
        return self.first + len(self.entries) - 1


def encode(rows: Sequence[Row]) -> bytes:
    """The frame of rows that follow each other.

    Raises:
        FrameError: no rows, too many, a gap between them, or a line end inside a body (a bug of the sender).
    """
    if not 0 < len(rows) <= ROWS_MAX:
        message = f"a chunk has 1 to {ROWS_MAX} rows, not {len(rows)}"
        raise FrameError(message)
    lines: list[bytes] = []
    at = 0
    for expected, row in enumerate(rows, rows[0].seq):
        kind, text = row.kind.encode(), row.text.encode()
        if row.seq != expected or b"\n" in text or not _KIND.fullmatch(kind):
            message = f"row {row.seq} cannot follow row {expected - 1} in a chunk"
            raise FrameError(message)
        lines += (b"%d" % (row.at - at), kind, text)
        at = row.at
    return HEAD.pack(rows[0].seq, len(rows), rows[-1].hash) + pack(b"\n".join(lines) + b"\n")


def decode(frame: bytes, plain_bytes_max: int = PLAIN_BYTES_MAX) -> Chunk:
    """Take a frame apart, within bounds.

    Raises:
        FrameError: anything about the bytes is not as `encode` writes it.
    """
    if len(frame) < HEAD.size:
        message = f"the frame ends inside its head: {len(frame)} of {HEAD.size} bytes"
        raise FrameError(message)
    first, count, last_hash = HEAD.unpack_from(frame)
    if not (1 <= first <= SEQ_MAX and 1 <= count <= ROWS_MAX):
        message = f"the head says {count} rows from row {first}"
        raise FrameError(message)
    plain = unpack(memoryview(frame)[HEAD.size :], plain_bytes_max)
    lines = plain.split(b"\n", 3 * count)
    if len(lines) != 3 * count + 1 or lines[-1]:
        message = f"the frame does not hold the {count} rows that its head says"
        raise FrameError(message)
    entries: list[Entry] = []
    at = 0
    for position in range(count):
        instant, kind, text = lines[3 * position : 3 * position + 3]
        if not _INSTANT.fullmatch(instant) or not _KIND.fullmatch(kind):
            message = f"row {first + position} has no instant or no kind"
            raise FrameError(message)
        at += int(instant)
        if not 0 <= at <= INSTANT_MAX:
            message = f"row {first + position} happened at {at}"
            raise FrameError(message)
        entries.append(Entry(at, kind.decode(), _decoded(text, first + position)))
    return Chunk(first, last_hash, tuple(entries))


def rows_after(chunk: Chunk, after: int, last_hash: bytes) -> list[Row]:
    """The chunk's rows above row `after`, whose hash the receiver holds; rows up to there are dropped.

    Raises:
        FrameError: there is a gap, nothing new, or the rows do not end in the chunk's `last_hash`.
    """
    if not chunk.first <= after + 1 <= chunk.last:
        message = f"rows {chunk.first}-{chunk.last} do not continue after row {after}"
        raise FrameError(message)
    rows: list[Row] = []
    for seq, entry in enumerate(chunk.entries[after + 1 - chunk.first :], after + 1):
        built = chain.row_hash(last_hash, seq, entry.at, entry.kind, entry.text)
        rows.append(Row(seq, entry.at, entry.kind, entry.text, last_hash, built))
        last_hash = built
    if last_hash != chunk.last_hash:
        message = f"rows {after + 1}-{chunk.last} do not hash to what the frame says they end in"
        raise FrameError(message)
    return rows


def plain_size(row: Row) -> int:
    """The bytes that a row adds to a frame before compression, near enough for planning."""
    return len(row.text) + ROW_BYTES_EXTRA


def pack(plain: bytes) -> bytes:
    """One zstd frame with a checksum."""
    return zstd.compress(plain, options={_LEVEL: LEVEL, _CHECKSUM: 1})


def unpack(packed: bytes | memoryview, plain_bytes_max: int) -> bytes:
    """One whole zstd frame and nothing after it, never more than `plain_bytes_max` bytes.

    Raises:
        FrameError: not a zstd frame, cut off, followed by something, or larger than allowed.
    """
    decompressor = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG_MAX})
    try:
        plain = decompressor.decompress(packed, max_length=plain_bytes_max + 1)
    except zstd.ZstdError as error:
        message = f"the packed part cannot be read: {error}"
        raise FrameError(message) from error
    if len(plain) > plain_bytes_max:
        message = f"the packed part holds more than {plain_bytes_max} bytes"
        raise FrameError(message)
    if not decompressor.eof or decompressor.unused_data:
        message = "the packed part is cut off" if not decompressor.eof else "something follows the packed part"
        raise FrameError(message)
    return plain


_LEVEL = zstd.CompressionParameter.compression_level
_CHECKSUM = zstd.CompressionParameter.checksum_flag


def _decoded(text: bytes, seq: int) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        message = f"row {seq} is not UTF-8"
        raise FrameError(message) from error
