"""Who may look at the inside of the installation: `/metrics`, and the details of `/readyz`."""

from __future__ import annotations

import ipaddress
import secrets

from django.conf import settings
from django.http import HttpRequest

# Whoever sets one of these stands between us and the caller, or pretends to.
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


def is_insider(request: HttpRequest) -> bool:
    """This machine, a network of `LOCAL_NETWORKS`, or whoever names the `METRICS_TOKEN`.

    A proxy that is not in `TRUSTED_PROXIES` stands for the world behind it: its own address opens nothing.
    """
    kind, _space, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and kind.lower() == "bearer":
        return secrets.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    try:
        peer = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "127.0.0.1")
        client = ipaddress.ip_address(request.client_ip or "")  # type: ignore[attr-defined]
    except ValueError:
        return False
    if peer == client and any(name in request.META for name in _FORWARDED):
        return False
    client = getattr(client, "ipv4_mapped", None) or client
    networks = (ipaddress.ip_network(name) for name in settings.LOCAL_NETWORKS)
    return client.is_loopback or any(client in network for network in networks)
