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


def house_of(settings: Settings) -> House:
    """The rules of this store."""
    rules = COUNTRIES[settings.store.country]
    currency = settings.fiscal.currency or CURRENCIES[rules.COUNTRY]
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
    }
