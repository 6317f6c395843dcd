"""Programs that people let act for them by OAuth, and what these hold: checksums only, never a code or a token."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlsplit

from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from core.models import TENANT, one_of


class Checksum(str):
    """What a `HashedCodeField` has read from its column; anything else is a code as it was sent."""


class HashedCodeField(models.CharField):  # type: ignore[type-arg]
    """What is stored and looked up is the SHA-256 of the value: the library keeps codes as they are sent."""

    def get_prep_value(self, value: Any) -> Any:
        """The checksum, also of what a lookup names; a row that was read is written back as it was."""
        if value is None or isinstance(value, Checksum):
            return value
        return Checksum(hashlib.sha256(str(value).encode()).hexdigest())

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Checksum | None:
        """Marked as what it is."""
        return None if value is None else Checksum(value)


class OAuthClient(AbstractApplication):
    """A registered program: of one company, which it then works in alone, or of the installation (``organization``
    null).
    """

    organization = models.ForeignKey(TENANT, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    allowed_scopes = models.CharField(_("may ask for"), max_length=200, default="support.readonly")
    # One flow, nothing signed, registered by hand: the library's choices are not ours.
    authorization_grant_type = models.CharField(max_length=44, default="authorization-code", editable=False)
    algorithm = models.CharField(max_length=5, default="", blank=True, editable=False)
    registration_source = models.CharField(max_length=32, default="manual", editable=False)

    class Meta(AbstractApplication.Meta):
        verbose_name = _("program with access")
        verbose_name_plural = _("programs with access")
        ordering = ("id",)
        constraints = (
            one_of("client_type", ["confidential", "public"], "oauth_client_type"),
            models.CheckConstraint(
                condition=models.Q(
                    authorization_grant_type="authorization-code", algorithm="", hash_client_secret=True
                ),
                name="oauth_client_code_flow_only",
            ),
        )

    @property
    def tenant_id(self) -> int | None:
        """Where what happens to it is recorded."""
        return self.organization_id

    @property
    def scopes(self) -> list[str]:
        """What it may ask for."""
        return self.allowed_scopes.split()

    @property
    def addresses(self) -> list[str]:
        """Where people may be sent back to."""
        return self.redirect_uris.split()

    def get_allowed_schemes(self) -> list[str]:
        """Those of its registered addresses: an app has a scheme of its own."""
        return sorted({urlsplit(address).scheme for address in self.addresses})

    def is_usable(self, request: Any) -> bool:
        """Not once its company is closed."""
        return self.organization is None or self.organization.closed_at is None


class OAuthGrant(AbstractGrant):
    """A code between consent and its exchange."""

    code = HashedCodeField(max_length=255, unique=True)
    code_challenge_method = models.CharField(max_length=10, default="S256", choices=(("S256", "S256"),))

    class Meta(AbstractGrant.Meta):
        ordering = ("id",)
        constraints = (one_of("code_challenge_method", ["S256"], "oauth_grant_method"),)


class OAuthToken(AbstractAccessToken):
    """An access token; ``token`` stays empty."""

    class Meta(AbstractAccessToken.Meta):
        ordering = ("id",)
        indexes = (models.Index(fields=("expires",), name="oauth_token_expiry"),)


class OAuthRefreshToken(AbstractRefreshToken):
    """A refresh token, used once; ``token`` stays empty."""

    class Meta(AbstractRefreshToken.Meta):
        ordering = ("id",)


class OAuthIdToken(AbstractIDToken):
    """An identity token; none is issued before `openid` is offered."""

    class Meta(AbstractIDToken.Meta):
        ordering = ("id",)
