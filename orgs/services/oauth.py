"""Access that people give to programs by OAuth: consent, tokens, their end. The flow itself is the library's."""

from __future__ import annotations

import datetime
import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from oauth2_provider.models import clear_expired

from core.errors import NotFound
from core.planned import ModelRows
from core.services import audit
from orgs.models import Membership, OAuthClient, OAuthGrant, OAuthRefreshToken, OAuthToken, Organization, User

if TYPE_CHECKING:
    from django.db.models import QuerySet

# The company that a request names comes along: its row is wanted by every request that is let in.
_FOUND = ModelRows(
    """
    SELECT {t}, {u}, {c}, {n} FROM orgs_oauthtoken t JOIN orgs_user u ON u.id = t.user_id
      JOIN orgs_oauthclient c ON c.id = t.application_id
      LEFT JOIN orgs_organization n ON n.uuid = %(network)s AND n.is_tenant AND n.closed_at IS NULL
     WHERE t.token_checksum = %(checksum)s AND t.expires > %(now)s AND u.erased_at IS NULL
    """,
    t="orgs.OAuthToken",
    u="orgs.User",
    c="orgs.OAuthClient",
    n="orgs.Organization",
)


@dataclass(frozen=True)
class Bearer:
    """A usable access token, and the open company that was named with it, where there is one."""

    token: OAuthToken
    user: User
    client: OAuthClient
    network: Organization | None


def find(token: str, *, network: uuid.UUID | None) -> Bearer | None:
    """What an access token stands for; none for one that is unknown or over."""
    values = {"checksum": _checksum(token), "network": network, "now": timezone.now()}
    for row, user, client, company in _FOUND.fetch(values):
        row.user, row.application = user, client
        return Bearer(row, user, client, company)
    return None


def _checksum(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


# --- What a person has allowed ---------------------------------------------------------------------------------


def record_consent(*, client: OAuthClient, scopes: list[str]) -> None:
    """Whoever works has let a program act for them. Side effect: audit."""
    audit.record("access_given", client, {"scopes": [None, scopes]})


def given_by(user: User) -> QuerySet[OAuthClient]:
    """The programs that can act as a person now or after refreshing, by name."""
    tokens = OAuthToken.objects.filter(application=OuterRef("pk"), user=user, expires__gt=timezone.now())
    refresh = OAuthRefreshToken.objects.filter(
        application=OuterRef("pk"), user=user, revoked=None, access_token__expires__gt=_oldest()
    )
    found = OAuthClient.objects.filter(Exists(tokens) | Exists(refresh))
    return cast("QuerySet[OAuthClient]", found.select_related("organization").order_by("name", "id"))


def _oldest() -> datetime.datetime:
    """When the access token ended whose refresh token ends now."""
    seconds: Any = settings.OAUTH2_PROVIDER["REFRESH_TOKEN_EXPIRE_SECONDS"]
    return timezone.now() - datetime.timedelta(seconds=seconds)


@transaction.atomic
def withdraw(*, user: User, client_id: int) -> None:
    """End what one program holds of a person, at once. Side effect: audit. Raises `NotFound`."""
    client = given_by(user).filter(pk=client_id).first()
    if client is None:
        raise NotFound
    _end(Q(user=user, application=client))
    audit.record("access_withdrawn", client)


# --- The end of tokens -----------------------------------------------------------------------------------------


def _end(which: Q) -> int:
    """Codes and access tokens go; refresh tokens stay as used ones, so that a copy that turns up is known as such."""
    OAuthGrant.objects.filter(which).delete()
    OAuthRefreshToken.objects.filter(which, revoked=None).update(revoked=timezone.now(), access_token=None)
    return int(OAuthToken.objects.filter(which).delete()[1].get("orgs.OAuthToken", 0))


def end_all(user: User) -> None:
    """End everything that programs hold of a person: after a change of password, and with the account."""
    _end(Q(user=user))


def end_of_member(*, user_id: int, organization_id: int) -> None:
    """End what programs of a company hold of somebody who is out. Those of the installation are refused there anyway."""
    _end(Q(user=user_id, application__organization=organization_id))


def end_of_deactivated(now: datetime.datetime) -> int:
    """The same for everybody whose end has come by then, where it was set before; returns how many access tokens ended."""
    gone = Membership.objects.filter(
        user=OuterRef("user"), organization=OuterRef("application__organization"), deactivated_at__lte=now
    )
    return _end(Q(Exists(gone)))


def end_of_client(client: OAuthClient) -> None:
    """End everything that a program holds."""
    _end(Q(application=client))


def purge() -> None:
    """Delete what has run out, in batches; validity never depends on this."""
    clear_expired()
