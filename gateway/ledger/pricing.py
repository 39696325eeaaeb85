"""Lines, taxes, totals and change (I11): the gateway computes them, whatever the till expected."""

from dataclasses import dataclass

from gateway.ledger import amounts
from gateway.ledger.amounts import AMOUNT_MAX, BasisPoints, Milli, Minor
from gateway.ledger.commands import IssueDocument, Line, Payment
from gateway.ledger.facts import DocumentLine, TaxBucket
from gateway.ledger.page import Page, Product
from gateway.ledger.refusals import Refusal, refuse
from gateway.ledger.rules import House


@dataclass(slots=True)
class Priced:
    """The money side of a document, and what it takes from stock (positive thousandths by SKU)."""

    lines: list[DocumentLine]
    totals: dict[str, int]
    """Tax code → total of its lines, tax included, in the order in which the codes appear."""
    taken: dict[str, int]

    @property
    def total(self) -> Minor:
        """What is to be paid."""
        return Minor(sum(self.totals.values()))


def price_lines(page: Page, command: IssueDocument, house: House) -> Priced | Refusal:
    """Price each line from the request and the catalogue; refuses a line that cannot be sold as asked."""
    priced = Priced([], {}, {})
    for position, line in enumerate(command.lines, 1):
        product = page.products.get(line.sku)
        if product is None:
            problem = _unlisted_problem(position, line, house)
        else:
            problem = _listed_problem(position, line, product)
        problem = problem or _add_line(priced, position, line, product, house)
        if problem is not None:
            return problem
    if priced.total > AMOUNT_MAX:
        return refuse("total_too_large", total=amounts.text(priced.total, house.exponent))
    return priced


def _unlisted_problem(position: int, line: Line, house: House) -> Refusal | None:
    if not house.allow_unlisted:
        return refuse("product_unknown", line=position, sku=line.sku)
    missing = [
        name
        for name, value in (("name", line.name), ("unit_price", line.unit_price), ("tax", line.tax))
        if value is None or value == ""
    ]
    if missing:
        return refuse("line_incomplete", line=position, sku=line.sku, missing=", ".join(missing))
    return None


def _listed_problem(position: int, line: Line, product: Product) -> Refusal | None:
    if line.tax is not None and line.tax != product.tax:
        return refuse("tax_mismatch", line=position, sku=line.sku, expected=product.tax, given=line.tax)
    return None


def _add_line(priced: Priced, position: int, line: Line, product: Product | None, house: House) -> Refusal | None:
    exponent = house.exponent
    tax = product.tax if product is not None else line.tax or ""
    if tax not in priced.totals and house.rules.tax_rate(tax) is None:
        known = house.rules.tax_codes()
        return refuse("tax_unknown", line=position, tax=tax, country=house.rules.COUNTRY, known=known)
    unit_price = line.unit_price
    if unit_price is None:
        unit_price = Minor(product.unit_price if product is not None else 0)
    amount = amounts.line_amount(line.quantity, unit_price)
    if line.discount > amount:
        discount = amounts.text(line.discount, exponent)
        return refuse("discount_exceeds_line", line=position, discount=discount, amount=amounts.text(amount, exponent))
    total = amount - line.discount
    priced.lines.append(
        {
            "sku": line.sku,
            "name": line.name or (product.name if product is not None else ""),
            "quantity": amounts.text(line.quantity, 3),
            "unit_price": amounts.text(unit_price, exponent),
            "discount": amounts.text(line.discount, exponent),
            "total": amounts.text(total, exponent),
            "tax": tax,
        }
    )
    priced.totals[tax] = priced.totals.get(tax, 0) + total
    if product is not None and product.tracked:
        priced.taken[line.sku] = priced.taken.get(line.sku, 0) + line.quantity
    return None


def tax_buckets(totals: dict[str, int], house: House) -> list[TaxBucket]:
    """One bucket for each tax code: prices include tax, so the base is what is inside."""
    buckets: list[TaxBucket] = []
    for code, total in totals.items():
        rate = house.rules.tax_rate(code) or BasisPoints(0)
        base = amounts.base_of(Minor(total), rate)
        buckets.append(bucket(code, rate, base, Minor(total - base), house.exponent))
    return buckets


def bucket(code: str, rate: BasisPoints, base: Minor, amount: Minor, exponent: int) -> TaxBucket:
    """One bucket in its wire form."""
    return {
        "code": code,
        "rate": amounts.percent(rate),
        "base": amounts.text(base, exponent),
        "amount": amounts.text(amount, exponent),
    }


def stock_problem(page: Page, taken: dict[str, int]) -> Refusal | None:
    """The first product of which less is there than is asked."""
    for sku, quantity in taken.items():
        product = page.products[sku]
        available = page.on_hand.get(sku, 0)
        if not product.sell_below_zero and available < quantity:
            asked, left = amounts.text(Milli(quantity), 3), amounts.text(max(available, 0), 3)
            return refuse("stock_short", sku=sku, available=left, asked=asked)
    return None


def change_of(payments: tuple[Payment, ...], total: Minor, exponent: int) -> Minor | Refusal:
    """What the customer gets back; no payments means on account. Change is given on cash only."""
    if not payments:
        return Minor(0)
    paid = sum(payment.amount for payment in payments)
    cash = sum(payment.amount for payment in payments if payment.method == "cash")
    if paid > AMOUNT_MAX:
        return refuse("total_too_large", total=amounts.text(paid, exponent))
    if paid < total:
        return refuse("payments_short", paid=amounts.text(paid, exponent), total=amounts.text(total, exponent))
    if paid - total > cash:
        return refuse(
            "payments_exceed",
            paid=amounts.text(paid, exponent),
            total=amounts.text(total, exponent),
            cash=amounts.text(cash, exponent),
        )
    return Minor(paid - total)
