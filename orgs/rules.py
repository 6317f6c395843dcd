"""May-questions about people and places. Each answers with a reason that a page can show."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import scope
from core.answers import YES, Answer, no
from orgs.actor import Actor
from orgs.models import Invite, Membership, Occupancy, Organization, OrganizationSettings, SecondFactor, Unit, User

LOCKS = ("lock_settings", "lock_perm", "lock_folder_perm")


def may_administer(actor: Actor, tenant_id: int | None) -> Answer:
    """Administrators of the tenant, and the operator in the back office."""
    if actor.is_operator or tenant_id in actor.admin_tenants:
        return YES
    return no(_("Only administrators may do this."))


def may_change_security(actor: Actor, tenant_id: int | None) -> Answer:
    """Super administrators, and the operator."""
    if actor.is_operator or tenant_id in actor.super_admin_tenants:
        return YES
    return no(_("Only super administrators may do this."))


def may_change_settings(actor: Actor, tenant_id: int) -> Answer:
    """Settings and texts of the tenant: administrators, super administrators while they are locked (DOCMS-043)."""
    answer = may_administer(actor, tenant_id)
    if not answer:
        return answer
    if OrganizationSettings.objects.filter(organization=tenant_id, lock_settings=True).exists():
        return may_change_security(actor, tenant_id)
    return YES


def may_drop_own_key(membership: Membership, *, passed_at: datetime.datetime | None) -> Answer:
    """Take one's own second factor of a tenant off: signed in with a code since it was set up (``passed_at``, None for
    never). Else whoever got hold of an older token, or of an application's, could.
    """
    key = SecondFactor.objects.filter(
        user=membership.user_id, organization=membership.organization_id, confirmed_at__isnull=False
    ).first()
    if key is None or key.confirmed_at is None or (passed_at is not None and passed_at >= key.confirmed_at):
        return YES
    return no(_("Please sign in with a code of your second factor first."), code="tfa_required")


# --- The tree of organizations -----------------------------------------------------------------------------


def may_own(actor: Actor, organization: Organization) -> Answer:
    """Owner rights: owners of the organization or of an ancestor (ORGS-038), and the operator."""
    if actor.is_operator or not actor.owned_organizations.isdisjoint((organization.pk, *organization.ancestors)):
        return YES
    return no(_("Only owners may do this."))


def may_change_organization(actor: Actor, organization: Organization) -> Answer:
    """Owner rights, or administrator of the organization itself (ORGS-022)."""
    administers = any(
        m.organization_id == organization.pk and (m.admin_perm or m.super_admin_perm) for m in actor.memberships_list
    )
    if administers or may_own(actor, organization):
        return YES
    return no(_("Only owners and administrators may do this."))


def may_add_organization(actor: Actor, parent: Organization | None) -> Answer:
    """Below a parent its owners (ORGS-014), at the top everybody who is a person (ORGS-003)."""
    if parent is not None:
        return may_own(actor, parent)
    return YES if actor.user is not None else no(_("Only a person may do this."))


def may_move_organization(actor: Actor, organization: Organization, parent: Organization | None) -> Answer:
    """Owner rights in what is moved and in where it goes (ORGS-033); to the top, in what is moved by a person."""
    answer = may_own(actor, organization)
    return may_add_organization(actor, parent) if answer else answer


def may_look_into(actor: Actor, organization: Organization, demanding: Organization | None) -> Answer:
    """One organization: as `OrganizationQuerySet.visible_to` and `open_to` say it of lists; a test holds them together.

    ``demanding`` is itself, or the nearest one above it, that demands a second factor, None for neither. Owners of one
    above it and its members look into it (ORGS-008), members without a second factor only where none is demanded
    (ORGS-053, 054).
    """
    if actor.is_operator:
        return YES
    if organization.pk not in actor.organizations and actor.owned_organizations.isdisjoint(organization.ancestors):
        return no(_("You have no access to this organization."))
    if demanding is not None and actor.user is not None and not actor.has_second_factor:
        problem = _("This organization demands a second factor. Please set one up in your profile.")
        return no(problem, code="second_factor_required")
    return YES


def may_see_reach(actor: Actor, user_id: int, tenant_id: int) -> bool:
    """E-mail address and telephone of somebody: staff of the company, and the person (one-model, conflict 46)."""
    return user_id == actor.user_id or tenant_id in actor.staff_tenants


def may_issue_credentials(actor: Actor, company: Organization) -> Answer:
    """Administrators who belong to the company: the credentials act as this person there (TICKETS-020). The operator in
    the back office looks after it without a place in it.
    """
    answer = may_administer(actor, company.pk)
    if answer and actor.membership(company.pk) is None:
        return no(_("Only somebody of the company can have credentials made: they act as this person."))
    return answer


def may_use(organization: Organization) -> Answer:
    """Nothing is shown on its start page and no mail leaves it once the trial is over without a booking (ORGS-081).

    Its own trial, or that of the company it is a part of. Give organizations with their ``tenant``, when there are many.
    """
    tenant = organization if organization.tenant_id in (None, organization.pk) else organization.tenant
    assert tenant is not None
    if "inactive" in (organization.state, tenant.state):
        return no(_("The trial of this organization is over."), code="trial_over")
    return YES


def takes_power(membership: Membership, changes: Mapping[str, Any]) -> bool:
    """Whether a change takes ownership or super administration from an active member (see `may_leave`)."""
    return _stops_owning(membership, changes) or _stops_administering(membership, changes)


def may_leave(membership: Membership, changes: Mapping[str, Any]) -> Answer:
    """An organization keeps an owner and a super administrator (ORGS-041, DOCMS-058).

    ``changes`` are the columns that would be written; an end in the future counts as leaving. The answer holds as
    long as the organization's row is locked: `orgs.services.members.change` asks under that lock.
    """
    others = Membership.objects.filter(
        organization=membership.organization_id, deactivated_at=None, user__erased_at=None
    ).exclude(pk=membership.pk)
    if _stops_owning(membership, changes) and not others.filter(role=Membership.Role.OWNER).exists():
        return no(_("The last owner of an organization cannot leave."), code="last_owner", denied_status=409)
    if _stops_administering(membership, changes) and not others.filter(super_admin_perm=True).exists():
        return no(_("A tenant keeps at least one super administrator."), code="last_super_admin", denied_status=409)
    return YES


def may_be_erased(user: User) -> Answer:
    """Not who is the last to own or to run something (one-model, conflict 20). The answer holds as long as the rows of
    the organizations, and those of the operators, are locked: `orgs.services.erase` asks under these locks.
    """
    now = timezone.now()
    powers = Membership.objects.active().filter(user=user, organization__closed_at=None)
    for membership in powers.select_related("organization").order_by("pk"):
        answer = may_leave(membership, {"deactivated_at": now})
        if not answer:
            return no(f"{membership.organization}: {answer.reason}", code=answer.code, denied_status=409)
    if user.is_superuser and not User.objects.filter(is_superuser=True, erased_at=None).exclude(pk=user.pk).exists():
        return no(_("The installation keeps at least one operator."), code="last_operator", denied_status=409)
    return YES


def _leaves(changes: Mapping[str, Any]) -> bool:
    return changes.get("deactivated_at") is not None


def _stops_owning(membership: Membership, changes: Mapping[str, Any]) -> bool:
    owns = membership.role == Membership.Role.OWNER and membership.deactivated_at is None
    return owns and (_leaves(changes) or changes.get("role", Membership.Role.OWNER) != Membership.Role.OWNER)


def _stops_administering(membership: Membership, changes: Mapping[str, Any]) -> bool:
    administers = membership.super_admin_perm and membership.deactivated_at is None
    return administers and (_leaves(changes) or not changes.get("super_admin_perm", True))


def may_reset_personal_key(membership: Membership) -> Answer:
    """Only where that reaches into no other company and touches no operator (one-model, conflict 31)."""
    if membership.user.is_superuser:
        return no(_("The account runs the installation, so its personal key stays."))
    if belongs_elsewhere(membership):
        return no(_("The account belongs to other companies too, so its personal key stays."))
    return YES


def belongs_elsewhere(membership: Membership) -> bool:
    """Whether the account is in use in another company as well."""
    with scope.all_tenants():
        others = Membership.objects.active().filter(user=membership.user_id)
        return others.exclude(tenant=membership.tenant_id).exists()


def may_act_on_account(actor: Actor, membership: Membership) -> Answer:
    """Change what an account is everywhere: its names and language, its failed attempts, its password links.

    A company can take any account in whose address it knows (DOCMS-053). What it does to the account must then end
    where another company, or the installation, begins (DOCMS-198, one-model, conflict 31). The operator may.
    """
    if actor.is_operator:
        return YES
    if membership.user.is_superuser:
        return no(_("The account runs the installation; only the operator may do this."))
    if belongs_elsewhere(membership):
        return no(_("The account belongs to other companies too; only the operator may do this."))
    return YES


def may_change_rights(actor: Actor, membership: Membership) -> Answer:
    """Change permissions of a member who is there already: while ``lock_perm`` is on, super administrators (DOCMS-055)."""
    locked = OrganizationSettings.objects.filter(organization=membership.organization_id, lock_perm=True).exists()
    return may_change_security(actor, membership.tenant_id) if locked else may_administer(actor, membership.tenant_id)


def may_lift_locks(actor: Actor, chosen: OrganizationSettings, changes: Mapping[str, Any]) -> Answer:
    """Taking a lock off needs a super administrator, whoever may change the settings otherwise (DOCMS-044)."""
    if any(getattr(chosen, lock) and not changes.get(lock, True) for lock in LOCKS):
        return may_change_security(actor, chosen.tenant_id)
    return YES


def may_manage(actor: Actor, community_id: int | None) -> Answer:
    """Staff who look after the community (PORTAL-015), and the operator in the back office."""
    if actor.is_operator or community_id in actor.managed:
        return YES
    return no(_("You do not look after this community."))


def may_invite(actor: Actor, unit: Unit) -> Answer:
    """Managers for every unit of their communities, admin residents for the units they administer (PORTAL-043)."""
    if actor.is_operator or unit.community_id in actor.managed or unit.pk in actor.administered_units:
        return YES
    return no(_("You may not invite people to this unit."))


def may_end(actor: Actor, occupancy: Occupancy) -> Answer:
    """Managers of the community end occupancies."""
    return may_manage(actor, occupancy.unit.community_id)


def may_handle_invite(actor: Actor, invite: Invite) -> Answer:
    """Who may invite there may renew and withdraw, too."""
    if invite.unit is not None:
        return may_invite(actor, invite.unit)
    if invite.community_id is not None:
        return may_manage(actor, invite.community_id)
    return may_administer(actor, invite.tenant_id)


def may_import_register(actor: Actor, tenant_id: int) -> Answer:
    """A register covers all communities, so tenant-wide staff import it."""
    if actor.is_operator or tenant_id in actor.wide_tenants:
        return YES
    return no(_("Only staff for all communities may import a register."))
