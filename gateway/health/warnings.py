"""The catalogue of warnings, and the board on which the parts of the gateway put them up and take them down."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.clock import Clock


class Severity(StrEnum):
    """How soon somebody must act."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the catalogue; the texts take the values that are put up with it."""

    code: str
    severity: Severity
    text_en: str
    text_es: str
    hint_en: str
    hint_es: str


CATALOGUE: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "link_offline",
            Severity.WARNING,
            "No line to head office.",
            "Sin conexión con la oficina central.",
            "Keep selling: numbers are legal and everything is sent when the line returns.",
            "Siga vendiendo: los números son legales y todo se envía al volver la línea.",
        ),
        Kind(
            "link_fork",
            Severity.ALARM,
            "Head office knows a longer or different history of this store. Selling is locked.",
            "La oficina central conoce otra historia de esta tienda. La venta está bloqueada.",
            "This box was restored or copied. Call head office before selling.",
            "Este equipo fue restaurado o copiado. Llame a la oficina central antes de vender.",
        ),
        Kind(
            "link_refused",
            Severity.ALARM,
            "Head office refuses this store: {detail}.",
            "La oficina central rechaza esta tienda: {detail}.",
            "Check headoffice.url and headoffice.token.",
            "Revise headoffice.url y headoffice.token.",
        ),
        Kind(
            "pull_refused",
            Severity.WARNING,
            "Something sent by head office was not accepted: {detail}",
            "Algo enviado por la oficina central no se aceptó: {detail}",
            "Head office sees the reason; it must send a corrected one.",
            "La oficina central ve el motivo; debe enviar uno corregido.",
        ),
        Kind(
            "range_low",
            Severity.WARNING,
            "Series {series}: {left} numbers left.",
            "Serie {series}: quedan {left} números.",
            "Ask for the next authorised range and load it.",
            "Solicite el siguiente rango autorizado y cárguelo.",
        ),
        Kind(
            "range_expiring",
            Severity.WARNING,
            "Series {series}: the range ends on {valid_until}.",
            "Serie {series}: el rango vence el {valid_until}.",
            "Ask for the next authorised range and load it.",
            "Solicite el siguiente rango autorizado y cárguelo.",
        ),
        Kind(
            "range_missing",
            Severity.ALARM,
            "Series {series}: no usable range. It cannot sell.",
            "Serie {series}: sin rango utilizable. No puede vender.",
            "Load an authorised range: gateway range load.",
            "Cargue un rango autorizado: gateway range load.",
        ),
        Kind(
            "series_locked",
            Severity.ALARM,
            "Series {series} is locked: a till saw number {seen}, the books end at {last}.",
            "Serie {series} bloqueada: una caja vio el número {seen}, los libros terminan en {last}.",
            "Look at the last printed paper, then confirm the last number: gateway range confirm.",
            "Vea el último papel impreso y confirme el último número: gateway range confirm.",
        ),
        Kind(
            "tenure_locked",
            Severity.ALARM,
            "Numbering is locked: {reason}.",
            "La numeración está bloqueada: {reason}.",
            "Confirm the last number of each series (gateway range confirm), then: gateway range unlock.",
            "Confirme el último número de cada serie (gateway range confirm) y luego: gateway range unlock.",
        ),
        Kind(
            "disk_failed",
            Severity.ALARM,
            "The disk does not keep what is written: {detail}.",
            "El disco no guarda lo que se escribe: {detail}.",
            "Nothing is lost. Selling goes on when the disk answers again; replace it soon.",
            "Nada se ha perdido. La venta sigue cuando el disco responda; cámbielo pronto.",
        ),
        Kind(
            "disk_low",
            Severity.ALARM,
            "{free_mb} MB free on the disk: new documents are refused.",
            "{free_mb} MB libres en el disco: no se aceptan documentos nuevos.",
            "Free some space on the gateway's disk.",
            "Libere espacio en el disco del gateway.",
        ),
        Kind(
            "clock_behind",
            Severity.ALARM,
            "The clock is {seconds} s behind the last document.",
            "El reloj está {seconds} s atrás del último documento.",
            "Set the gateway's clock.",
            "Ajuste el reloj del gateway.",
        ),
        Kind(
            "broker_down",
            Severity.WARNING,
            "The message broker does not answer.",
            "El servidor de mensajes no responde.",
            "Printing over the HTTP API still works.",
            "La impresión por la API HTTP sigue funcionando.",
        ),
        Kind(
            "printer_offline",
            Severity.WARNING,
            "Printer {device} does not answer.",
            "La impresora {device} no responde.",
            "Check power and cable; waiting receipts print by themselves.",
            "Revise corriente y cable; los recibos en espera se imprimen solos.",
        ),
        Kind(
            "printer_paper_out",
            Severity.WARNING,
            "Printer {device} is out of paper.",
            "La impresora {device} no tiene papel.",
            "Put in a new roll; the held receipt prints by itself.",
            "Ponga un rollo nuevo; el recibo retenido se imprime solo.",
        ),
        Kind(
            "printer_cover_open",
            Severity.WARNING,
            "Printer {device}: the cover is open.",
            "Impresora {device}: la tapa está abierta.",
            "Close the cover.",
            "Cierre la tapa.",
        ),
        Kind(
            "print_unknown",
            Severity.WARNING,
            "Printer {device}: it is not known whether {count} receipt(s) came out.",
            "Impresora {device}: no se sabe si salieron {count} recibo(s).",
            "Look at the paper; print a copy if one is missing.",
            "Mire el papel; imprima una copia si falta uno.",
        ),
        Kind(
            "books_suspect",
            Severity.ALARM,
            "The books do not agree with themselves: {detail}.",
            "Los libros no concuerdan: {detail}.",
            "Run gateway verify and call support.",
            "Ejecute gateway verify y llame a soporte.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the field's word; nothing here raises Python's
    """One thing that is wrong now."""

    kind: Kind
    subject: str
    since_ms: int
    values: dict[str, Any] = field(default_factory=dict)

    def shown(self, language: str) -> dict[str, Any]:
        """The form the API gives: code, severity, text, hint, since (milliseconds UTC) and the values."""
        text, hint = (
            (self.kind.text_es, self.kind.hint_es) if language == "es" else (self.kind.text_en, self.kind.hint_en)
        )
        return {
            "code": self.kind.code,
            "severity": self.kind.severity.value,
            "text": text.format(**self.values),
            "hint": hint.format(**self.values),
            "since_ms": self.since_ms,
            **self.values,
        }


class Board:
    """What is wrong now. One warning for each (code, subject); putting it up again keeps its first time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._up: dict[tuple[str, str], Warning] = {}
        self.changes = 0

    def put_up(self, code: str, subject: str = "", **values: Any) -> None:
        """Say that something is wrong. `values` fill the texts."""
        key = (code, subject)
        before = self._up.get(key)
        if before is not None and before.values == values:
            return
        since = before.since_ms if before is not None else self._clock.now_ms()
        self._up[key] = Warning(CATALOGUE[code], subject, since, values)
        self.changes += 1

    def take_down(self, code: str, subject: str = "") -> None:
        """Say that it is well again."""
        if self._up.pop((code, subject), None) is not None:
            self.changes += 1

    def up(self) -> list[Warning]:
        """All warnings, alarms first, then the oldest."""
        order = [Severity.ALARM, Severity.WARNING, Severity.INFO]
        return sorted(
            self._up.values(),
            key=lambda each: (order.index(each.kind.severity), each.since_ms, each.kind.code),
        )
