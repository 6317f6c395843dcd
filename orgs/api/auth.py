"""Who calls the orgs door: a person by a personal token, or an organization by its own (ORGS-001 … 005)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication

from core import scope
from core.errors import Denied
from orgs.actor import Actor, enter
from orgs.api.errors import Unauthorized
from orgs.models import AccessToken, Organization
from orgs.services import tokens

if TYPE_CHECKING:
    from rest_framework.request import Request

PERSONAL, ORGANIZATION = "Personal-Access-Token", "API-TOKEN"
DOOR = "orgs"
SAFE = ("GET", "HEAD", "OPTIONS")


class HeaderToken(BaseAuthentication):
    """One of the two headers; when both are sent, the personal token alone decides (ORGS-005)."""

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return ORGANIZATION

    def authenticate(self, request: Request) -> tuple[Any, AccessToken]:
        """Let the unit of work go on as this caller; sets ``request.actor``.

        The tenants in scope are those of the organizations the caller sees, so that their members can be counted. Raises
        `Unauthorized`, `Denied` for writing with a token that may only read.
        """
        header, kind = (PERSONAL, "personal") if PERSONAL in request.headers else (ORGANIZATION, "organization")
        secret = request.headers.get(header, "").strip()
        token = tokens.find(secret, kinds=(kind,)) if secret else None
        if token is None or (token.expires_at is not None and token.expires_at <= timezone.now()):
            raise Unauthorized
        actor = enter(token.user, door=DOOR, token_id=token.pk) if token.user else _as_node(token)
        if token.scopes and "write" not in token.scopes and request.method not in SAFE:
            raise Denied(_("This token may only read."))
        seen = Organization.objects.visible_to(actor).filter(tenant__isnull=False)
        scope.enter_tenants(actor.tenants | set(seen.order_by().values_list("tenant_id", flat=True).distinct()))
        tokens.note_use(token)
        request._request.actor = actor  # type: ignore[attr-defined]
        return token.user, token


def _as_node(token: AccessToken) -> Actor:
    """An organization token acts with owner rights for its node and all below (ORGS-003)."""
    assert token.organization_id is not None  # the one kind without a person
    node = Organization.objects.filter(pk=token.organization_id, closed_at=None).first()
    if node is None:
        raise Unauthorized
    return Actor(user=None, door=DOOR, node=node.pk, token_id=token.pk)


class _HeaderScheme(OpenApiAuthenticationExtension):
    target_class = HeaderToken
    name = ["API_Token", "Personal-Access-Token"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Either will do."""
        return [{"API_Token": []}, {"Personal-Access-Token": []}]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        """Both headers."""
        return [
            {
                "type": "apiKey", "in": "header", "name": ORGANIZATION,
                "description": "Token issued by one organization. Requests act for that organization and its subtree; "
                "operations that need a personal user answer 403.",
            },
            {
                "type": "apiKey", "in": "header", "name": PERSONAL,
                "description": "Token issued by a user. Requests act as that user with the rights held in each "
                "organization.",
            },
        ]  # fmt: skip
