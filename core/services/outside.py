"""Addresses that tenants enter and the server calls: only what lies outside, so that nobody reaches the inside by us.

A name is looked up when it is saved and again when it is called (DOCMS-162): what was public yesterday may point to
this machine today. The caller connects to an address that it got from here, never to the name.
"""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import Invalid

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    _Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # the IPv4 address stands in the last four bytes
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


def require_public(url: str) -> list[str]:
    """The addresses that may be connected to for this URL, at least one.

    A host of `INSIDE_HOSTS` is exempt: it may lie inside, and speak HTTP. Raises `Invalid` with code ``not_https``,
    ``not_an_address`` (no usable URL, or one with a user name), ``unresolved`` (nobody knows the name now: perhaps
    later) or ``not_public``.
    """
    parts = _split(url)
    host = str(parts.hostname)
    is_exempt = host.rstrip(".") in settings.INSIDE_HOSTS
    if parts.scheme != "https" and not (is_exempt and parts.scheme == "http"):
        raise Invalid(_("The address must begin with https://."), code="not_https")
    return require_public_host(host)


def require_public_host(host: str) -> list[str]:
    """The addresses of a host that may be connected to, at least one; hosts of `INSIDE_HOSTS` are exempt.

    Raises `Invalid` with code ``unresolved`` or ``not_public``.
    """
    addresses = _resolve(host)
    if host.rstrip(".") not in settings.INSIDE_HOSTS and not all(is_public(address) for address in addresses):
        raise Invalid(_("The address must not lead into a local network."), code="not_public")
    return addresses


def is_host(text: str) -> bool:
    """Whether this can name a host: an IP address as such, without brackets, or a name; no port, no blank."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        labels = text.removesuffix(".").split(".")
        return all(label and all(letter.isalnum() or letter in "-_" for letter in label) for label in labels)
    return True


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open Internet; IPv4 addresses wrapped in IPv6 are looked at unwrapped."""
    ip = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    if any(ip in ipaddress.ip_network(network) for network in settings.LOCAL_NETWORKS):
        return False
    is_odd = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback or ip.is_link_local
    return ip.is_global and not is_odd and not (isinstance(ip, ipaddress.IPv6Address) and _is_odd_six(ip))


def _is_odd_six(ip: ipaddress.IPv6Address) -> bool:
    return ip.is_site_local or ip in _NAT64_LOCAL


def _unwrapped(ip: _Address) -> _Address:
    """The IPv4 address inside a mapped, compatible, NAT64 or 6to4 address."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64 or ip in _COMPATIBLE:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def _split(url: str) -> SplitResult:
    """The parts of a URL; blanks, control characters and backslashes are read differently by different libraries."""
    wrong = Invalid(_("This is not a usable address."), code="not_an_address")
    if any(letter in " \\" or unicodedata.category(letter) in ("Cc", "Cs", "Zs", "Zl", "Zp") for letter in url):
        raise wrong
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise wrong from None
    if not usable or "@" in parts.netloc:
        raise wrong
    return parts


def _resolve(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        raise Invalid(_("Nobody knows this host name."), code="unresolved") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
