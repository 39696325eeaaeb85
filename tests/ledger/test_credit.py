import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger import amounts
from gateway.ledger.commands import Customer, DocumentType, Reference
from gateway.ledger.outcomes import Known
from tests.ledger.shop import BUYER, CREDITS, Shop, cash, credit, house, line, sale, unlisted, void

TAXES = st.sampled_from(["exempt", "vat15", "vat18", "vat7.5"])
LINES = st.lists(
    st.builds(unlisted, st.integers(0, 3000), st.integers(1, 6) | st.integers(1, 20_000), TAXES), min_size=1, max_size=4
)


def minor(text: str) -> int:
    return amounts.parse(text, 2)


def by_line(notes) -> dict:
    sums: dict = {}
    for note in notes:
        for entry, printed in zip(note["references"][0]["lines"], note["lines"], strict=True):
            quantity, total = sums.get(entry["line"], (0, 0))
            sums[entry["line"]] = (quantity + amounts.parse(entry["quantity"], 3), total + minor(printed["total"]))
    return sums


def by_tax(notes) -> dict:
    sums: dict = {}
    for note in notes:
        for bucket in note["taxes"]:
            base, tax = sums.get(bucket["code"], (0, 0))
            sums[bucket["code"]] = (base + minor(bucket["base"]), tax + minor(bucket["amount"]))
    return sums


def whole(document) -> tuple[dict, dict]:
    lines = {
        position: (amounts.parse(printed["quantity"], 3), minor(printed["total"]))
        for position, printed in enumerate(document["lines"], 1)
    }
    taxes = {each["code"]: (minor(each["base"]), minor(each["amount"])) for each in document["taxes"]}
    return lines, taxes


def assert_exact_so_far(original, notes) -> None:
    """What is credited of each line and of each tax is the exact share of the original, to the nearest cent."""
    lines, _ = whole(original)
    for position, (quantity, total) in by_line(notes).items():
        assert total == amounts.half_up(lines[position][1] * quantity, lines[position][0])
    rates = {each["code"]: amounts.parse(each["rate"], 2) for each in original["taxes"]}
    for code, (base, tax) in by_tax(notes).items():
        assert base == amounts.base_of(base + tax, rates[code])


def credit_a_part(shop, data, identity, left):
    """Credit some of what is left, and answer the note."""
    chosen = data.draw(st.lists(st.sampled_from(sorted(left)), min_size=1, unique=True))
    parts = [(position, data.draw(st.integers(1, left[position]))) for position in chosen]
    note = shop.done(credit(identity, "original", *parts))
    for position, quantity in parts:
        left[position] -= quantity
        if not left[position]:
            del left[position]
    return note


@settings(max_examples=150)
@given(LINES, st.data())
def test_the_parts_of_a_credit_always_add_up_to_the_whole(lines, data):
    shop = Shop()
    original = shop.done(sale("original", *lines))
    left = {position: each.quantity for position, each in enumerate(lines, 1)}
    steps = range(data.draw(st.integers(0, 4)))
    notes = []
    for step in steps:
        if left:
            notes.append(credit_a_part(shop, data, f"part-{step}", left))
            assert_exact_so_far(original, notes)
    if left:
        notes.append(shop.done(credit("rest", "original")))
    assert (by_line(notes), by_tax(notes)) == whole(original)
    assert sum(minor(note["total"]) for note in notes) == minor(original["total"])
    assert all(minor(each["total"]) >= 0 for note in notes for each in note["lines"])
    assert shop.refused(credit("more", "original")).code == "nothing_left_to_credit"
    assert shop.breaches() == []


@settings(max_examples=150)
@given(LINES, st.data())
def test_they_add_up_as_well_when_notes_between_them_are_voided(lines, data):
    shop = Shop()
    original = shop.done(sale("original", *lines))
    left = {position: each.quantity for position, each in enumerate(lines, 1)}
    notes = {}
    for step in range(data.draw(st.integers(1, 8))):
        if notes and data.draw(st.booleans()):
            gone = notes.pop(data.draw(st.sampled_from(sorted(notes))))
            shop.done(void(gone["id"]))
            for entry in gone["references"][0]["lines"]:
                left[entry["line"]] = left.get(entry["line"], 0) + amounts.parse(entry["quantity"], 3)
        elif left:
            note = credit_a_part(shop, data, f"part-{step}", left)
            notes[note["id"]] = note
    if left:
        notes["rest"] = shop.done(credit("rest", "original"))
    assert (by_line(notes.values()), by_tax(notes.values())) == whole(original)
    assert shop.breaches() == []


