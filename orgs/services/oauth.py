"""Access that people give to programs by OAuth: codes, tokens, their end. The flow itself is the library's."""

from __future__ import annotations

import hashlib
from typing import cast

from django.utils import timezone
from oauth2_provider.models import clear_expired

from core.planned import ModelRows
from orgs.models import OAuthGrant, OAuthRefreshToken, OAuthToken, User

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


def end_all(user: User) -> None:
    """End everything that programs hold of a person: after a change of password, and with the account."""
    OAuthGrant.objects.filter(user=user).delete()
    OAuthRefreshToken.objects.filter(user=user, revoked=None).update(revoked=timezone.now(), access_token=None)
    OAuthToken.objects.filter(user=user).delete()


def purge() -> None:
    """Delete what has run out, in batches; validity never depends on this."""
    clear_expired()
