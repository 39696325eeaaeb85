from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.commands import MovementKind
from gateway.ledger.outcomes import Known
from tests.ledger.shop import Shop, line, move, sale


def shop_with_apples(on_hand=0) -> Shop:
    shop = Shop()
    shop.stock("apple", on_hand=on_hand)
    return shop


def test_a_receipt_adds_and_an_adjustment_adds_or_takes():
    shop = shop_with_apples()
    shop.done(move("m1", ("apple", 5000)))
    shop.done(move("m2", ("apple", -1500), kind=MovementKind.ADJUSTMENT))
    assert shop.page.on_hand["apple"] == 3500


def test_a_count_says_what_is_there_and_the_books_keep_the_difference():
    shop = shop_with_apples(5000)
    shop.done(sale("one", line("apple", 2000)))
    body = shop.done(move("m1", ("apple", 2750), kind=MovementKind.COUNT))
    assert body["movements"] == [["apple", -250]]
    assert shop.page.on_hand["apple"] == 2750


def test_a_product_that_never_moved_can_be_counted():
    shop = shop_with_apples()
    assert shop.done(move("m1", ("apple", 2000), kind=MovementKind.COUNT))["movements"] == [["apple", 2000]]


def test_a_count_that_names_a_product_twice_means_the_last_word():
    shop = shop_with_apples(5000)
    shop.done(move("m1", ("apple", 1000), ("apple", 2000), kind=MovementKind.COUNT))
    assert shop.page.on_hand["apple"] == 2000


def test_a_receipt_that_names_a_product_twice_means_both():
    shop = shop_with_apples()
    shop.done(move("m1", ("apple", 1000), ("apple", 2000)))
    assert shop.page.on_hand["apple"] == 3000


def test_the_same_movement_again_moves_nothing_and_another_under_its_id_is_refused():
    shop = shop_with_apples()
    first = shop.done(move("m1", ("apple", 1000)))
    again = shop.ask(move("m1", ("apple", 1000)))
    assert isinstance(again, Known)
    assert again.answer == first
    assert shop.refused(move("m1", ("apple", 1001))).code == "key_reused"
    assert shop.page.on_hand["apple"] == 1000


def test_a_movement_is_booked_as_a_whole_or_not_at_all():
    shop = shop_with_apples()
    shop.stock("water", tracked=False)
    assert shop.refused(move("m1", ("apple", 1000), ("pear", 1000))).values == {"line": 2, "sku": "pear"}
    assert shop.refused(move("m1", ("apple", 1000), ("water", 1000))).code == "stock_not_tracked"
    assert shop.page.on_hand.get("apple", 0) == 0


STEPS = st.lists(st.tuples(st.sampled_from(MovementKind), st.integers(0, 10_000)), max_size=20)


@given(STEPS)
def test_what_is_on_hand_is_the_sum_of_the_movements_and_nothing_else(steps):
    shop = shop_with_apples()
    for position, (kind, quantity) in enumerate(steps):
        shop.done(move(f"m{position}", ("apple", quantity), kind=kind))
    moved = [body["movements"] for body in shop.page.bodies.values() if "movements" in body]
    assert shop.page.on_hand.get("apple", 0) == sum(quantity for lines in moved for _, quantity in lines)
    assert shop.breaches() == []
