import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.devices import profiles, receipt
from gateway.devices.drivers import escpos_bytes
from gateway.devices.receipt import Code, Line
from gateway.simulator.escpos import Paper, Parser
from tests.devices.store import ISSUER, LEGEND, document

EPSON = profiles.load("epson-tm-t20iii")
WIDE = profiles.load("generic-80mm")
NARROW = profiles.load("generic-58mm")


def printed(data):
    parser, paper = Parser(), Paper()
    for command in parser.feed(data):
        paper.obey(command)
    assert parser.errors == paper.errors == []
    return paper


def test_spanish_goes_out_in_one_code_page_set_once():
    data = escpos_bytes.receipt_bytes([Line("Ñuñoa áéíóú ¿? ¡! €")], EPSON)
    golden = "1B 74 13 A5 75 A4 6F 61 20 A0 82 A1 A2 A3 20 A8 3F 20 AD 21 20 D5 0A"
    assert data.startswith(b"\x1b@" + bytes.fromhex(golden))
    assert data.count(b"\x1bt") == 1


@pytest.mark.parametrize("profile", [EPSON, WIDE, NARROW], ids=lambda each: each.name)
def test_a_receipt_on_paper_is_the_receipt_as_text(profile):
    blocks = receipt.render(document(), ISSUER, LEGEND, "es", profile.text.columns, copy=True)
    paper = printed(escpos_bytes.receipt_bytes(blocks, profile))
    papers = [*paper.receipts, paper.current]
    assert papers[0].text.rstrip("\n") == receipt.plain(blocks).rstrip("\n")
    assert papers[0].is_cut == (profile.paper.cut != "none")


def test_a_letter_that_the_code_page_lacks_becomes_its_nearest():
    assert escpos_bytes.encoded("Łódź “x” – 漢 é", "cp858") == b'?\xa2dz "x" - ? \x82'  # noqa: RUF001
    assert escpos_bytes.encoded("€", "cp437") == b"E"


@given(st.text())
def test_no_text_can_command_the_printer(text):
    data = escpos_bytes.encoded(text, "cp858")
    assert all(byte >= 0x20 and byte != 0x7F for byte in data)
    assert len(data) == len(receipt.printable(text))


@given(st.lists(st.text(max_size=60), max_size=5))
def test_the_printer_understands_every_job_to_its_end(texts):
    blocks = [*receipt.text_lines(texts, 48), Line("end", bold=True, tall=True), Code("https://example.hn/d/42")]
    data = escpos_bytes.receipt_bytes(blocks, EPSON) + escpos_bytes.barrier_bytes(EPSON, b"AB~!")
    paper = printed(data)
    assert paper.receipts[0].lines[-1] == "end"
    assert paper.receipts[0].codes == ["https://example.hn/d/42"]


def test_boldness_survives_a_change_of_size():
    data = escpos_bytes.receipt_bytes([Line("a", bold=True, tall=True), Line("b", bold=True), Line("c")], EPSON)
    between = data[data.index(b"a\n") : data.index(b"b\n")]
    assert between.index(b"\x1bE\x01") > between.rindex(b"\x1b!")
    assert b"\x1bE\x00" in data[data.index(b"b\n") : data.index(b"c\n")]


def test_a_code_is_text_for_a_printer_that_cannot_draw_it():
    plain = EPSON.model_copy(update={"dialogue": EPSON.dialogue.model_copy(update={"qr": "text"})})
    paper = printed(escpos_bytes.receipt_bytes([Code("https://x")], plain))
    assert paper.receipts[0].lines[0] == "https://x"


def test_the_pulses_are_those_of_the_profile():
    drawer = EPSON.drawer.model_copy(update={"pin": 5, "on_ms": 200, "off_ms": 400})
    profile = EPSON.model_copy(update={"drawer": drawer})
    assert escpos_bytes.pulse_bytes(profile) == bytes([0x1B, 0x70, 1, 100, 200])
    assert escpos_bytes.urgent_pulse_bytes(profile) == bytes([0x10, 0x14, 1, 1, 2])
    assert escpos_bytes.urgent_pulse_bytes(EPSON) == bytes([0x10, 0x14, 1, 0, 1])


def test_the_barrier_is_that_of_the_profile():
    assert escpos_bytes.barrier_bytes(EPSON, b"abcd") == bytes.fromhex("1D 28 48 06 00 30 30") + b"abcd"
    assert escpos_bytes.barrier_bytes(WIDE, b"abcd") == b"\x1dr\x01"
    silent = WIDE.model_copy(update={"dialogue": WIDE.dialogue.model_copy(update={"barrier": "none"})})
    assert escpos_bytes.barrier_bytes(silent, b"abcd") == b""


@given(st.uuids().map(str))
def test_a_jobs_barrier_is_four_letters_that_the_printer_may_echo(identity):
    letters = escpos_bytes.barrier_of(identity)
    assert letters == escpos_bytes.barrier_of(identity)
    assert len(letters) == 4
    assert all(0x20 <= letter <= 0x7E for letter in letters)
