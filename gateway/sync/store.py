"""What the link is given of the store."""

import random
from dataclasses import dataclass

from gateway.authority.desk import Desk, DiskLowError
from gateway.clock import Clock
from gateway.health.warnings import Board
from gateway.storage.reader import Reader
from gateway.storage.writer import ClosedError, NotDurableError, OverloadedError, Writer

BOOKS_FAULTS = (NotDurableError, OverloadedError, ClosedError, DiskLowError)
"""The disk, or too much at once: it may work later, and asking again under the same id is safe."""


@dataclass(frozen=True, slots=True)
class Store:
    """The desk, the file for what is not the books, the board for warnings, time and chance."""

    desk: Desk
    reader: Reader
    writer: Writer
    board: Board
    clock: Clock
    chance: random.Random
