"""What the tills of a benchmark sell: real baskets cut to eight lines, as the bytes of HTTP requests."""

import csv
import io
import json

from gateway.simulator.baskets import bundled, catalogue_csv, money, quantity

LINES = 8
ON_HAND = 500_000_000
"""Pieces of each product: no run comes near the end of a shelf, because a refusal would be a cheaper answer."""
LIMIT_CENTS = 900_000
"""Below the sum at which Honduras wants the buyer's name."""
NOTES = (500, 1_000, 2_000, 5_000, 10_000)


def baskets():
    """The bundled baskets of at least eight lines, their first eight lines each."""
    cut = (basket.lines[:LINES] for basket in bundled() if len(basket.lines) >= LINES)
    return [lines for lines in cut if 0 < sum(line.total for line in lines) < LIMIT_CENTS]


def catalogue():
    """The CSV of everything in the bundled baskets: the catalogue is a real store's, 8 000 products, not just 8."""
    return catalogue_csv(bundled(), tax="isv15", on_hand=ON_HAND)


def products():
    """The catalogue's rows."""
    return list(csv.DictReader(io.StringIO(catalogue())))


def bodies(generator):
    """One request body for each basket, as a till writes them."""
    return [json.dumps(request(lines, generator), separators=(",", ":")).encode() for lines in baskets()]


def request(lines, generator):
    """A sale paid in cash with the next larger note."""
    total = sum(line.total for line in lines)
    note = generator.choice(NOTES)
    return {
        "type": "invoice",
        "issued_by": {"cashier": "ana", "shift": "2026-11-21-1"},
        "lines": [
            {
                "sku": line.sku,
                "quantity": quantity(line.quantity),
                "unit_price": money(line.unit_price),
                "discount": money(line.discount),
            }
            for line in lines
        ],
        "payments": [{"method": "cash", "amount": money(-(-total // note) * note)}],
        "expected_total": money(total),
    }


def tail_of(body, token):
    """All of a request that follows its document id."""
    return (
        b" HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (token.encode(), len(body), body)
    )
