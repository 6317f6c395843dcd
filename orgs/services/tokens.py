"""Bearer tokens that are not OAuth: made once, stored as hashes, checked at every use."""

from __future__ import annotations

import datetime
from typing import Any, cast

from django.db.models import Q
from django.utils import timezone

from core import scope
from core.planned import ModelRows
from core.tokens import new_token, token_hash
from orgs.models import AccessToken, OneTimeLink, Organization, RecoveryCode, SecondFactor, Session, User

PENDING_LIFE = datetime.timedelta(minutes=10)  # DOCMS-003
USE_NOTED_EVERY = datetime.timedelta(minutes=1)


def issue(
    *, kind: str, user: User | None, expires_in: datetime.timedelta | None, **values: Any
) -> tuple[str, AccessToken]:
    """Make a token; the plain text is returned once and stored nowhere."""
    token = new_token()
    row = AccessToken.objects.create(
        kind=kind,
        user=user,
        token_hash=token_hash(token),
        expires_at=timezone.now() + expires_in if expires_in else None,
        **values,
    )
    return token, row


_WHERE_FOUND = """
  FROM orgs_accesstoken t LEFT JOIN orgs_user u ON u.id = t.user_id
 WHERE t.token_hash = %(hash)s AND t.revoked_at IS NULL AND t.kind = ANY(%(kinds)s) AND u.erased_at IS NULL
"""
_FOUND = ModelRows(f"SELECT {{t}}, {{u}} {_WHERE_FOUND}", t="orgs.AccessToken", u="orgs.User")
# Its tenant's rows are readable for the rest of the transaction; without one nothing is told, as before.
_ENTERED = scope.TELL.format(tenants="coalesce('{{' || t.organization_id || '}}', '')")
_FOUND_ENTERING = ModelRows(f"SELECT {{t}}, {{u}}, {_ENTERED} {_WHERE_FOUND}", t="orgs.AccessToken", u="orgs.User")


def find(token: str, *, kinds: tuple[str, ...], enter: bool = False) -> AccessToken | None:
    """The unrevoked row of a token, expired or not, so that the door can tell the two apart.

    With ``enter`` the unit of work goes on in the token's tenant, if it has one; the door still has to ask who is let in.
    """
    rows = _FOUND_ENTERING if enter else _FOUND
    for row, user, *_told in rows.fetch({"hash": token_hash(token), "kinds": list(kinds)}):
        row.user = user
        if enter and row.organization_id is not None:
            scope.enter_tenants([row.organization_id], is_told=True)
        return cast("AccessToken", row)
    return None


_FOUND_AT_HOME = ModelRows(
    """
    SELECT {t}, {u}, {o} FROM orgs_accesstoken t JOIN orgs_user u ON u.id = t.user_id
      JOIN orgs_organization o ON o.id = t.organization_id
     WHERE t.token_hash = %(hash)s AND t.revoked_at IS NULL AND t.kind = 'basic' AND t.public_id = %(client)s
       AND u.erased_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > %(now)s)
       AND o.is_tenant AND o.closed_at IS NULL
    """,
    t="orgs.AccessToken",
    u="orgs.User",
    o="orgs.Organization",
)


def find_credentials(client_id: str, secret: str) -> AccessToken | None:
    """The usable row of a pair of basic credentials, with its person and its company, which is open."""
    values = {"hash": token_hash(secret), "client": client_id, "now": timezone.now()}
    for row, user, company in _FOUND_AT_HOME.fetch(values):
        row.user, row.organization = user, company
        return cast("AccessToken", row)
    return None


def note_use(row: AccessToken) -> None:
    """Write the last use, at most once a minute."""
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at > USE_NOTED_EVERY:
        AccessToken.objects.filter(pk=row.pk).update(last_used_at=now)


def revoke(row: AccessToken) -> None:
    """End one token at once; the user's others live on (DOCMS-013)."""
    AccessToken.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=timezone.now())


def revoke_sessions(user: User, organization: Organization | None = None) -> None:
    """End the docms sessions of an account in one organization, or wherever they are; keys of applications stay."""
    found = AccessToken.objects.filter(user=user, kind=AccessToken.Kind.DOCMS_SESSION, revoked_at=None)
    if organization is not None:
        found = found.filter(organization=organization)
    found.update(revoked_at=timezone.now())


def revoke_of_member(*, user_id: int, organization_id: int) -> None:
    """End what an account holds for one organization: who comes back signs in anew (DOCMS-059).

    Keys of applications are left to `applications.apply_deactivations`: until then their refusal says why.
    """
    kinds = (AccessToken.Kind.DOCMS_SESSION, AccessToken.Kind.BASIC)
    found = AccessToken.objects.filter(user=user_id, organization=organization_id, kind__in=kinds, revoked_at=None)
    found.update(revoked_at=timezone.now())


def purge() -> dict[str, int]:
    """Delete what nobody can use any more; validity never depends on this.

    Tokens a day after their end, sessions at once, second factors that were not confirmed within a day, codes a day
    after they were used; and what a sign-in wrote that was under way while its account was erased.
    """
    now = timezone.now()
    day = now - datetime.timedelta(days=1)
    erased = Q(user__erased_at__isnull=False)
    return {
        "tokens": AccessToken.objects.filter(Q(expires_at__lt=day) | Q(revoked_at__lt=day) | erased).delete()[0],
        "sessions": Session.objects.filter(Q(expires_at__lt=now) | erased).delete()[0],
        "factors": SecondFactor.objects.filter(confirmed_at=None, created_at__lt=day).delete()[0],
        "codes": RecoveryCode.objects.filter(used_at__lt=day).delete()[0],
    }


def purge_links() -> int:
    """Delete links a day after they were used or expired; validity never depends on this. Returns how many."""
    day = timezone.now() - datetime.timedelta(days=1)
    return OneTimeLink.objects.filter(Q(expires_at__lt=day) | Q(used_at__lt=day)).delete()[0]
