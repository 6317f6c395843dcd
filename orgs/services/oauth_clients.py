"""Programs that may ask people for access by OAuth: registered by the administrators of a company, or by the operator for
the whole installation.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.translation import gettext as _
from oauth2_provider.generators import generate_client_secret

from core.answers import require
from core.errors import Conflict, Invalid, NotFound
from core.services import audit
from orgs import rules
from orgs.models import OAuthClient, Organization
from orgs.services import oauth
from orgs.services.api_tokens import SUPPORT, SUPPORT_READ, clean_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from orgs.actor import Actor

MOST = 50  # programs of a company
MOST_ADDRESSES, ADDRESS_MAX = 10, 500
PUBLIC, CONFIDENTIAL = OAuthClient.CLIENT_PUBLIC, OAuthClient.CLIENT_CONFIDENTIAL


@dataclass(frozen=True)
class Registered:
    """A program with its secret, which is stored nowhere; programs on people's devices have none."""

    client: OAuthClient
    secret: str


def of_company(*, actor: Actor, tenant: Organization) -> QuerySet[OAuthClient]:
    """A company's own programs, by name. Raises `Denied` for others than administrators."""
    require(rules.may_administer(actor, tenant.pk))
    found: QuerySet[OAuthClient] = OAuthClient.objects.filter(organization=tenant).order_by("name", "id")
    return found


@transaction.atomic
def register(
    *, actor: Actor, tenant: Organization, name: str, is_public: bool, addresses: Iterable[str], may_write: bool
) -> Registered:
    """Register a program of a company; it works there alone. Side effect: audit.

    Raises `Denied` for others than administrators, `Invalid` (``name``, ``addresses``), `Conflict` above `MOST`.
    """
    Organization.objects.select_for_update(no_key=True, of=("self",)).get(pk=tenant.pk)
    if of_company(actor=actor, tenant=tenant).count() >= MOST:
        raise Conflict(_("There are too many programs. Please remove some first."), code="too_many")
    return create(tenant=tenant, name=name, is_public=is_public, addresses=addresses, may_write=may_write)


@transaction.atomic
def create(
    *, tenant: Organization | None, name: str, is_public: bool, addresses: Iterable[str], may_write: bool
) -> Registered:
    """Register a program; without ``tenant`` it works wherever its person does, which is the operator's to decide.

    Side effect: audit. Raises `Invalid` (``name``, ``addresses``).
    """
    secret = "" if is_public else generate_client_secret()
    client = OAuthClient.objects.create(
        organization=tenant, name=clean_name(name), redirect_uris=_addresses(addresses),
        client_type=PUBLIC if is_public else CONFIDENTIAL, client_secret=secret, allowed_scopes=_scopes(may_write),
    )  # fmt: skip
    audit.record("created", client, {"name": [None, client.name], "addresses": [None, client.addresses]})
    return Registered(client, secret)


@transaction.atomic
def change(
    *, actor: Actor, tenant: Organization, client_id: int, name: str, addresses: Iterable[str], may_write: bool
) -> OAuthClient:
    """Change name, addresses and what a program may ask for. Side effects: audit; one that may ask for less loses the
    tokens it holds.

    Raises `Denied`, `NotFound`, `Invalid` (``name``, ``addresses``).
    """
    client = _locked(actor, tenant, client_id)
    before = {"name": client.name, "addresses": client.addresses, "scopes": client.scopes}
    client.name, client.redirect_uris = clean_name(name), _addresses(addresses)
    client.allowed_scopes = _scopes(may_write)
    after = {"name": client.name, "addresses": client.addresses, "scopes": client.scopes}
    changes = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
    if not changes:
        return client
    client.save(update_fields=["name", "redirect_uris", "allowed_scopes", "updated"])
    if set(before["scopes"]) - set(client.scopes):
        oauth.end_of_client(client)
    audit.record("changed", client, changes)
    return client


@transaction.atomic
def renew_secret(*, actor: Actor, tenant: Organization, client_id: int) -> Registered:
    """A new secret; the old one works no longer, tokens go on. Side effect: audit.

    Raises `Denied`, `NotFound`, `Conflict` for a program on people's devices, which has none.
    """
    client = _locked(actor, tenant, client_id)
    if client.client_type == PUBLIC:
        raise Conflict(_("A program on people's devices has no secret."), code="public")
    secret = generate_client_secret()
    client.client_secret = secret
    client.save(update_fields=["client_secret", "updated"])
    audit.record("key_issued", client)
    return Registered(client, secret)


@transaction.atomic
def remove(*, actor: Actor, tenant: Organization, client_id: int) -> None:
    """Remove a program with everything it holds. Side effect: audit. Raises `Denied`, `NotFound`."""
    client = _locked(actor, tenant, client_id)
    audit.record("deleted", client, {"name": [client.name, None]})
    client.delete()


def _locked(actor: Actor, tenant: Organization, client_id: int) -> OAuthClient:
    client = of_company(actor=actor, tenant=tenant).select_for_update().filter(pk=client_id).first()
    if client is None:
        raise NotFound
    return client


def _scopes(may_write: bool) -> str:
    return f"{SUPPORT_READ} {SUPPORT}" if may_write else SUPPORT_READ


def _addresses(addresses: Iterable[str]) -> str:
    """The addresses as the library keeps them. Raises `Invalid`."""
    found = list(dict.fromkeys(address.strip() for address in addresses if address.strip()))
    problem = ""
    if not found or len(found) > MOST_ADDRESSES:
        problem = _("One to %(most)d addresses are needed.") % {"most": MOST_ADDRESSES}
    elif wrong := next((address for address in found if not _is_safe(address)), None):
        problem = _(
            "%(address)s: must begin with https://, lie on the device (http://127.0.0.1), or belong to an app "
            "(com.example.app:/back), without # and without a password."
        ) % {"address": wrong[:100]}  # fmt: skip
    if problem:
        raise Invalid(problem, fields={"addresses": [problem]})
    return " ".join(found)


def _is_safe(address: str) -> bool:
    """Whether a code may be sent there: encrypted, to this device, or to an app by a scheme that names its maker's domain
    (RFC 8252, 7). Never ``javascript:`` or ``data:``.
    """
    if len(address) > ADDRESS_MAX or "#" in address or not address.isascii() or not address.isprintable():
        return False
    if any(c.isspace() or c in "\"'<>\\^`{|}" for c in address):
        return False
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or "*" in parts.netloc:
        return False
    if parts.scheme == "https":
        return _is_url(address)
    if parts.scheme == "http":
        return host == "localhost" or _is_loopback(host)
    return "." in parts.scheme and not parts.netloc and parts.path.startswith("/")


def _is_url(address: str) -> bool:
    try:
        URLValidator(schemes=["https"])(address)
    except ValidationError:
        return False
    return True


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
