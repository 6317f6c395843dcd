"""Access that people give to programs by OAuth: codes, tokens, their end. The flow itself is the library's."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast

from django.utils import timezone
from oauth2_provider.models import clear_expired
from oauth2_provider.oauth2_backends import OAuthLibCore

from core.planned import ModelRows
from orgs.models import OAuthGrant, OAuthRefreshToken, OAuthToken, User

if TYPE_CHECKING:
    from django.http import HttpRequest

_FOUND = ModelRows(
    """
    SELECT {t}, {u}, {c} FROM orgs_oauthtoken t JOIN orgs_user u ON u.id = t.user_id
      JOIN orgs_oauthclient c ON c.id = t.application_id
     WHERE t.token_checksum = %(checksum)s AND t.expires > %(now)s AND u.erased_at IS NULL
    """,
    t="orgs.OAuthToken",
    u="orgs.User",
    c="orgs.OAuthClient",
)


def find(token: str) -> OAuthToken | None:
    """The usable row of an access token, with its person and its client."""
    checksum = hashlib.sha256(token.encode()).hexdigest()
    for row, user, client in _FOUND.fetch({"checksum": checksum, "now": timezone.now()}):
        row.user, row.application = user, client
        return cast("OAuthToken", row)
    return None


def answer_token(request: HttpRequest) -> tuple[dict[str, str], str, int]:
    """Headers, body and status of the token endpoint, as RFC 6749 says them. Belongs into a unit of work."""
    _uri, headers, body, status = OAuthLibCore().create_token_response(request)
    return cast("dict[str, str]", headers), cast("str", body), cast("int", status)


def answer_revocation(request: HttpRequest) -> tuple[dict[str, str], str, int]:
    """Headers, body and status of the revocation endpoint (RFC 7009)."""
    _uri, headers, body, status = OAuthLibCore().create_revocation_response(request)
    return cast("dict[str, str]", headers), cast("str", body or ""), cast("int", status)


def end_all(user: User) -> None:
    """End everything that programs hold of a person: after a change of password, and with the account."""
    OAuthGrant.objects.filter(user=user).delete()
    OAuthRefreshToken.objects.filter(user=user, revoked=None).update(revoked=timezone.now(), access_token=None)
    OAuthToken.objects.filter(user=user).delete()


def purge() -> None:
    """Delete what has run out, in batches; validity never depends on this."""
    clear_expired()


def scopes_of(token: Any) -> list[str]:
    """What a token opens."""
    return list(token.scope.split())
