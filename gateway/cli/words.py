"""Words of the API that stand in tables, for a person. Programs see them as they are."""

from gateway.tongue import tr

SPANISH = {
    # the line to head office
    "online": "en línea",
    "catching_up": "poniéndose al día",
    "offline": "sin línea",
    "working_offline": "trabajando sin línea",
    # jobs of printers
    "queued": "en cola",
    "sending": "enviando",
    "held": "retenido",
    "unknown": "desconocido",
    "done": "impreso",
    "refused": "rechazado",
    "failed_before_send": "no enviado",
    "replaced": "reemplazado",
    "receipt": "recibo",
    "text": "texto",
    "kick": "gaveta",
    # paper and cover
    "near_end": "por acabarse",
    "out": "sin papel",
    "closed": "cerrada",
    "open": "abierta",
    # ranges and series
    "loaded": "cargado",
    "active": "activo",
    "exhausted": "agotado",
    "expired": "vencido",
    "cancelled": "anulado",
    "locked": "bloqueada",
    # warnings
    "info": "aviso",
    "warning": "advertencia",
    "alarm": "alarma",
}


def word(code: str) -> str:
    """The word in the terminal's language; one that is not known here as it is."""
    return tr(code, SPANISH.get(code, code))
