"""The commands of a store whose gateway runs: they ask it, and say what it says."""

import json
import uuid

import pytest

from tests.cli.shell import CATALOGUE, ask, gateway, sale


def test_status_is_a_banner_for_people_and_one_line_for_programs(running):
    said = running("status")
    assert (said.status, said.err) == (0, "")
    assert "Store shop" in said.out
    assert "a store on its own" in said.out
    found = running("status", "--json")
    assert found.json["store"] == "shop"
    assert found.out.count("\n") == 1


def test_the_settings_file_may_be_named_in_the_environment(running):
    assert gateway("status", "--json", env={"GATEWAY_CONFIG": str(running.config)}).json["store"] == "shop"


def test_doctor_looks_at_the_running_gateway(running):
    said = running("doctor", "--json")
    checks = {each["check"]: each for each in said.json["checks"]}
    assert said.status == (0 if all(each["ok"] for each in said.json["checks"]) else 1)
    assert running.ready["api"] in checks["gateway"]["what"]
    for name in ("clock", "disk", "data", "gateway", "books", "series 000-001-01"):
        assert checks[name]["ok"], checks[name]


def test_a_second_gateway_on_the_same_books_is_refused(running):
    said = running("run")
    assert said.status == 1
    assert "in use by a running gateway" in said.err
    assert said.out == ""


def test_a_token_sells_until_it_is_revoked(running):
    token = running("till", "token", "front-1").out.strip()
    identity, request = sale(1)
    url = f"{running.ready['api']}/v1/documents/{identity}"
    assert ask("PUT", url, token, request).status == 201
    listed = running("till", "list", "--json").json["items"]
    assert [(each["name"], each["revoked_at"]) for each in listed if each["name"] == "front-1"] == [("front-1", None)]
    assert running("till", "revoke", "front-1").out == "front-1 is revoked.\n"
    assert ask("PUT", url, token, request).status == 401
    assert "front-1" in running("till", "list").out


def test_a_new_token_kills_the_old_one(running):
    old = running("till", "token", "back-1", "--json").json["token"]
    new = running("till", "token", "back-1").out.strip()
    url = f"{running.ready['api']}/v1/status"
    assert [ask("GET", url, token).status for token in (old, new)] == [401, 200]


def test_a_pairing_code_is_shown_with_its_qr_and_pairs_once(running):
    said = running("till", "pair")
    assert said.status == 0
    assert "█" in said.out
    assert 'set api.host = "0.0.0.0"' in said.out
    code = running("till", "pair", "--json").json["code"]
    request = {"code": code, "till_name": "tablet-1", "model": "[/red]:smile:"}
    answers = [ask("POST", f"{running.ready['api']}/v1/pairing", body=request) for _ in range(2)]
    assert [each.status for each in answers] == [201, 403]
    listed = running("till", "list")
    assert listed.status == 0, "a till's own words are not taken for markup"
    assert "[/red]:smile:" in listed.out


@pytest.mark.parametrize(("name", "code"), [("gateway", "till_name_invalid"), ("Front 1", "invalid_request")])
def test_a_name_that_no_till_can_have_is_refused(running, name, code):
    said = running("till", "token", name)
    assert said.status == 1
    assert code in said.err
    assert len(said.err.splitlines()) == 1


def test_a_till_that_is_not_there_cannot_be_revoked(running):
    said = running("till", "revoke", "nobody")
    assert (said.status, said.err) == (1, "gateway: There is no till nobody. (till_unknown)\n")