def test_a_voided_note_between_two_others_leaves_no_cent_too_much():
    shop = Shop()
    shop.done(sale("original", unlisted(100, 1000, "vat15", 0)))
    for identity in ("a", "b"):
        shop.done(credit(identity, "original", (1, 333)))
    shop.done(void("a"))
    last = [shop.done(credit(identity, "original", (1, quantity))) for identity, quantity in (("c", 333), ("d", 334))]
    notes = [shop.page.papers["b"].document, *last]
    assert by_tax(notes) == {"vat15": (87, 13)}
    assert shop.breaches() == []


def test_a_note_is_never_below_nothing_however_the_cents_fell():
    shop = Shop()
    shop.done(sale("original", unlisted(5, 1000, "exempt")))
    notes = [shop.done(credit(f"note-{step}", "original", (1, 100))) for step in range(9)]
    for note in notes:
        if note["total"] == "0.00":
            shop.done(void(note["id"]))
    following = shop.done(credit("next", "original", (1, 100)))
    assert following["total"] == "0.00"
    shop.done(credit("rest", "original"))
    assert shop.breaches() == []


def test_a_note_names_its_original_as_the_law_wants_it():
    shop = Shop()
    original = shop.done(sale("original", unlisted(1000, 2000), customer=BUYER))
    note = shop.done(credit("note", "original", (1, 500), customer=None, payments=cash(500)))
    assert note["references"] == [
        {
            "document": "original",
            "reason": "came back",
            "type": "invoice",
            "formatted_number": original["formatted_number"],
            "fiscal_date": original["fiscal_date"],
            "authority_ref": None,
            "lines": [{"line": 1, "quantity": "0.500"}],
        }
    ]
    assert (note["series"], note["number"], note["total"]) == (CREDITS, 1, "5.00")
    assert note["customer"] == {"tax_id": BUYER.tax_id, "name": BUYER.name}


def test_what_comes_back_is_on_the_shelf_again_and_only_if_it_was_taken_from_it():
    shop = Shop()
    shop.stock("apple", on_hand=5000)
    shop.stock("bag", tracked=False)
    shop.done(sale("original", line("apple", 3000), line("bag", 1000), unlisted(100)))
    shop.done(credit("note", "original", (1, 1000), (2, 1000), (3, 1000)))
    assert shop.page.on_hand == {"apple": 3000}
    shop.done(void("note"))
    assert shop.page.on_hand == {"apple": 2000}
    assert shop.breaches() == []


def test_a_product_that_left_the_catalogue_can_still_come_back():
    shop = Shop()
    shop.stock("apple", on_hand=5000)
    shop.done(sale("original", line("apple", 3000)))
    del shop.page.products["apple"]
    shop.done(credit("note", "original"))
    assert shop.page.on_hand["apple"] == 5000


def test_a_tax_rate_that_changed_since_is_credited_as_it_was_printed():
    shop = Shop()
    original = shop.done(sale("original", unlisted(1150)))
    shop.page.papers["original"].document["taxes"][0].update(rate="10", base="10.45", amount="1.05")
    note = shop.done(credit("note", "original"))
    assert note["taxes"] == original["taxes"]


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ([(1, 2001)], "2.000"),
        ([(2, 1)], "0.000"),
        ([(0, 1)], "0.000"),
        ([(1, 1000), (1, 1000)], "0.000"),
    ],
    ids=["more than was sold", "a line that is not there", "line nought", "one line twice"],
)
def test_more_than_the_original_is_refused_with_the_figure(lines, left):
    shop = Shop()
    shop.done(sale("original", unlisted(1000, 2000)))
    refusal = shop.refused(credit("note", "original", *lines))
    assert (refusal.code, refusal.values["left"]) == ("credit_exceeds_original", left)
    assert refusal.values["asked"] == amounts.text(lines[-1][1], 3)
    assert refusal.values["line"] == lines[-1][0]


