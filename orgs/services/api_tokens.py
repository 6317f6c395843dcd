"""What programs sign in with: a person's own tokens and an organization's for the organizations API, and basic credentials
for the support API. Named, limited, shown once, revoked at once.
"""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Conflict, Invalid, NotFound
from core.services import audit
from core.text import is_blank
from orgs import rules
from orgs.models import AccessToken, Organization, User
from orgs.services import second_factor, tokens

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from orgs.actor import Actor

READ, WRITE = "read", "write"
SUPPORT_READ, SUPPORT = "support.readonly", "support"  # scopes of the support API (TICKETS-004)
NAME_MAX = 100
MOST = 50  # usable ones of a person or an organization
DAYS = (30, 90, 365, 0)  # of life that are offered; 0 = until it is revoked


def of_person(user: User) -> QuerySet[AccessToken]:
    """A person's usable ones, the newest first."""
    return AccessToken.objects.usable().filter(kind=AccessToken.Kind.PERSONAL, user=user).order_by("-id")


def of_organization(*, actor: Actor, organization: Organization) -> QuerySet[AccessToken]:
    """An organization's usable ones, the newest first. Raises `Denied` without owner rights."""
    require(rules.may_own(actor, organization))
    kind = AccessToken.Kind.ORGANIZATION
    return AccessToken.objects.usable().filter(kind=kind, organization=organization).order_by("-id")


@transaction.atomic
def issue_personal(*, user: User, password: str, code: str, name: str, may_write: bool, days: int) -> str:
    """A token that acts as the person; its plain text is returned once. Side effect: audit.

    Raises `Invalid` for a wrong ``password`` or, where the account has a second factor, ``code`` (whoever finds a browser
    open takes no key along), and for a name that is none; `Conflict` above `MOST`.
    """
    if not user.check_password(password):
        problem = _("The password is not right.")
        raise Invalid(problem, fields={"password": [problem]})
    if second_factor.confirmed(user) and not second_factor.verify_any(user, code):
        problem = _("This code is not right. Is the clock of your phone right?")
        raise Invalid(problem, fields={"code": [problem]})
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if of_person(user).count() >= MOST:
        raise Conflict(_("There are too many tokens. Please revoke some first."), code="too_many")
    return _issue(AccessToken.Kind.PERSONAL, name, may_write, days, user=user, organization=None, created_by=user)


@transaction.atomic
def issue_for(*, actor: Actor, organization: Organization, name: str, may_write: bool, days: int) -> str:
    """A token that acts for an organization and all below; its plain text is returned once. Side effect: audit.

    Raises `Denied` without owner rights, `Invalid` for a name that is none, `Conflict` above `MOST`.
    """
    found = of_organization(actor=actor, organization=organization)
    Organization.objects.select_for_update(no_key=True, of=("self",)).get(pk=organization.pk)
    if found.count() >= MOST:
        raise Conflict(_("There are too many tokens. Please revoke some first."), code="too_many")
    return _issue(
        AccessToken.Kind.ORGANIZATION, name, may_write, days, user=None, organization=organization,
        created_by=actor.user,
    )  # fmt: skip


def clean_name(name: str) -> str:
    """A name as people read it, without superfluous blanks. Raises `Invalid` for one that is none or cannot be read."""
    name = " ".join(name.split())
    if is_blank(name) or len(name) > NAME_MAX or not name.isprintable():
        problem = _("A name of 1 to %(most)d readable characters is needed.") % {"most": NAME_MAX}
        raise Invalid(problem, fields={"name": [problem]})
    return name


def _issue(
    kind: str,
    name: str,
    may_write: bool,
    days: int,
    *,
    user: User | None,
    organization: Organization | None,
    created_by: User | None,
    public_id: str | None = None,
    scopes: list[str] | None = None,
) -> str:
    name = clean_name(name)
    token, row = tokens.issue(
        kind=kind, user=user, organization=organization, name=name, created_by=created_by,
        public_id=public_id, scopes=scopes or ([READ, WRITE] if may_write else [READ]), expires_in=datetime.timedelta(days=days) if days else None,
    )  # fmt: skip
    audit.record("key_issued", row, {"name": [None, name], "scopes": [None, row.scopes]})
    return token


@transaction.atomic
def revoke_personal(*, user: User, token_id: int) -> None:
    """End one's own token at once. Side effect: audit. Raises `NotFound`."""
    _revoke(of_person(user), token_id)


@transaction.atomic
def revoke_of(*, actor: Actor, organization: Organization, token_id: int) -> None:
    """End an organization's token at once. Side effect: audit. Raises `Denied`, `NotFound`."""
    _revoke(of_organization(actor=actor, organization=organization), token_id)


# --- Basic credentials of the support API -------------------------------------------------------------------


@dataclass(frozen=True)
class Credentials:
    """A pair as a program sends it; the secret is stored nowhere."""

    client_id: str
    secret: str


def credentials_of(*, actor: Actor, tenant: Organization) -> QuerySet[AccessToken]:
    """A company's usable ones with the people they act as, the newest first. Raises `Denied` for others than
    administrators.
    """
    require(rules.may_administer(actor, tenant.pk))
    found = AccessToken.objects.usable().filter(kind=AccessToken.Kind.BASIC, organization=tenant)
    return found.select_related("user").order_by("-id")


@transaction.atomic
def issue_credentials(*, actor: Actor, tenant: Organization, name: str, may_write: bool, days: int) -> Credentials:
    """A pair for one company, which acts as whoever has it made (TICKETS-002, 020). Side effect: audit.

    Raises `Denied` for others than administrators who belong to the company, `Invalid` for a name that is none,
    `Conflict` above `MOST`.
    """
    require(rules.may_issue_credentials(actor, tenant))
    found = credentials_of(actor=actor, tenant=tenant)
    Organization.objects.select_for_update(no_key=True, of=("self",)).get(pk=tenant.pk)
    if found.count() >= MOST:
        raise Conflict(_("There are too many credentials. Please revoke some first."), code="too_many")
    client_id = f"support-{secrets.token_urlsafe(12)}"
    secret = _issue(
        AccessToken.Kind.BASIC, name, may_write, days, user=actor.user, organization=tenant, created_by=actor.user,
        public_id=client_id, scopes=[SUPPORT] if may_write else [SUPPORT_READ],
    )  # fmt: skip
    return Credentials(client_id, secret)


@transaction.atomic
def revoke_credentials(*, actor: Actor, tenant: Organization, token_id: int) -> None:
    """End a pair at once. Side effect: audit. Raises `Denied`, `NotFound`."""
    _revoke(credentials_of(actor=actor, tenant=tenant), token_id)


def _revoke(found: QuerySet[AccessToken], token_id: int) -> None:
    row = found.select_for_update(of=("self",)).filter(pk=token_id).first()
    if row is None:
        raise NotFound
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    audit.record("revoked", row, {"name": [row.name, None]})
