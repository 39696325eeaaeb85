import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fiscal import honduras
from gateway.ledger import amounts
from gateway.ledger.commands import Customer, DocumentType, Line, MovementKind, Payment
from tests.ledger.shop import SERIES, Shop, cash, granted, house, line, move, sale, unlisted

EXAMPLE = "0198f3c2-7b1e-7c44-9a55-3f1d2a6b7c10"


def honduran_shop_at_number_42() -> Shop:
    shop = Shop(house(honduras))
    shop.done(granted("range-1", 1, 500))
    shop.stock("1082185", 99, name="Banano", tax="exempt", tracked=True, on_hand=5000)
    for number in range(1, 42):
        shop.done(sale(f"earlier-{number}", unlisted(100, tax="isv15")))
    return shop


def test_the_example_of_the_contract_comes_out_to_the_letter():
    shop = honduran_shop_at_number_42()
    document = shop.done(
        sale(
            EXAMPLE,
            Line("1082185", 1000, 99, 0),
            Line("ad-hoc", 2000, 150, 0, "Bolsa", "isv15"),
            payments=cash(500),
            customer=Customer("08011999123456", "Ana"),
            expected_total=399,
            last_seen=((SERIES, 41),),
            print_to="front",
            cashier="ana",
            shift="0198f3c0",
        )
    )
    assert document == {
        "id": EXAMPLE,
        "type": "invoice",
        "status": "issued",
        "series": "000-001-01",
        "number": 42,
        "formatted_number": "000-001-01-00000042",
        "issued_at": "2026-11-21T16:20:31.118Z",
        "fiscal_date": "2026-11-21",
        "till": "front-1",
        "issued_by": {"cashier": "ana", "shift": "0198f3c0"},
        "price_list": "store",
        "lines": [
            {"sku": "1082185", "name": "Banano", "quantity": "1.000", "unit_price": "0.99", "discount": "0.00",
             "total": "0.99", "tax": "exempt"},
            {"sku": "ad-hoc", "name": "Bolsa", "quantity": "2.000", "unit_price": "1.50", "discount": "0.00",
             "total": "3.00", "tax": "isv15"},
        ],
        "taxes": [
            {"code": "exempt", "rate": "0", "base": "0.99", "amount": "0.00"},
            {"code": "isv15", "rate": "15", "base": "2.61", "amount": "0.39"},
        ],
        "total": "3.99",
        "payments": [{"method": "cash", "amount": "5.00"}],
        "change": "1.01",
        "customer": {"tax_id": "08011999123456", "name": "Ana"},
        "references": [],
        "authority": {
            "kind": "CAI", "ref": "672002-A60EB4-6946A1-E1437B-9925CE-35", "first": 1, "last": 500,
            "valid_until": "2027-06-30",
        },
        "seq": shop.page.seq,
        "warnings": [],
        "job": document["job"],
    }  # fmt: skip
    assert shop.page.on_hand["1082185"] == 4000
    assert shop.breaches() == []


@pytest.mark.parametrize(
    ("lines", "total", "taxes"),
    [
        ([unlisted(333, 3000)], "9.99", {"vat15": ("8.69", "1.30")}),
        ([unlisted(333), unlisted(333), unlisted(333)], "9.99", {"vat15": ("8.69", "1.30")}),
        ([unlisted(1099, 1250)], "13.74", {"vat15": ("11.95", "1.79")}),
        ([unlisted(1000, 500, "vat15", 1)], "4.99", {"vat15": ("4.34", "0.65")}),
        ([unlisted(1000, 1000, "vat15", 1000)], "0.00", {"vat15": ("0.00", "0.00")}),
        ([unlisted(0, 1000, "zero")], "0.00", {"zero": ("0.00", "0.00")}),
        ([unlisted(100, tax="vat7.5"), unlisted(100, tax="exempt"), unlisted(100, tax="vat7.5")], "3.00",
         {"vat7.5": ("1.86", "0.14"), "exempt": ("1.00", "0.00")}),
        ([unlisted(1, 1)], "0.00", {"vat15": ("0.00", "0.00")}),
        ([unlisted(1, 500)], "0.01", {"vat15": ("0.01", "0.00")}),
    ],
    ids=["thrice", "three lines, one bucket", "by weight", "discount", "given away", "free", "two taxes",
         "dust rounds down", "half a cent rounds up"],
)  # fmt: skip
def test_a_sale_is_worth(lines, total, taxes):
    document = Shop().done(sale("one", *lines))
    assert document["total"] == total
    assert {each["code"]: (each["base"], each["amount"]) for each in document["taxes"]} == taxes


LINES = st.lists(
    st.builds(
        unlisted,
        st.integers(0, 10**7),
        st.integers(1, 10**6),
        st.sampled_from(["exempt", "zero", "vat15", "vat18", "vat7.5", "iva19"]),
    ),
    min_size=1,
    max_size=12,
)