def test_a_range_is_loaded_listed_and_cancelled(running):
    options = ("--series", "000-001-06", "--cai", "ABC", "--first", 1, "--last", 500, "--valid-until", "2099-06-30")
    loaded = running("range", "load", *options)
    assert loaded.status == 0, loaded.err
    assert running("range", "load", *options).status == 0, "the same range again is no second one"
    [listed] = running("range", "list", "--json").json["items"]
    assert (listed["first"], listed["last"], listed["left"]) == (1, 500, 500)
    assert listed["id"] in running("range", "list").out, "the id can be copied from the table"
    cancelled = running("range", "cancel", listed["id"], "--reason", "not ours", "--json")
    assert cancelled.json["unused"] == {"first": 1, "last": 500, "cause": "cancelled"}
    again = running("range", "cancel", listed["id"], "--reason", "not ours")
    assert (again.status, "range_ended" in again.err) == (1, True)


def test_a_series_goes_on_after_a_confirmed_number(running):
    said = running("range", "confirm", "000-001-07", "--last", 5, "--reason", "the paper in the drawer")
    assert (said.status, said.out) == (0, "000-001-07 goes on after 5.\n")
    back = running("range", "confirm", "000-001-07", "--last", 3, "--reason", "a slip")
    assert (back.status, "confirm_below_books" in back.err) == (1, True)


def test_numbering_that_is_not_locked_is_unlocked_without_harm(running):
    assert running("range", "unlock", "--reason", "only to see").status == 0


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--series", "999-001-01", "--first", 1, "--last", 2), 1, "series_unknown"),
        (("--series", "000-001-01", "--first", 9, "--last", 2), 1, "range_invalid"),
        (("--series", "000-001-01", "--first", 0, "--last", 2), 2, "--first"),
        (("--series", "000-001-01", "--first", 1, "--last", 2, "--valid-until", "2027-02-30"), 2, "is not a date"),
        (("--series", "000-001-01", "--first", 1, "--last", 2, "--valid-until", "30/06/2027"), 2, "is not a date"),
    ],
)
def test_a_range_that_cannot_be_is_refused(running, options, status, words):
    said = running("range", "load", *options)
    assert (said.status, words in said.err) == (status, True), said.err


def test_a_reason_must_say_something_and_an_id_must_be_one(running):
    unknown = running("range", "cancel", "1", "--reason", "x")
    assert (unknown.status, "range_unknown" in unknown.err) == (1, True)
    strange = running("range", "cancel", "a b", "--reason", "x")
    assert (strange.status, "is not the id of a range" in strange.err) == (1, True)
    assert running("range", "confirm", "000-001-01", "--last", 1, "--reason", " ").status == 2


def test_a_store_without_printers_says_so(running):
    assert "No printer" in running("device", "list").out
    assert running("device", "list", "--json").json == {"items": []}
    said = running("device", "test", "front")
    assert (said.status, "device_unknown" in said.err) == (1, True)
    assert "Nothing waits" in running("device", "jobs").out
    unknown = running("device", "settle", uuid.UUID(int=0), "printed")
    assert (unknown.status, "job_unknown" in unknown.err) == (1, True)


def test_a_catalogue_that_was_exported_can_be_imported(running, tmp_path):
    file = tmp_path / "products.csv"
    assert running("catalogue", "export", file).status == 0
    assert file.read_text(encoding="utf-8") == running("catalogue", "export").out
    report = running("catalogue", "import", file, "--json").json
    assert (report["products"], report["received"], report["problems"]) == (1, 0, [])


def test_the_books_of_a_running_gateway_can_be_verified(running):
    said = running("verify")
    assert said.status == 0
    assert said.json["sound"] is True


MISTAKES = (
    "sku,name,barcode,unit_price,tax,policy,sell_below_zero,on_hand\n"
    ",no sku,,1,exempt,,,\n"
    "B,,,1,exempt,,,\n"
    "C,x,,1.2.3,exempt,,,\n"
    "D,x,,-1,exempt,,,\n"
    "E,x,,1.999,exempt,,,\n"
    "F,x,,1,exempt,sometimes,,\n"
    "G,x,,1,exempt,,maybe,\n"
    "H,x,,1,exempt,,,many\n"
    "I,x,,1,exempt,,,,more,cells\n"
    "J,x,,1,lost\n"
    "K,x,7,1,exempt,,,\n"
    "K,x,,1,exempt,,,\n"
    "L,x,7,1,exempt,,,\n"
)
"""A mistake in every line but the first and the eleventh."""


