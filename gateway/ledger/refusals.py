"""Every expected "no": one row each, with a stable code, an HTTP status and what the till should do about it.

A refusal writes nothing and burns no number. Texts are in English and Spanish and take the refusal's values.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Advice(StrEnum):
    """What a till does next."""

    SAME_REQUEST_AGAIN = "same_request_again"
    CHANGE_AND_RETRY = "change_and_retry"
    CALL_MANAGER = "call_manager"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the catalogue."""

    code: str
    status: int
    advice: Advice
    title_en: str
    title_es: str
    detail_en: str
    detail_es: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A "no" with its values; `CATALOGUE[code]` says the rest."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """The catalogue's row."""
        return CATALOGUE[self.code]


def refuse(code: str, **values: Any) -> Refusal:
    """A refusal of a known code.

    Raises:
        AssertionError: no such code in the catalogue (a bug).
    """
    assert code in CATALOGUE, code
    return Refusal(code, values)


_CHANGE, _CALL = Advice.CHANGE_AND_RETRY, Advice.CALL_MANAGER

CATALOGUE: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "key_reused",
            409,
            _CHANGE,
            "This id was used for something else",
            "Este id ya se usó para otra cosa",
            "Id {id} already stands for another request; make a new id for a new request.",
            "El id {id} ya corresponde a otra solicitud; use un id nuevo para una solicitud nueva.",
        ),
        Kind(
            "document_type_not_issued",
            422,
            _CHANGE,
            "This paper is not issued here",
            "Este documento no se emite aquí",
            "A {type} cannot be issued under the rules of {country}; it issues: {issued}.",
            "No se puede emitir {type} con las reglas de {country}; se emiten: {issued}.",
        ),
        Kind(
            "lines_missing",
            422,
            _CHANGE,
            "No lines",
            "Sin líneas",
            "A {type} needs at least one line.",
            "Un {type} necesita al menos una línea.",
        ),
        Kind(
            "lines_not_allowed",
            422,
            _CHANGE,
            "Lines come from the original",
            "Las líneas vienen del original",
            "A credit note takes its lines from references[0].lines; leave lines out.",
            "Una nota de crédito toma sus líneas de references[0].lines; no envíe lines.",
        ),
        Kind(
            "reference_missing",
            422,
            _CHANGE,
            "No original named",
            "Falta el documento original",
            "A {type} names exactly one original document in references.",
            "Un {type} nombra exactamente un documento original en references.",
        ),
        Kind(
            "original_unknown",
            422,
            _CHANGE,
            "The original is not known",
            "El original no existe",
            "Document {document} was not issued by this store.",
            "El documento {document} no fue emitido por esta tienda.",
        ),
        Kind(
            "original_not_creditable",
            409,
            _CHANGE,
            "The original cannot be credited",
            "El original no admite crédito",
            "Document {document} is {status}; only an issued invoice or receipt can be credited or debited.",
            "El documento {document} está {status}; sólo se acredita una factura o recibo emitido.",
        ),
        Kind(
            "credit_exceeds_original",
            409,
            _CHANGE,
            "More than is left to credit",
            "Más de lo que queda por acreditar",
            "Line {line}: {left} left to credit, {asked} asked.",
            "Línea {line}: quedan {left} por acreditar, se pidió {asked}.",
        ),
        Kind(
            "nothing_left_to_credit",
            409,
            _CHANGE,
            "Nothing is left to credit",
            "No queda nada por acreditar",
            "Document {document} is credited in full.",
            "El documento {document} está acreditado por completo.",
        ),
        Kind(
            "product_unknown",
            422,
            _CHANGE,
            "Product not in the catalogue",
            "Producto fuera de catálogo",
            "Line {line}: SKU {sku} is not in the catalogue.",
            "Línea {line}: el SKU {sku} no está en el catálogo.",
        ),
        Kind(
            "line_incomplete",
            422,
            _CHANGE,
            "The line lacks something",
            "La línea está incompleta",
            "Line {line}: SKU {sku} needs {missing}.",
            "Línea {line}: al SKU {sku} le falta {missing}.",
        ),
        Kind(
            "tax_unknown",
            422,
            _CHANGE,
            "Unknown tax code",
            "Código de impuesto desconocido",
            "Line {line}: {tax} is not a tax of {country}; known: {known}.",
            "Línea {line}: {tax} no es un impuesto de {country}; conocidos: {known}.",
        ),
        Kind(
            "tax_mismatch",
            422,
            _CHANGE,
            "The tax is not the catalogue's",
            "El impuesto no es el del catálogo",
            "Line {line}: SKU {sku} is taxed {expected}, the request says {given}.",
            "Línea {line}: el SKU {sku} lleva {expected}, la solicitud dice {given}.",
        ),
        Kind(
            "discount_exceeds_line",
            422,
            _CHANGE,
            "The discount is larger than the line",
            "El descuento supera la línea",
            "Line {line}: discount {discount} on {amount}.",
            "Línea {line}: descuento {discount} sobre {amount}.",
        ),
        Kind(
            "total_too_large",
            422,
            _CHANGE,
            "The total is too large",
            "El total es demasiado grande",
            "The total {total} is beyond what a document can carry.",
            "El total {total} supera lo que admite un documento.",
        ),
        Kind(
            "total_mismatch",
            409,
            _CHANGE,
            "The total is not what the till expected",
            "El total no es el que esperaba la caja",
            "The total is {total}, the till expected {expected}.",
            "El total es {total}, la caja esperaba {expected}.",
        ),
        Kind(
            "payments_short",
            422,
            _CHANGE,
            "Not paid in full",
            "Pago incompleto",
            "Payments are {paid}, the total is {total}.",
            "Los pagos suman {paid}, el total es {total}.",
        ),
        Kind(
            "payments_exceed",
            422,
            _CHANGE,
            "Change is given on cash only",
            "Sólo el efectivo da cambio",
            "Payments are {paid} for a total of {total}, of which {cash} in cash.",
            "Los pagos suman {paid} para un total de {total}, de ellos {cash} en efectivo.",
        ),
        Kind(
            "customer_required",
            422,
            _CHANGE,
            "The buyer must be named",
            "Se debe identificar al comprador",
            "{why}",
            "{why_es}",
        ),
        Kind(
            "stock_short",
            409,
            _CHANGE,
            "Not enough in stock",
            "Existencias insuficientes",
            "SKU {sku}: {available} available, {asked} asked.",
            "SKU {sku}: {available} disponibles, se pidió {asked}.",
        ),
        Kind(
            "stock_not_tracked",
            422,
            _CHANGE,
            "This product's stock is not counted",
            "Este producto no lleva existencias",
            "SKU {sku} is always available; there is nothing to move.",
            "El SKU {sku} está siempre disponible; no hay nada que mover.",
        ),
        Kind(
            "device_unknown",
            422,
            _CHANGE,
            "No such device",
            "No existe ese dispositivo",
            "There is no printer {device}; known: {known}.",
            "No hay impresora {device}; conocidas: {known}.",
        ),
        Kind(
            "range_missing",
            409,
            _CALL,
            "No authorised range",
            "Sin rango autorizado",
            "Series {series} has no authorised range; load one.",
            "La serie {series} no tiene rango autorizado; cargue uno.",
        ),
        Kind(
            "range_exhausted",
            409,
            _CALL,
            "The authorised range is used up",
            "Rango autorizado agotado",
            "Series {series}: number {last} was the last one authorised; load the next range.",
            "Serie {series}: el número {last} fue el último autorizado; cargue el siguiente rango.",
        ),
        Kind(
            "range_expired",
            409,
            _CALL,
            "The authorised range has expired",
            "Rango autorizado vencido",
            "Series {series}: the range was good until {valid_until}; load the next one.",
            "Serie {series}: el rango valía hasta {valid_until}; cargue el siguiente.",
        ),
        Kind(
            "range_not_yet_valid",
            409,
            _CALL,
            "The authorised range is not valid yet",
            "El rango autorizado aún no vale",
            "Series {series}: the range is good from {valid_from}.",
            "Serie {series}: el rango vale desde {valid_from}.",
        ),
        Kind(
            "range_cancelled",
            409,
            _CALL,
            "The authorised range was cancelled",
            "Rango autorizado anulado",
            "Series {series}: the range was cancelled; load the next one.",
            "Serie {series}: el rango fue anulado; cargue el siguiente.",
        ),
        Kind("range_invalid", 422, _CHANGE, "The range cannot be right", "El rango no es válido", "{why}", "{why_es}"),
        Kind(
            "range_overlaps",
            409,
            _CHANGE,
            "The range overlaps another",
            "El rango se traslapa con otro",
            "{first}-{last} meets the numbers {other_first}-{other_last} already loaded or issued in series {series}.",
            "{first}-{last} coincide con {other_first}-{other_last}, ya cargados o emitidos en la serie {series}.",
        ),
        Kind(
            "range_unknown",
            404,
            _CHANGE,
            "No such range",
            "No existe ese rango",
            "Range {id} is not loaded.",
            "El rango {id} no está cargado.",
        ),
        Kind(
            "range_ended",
            409,
            _CHANGE,
            "The range has ended",
            "El rango ya terminó",
            "Range {id} is {state}.",
            "El rango {id} está {state}.",
        ),
        Kind(
            "document_unknown",
            404,
            _CHANGE,
            "No such document",
            "No existe ese documento",
            "Document {document} was not issued by this store.",
            "El documento {document} no fue emitido por esta tienda.",
        ),
        Kind(
            "document_already_void",
            409,
            _CHANGE,
            "The document is void already",
            "El documento ya está anulado",
            "Document {document} was voided for another reason.",
            "El documento {document} fue anulado por otro motivo.",
        ),
        Kind(
            "document_has_credits",
            409,
            _CALL,
            "The document has credits",
            "El documento tiene créditos",
            "Document {document} is credited in part; void the credit notes first.",
            "El documento {document} está acreditado en parte; anule antes las notas de crédito.",
        ),
        Kind(
            "number_ahead",
            409,
            _CALL,
            "A till knows a later number",
            "Una caja conoce un número posterior",
            "Series {series}: this till saw number {seen}, the books end at {last}. The series is locked.",
            "Serie {series}: esta caja vio el número {seen}, los libros terminan en {last}. La serie queda bloqueada.",
        ),
        Kind(
            "series_locked",
            409,
            _CALL,
            "The series is locked",
            "La serie está bloqueada",
            "Series {series} is locked: number {seen} was seen, the books end at {last}.",
            "La serie {series} está bloqueada: se vio el número {seen}, los libros terminan en {last}.",
        ),
        Kind(
            "series_unknown",
            404,
            _CHANGE,
            "No such series",
            "No existe esa serie",
            "Series {series} is not a series of this store; it has: {known}.",
            "La serie {series} no es de esta tienda; tiene: {known}.",
        ),
        Kind(
            "confirm_below_books",
            409,
            _CHANGE,
            "The books already hold later numbers",
            "Los libros ya tienen números posteriores",
            "Series {series}: the books end at {last}, {given} was given.",
            "Serie {series}: los libros terminan en {last}, se indicó {given}.",
        ),
        Kind(
            "tenure_locked",
            409,
            _CALL,
            "Numbering is locked",
            "La numeración está bloqueada",
            "These books may not allocate numbers: {reason}.",
            "Estos libros no pueden asignar números: {reason}.",
        ),
        Kind(
            "clock_behind",
            409,
            _CALL,
            "The clock went back",
            "El reloj retrocedió",
            "The clock says {now}, the last document is of {last}. Set the clock.",
            "El reloj dice {now}, el último documento es de {last}. Ajuste el reloj.",
        ),
    )
}
"""One row for each code. Codes are stable for ever."""
