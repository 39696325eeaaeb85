"""Ids that a till makes for its requests: UUID version 7 (RFC 9562), so that they sort by the time they were made."""

import random
import uuid


def uuid7(now_ms: int, generator: random.Random) -> str:
    """A new id: 48 bits of milliseconds UTC, 74 random bits. A real till passes `random.SystemRandom()`."""
    value = (now_ms & (1 << 48) - 1) << 80 | generator.getrandbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
