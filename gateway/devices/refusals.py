"""Every expected "no" of the device bus: stable code, HTTP status, advice, texts in both languages."""

from dataclasses import dataclass, field
from typing import Any

from gateway.ledger import refusals
from gateway.ledger.refusals import Advice, Kind

CATALOGUE: dict[str, Kind] = {
    **{code: refusals.CATALOGUE[code] for code in ("key_reused", "device_unknown", "document_unknown")},
    **{
        kind.code: kind
        for kind in (
            Kind(
                "job_invalid",
                422,
                Advice.CHANGE_AND_RETRY,
                "The job is not well formed",
                "El trabajo no está bien formado",
                "{problem}",
                "{problem}",
            ),
            Kind(
                "job_unknown",
                404,
                Advice.CHANGE_AND_RETRY,
                "No such job",
                "No existe ese trabajo",
                "There is no job {id}.",
                "No hay un trabajo {id}.",
            ),
            Kind(
                "job_late",
                409,
                Advice.CHANGE_AND_RETRY,
                "Too late",
                "Demasiado tarde",
                "The job's deadline has passed; make a new one if it is still wanted.",
                "Ya pasó el plazo del trabajo; haga uno nuevo si todavía hace falta.",
            ),
            Kind(
                "job_settled",
                409,
                Advice.CHANGE_AND_RETRY,
                "There is nothing to settle",
                "No hay nada que aclarar",
                "Job {id} is {state}; only an unknown one can be settled.",
                "El trabajo {id} está {state}; sólo se aclara uno desconocido.",
            ),
            Kind(
                "drawer_missing",
                422,
                Advice.CHANGE_AND_RETRY,
                "This printer has no drawer",
                "Esta impresora no tiene gaveta",
                "No drawer is configured at printer {device}.",
                "La impresora {device} no tiene gaveta configurada.",
            ),
        )
    },
}
"""One row for each code. Codes are stable for ever."""


@dataclass(frozen=True, slots=True)
class JobRefusal:
    """A "no" with its values; `kind` says the rest."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """The catalogue's row."""
        return CATALOGUE[self.code]


def refuse(code: str, **values: Any) -> JobRefusal:
    """A refusal of a known code.

    Raises:
        AssertionError: no such code in the catalogue (a bug).
    """
    assert code in CATALOGUE, code
    return JobRefusal(code, values)
