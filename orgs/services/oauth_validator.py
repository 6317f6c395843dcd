"""What the OAuth library asks of us: who is a client, and what may happen with codes and tokens."""

from __future__ import annotations

import hashlib
from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator

from orgs.models import OAuthClient, OAuthRefreshToken, Organization


class Validator(OAuth2Validator):  # type: ignore[misc]
    """The library's, narrowed: S256 only, a client's own scopes, one use of a refresh token even of two at once."""

    def validate_scopes(
        self, client_id: str, scopes: Any, client: OAuthClient, request: Any, *args: Any, **kw: Any
    ) -> Any:
        """Whether the client was registered for all of them."""
        known = super().validate_scopes(client_id, scopes, client, request, *args, **kw)
        return known and set(scopes) <= set(client.allowed_scopes.split())

    def validate_code(self, client_id: str, code: str, client: OAuthClient, request: Any, *args: Any, **kw: Any) -> Any:
        """Whether the code is good, and its person still is."""
        return super().validate_code(client_id, code, client, request, *args, **kw) and _may_hold(request.user, client)

    def validate_refresh_token(
        self, refresh_token: str, client: OAuthClient, request: Any, *args: Any, **kw: Any
    ) -> Any:
        """Whether it may be used; a second use ends the whole family.

        The row stays locked until the answer is stored: of two uses at once the second one finds it used.
        """
        checksum = hashlib.sha256(refresh_token.encode()).hexdigest()
        list(OAuthRefreshToken.objects.select_for_update().filter(token_checksum=checksum).order_by("id"))
        return super().validate_refresh_token(refresh_token, client, request, *args, **kw) and _may_hold(
            request.user, client
        )


def _may_hold(user: Any, client: OAuthClient) -> bool:
    """Erased accounts hold nothing, and a closed company's client gets nothing."""
    place = client.organization_id
    return user.erased_at is None and (place is None or Organization.objects.filter(pk=place, closed_at=None).exists())
