"""Who calls the docms door: a bearer token, and what it may do in the state it is in."""

from __future__ import annotations

import ipaddress
from dataclasses import fields
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication

from core import scope
from core.errors import Denied
from core.planned import planned_cursor
from docms.api.errors import Unauthorized
from orgs.actor import Switches, enter
from orgs.models import AccessToken, Membership, Organization, User
from orgs.services import applications, second_factor, tokens

if TYPE_CHECKING:
    from rest_framework.request import Request

KINDS = ("docms_session",)
_LINK_LOCAL_AND_PRIVATE = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip


@lru_cache
def _networks(names: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(name) for name in names)


def is_local(address: str | None) -> bool:
    """Loopback, private and link-local ranges, and the networks of the installation (DOCMS-017).

    An address nobody could read counts as foreign.
    """
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return any((mapped or ip) in network for network in _networks((*_LINK_LOCAL_AND_PRIVATE, *settings.LOCAL_NETWORKS)))


_SWITCHES = f"""
SELECT {", ".join(field.name for field in fields(Switches))} FROM orgs_organizationsettings WHERE organization_id = %s
"""  # noqa: S608 - names of our own


def _switches_of(tenant_id: int) -> Switches:
    with planned_cursor() as cursor:
        cursor.execute(_SWITCHES, [tenant_id])
        row = cursor.fetchone()
    return Switches(*row) if row else Switches()


def check_network(request: Request, tenant_id: int, *, switches: Switches | None = None) -> None:
    """Raise `Denied` (``network_not_allowed``) when the tenant bars the caller's network (DOCMS-015, 016).

    ``switches`` are the tenant's, where somebody has read them already.
    """
    switches = switches or _switches_of(tenant_id)
    is_inside = is_local(getattr(request, "client_ip", None))
    if not (switches.api_internal_access if is_inside else switches.api_external_access):
        raise Denied(_("Not from this network."), code="network_not_allowed")


def find(request: Request, *, enter: bool = False) -> AccessToken:
    """The usable token of the Authorization header; it is never taken from anywhere else. ``enter``: see `tokens.find`.

    Raises `Unauthorized`, with code ``token_expired`` for one whose time is over (DOCMS-003, 010).
    """
    kind, _blank, secret = request.headers.get("Authorization", "").partition(" ")
    token = (
        tokens.find(secret.strip(), kinds=KINDS, enter=enter) if kind.lower() == "bearer" and secret.strip() else None
    )
    if token is None:
        raise Unauthorized
    now = timezone.now()
    over = token.expires_at is not None and token.expires_at <= now
    if over or (token.state == AccessToken.State.PENDING and token.created_at + tokens.PENDING_LIFE <= now):
        raise Unauthorized(code="token_expired")
    return token


def membership_of(user_id: int, tenant_id: int) -> Membership | None:
    """The place of an account on a tenant's node, deactivated or not; none in a tenant that is being closed."""
    return (
        Membership.objects.select_related("organization")
        .filter(user=user_id, organization=tenant_id, organization__is_tenant=True, organization__closed_at=None)
        .first()
    )


class BearerToken(BaseAuthentication):
    """A token that is active for one tenant. Membership, deactivation and network are asked at each request."""

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return "Bearer"

    def authenticate(self, request: Request) -> tuple[User, AccessToken]:
        """Let the unit of work go on as this person in the token's tenant.

        Sets ``actor``, ``tenant``, ``membership`` and ``marks_shown`` of the request. Raises `Unauthorized`, `Denied`.
        """
        token = find(request, enter=True)
        if token.state != AccessToken.State.ACTIVE or token.organization_id is None:
            raise Unauthorized(code="token_not_activated")
        user = token.user
        assert user is not None  # the database demands one for this kind
        actor = enter(user, door="docms", tenant_id=token.organization_id, token_id=token.pk)
        membership = actor.membership(token.organization_id)
        if membership is None:
            raise Unauthorized(code=_why_gone(user.pk, token.organization_id))
        if token.application_id is None and second_factor.demanding([membership]):
            _require_second_factor(user, membership.organization)
        if token.application_id is not None and not applications.is_usable(token.application_id, user.pk):
            raise Unauthorized  # the moment is compared at each request; a job revokes the token (DOCMS-176)
        switches: Switches = membership.switches  # type: ignore[attr-defined]  # `actor_for` reads them
        check_network(request, token.organization_id, switches=switches)
        tokens.note_use(token)
        place(
            request, actor=actor, tenant=membership.organization, membership=membership, marks_shown=switches.mark_read
        )
        return user, token


