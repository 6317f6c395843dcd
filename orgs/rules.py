"""May-questions about people and places. Each answers with a reason that a page can show."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.answers import YES, Answer, no
from orgs.actor import Actor
from orgs.models import Invite, Occupancy, Unit


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
