"""Every expected "no" of pairing and of the till list: stable code, HTTP status, advice, texts in both languages."""

from typing import Any

from gateway.ledger.refusals import Advice, Kind

CATALOGUE: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "pairing_refused",
            403,
            Advice.CALL_MANAGER,
            "The pairing code is not right",
            "El código de vinculación no es correcto",
            "The code is wrong, used, or there is none ({tries_left} tries left). Make one: gateway till pair.",
            "El código es incorrecto, se usó o no existe (quedan {tries_left} intentos). Cree uno: gateway till pair.",
        ),
        Kind(
            "pairing_code_expired",
            403,
            Advice.CALL_MANAGER,
            "The pairing code has expired",
            "El código de vinculación venció",
            "Make a new code: gateway till pair.",
            "Cree un código nuevo: gateway till pair.",
        ),
        Kind(
            "till_name_taken",
            409,
            Advice.CHANGE_AND_RETRY,
            "There is a till of this name already",
            "Ya existe una caja con ese nombre",
            "Till {till} is paired. Choose another name, or revoke it first: gateway till revoke {till}.",
            "La caja {till} ya está vinculada. Elija otro nombre o revóquela antes: gateway till revoke {till}.",
        ),
        Kind(
            "till_name_invalid",
            422,
            Advice.CHANGE_AND_RETRY,
            "This is not a name for a till",
            "Ese nombre no sirve para una caja",
            "Use 1 to 32 lower-case letters, digits and hyphens, beginning with a letter or digit; not: {reserved}.",
            "Use de 1 a 32 letras minúsculas, cifras y guiones, empezando por letra o cifra; excepto: {reserved}.",
        ),
        Kind(
            "till_unknown",
            404,
            Advice.CHANGE_AND_RETRY,
            "No such till",
            "No existe esa caja",
            "There is no till {till}.",
            "No hay una caja {till}.",
        ),
        Kind(
            "tills_full",
            409,
            Advice.CALL_MANAGER,
            "Too many tills",
            "Demasiadas cajas",
            "The store has {tills_max} tills, the most it can have; revoke one that is not used.",
            "La tienda tiene {tills_max} cajas, el máximo; revoque una que no se use.",
        ),
    )
}
"""One row for each code. Codes are stable for ever."""


class TillRefusedError(Exception):
    """An expected "no": `code` is a row of `CATALOGUE`, `values` fill its texts."""

    def __init__(self, code: str, **values: Any) -> None:
        assert code in CATALOGUE, code
        super().__init__(code)
        self.code = code
        self.values: dict[str, Any] = values

    @property
    def kind(self) -> Kind:
        """The catalogue's row."""
        return CATALOGUE[self.code]
