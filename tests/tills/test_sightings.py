import pytest

from gateway.tills.sightings import Sightings, checked

KIND = "_pos-till._tcp.local."


def sight(label="front-1", *, addresses=("192.168.1.20",), port=1, properties=None, heard_s=0.0, kind=KIND):
    return checked(kind, f"{label}.{kind}", list(addresses), port, properties or {}, at_ms=1000, heard_s=heard_s)


def test_what_a_till_said_is_kept():
    sighting = sight(properties={b"till": b"front-1", b"Model": "Elo táctil".encode(), b"flag": None})

    assert sighting.label == "front-1"
    assert sighting.addresses == ("192.168.1.20",)
    assert sighting.properties == {"till": "front-1", "model": "Elo táctil", "flag": ""}


@pytest.mark.parametrize("address", ["169.254.1.1", "127.0.0.1", "0.0.0.0", "224.0.0.251", "fe80::1", "no address"])
def test_an_address_nobody_can_be_spoken_to_at_is_left_out(address):
    assert sight(addresses=(address,)) is None
    assert sight(addresses=(address, "192.168.1.20")).addresses == ("192.168.1.20",)


@pytest.mark.parametrize("label", ["", "bell\x07", "line\nbreak", "right-to-left\u202e"])
def test_a_name_a_person_cannot_read_is_left_out(label):
    assert sight(label=label) is None


def test_a_name_of_another_kind_is_left_out():
    assert checked(KIND, "front-1._http._tcp.local.", ["192.168.1.20"], 1, {}, at_ms=0, heard_s=0) is None


@pytest.mark.parametrize("port", [0, 65536])
def test_a_port_that_is_none_is_left_out(port):
    assert sight(port=port) is None


def test_texts_that_are_long_or_unprintable_are_left_out():
    properties = {b"till": b"front-1", b"model": b"x" * 129, b"app": b"\x1b[2J", b"k\x07": b"v"}

    assert sight(properties=properties).properties == {"till": "front-1"}


def test_a_flood_of_words_and_addresses_is_cut():
    sighting = sight(
        addresses=[f"10.0.0.{number}" for number in range(1, 100)],
        properties={f"k{number}".encode(): b"v" for number in range(1000)},
    )

    assert len(sighting.addresses) == 8
    assert len(sighting.properties) == 32


def test_a_full_table_turns_newcomers_away_and_keeps_who_is_known():
    table = Sightings(limit=2)
    assert all(table.put(sight(label)) for label in ("a", "b"))

    assert not table.put(sight("c"))

    assert table.put(sight("a", addresses=("10.0.0.1",)))
    assert table.put(sight("c", kind="_ipp._tcp.local."))
    assert [(each.label, each.addresses) for each in table.of(KIND)] == [("a", ("10.0.0.1",)), ("b", ("192.168.1.20",))]
    assert table.turned_away == 1


def test_who_said_goodbye_or_is_silent_for_long_is_forgotten():
    table = Sightings()
    for label, heard_s in (("a", 10.0), ("b", 20.0), ("c", 30.0)):
        table.put(sight(label, heard_s=heard_s))

    table.drop(KIND, f"c.{KIND}")
    table.forget_before(20.0)

    assert [each.label for each in table.of(KIND)] == ["b"]


def test_whoever_waits_is_told_of_changes_and_of_nothing_else():
    table = Sightings()
    table.drop(KIND, f"a.{KIND}")
    assert not table.changed.is_set()

    table.put(sight("a"))

    assert table.changed.is_set()
    assert table.changes == 1
