"""What each process counts of the requests it serves, for `/metrics`. Labels are bounded: no path, no id, no name.

Behind gunicorn the counters of all workers add up (`config.gunicorn`); any other process counts for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from core.middleware import door_of

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"  # no route: nothing there, or answered before anybody looked for one
STATIC = "static"
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds

disable_created_metrics()  # a second series for each counter, which nobody reads
registry = CollectorRegistry()
_requests = Counter("quartier_requests", "Requests answered.", ("door", "method", "route", "status"), registry=registry)
_seconds = Histogram(
    "quartier_request_seconds",
    "Time until the answer stood; a streamed body comes after it.",
    ("door", "method", "route"),
    buckets=BUCKETS,
    registry=registry,
)
# Looking a child up by its labels costs more than counting in it.
_counters: dict[tuple[str, str, str, int], Any] = {}
_histograms: dict[tuple[str, str, str], Any] = {}


class MetricsMiddleware:
    """Counts and times each answer. Around everything else; costs a few microseconds."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begin = perf_counter()
        response = self.get_response(request)
        _observe(request, response.status_code, perf_counter() - begin)
        return response


def route_of(request: HttpRequest) -> str:
    """The pattern that the address matched, never the address."""
    match = getattr(request, "resolver_match", None)
    if match is not None:
        return str(match.route) or "/"
    return STATIC if request.path_info.startswith(settings.STATIC_URL) else UNMATCHED


def _observe(request: HttpRequest, status: int, seconds: float) -> None:
    method = request.method if request.method in METHODS else "other"
    key = (door_of(request.path_info), method, route_of(request))
    histogram = _histograms.get(key)
    if histogram is None:
        histogram = _histograms[key] = _seconds.labels(*key)
    counter = _counters.get((*key, status))
    if counter is None:
        counter = _counters[(*key, status)] = _requests.labels(*key, str(status))
    histogram.observe(seconds)
    counter.inc()
