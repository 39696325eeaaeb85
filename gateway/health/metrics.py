"""What Prometheus reads: all metrics of the gateway are declared here, in a registry of our own."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """The gateway's figures. Names are `gateway_<package>_<what>_<unit>`; labels come from closed sets."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "gateway_api_requests", "Requests answered", ["operation", "status"], registry=self._registry
        )
        self._gauges: dict[str, Gauge] = {}

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show a figure that is read when it is asked for."""
        gauge = Gauge(name, text, registry=self._registry)
        gauge.set_function(read)
        self._gauges[name] = gauge

    def shown(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)
