"""What the OAuth library asks of us: who is a client, and what may happen with codes and tokens."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749 import errors

from orgs.models import OAuthClient, OAuthGrant, OAuthRefreshToken, User

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url


class Validator(OAuth2Validator):  # type: ignore[misc]
    """The library's, narrowed: S256 only, a client's own scopes, one use of a code and of a refresh token even of two at
    once. To be called within one transaction that is kept also when it refuses: a refusal may end a family of tokens.
    """

    def _load_application(self, client_id: str, request: Any) -> OAuthClient | None:
        """The client, if it is usable. A NUL in its id is no question for PostgreSQL."""
        return None if "\0" in (client_id or "") else super()._load_application(client_id, request)

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        """Always, and only as S256 (PORTAL-004): this is where the library asks about the challenge of a consent.

        Raises `InvalidRequestError` for ``plain``, which is also what a challenge without method means, and for what no
        SHA-256 can be.
        """
        if request.code_challenge is not None:
            if request.code_challenge_method != "S256":
                raise errors.UnsupportedCodeChallengeMethodError(request=request)
            if not _CHALLENGE.fullmatch(request.code_challenge):
                raise errors.InvalidRequestError(description="Code challenge is no SHA-256.", request=request)
        return True

    def validate_scopes(
        self, client_id: str, scopes: Any, client: OAuthClient, request: Any, *args: Any, **kw: Any
    ) -> bool:
        """Whether the client was registered for all of them."""
        known = super().validate_scopes(client_id, scopes, client, request, *args, **kw)
        return bool(known) and set(scopes) <= set(client.scopes)

    def save_authorization_code(self, client_id: str, code: Any, request: Any, *args: Any, **kw: Any) -> None:
        """Keep the code, and nothing of what only OpenID and resource indicators would read."""
        request.nonce, request.claims, request.resource = None, None, []
        super().save_authorization_code(client_id, code, request, *args, **kw)

    def validate_code(
        self, client_id: str, code: str, client: OAuthClient, request: Any, *args: Any, **kw: Any
    ) -> bool:
        """Whether the code is good, and its person still is.

        The row stays locked until its tokens are stored and it is gone: of two uses at once the second finds none.
        """
        list(OAuthGrant.objects.select_for_update().filter(code=code))
        good = super().validate_code(client_id, code, client, request, *args, **kw)
        return bool(good) and _may_hold(request.user)

    def validate_refresh_token(
        self, refresh_token: str, client: OAuthClient, request: Any, *args: Any, **kw: Any
    ) -> bool:
        """Whether it may be used; a second use ends the whole family.

        The row stays locked until the new pair is stored: of two uses at once the second one finds it used.
        """
        checksum = hashlib.sha256(refresh_token.encode()).hexdigest()
        list(OAuthRefreshToken.objects.select_for_update().filter(token_checksum=checksum).order_by("id"))
        good = super().validate_refresh_token(refresh_token, client, request, *args, **kw)
        return bool(good) and _may_hold(request.user)

    def _check_and_set_request_resource(self, request: Any) -> None:
        """Resource indicators are not offered: a token opens the door of its scope."""
        request.resource = []


def _may_hold(user: User) -> bool:
    """Erased accounts hold nothing; what the others may, each use decides."""
    return user.erased_at is None