def test_every_mistake_of_a_file_is_named_by_its_line_and_nothing_goes_in(running, tmp_path):
    file = tmp_path / "products.csv"
    file.write_text(MISTAKES, encoding="utf-8")
    before = running("catalogue", "export").out
    said = running("catalogue", "import", file)
    assert said.status == 1
    named = [int(line.split(":")[0].split()[1]) for line in said.err.splitlines()[1:]]
    assert named == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14]
    dry = running("catalogue", "import", file, "--dry-run", "--json")
    assert (dry.status, [each["line"] for each in dry.json["problems"]]) == (1, named)
    assert running("catalogue", "export").out == before


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        ('sku,name,unit_price,tax\nX,"Café",1,exempt\n'.encode("latin-1"), 2, "line 2 is not UTF-8"),
        ("sku,name\n".encode("utf-16"), 2, "line 1 is not UTF-8"),
        (b"", 1, "line 1: sku: this column is missing"),
        (b'sku,name,unit_price,tax\nX,"open,1,exempt\n', 1, "not CSV"),
        (b"sku,name,unit_price,tax,colour\nX,x,1,exempt,red\n", 1, "line 1: colour: not a known column"),
        (b"sku,name,unit_price,tax\nX,a\0b,1,exempt\n", 1, "line 2: name"),
        (b"sku;name;unit_price;tax\nX;x;1,50;exempt\n", 1, "line 2: unit_price: '1,50' is not a decimal number"),
        (b"sku,name,unit_price,tax\n" + b"X,%s,1,exempt\n" % (b"long " * 250_000), 1, "api.body_bytes_max"),
    ],
    ids=["latin-1", "utf-16", "empty", "open quote", "unknown column", "zero byte", "decimal comma", "too large"],
)
def test_a_file_that_is_no_catalogue_is_refused_with_the_place(running, tmp_path, content, status, words):
    file = tmp_path / "products.csv"
    file.write_bytes(content)
    said = running("catalogue", "import", file)
    assert (said.status, words in said.err) == (status, True), said.err


def test_a_spreadsheet_with_semicolons_and_a_mark_in_front_goes_in(running, tmp_path):
    file = tmp_path / "products.csv"
    file.write_bytes("\ufeff".encode() + CATALOGUE.replace(",", ";").replace("\n", "\r\n").encode())
    assert running("catalogue", "import", file, "--json").json["problems"] == []


def test_a_file_that_cannot_be_read_or_written_is_bad_use(running, tmp_path):
    for verb, place in (
        ("import", tmp_path / "none.csv"),
        ("import", tmp_path),
        ("export", tmp_path / "nowhere" / "products.csv"),
        ("export", tmp_path),
    ):
        said = running("catalogue", verb, place)
        assert (said.status, len(said.err.splitlines())) == (2, 2), said.err


def test_simulated_tills_sell_on_a_running_gateway(running, tmp_path):
    baskets = tmp_path / "baskets.jsonl"
    line = {"sku": "1082185", "name": "Leche 1 L", "quantity": "2", "unit_price": "0.99", "discount": "0"}
    basket = [{"basket": str(each), "at": "2026-01-01T12:00:00Z", "lines": [line]} for each in range(6)]
    baskets.write_text("".join(json.dumps(each) + "\n" for each in basket), encoding="utf-8")
    options = ("--gateway", running.ready["api"], "--baskets", baskets, "--tills", 2, "--numbers", tmp_path / "numbers")
    said = gateway("simulate", *options, "--admin-token", running.admin_token, "--json")
    assert (said.status, said.json["sold"]) == (0, 6), said
    wrong = gateway("simulate", *options, "--token", "wrong")
    assert (wrong.status, "unauthorized" in wrong.err) == (2, True)
