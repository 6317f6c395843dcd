"""What every request gets: an id, a client address and, when it fails, an entry in the system log.

The transaction around its view is `orgs.middleware`.
"""

from __future__ import annotations

import ipaddress
import re
import sys
import uuid
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from django.conf import settings
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from core import scope

_ID = re.compile(r"^[\w.-]{8,64}$")
# Of every answer that does not say otherwise. What a page may not do, none of ours does; what a person sees, no cache
# keeps. The rest is Django's SecurityMiddleware, XFrameOptionsMiddleware and the CSPMiddleware.
_HEADERS = {
    "Permissions-Policy": "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
    "Cache-Control": "private, no-store",
}


@lru_cache
def _networks(names: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(name) for name in names)


def client_ip(request: HttpRequest) -> str | None:
    """The caller's address. `X-Forwarded-For` is believed only from a trusted proxy (DOCMS-017).

    The header is read from the right: the last address that is no trusted proxy is the client.
    """
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "127.0.0.1")
    except ValueError:
        return None
    trusted = _networks(tuple(settings.TRUSTED_PROXIES))
    if not any(address in network for network in trusted):
        return _plain(address)
    for part in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        try:
            address = ipaddress.ip_address(part.strip())
        except ValueError:
            break
        if not any(address in network for network in trusted):
            break
    return _plain(address)


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Without the zone of a link-local one, which is this machine's business and no address for the database."""
    return str(address).partition("%")[0]


class RequestContextMiddleware:
    """Gives the request an id and its client address; names the id in the answer, which gets its headers here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request.request_id = given if _ID.match(given) else uuid.uuid4().hex  # type: ignore[attr-defined]
        request.client_ip = client_ip(request)  # type: ignore[attr-defined]
        with scope.serving(
            door=door_of(request.path_info),
            ip=request.client_ip,  # type: ignore[attr-defined]
            request_id=request.request_id,  # type: ignore[attr-defined]
        ) as request.served:  # type: ignore[attr-defined]
            response = self.get_response(request)
            if response.status_code >= 500 and (failure := getattr(response, "failure", None)):
                report(request, failure)
        response.headers.setdefault("X-Request-Id", request.request_id)  # type: ignore[attr-defined]
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response


@receiver(got_request_exception, dispatch_uid="core.report_error")
def report_error(sender: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """An error that no door has answered: Django is about to answer 500."""
    error = sys.exc_info()[1]
    if request is not None and error is not None:
        report(request, error)


def report(request: HttpRequest, error: BaseException) -> None:
    """For the operator to read. A page that has answered an error of ours itself leaves it as ``response.failure``."""
    from core.services import system_log  # models: not yet when this is loaded

    system_log.report(request, error)


def own_transactions(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that opens its own units of work: sign-in doors (failures must survive a refusal) and uploads."""

    @wraps(view)
    def marked(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    marked.own_transactions = True  # type: ignore[attr-defined]
    return marked


def door_of(path: str) -> str:
    """The door a path belongs to; it stands in audit and logs."""
    for prefix, door in (
        ("/docms/", "docms"),
        ("/admin/", "back_office"),
        ("/app/", "web"),
        ("/support/", "tickets"),
        ("/oauth2/", "portal"),
        ("/api/processes", "processes"),
        ("/api/v1/organization", "orgs"),
        ("/api/v1/trial", "orgs"),
        ("/api/", "portal"),
    ):
        if path.startswith(prefix):
            return door
    return "web"
