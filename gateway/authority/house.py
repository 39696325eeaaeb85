"""From the settings to the rules a decision sees."""

from gateway.fiscal import COUNTRIES
from gateway.ledger import amounts
from gateway.ledger.amounts import Minor
from gateway.ledger.facts import BooksOpened
from gateway.ledger.rules import NO_LIMIT, House
from gateway.settings import Settings

EXPONENTS = {"CLP": 0, "PYG": 0, "JPY": 0}
"""Currencies whose smallest unit is not a hundredth (ISO 4217)."""
CURRENCIES = {"plain": "USD", "honduras": "HNL"}

SYMBOLS = {"HNL": "L", "USD": "$", "EUR": "€", "CLP": "$", "GTQ": "Q", "NIO": "C$", "CRC": "₡", "PEN": "S/", "MXN": "$"}
"""What is printed before an amount; Honduras wants `L` or "Lempiras" (Art. 11)."""
TAX_ID_LABELS = {"honduras": "RTN"}
"""What the country calls the issuer's tax id."""


def house_of(settings: Settings) -> House:
    """The rules of this store."""
    rules = COUNTRIES[settings.store.country]
    currency = currency_of(settings)
    exponent = EXPONENTS.get(currency, 2)
    limit = NO_LIMIT
    if rules.COUNTRY == "honduras":
        limit = Minor(amounts.parse(settings.fiscal.consumer_limit, exponent))
    return House(
        rules=rules,
        establishment=settings.store.establishment.code,
        emission_point=settings.store.establishment.emission_point,
        zone=settings.store.zone,
        currency=currency,
        exponent=exponent,
        allow_unlisted=settings.tills.allow_unlisted,
        printers=frozenset(printer.name for printer in settings.devices.printer),
        consumer_limit=limit,
        range_low_numbers=settings.fiscal.range_low_numbers,
    )


def currency_of(settings: Settings) -> str:
    """The currency of the books (ISO 4217)."""
    return settings.fiscal.currency or CURRENCIES[settings.store.country]


def books_of(settings: Settings, house: House, epoch: str) -> BooksOpened:
    """The first row of this store's journal, should it have to be written."""
    return {
        "store": settings.store.id,
        "epoch": epoch,
        "country": house.rules.COUNTRY,
        "currency": house.currency,
        "exponent": house.exponent,
    }


def issuer_of(settings: Settings) -> dict[str, str]:
    """What the head of each paper says."""
    store = settings.store
    return {
        "name": store.name,
        "legal_name": store.legal_name,
        "tax_id": store.tax_id,
        "phone": store.phone,
        "email": store.email,
        "address": store.address,
        "establishment": store.establishment.code,
        "establishment_address": store.establishment.address,
        "tax_id_label": TAX_ID_LABELS.get(store.country, ""),
        "currency_symbol": SYMBOLS.get(currency_of(settings), currency_of(settings)),
        "time_zone": store.time_zone,
    }
