"""Honduras: Régimen de Facturación (SAR), ranges authorised in advance by CAI, no clearance.

Source: Reglamento del Régimen de Facturación, Acuerdo 481-2017 as amended by 609-2017, 725-2018 and 817-2018 (SAR's
consolidated edition, July 2020); articles are named at each rule. https://www.sar.gob.hn/facturacion/
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from gateway.ledger.amounts import BasisPoints
from gateway.ledger.commands import DocumentType, LoadRange
from gateway.ledger.refusals import Refusal, refuse
from gateway.ledger.rules import Draft

COUNTRY: str = "honduras"
CURRENCY = "HNL"
EXPONENT = 2
NUMBER_MAX: int = 99_999_999
"""Art. 10.7: eight digits; after 99999999 the correlative begins again at 00000001."""
RANGE_REQUIRED: bool = True
"""Arts. 59-63: no document without an authorisation, no grace, no overdraft."""
CLOCK_BACK: Literal["last_date", "refuse"] = "refuse"
TYPE_CODES: Mapping[DocumentType, str] = {
    DocumentType.INVOICE: "01",
    DocumentType.CREDIT_NOTE: "06",
    DocumentType.DEBIT_NOTE: "07",
    DocumentType.DELIVERY_NOTE: "08",
}
"""Arts. 10, 25, 27, 29. A Ticket (Art. 17) is a registered cash register's paper and never a computer's."""

VALIDITY_DAYS_MAX = 366
"""Art. 62: at most one year."""

_RATES = {
    "isv15": BasisPoints(1500),
    "isv18": BasisPoints(1800),
    "exempt": BasisPoints(0),
    "exonerated": BasisPoints(0),
    "zero": BasisPoints(0),
}
_CAI = re.compile(r"(?:[0-9A-F]{6}-){5}[0-9A-F]{2}", re.ASCII)
_RTN = re.compile(r"\d{14}", re.ASCII)


def format_number(series: str, number: int) -> str:
    """Art. 10.7: `000-001-01` and 42 is `000-001-01-00000042`."""
    return f"{series}-{number:08d}"


def tax_rate(code: str) -> BasisPoints | None:
    """ISV 15 % and 18 %, exempt, exonerated, zero-rated (Art. 11)."""
    return _RATES.get(code)


def tax_codes() -> str:
    """The five buckets."""
    return ", ".join(_RATES)


def is_usual_cai(authority_ref: str) -> bool:
    """Whether a CAI has the shape seen in practice; the law fixes none, so this is advice and never a refusal."""
    return _CAI.fullmatch(authority_ref) is not None


def range_problem(command: LoadRange) -> Refusal | None:
    """An authorisation is a CAI and states its last day (Arts. 59, 62).

    Its key is printed on every document (Art. 10), but no law fixes its shape: who loads a doubtful one is told.
    """
    if command.authority_kind != "CAI":
        return refuse(
            "range_invalid",
            why="A range in Honduras is authorised by a CAI: authority_kind must be CAI.",
            why_es="Un rango en Honduras lo autoriza un CAI: authority_kind debe ser CAI.",
        )
    if not command.valid_until:
        return refuse(
            "range_invalid",
            why="A range in Honduras needs valid_until, the last day of issue (fecha límite de emisión).",
            why_es="Un rango en Honduras necesita valid_until, la fecha límite de emisión.",
        )
    if command.valid_from:
        days = (date.fromisoformat(command.valid_until) - date.fromisoformat(command.valid_from)).days
        if days > VALIDITY_DAYS_MAX:
            return refuse(
                "range_invalid",
                why=f"An authorisation is good for one year at most (Art. 62); this one spans {days} days.",
                why_es=f"Una autorización vale un año como máximo (Art. 62); ésta abarca {days} días.",
            )
    return None


def buyer_problem(draft: Draft) -> Refusal | None:
    """Who must be named: buyers above the consumer limit (Art. 11.2), and whoever receives a note (Arts. 26, 28)."""
    buyer = draft.customer
    if draft.type in {DocumentType.CREDIT_NOTE, DocumentType.DEBIT_NOTE} and (buyer is None or not buyer.tax_id):
        return refuse(
            "customer_required",
            why="A credit or debit note names the buyer and a tax id or identity number (Art. 26).",
            why_es="Una nota de crédito o débito lleva nombre y RTN o identidad del comprador (Art. 26).",
        )
    if draft.total > draft.consumer_limit and (buyer is None or not buyer.tax_id or not buyer.name):
        return refuse(
            "customer_required",
            why="Above the consumer limit the buyer's name and identity number are required (Art. 11.2).",
            why_es="Sobre el límite de consumidor final se exige nombre e identidad del comprador (Art. 11.2).",
        )
    return None


def is_rtn(tax_id: str) -> bool:
    """14 digits; no public rule for a check digit was found, so none is checked."""
    return _RTN.fullmatch(tax_id.replace("-", "")) is not None


def legend(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The anonymous buyer (Art. 11.2) and the destination of the copies (Art. 10); in the language of the law."""
    if document["type"] not in {"invoice", "credit_note", "debit_note"}:
        return ()
    buyer = () if document["customer"] else ("CONSUMIDOR FINAL",)
    return (*buyer, "Original: Cliente", "Copia: Obligado tributario emisor")
