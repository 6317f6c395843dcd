"""Who calls the support door: an integration with basic credentials, which belong to one network and act as their user,
or a program with a person's bearer token, which names the network it works in.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication

from core.errors import Denied, Invalid
from orgs.actor import enter
from orgs.models import AccessToken, OAuthToken, Organization
from orgs.services import oauth, second_factor, tokens
from tickets.api.errors import Unauthorized

if TYPE_CHECKING:
    from rest_framework.request import Request

    from orgs.actor import Actor

DOOR = "support"
NETWORK = "spacebring-network-id"
READ, CHANGE = "support.readonly", "support"
SAFE = ("GET", "HEAD", "OPTIONS")


class Credentials(BaseAuthentication):
    """`Authorization: Basic` with client id and client secret."""

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return "Basic"

    def authenticate(self, request: Request) -> tuple[Any, AccessToken]:
        """Let the unit of work go on as the owner of the credentials, in their network; sets ``actor`` and ``network``.

        Raises `Unauthorized` (TICKETS-005), `Invalid` for a network that is no id, `Denied` for another network than
        theirs (TICKETS-003), for somebody without the second factor that the network demands (ORGS-054), and for
        changing with credentials that may only read (TICKETS-004).
        """
        token = _found(request.headers.get("Authorization", ""))
        network = token.organization if token is not None else None
        if token is None or network is None:
            raise Unauthorized
        _require_network(request.headers.get(NETWORK), network)
        actor = enter(token.user, door=DOOR, tenant_id=network.pk, scopes=token.scopes, token_id=token.pk)
        if actor.user is None or network.pk not in actor.tenants:
            raise Unauthorized  # whoever owns the credentials has no place here any more
        _require_rights(actor, request)
        tokens.note_use(token)
        _let_in(request, actor, network)
        return token.user, token


class Bearer(BaseAuthentication):
    """`Authorization: Bearer` with an access token of OAuth, and the network in `spacebring-network-id`."""

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return "Bearer"

    def authenticate(self, request: Request) -> tuple[Any, OAuthToken] | None:
        """Let the unit of work go on as the person who gave the token; none for any other scheme.

        Raises `Unauthorized` for a token that is unknown or over (TICKETS-005), `Invalid` without a network
        (TICKETS-001), `Denied` for one in which the person has no place or the client none to act (TICKETS-003), for
        somebody without the second factor that it demands (ORGS-054), and without the scope (TICKETS-004).
        """
        scheme, _gap, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        sent = request.headers.get(NETWORK)
        found = oauth.find(value.strip(), network=_uuid_in(sent))
        if found is None:
            raise Unauthorized
        if sent is None:
            problem = _("Is missing.")
            raise Invalid(f"{NETWORK}: {problem}", code="missing_network", fields={NETWORK: [problem]})
        if _uuid_in(sent) is None:
            raise _no_uuid()
        network = found.network
        if network is None or found.client.organization_id not in (None, network.pk):
            raise Denied(_("These credentials belong to another network."), code="wrong_network")
        actor = enter(found.user, door=DOOR, tenant_id=network.pk, scopes=found.token.scope.split())
        if actor.user is None or network.pk not in actor.tenants:
            raise Denied(_("These credentials belong to another network."), code="wrong_network")
        _require_rights(actor, request)
        _let_in(request, actor, network)
        return found.user, found.token


def _require_rights(actor: Actor, request: Request) -> None:
    second_factor.require_none_owed(actor)
    if not (actor.has_scope(CHANGE) or (actor.has_scope(READ) and request.method in SAFE)):
        raise Denied(_("These credentials may only read."), code="insufficient_scope")


def _let_in(request: Request, actor: Actor, network: Organization) -> None:
    request._request.actor = actor  # type: ignore[attr-defined]
    request._request.network = network  # type: ignore[attr-defined]


def _found(header: str) -> AccessToken | None:
    """The usable credentials that a header names."""
    scheme, _gap, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    if not (colon and secret) or "\0" in client_id:
        return None
    return tokens.find_credentials(client_id, secret)


def _require_network(sent: str | None, network: Organization) -> None:
    if sent is None:
        return  # the pair belongs to one network (TICKETS-002)
    wanted = _uuid_in(sent)
    if wanted is None:
        raise _no_uuid()
    if wanted != network.uuid:
        raise Denied(_("These credentials belong to another network."), code="wrong_network")


def _uuid_in(sent: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID((sent or "").strip())
    except ValueError:
        return None


def _no_uuid() -> Invalid:
    problem = _("Must be a UUID.")
    return Invalid(f"{NETWORK}: {problem}", code="invalid_network", fields={NETWORK: [problem]})


class _CredentialsScheme(OpenApiAuthenticationExtension):
    target_class = Credentials
    name = "BasicAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """As the contract says it."""
        return {
            "type": "http",
            "scheme": "basic",
            "description": "Client id as user name, client secret as password. The pair belongs to one network.",
        }


class _BearerScheme(OpenApiAuthenticationExtension):
    target_class = Bearer
    name = "OAuth2"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """As the contract says it."""
        return {
            "type": "oauth2",
            "description": (
                "Authorization code grant; the access token is sent as a bearer token together with spacebring-network-id."
            ),
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": "/oauth2/authorize",
                    "tokenUrl": "/oauth2/token",
                    "refreshUrl": "/oauth2/token",
                    "scopes": {
                        READ: "Read support tickets.",
                        CHANGE: "Read and change support tickets.",
                    },
                }
            },
        }

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        """Either scope for reading, the wider one for changing (TICKETS-004)."""
        either = [READ, CHANGE] if auto_schema.method in SAFE else [CHANGE]
        return [{self.name: [scope]} for scope in either]