class PendingToken(BearerToken):
    """A token that need not be active: tenants, second factor, password (DOCMS-002).

    ``asks_network``: a tenant that bars the caller's network is closed. ``takes_applications``: open to tokens that an
    application got.
    """

    def __init__(self, *, asks_network: bool = True, takes_applications: bool = False) -> None:
        self.asks_network, self.takes_applications = asks_network, takes_applications

    def authenticate(self, request: Request) -> tuple[User, AccessToken]:
        """The token and the person, in all tenants of the person; a token bound to a tenant follows its rules.

        A token that an application got stays in the tenant of the application, without the person's second factor and
        password: it is refused here.
        """
        token = find(request)
        if token.application_id is not None and not self.takes_applications:
            raise Unauthorized(_("An application cannot do this."))
        user = token.user
        assert user is not None
        if token.organization_id is not None:
            with scope.all_tenants():
                membership = membership_of(user.pk, token.organization_id)
                if membership is None or membership.is_deactivated:
                    raise Unauthorized(code="user_deactivated")
                if self.asks_network:
                    check_network(request, token.organization_id)
        actor = enter(user, door="docms", token_id=token.pk)
        place(request, actor=actor, tenant=None, membership=None)
        return user, token


# For selection and sign-out, which end the access to the tenant that bars the network (DOCMS-012, 013); the second is
# open to applications, too. One class, because they are one scheme of the document that is served.
LeavingToken = partial(PendingToken, asks_network=False)
EndingToken = partial(PendingToken, asks_network=False, takes_applications=True)


def _require_second_factor(user: User, tenant: Organization) -> None:
    """A demand that came after the sign-in holds for tokens that are active already (ORGS-054); with the same token one
    can set a key up. Applications have none (DOCMS-177). Raises `Denied` (``tfa_setup_required``).
    """
    if second_factor.confirmed(user, tenant) is None:
        raise Denied(_("Please set up a second factor first."), code="tfa_setup_required")


def _why_gone(user_id: int, tenant_id: int) -> str:
    with scope.all_tenants():
        membership = membership_of(user_id, tenant_id)
    return "user_deactivated" if membership is not None and membership.is_deactivated else "unauthorized"


def place(
    request: Any,
    *,
    actor: Any,
    tenant: Organization | None,
    membership: Membership | None,
    marks_shown: bool = False,
) -> None:
    """Write on the request who calls; on Django's own, too, so that the error handler finds it."""
    for target in (request, getattr(request, "_request", request)):
        target.actor, target.tenant, target.membership = actor, tenant, membership
        target.marks_shown = marks_shown


class _BearerScheme(OpenApiAuthenticationExtension):
    target_class = BearerToken
    name = "bearerAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """A token activated for one tenant."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "Header `Authorization: Bearer <token>` with a token activated for one tenant; "
            "valid until token_expire.",
        }


class _PendingScheme(OpenApiAuthenticationExtension):
    target_class = PendingToken
    name = "bearerInactive"

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Either state will do."""
        return [{"bearerInactive": []}, {"bearerAuth": []}]

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """A token fresh from login, or bound to a tenant while the second factor is outstanding."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "Header `Authorization: Bearer <token>` with a token that is not fully activated: "
            "fresh from login, or bound to a tenant while the second factor is outstanding. Valid for 10 minutes; any "
            "other operation answers 401 with TOKEN_NOT_ACTIVATED.",
        }
