"""Honduras, against the articles and vectors of the design's fiscal notes."""

import re

import pytest

from gateway.fiscal import COUNTRIES, honduras, plain
from gateway.ledger.commands import Customer, DocumentType
from gateway.ledger.rules import Draft
from tests.ledger.shop import BUYER, CAI, CREDITS, Shop, credit, granted, house, sale, unlisted

NUMBER = re.compile(r"\d{3}-\d{3}-(01|06|07|08)-(?!0{8})\d{8}")
ANYBODY = Customer("", "")


def shop() -> Shop:
    made = Shop(house(honduras))
    made.done(granted("r1", 1, 500))
    made.done(granted("r6", 1, 500, series=CREDITS))
    return made


@pytest.mark.parametrize(
    ("series", "number", "printed"),
    [("000-001-01", 1, "000-001-01-00000001"), ("000-001-06", 500, "000-001-06-00000500"),
     ("003-012-08", 99_999_999, "003-012-08-99999999")],
)  # fmt: skip
def test_a_number_is_printed_as_the_law_wants_it(series, number, printed):
    assert honduras.format_number(series, number) == printed


@pytest.mark.parametrize("number", [1, 42, 500, 99_999_999])
def test_every_number_of_every_series_has_the_shape_of_the_law(number):
    for series in house(honduras).series():
        assert NUMBER.fullmatch(honduras.format_number(series, number))


def test_a_computer_issues_these_papers_and_never_a_ticket():
    assert dict(honduras.TYPE_CODES) == {
        DocumentType.INVOICE: "01",
        DocumentType.CREDIT_NOTE: "06",
        DocumentType.DEBIT_NOTE: "07",
        DocumentType.DELIVERY_NOTE: "08",
    }
    refusal = shop().refused(sale("one", type=DocumentType.RECEIPT))
    assert refusal.code == "document_type_not_issued"


@pytest.mark.parametrize("cai", [CAI, "275CBE-3B770E-A4FFE0-63BE03-09097A-4C"])
def test_a_published_cai_has_the_usual_shape(cai):
    assert honduras.is_usual_cai(cai)


@pytest.mark.parametrize("cai", [CAI[:-1], CAI.lower(), CAI.replace("A", "G"), CAI[:-3], f"{CAI}\n", ""])
def test_anything_else_has_not(cai):
    assert not honduras.is_usual_cai(cai)


@pytest.mark.parametrize("tax_id", ["08011999123456", "0801-1999-123456"])
def test_an_rtn_has_fourteen_digits(tax_id):
    assert honduras.is_rtn(tax_id)


@pytest.mark.parametrize("tax_id", ["0801199912345", "080119991234567", "0801199912345X", "", "٠٨٠١١٩٩٩١٢٣٤٥٦"])
def test_anything_else_is_no_rtn(tax_id):
    assert not honduras.is_rtn(tax_id)


@pytest.mark.parametrize(
    ("total", "customer", "named"),
    [
        (1_000_000, None, True),
        (1_000_001, None, False),
        (1_000_001, ANYBODY, False),
        (1_000_001, Customer("", "Ana"), False),
        (1_000_001, Customer("0801", ""), False),
        (1_000_001, BUYER, True),
    ],
)
def test_above_ten_thousand_lempiras_the_buyer_is_named_in_full(total, customer, named):
    made = shop()
    command = sale("one", unlisted(total, tax="exempt"), customer=customer)
    if named:
        assert made.done(command)["number"] == 1
    else:
        assert made.refused(command).code == "customer_required"
    assert made.breaches() == []


@pytest.mark.parametrize("customer", [None, ANYBODY, Customer("", "Ana")])
def test_a_credit_note_names_whoever_receives_it(customer):
    made = shop()
    made.done(sale("one", unlisted(100, tax="isv15")))
    assert made.refused(credit("note", "one", customer=customer)).code == "customer_required"
    assert made.done(credit("note", "one"))["customer"]["tax_id"] == BUYER.tax_id


def test_a_refused_buyer_burns_no_number():
    made = shop()
    made.refused(sale("one", unlisted(1_000_001, tax="exempt")))
    assert made.done(sale("two", unlisted(100, tax="isv15")))["number"] == 1


@pytest.mark.parametrize(
    ("code", "rate"), [("isv15", 1500), ("isv18", 1800), ("exempt", 0), ("exonerated", 0), ("zero", 0), ("iva19", None)]
)
def test_there_are_five_tax_buckets(code, rate):
    assert honduras.tax_rate(code) == rate
    assert (code in honduras.tax_codes()) == (rate is not None)


def test_the_five_buckets_stand_beside_each_other_on_one_paper():
    codes = ["isv15", "isv18", "exempt", "exonerated", "zero"]
    document = shop().done(sale("one", *(unlisted(11800, tax=code) for code in codes)))
    assert [(each["code"], each["base"], each["amount"]) for each in document["taxes"]] == [
        ("isv15", "102.61", "15.39"), ("isv18", "100.00", "18.00"), ("exempt", "118.00", "0.00"),
        ("exonerated", "118.00", "0.00"), ("zero", "118.00", "0.00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "lines"), [("invoice", 2), ("credit_note", 2), ("debit_note", 2), ("delivery_note", 0)]
)
def test_the_paper_says_where_its_copies_go(kind, lines):
    assert len(honduras.legend({"type": kind, "customer": {"tax_id": "1", "name": "Ana"}})) == lines


def test_an_anonymous_buyer_is_named_as_the_law_names_him():
    assert honduras.legend({"type": "invoice", "customer": None})[0] == "CONSUMIDOR FINAL"


@pytest.mark.parametrize(
    ("code", "rate"),
    [("vat16", 1600), ("iva19", 1900), ("tax7.5", 750), ("exempt", 0), ("zero", 0), ("vat", None), ("16", None),
     ("VAT16", None), ("vat100", None), ("vat7.555", None), ("vat-5", None), ("", None)],
)  # fmt: skip
def test_without_a_country_a_tax_code_says_its_own_rate(code, rate):
    assert plain.tax_rate(code) == rate


def test_without_a_country_anybody_may_buy_and_any_range_will_do():
    assert plain.buyer_problem(Draft(DocumentType.INVOICE, 10**12, None, 1)) is None
    assert plain.range_problem(granted("r1", 1, 2, valid_until="")) is None
    assert plain.legend({"type": "invoice", "customer": None}) == ()
    assert plain.format_number("000-001-02", 7) == "000-001-02-00000007"


@pytest.mark.parametrize("name", sorted(COUNTRIES))
def test_every_country_has_the_same_names(name):
    rules = COUNTRIES[name]
    assert name == rules.COUNTRY
    for wanted in ("NUMBER_MAX", "RANGE_REQUIRED", "CLOCK_BACK", "TYPE_CODES", "CURRENCY", "EXPONENT", "format_number",
                   "tax_rate", "tax_codes", "range_problem", "buyer_problem", "legend"):  # fmt: skip
        assert hasattr(rules, wanted), wanted
    for series in house(rules).series():
        assert rules.format_number(series, rules.NUMBER_MAX).endswith(str(rules.NUMBER_MAX))
