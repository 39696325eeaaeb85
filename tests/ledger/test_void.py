import pytest

from gateway.ledger.commands import DocumentType
from gateway.ledger.outcomes import Known
from tests.ledger.shop import Shop, credit, line, sale, void


def test_a_void_keeps_the_number_and_brings_the_goods_back():
    shop = Shop()
    shop.stock("apple", on_hand=5000)
    document = shop.done(sale("one", line("apple", 2000)))
    answer = shop.done(void("one", "typed wrong"))
    assert answer == {**document, "status": "void", "void": {"reason": "typed wrong", "till": "front-1"}}
    assert shop.page.on_hand["apple"] == 5000
    assert shop.done(sale("two", line("apple")))["number"] == 2
    assert shop.breaches() == []


def test_a_voided_document_still_answers_the_till_that_asked_for_it_with_what_it_was():
    shop = Shop()
    document = shop.done(sale("one"))
    shop.done(void("one"))
    decision = shop.ask(sale("one"))
    assert isinstance(decision, Known)
    assert decision.answer == document


def test_the_same_void_again_is_answered_the_same_and_another_reason_is_refused():
    shop = Shop()
    shop.stock("apple", on_hand=5000)
    shop.done(sale("one", line("apple")))
    first = shop.done(void("one"))
    again = shop.ask(void("one", till="front-2"))
    assert isinstance(again, Known)
    assert (again.seq, again.answer) == (shop.page.seq, first)
    assert shop.refused(void("one", "other reason")).code == "document_already_void"
    assert shop.page.on_hand["apple"] == 5000


def test_what_was_never_issued_cannot_be_voided():
    assert Shop().refused(void("nobody")).code == "document_unknown"


def test_a_document_with_credits_is_voided_only_after_its_notes():
    shop = Shop()
    shop.stock("apple", on_hand=5000)
    shop.done(sale("one", line("apple", 3000)))
    shop.done(credit("note", "one", (1, 1000)))
    assert shop.refused(void("one")).code == "document_has_credits"
    shop.done(void("note"))
    shop.done(void("one"))
    assert shop.page.on_hand["apple"] == 5000
    assert shop.refused(credit("note-2", "one")).code == "original_not_creditable"
    assert shop.breaches() == []


@pytest.mark.parametrize("kind", [DocumentType.RECEIPT, DocumentType.DELIVERY_NOTE])
def test_every_paper_can_be_voided(kind):
    shop = Shop()
    shop.stock("apple", on_hand=5000)
    shop.done(sale("one", line("apple"), type=kind))
    assert shop.done(void("one"))["status"] == "void"
    assert shop.page.on_hand["apple"] == 5000
    assert shop.breaches() == []


def test_an_id_belongs_to_the_till_that_used_it_first():
    shop = Shop()
    shop.done(sale("one"))
    for asked in (sale("one", cashier="ana"), sale("one", till="front-2")):
        assert shop.refused(asked).code == "key_reused"
    stranger = sale("one")
    object.__setattr__(stranger, "till", "front-2")
    assert shop.refused(stranger).code == "key_reused"
