"""Stock movements outside documents: receipt adds, count sets, adjustment adds or takes; idempotent by id."""

from gateway.ledger.commands import MovementKind, MoveStock
from gateway.ledger.facts import Fact, StockMoved
from gateway.ledger.outcomes import Decided, Decision, Known, Refused
from gateway.ledger.page import Page
from gateway.ledger.refusals import refuse


def move_stock(page: Page, command: MoveStock) -> Decision:
    """The movements, as signed thousandths by SKU; a count becomes the difference to what the books say."""
    known = page.movements.get(command.id)
    if known is not None:
        digest, seq, body = known
        if digest != command.digest:
            return Refused(refuse("key_reused", id=command.id))
        return Known(seq, body)
    moved: dict[str, int] = {}
    for position, (sku, quantity) in enumerate(command.lines, 1):
        product = page.products.get(sku)
        if product is None:
            return Refused(refuse("product_unknown", line=position, sku=sku))
        if not product.tracked:
            return Refused(refuse("stock_not_tracked", sku=sku))
        if command.kind is MovementKind.COUNT:
            moved[sku] = quantity - page.on_hand.get(sku, 0)
        else:
            moved[sku] = moved.get(sku, 0) + quantity
    moved_body: StockMoved = {
        "id": command.id,
        "digest": command.digest.hex(),
        "kind": command.kind.value,
        "by": command.by,
        "reason": command.reason,
        "movements": [[sku, quantity] for sku, quantity in moved.items()],
    }
    return Decided((Fact("stock_moved", moved_body),), moved_body)
