"""`/metrics`: what a Prometheus server reads. To anybody else it does not exist."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable

from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from config import gauges
from config.insiders import is_insider
from core.metrics import registry as counted
from core.middleware import own_transactions

KEPT = 10.0  # seconds that the figures of database and broker are good for


class _Gauges(Collector):
    """Reads at most once in `KEPT` seconds, however many ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = float("-inf")  # on the monotonic clock
        self._found: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        """All families."""
        with self._lock:
            if time.monotonic() - self._read_at >= KEPT:
                self._found = gauges.families()
                self._read_at = time.monotonic()
            return self._found

    def forget(self) -> None:
        """Read anew next time."""
        self._read_at = float("-inf")


read = _Gauges()


@own_transactions
def metrics(request: HttpRequest) -> HttpResponse:
    """The text format, version 0.0.4."""
    if not is_insider(request):
        raise Http404
    return HttpResponse(_requests() + _text(read), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _requests() -> bytes:
    """Of all workers, where `config.gunicorn` has made them count together."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(counted)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)


def _text(collector: Collector) -> bytes:
    alone = CollectorRegistry()
    alone.register(collector)
    return generate_latest(alone)