@given(LINES, st.integers(0, 3))
def test_buckets_always_add_up_to_the_total_and_the_total_to_the_lines(lines, exponent):
    shop = Shop(house(exponent=exponent))
    document = shop.done(sale("one", *lines))

    def read(text):
        return amounts.parse(text, exponent)

    total = read(document["total"])
    assert total == sum(read(each["base"]) + read(each["amount"]) for each in document["taxes"])
    assert total == sum(read(each["total"]) for each in document["lines"])
    assert all(read(each["base"]) >= 0 <= read(each["amount"]) for each in document["taxes"])
    assert shop.breaches() == []


@pytest.mark.parametrize(
    ("paid", "change"),
    [
        ([("cash", 1000)], "0.00"),
        ([("cash", 2000)], "10.00"),
        ([("card", 1000)], "0.00"),
        ([("card", 600), ("cash", 500)], "1.00"),
        ([("card", 999), ("cash", 1)], "0.00"),
        ([], "0.00"),
    ],
)
def test_change_is_what_was_paid_too_much_in_cash(paid, change):
    shop = Shop()
    payments = tuple(Payment(method, amount) for method, amount in paid)
    assert shop.done(sale("one", unlisted(1000), payments=payments))["change"] == change
    assert shop.breaches() == []


@pytest.mark.parametrize(
    ("paid", "code"),
    [
        ([("cash", 999)], "payments_short"),
        ([("card", 1001)], "payments_exceed"),
        ([("card", 1500), ("cash", 400)], "payments_exceed"),
        ([("cash", 10**15), ("cash", 10**15)], "total_too_large"),
    ],
)
def test_payments_that_do_not_fit_are_refused(paid, code):
    payments = tuple(Payment(method, amount) for method, amount in paid)
    assert Shop().refused(sale("one", unlisted(1000), payments=payments)).code == code


def test_the_catalogue_fills_in_what_a_line_leaves_out():
    shop = Shop()
    shop.stock("apple", 250, name="Red apple", on_hand=3000)
    (printed,) = shop.done(sale("one", line("apple", 2000)))["lines"]
    assert (printed["name"], printed["unit_price"], printed["tax"]) == ("Red apple", "2.50", "vat15")


def test_a_till_may_sell_at_another_price_than_the_catalogues():
    shop = Shop()
    shop.stock("apple", 250, on_hand=3000)
    assert shop.done(sale("one", line("apple", 1000, 199)))["total"] == "1.99"


def test_the_same_product_on_two_lines_is_counted_together():
    shop = Shop()
    shop.stock("apple", 250, on_hand=3000)
    refusal = shop.refused(sale("one", line("apple", 2000), line("apple", 1001)))
    assert (refusal.code, refusal.values["available"], refusal.values["asked"]) == ("stock_short", "3.000", "3.001")
    shop.done(sale("two", line("apple", 2000), line("apple", 1000)))
    assert shop.page.on_hand["apple"] == 0


@pytest.mark.parametrize(
    ("product", "left"),
    [({"tracked": False}, 0), ({"sell_below_zero": True}, -1000)],
    ids=["always available", "may go below zero"],
)
def test_a_product_that_need_not_be_there_is_sold_from_an_empty_shelf(product, left):
    shop = Shop()
    shop.stock("apple", 250, **product)
    shop.done(sale("one", line("apple")))
    assert shop.page.on_hand.get("apple", 0) == left


@pytest.mark.parametrize("kind", [DocumentType.DELIVERY_NOTE, DocumentType.RECEIPT, DocumentType.INVOICE])
def test_only_a_sale_takes_from_the_shelf(kind):
    shop = Shop()
    shop.stock("apple", 250, on_hand=5000)
    shop.done(sale("one", line("apple"), type=kind))
    assert shop.page.on_hand["apple"] == (5000 if kind is DocumentType.DELIVERY_NOTE else 4000)
    assert shop.breaches() == []


def test_a_total_as_large_as_amounts_may_be_is_issued_and_can_be_checked():
    shop = Shop(house(exponent=0))
    shop.done(sale("one", unlisted(5 * 10**14), unlisted(5 * 10**14)))
    assert shop.breaches() == []


def test_what_was_never_received_is_not_there_and_what_is_missing_is_not_less_than_nothing():
    shop = Shop()
    shop.stock("apple", 250)
    assert shop.refused(sale("one", line("apple", 1))).values == {
        "sku": "apple",
        "available": "0.000",
        "asked": "0.001",
    }
    shop.done(move("lost", ("apple", -500), kind=MovementKind.ADJUSTMENT))
    assert shop.refused(sale("one", line("apple", 1))).values["available"] == "0.000"


def test_a_paper_that_is_printed_names_its_job_and_each_paper_has_its_own():
    shop = Shop()
    quiet, *printed = [
        shop.done(sale(f"sale-{n}", print_to=printer)) for n, printer in enumerate((None, "front", "front"))
    ]
    assert quiet["job"] is None
    assert [each["job"] for each in printed] == [str(uuid.uuid5(uuid.NAMESPACE_OID, f"print:sale-{n}")) for n in (1, 2)]