def test_a_discount_comes_back_in_the_share_in_which_it_was_given():
    shop = Shop()
    shop.done(sale("original", unlisted(1000, 3000, discount=300)))
    note = shop.done(credit("note", "original", (1, 1000)))
    assert note["lines"] == [
        {"sku": "ad-hoc", "name": "Something", "quantity": "1.000", "unit_price": "10.00", "discount": "1.00",
         "total": "9.00", "tax": "vat15"},
    ]  # fmt: skip
    shop.done(sale("odd", unlisted(1, 3000, "exempt", 1)))
    dust = [shop.done(credit(f"dust-{step}", "odd", (1, 1000))) for step in range(3)]
    assert [each["lines"][0]["total"] for each in dust] == ["0.01", "0.00", "0.01"]
    assert [each["lines"][0]["discount"] for each in dust] == ["0.00", "0.01", "0.00"]


def test_a_second_note_gets_no_more_than_the_first_one_left():
    shop = Shop()
    shop.done(sale("original", unlisted(1000, 3000)))
    shop.done(credit("one", "original", (1, 2000), till="front-1"))
    refusal = shop.refused(credit("two", "original", (1, 1001), till="front-2"))
    assert (refusal.code, refusal.values["left"]) == ("credit_exceeds_original", "1.000")


def test_the_same_note_asked_again_credits_nothing_more():
    shop = Shop()
    shop.done(sale("original", unlisted(1000, 3000)))
    first = shop.done(credit("one", "original", (1, 2000)))
    assert isinstance(shop.ask(credit("one", "original", (1, 2000))), Known)
    assert shop.done(credit("one", "original", (1, 2000))) == first
    assert shop.page.credits["original"] == {1: (2000, 2000)}


@pytest.mark.parametrize(
    ("prepare", "code", "status"),
    [
        (lambda _: None, "original_unknown", None),
        (lambda shop: shop.done(void(shop.done(sale("original"))["id"])), "original_not_creditable", "void"),
        (
            lambda shop: shop.done(sale("original", type=DocumentType.DELIVERY_NOTE)),
            "original_not_creditable",
            "delivery_note",
        ),
        (
            lambda shop: (shop.done(sale("first")), shop.done(credit("original", "first"))),
            "original_not_creditable",
            "credit_note",
        ),
    ],
    ids=["never issued", "void", "a delivery note", "a credit note"],
)
@pytest.mark.parametrize("kind", [DocumentType.CREDIT_NOTE, DocumentType.DEBIT_NOTE])
def test_only_an_issued_sale_can_be_credited_or_debited(prepare, code, status, kind):
    shop = Shop()
    prepare(shop)
    asked = credit("note", "original")
    if kind is DocumentType.DEBIT_NOTE:
        asked = sale("note", type=kind, references=asked.references)
    refusal = shop.refused(asked)
    assert refusal.code == code
    assert refusal.values.get("status") == status


def test_a_debit_note_charges_what_it_says_and_leaves_the_shelf_alone():
    shop = Shop()
    shop.stock("apple", on_hand=5000)
    shop.done(sale("original", line("apple", 1000)))
    note = shop.done(
        sale("note", line("apple", 1000), type=DocumentType.DEBIT_NOTE, references=(Reference("original", "freight"),))
    )
    assert (note["total"], note["references"][0]["document"]) == ("10.00", "original")
    assert shop.page.on_hand["apple"] == 4000
    assert shop.breaches() == []


def test_credits_work_without_decimals():
    shop = Shop(house(exponent=0, currency="CLP"))
    original = shop.done(sale("original", unlisted(1190, 3000, "iva19")))
    notes = [shop.done(credit(f"note-{step}", "original", (1, 1000))) for step in range(3)]
    assert sum(int(note["taxes"][0]["amount"]) for note in notes) == int(original["taxes"][0]["amount"])
    assert shop.breaches() == []


def test_a_buyer_may_be_named_on_the_note_for_the_first_time():
    shop = Shop()
    shop.done(sale("original"))
    note = shop.done(credit("note", "original", customer=Customer("1", "Somebody")))
    assert note["customer"] == {"tax_id": "1", "name": "Somebody"}


def test_any_paper_may_name_others_and_shows_them():
    shop = Shop()
    original = shop.done(sale("original"))
    named = (Reference("original", "same order"), Reference("original", "same van"))
    document = shop.done(sale("delivery", type=DocumentType.DELIVERY_NOTE, references=named))
    assert [each["reason"] for each in document["references"]] == ["same order", "same van"]
    assert {each["formatted_number"] for each in document["references"]} == {original["formatted_number"]}
