"""Owners of organizations: invited, accepted, let go (ORGS-038 … 052)."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.answers import require
from core.errors import Conflict, Denied, NotFound, Unknown
from core.services import rows
from core.services.throttle import Counter
from core.tokens import new_token, token_hash
from orgs import rules
from orgs.models import Membership, Organization, OwnerInvitation, User
from orgs.services import members, second_factor, tenants, tree
from orgs.signals import owner_invited

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from orgs.actor import Actor

LIFE = datetime.timedelta(days=14)  # of an invitation (ORGS-050)


# --- Who owns -------------------------------------------------------------------------------------------


def owner_ids(organization_ids: Collection[int]) -> dict[int, list[int]]:
    """The direct owners of each of these organizations, in one query."""
    found: dict[int, list[int]] = {pk: [] for pk in organization_ids}
    owning = Membership.objects.active().filter(organization__in=list(found), role=Membership.Role.OWNER)
    for organization_id, user_id in owning.order_by("user_id").values_list("organization_id", "user_id"):
        found[organization_id].append(user_id)
    return found


def topmost(*, actor: Actor, organization: Organization, user_id: int) -> Organization:
    """The organization closest to the top that a person owns, of this one and those above it (ORGS-039).

    Those that the caller has no access to are passed over, as in its path. Raises `NotFound` where there is none.
    """
    line = [*organization.ancestors, organization.pk]
    owned = Membership.objects.active().filter(user=user_id, role=Membership.Role.OWNER, organization__in=line)
    seen = Organization.objects.open_to(actor).filter(pk__in=owned.values("organization_id"))
    found = sorted(seen, key=lambda one: line.index(one.pk))
    if not found:
        raise NotFound
    return found[0]


@transaction.atomic
def remove(*, actor: Actor, organization: Organization, user_id: int) -> None:
    """Take the ownership from a person, who stays staff without any right and keeps the account (ORGS-084).

    Side effect: audit. Raises `Denied` without owner rights (ORGS-043), `NotFound` for who is no direct owner, `Conflict`
    for the last one (ORGS-041, 042) or the last super administrator of a tenant.
    """
    require(rules.may_own(actor, organization))
    with scope.all_tenants():
        owning = Membership.objects.active().filter(organization=organization, role=Membership.Role.OWNER)
        membership = owning.select_related("organization").filter(user=user_id).first()
        if membership is None:
            raise NotFound
        changes = {
            "role": Membership.Role.STAFF,
            "admin_perm": False,
            "super_admin_perm": False,
            "all_communities": False,
        }
        members.change(membership=membership, changes=changes, verb="ownership_taken")


# --- Invitations ----------------------------------------------------------------------------------------


def open_invitations(*, actor: Actor, organization: Organization) -> list[OwnerInvitation]:
    """Those that are neither accepted, withdrawn nor over. Raises `Denied` without owner rights."""
    require(rules.may_own(actor, organization))
    return list(_open().filter(organization=organization).order_by("id"))


def _open() -> QuerySet[OwnerInvitation]:
    return OwnerInvitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())


@transaction.atomic
def invite(*, actor: Actor, organization: Organization, email: str) -> OwnerInvitation:
    """Ask a registered person to become owner. Announces `owner_invited`; only the mail carries the token (ORGS-047).

    Whoever is asked again gets a new token, and the earlier one is void (ORGS-046). Raises `Denied` without owner rights
    or where the trial is over (ORGS-081), `NotFound` for an address without account (ORGS-044), `Conflict` for a direct owner (ORGS-045).
    """
    require(rules.may_own(actor, organization))
    require(rules.may_use(organization))
    user = User.objects.with_address(email).first()
    if user is None:
        raise NotFound(_("There is no account with this address."), code="unknown_user")
    with scope.all_tenants():
        if Membership.objects.active().filter(organization=organization, user=user, role="owner").exists():
            raise Conflict(_("This person is an owner already."), code="already_owner")
    token = new_token()
    values = {
        "email": user.email, "token_hash": token_hash(token), "invited_by": actor.user,
        "expires_at": timezone.now() + LIFE,
    }  # fmt: skip
    earlier = OwnerInvitation.objects.select_for_update().filter(
        organization=organization, user=user, accepted_at=None, withdrawn_at=None
    )
    invitation = earlier.first()
    if invitation is None:
        invitation = rows.create(OwnerInvitation, organization=organization, user=user, **values)
    else:
        rows.change(invitation, values, verb="renewed")
    owner_invited.send(sender=OwnerInvitation, invitation=invitation, token=token)
    return invitation


def counters(*, actor: Actor, email: str) -> tuple[Counter, Counter]:
    """What whoever invites waits by: asking for addresses without account, and mails to the same person."""
    caller = f"user:{actor.user_id}" if actor.user else f"organization:{actor.node}"
    return Counter("owner_invitation", caller), Counter("owner_mail", f"{caller}:{email}")


def is_known(email: str) -> bool:
    """Whether there is an account of this address."""
    return bool(User.objects.with_address(email).exists())


@transaction.atomic
def withdraw(*, actor: Actor, organization: Organization, user_id: int) -> None:
    """Take an open invitation back (ORGS-051). Raises `Denied` without owner rights, `NotFound` without one."""
    require(rules.may_own(actor, organization))
    invitation = _open().select_for_update().filter(organization=organization, user=user_id).first()
    if invitation is None:
        raise NotFound
    rows.change(invitation, {"withdrawn_at": timezone.now()}, verb="withdrawn")


def find(*, organization_id: int, token: str) -> OwnerInvitation:
    """An open invitation by its token. Raises `Unknown` for one that is used, withdrawn, over or of another (ORGS-050)."""
    found = _open().select_related("organization", "invited_by")
    invitation = found.filter(
        token_hash=token_hash(token), organization=organization_id, organization__closed_at=None
    ).first()
    if invitation is None:
        raise Unknown
    return invitation


@transaction.atomic
def accept(*, user: User, organization_id: int, token: str) -> Membership:
    """Become an owner (ORGS-048). On a tenant's node that makes a super administrator, once (one-model, conflict 22).

    Raises `Unknown`, see `find`; `Denied` for anybody but the invited person (ORGS-049), and `Conflict`
    (``second_factor_required``) while the organization demands a second factor that the person has not (ORGS-052); the
    invitation then stays open.
    """
    tree.lock(shared=True)  # the organization does not move to another tenant meanwhile
    invitation = find(organization_id=organization_id, token=token)
    fresh = _open().select_for_update(of=("self",)).filter(pk=invitation.pk).first()
    if fresh is None:
        raise Unknown
    if fresh.user_id != user.pk:
        raise Denied(_("This invitation is for somebody else."), code="not_invited")
    organization = Organization.objects.get(pk=fresh.organization_id)
    if tree.enforces(organization) and second_factor.confirmed(user) is None:
        raise Conflict(
            _("This organization demands a second factor. Please set one up, then accept."),
            code="second_factor_required",
        )
    with scope.all_tenants():
        membership = _make_owner(user, organization)
    rows.change(fresh, {"accepted_at": timezone.now()}, verb="accepted")
    return membership


def _make_owner(user: User, organization: Organization) -> Membership:
    owner = Membership.Role.OWNER
    flags = {"admin_perm": True, "super_admin_perm": True} if organization.is_tenant else {}
    membership = Membership.objects.select_related("organization").filter(user=user, organization=organization).first()
    if membership is None:
        membership = tenants.add_member(user=user, organization=organization, role=owner, **flags)
    else:
        changes = {"role": owner, "deactivated_at": None, **flags}
        members.change(membership=membership, changes=changes, verb="ownership_given")
    tree.join_tenant(user, organization.tenant_id)
    return membership
