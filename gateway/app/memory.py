"""How Python's collector of reference cycles is set for a daemon that allocates evenly and for ever.

What makes a document has no cycles and goes when its last user goes, so the collector finds next to nothing: it only
looks, and while it looks no till is served.
"""

import gc

YOUNG_OBJECTS_MAX = 20_000
"""New objects before the young ones are looked at; a group of documents makes some thousand. About 4 MB."""


def settle() -> None:
    """Leave out for ever what was made to last (a look at all of it stopped every till for 70 ms); look less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX)
