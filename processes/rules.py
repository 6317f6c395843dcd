"""May-questions about cases. Each answers with a reason; whether somebody *sees* one is settled before (404).

Staff hold what their membership of the company names: opening, changing and deleting cases are three permissions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from core.answers import YES, Answer, no, require
from orgs.rules import may_administer

if TYPE_CHECKING:
    from orgs.actor import Actor
    from orgs.models import Unit
    from processes.models import Process

__all__ = ["may_change", "may_change_kinds", "may_delete", "may_delete_kinds", "may_make_kinds", "may_open", "may_open_at", "require"]  # fmt: skip


def _holds(actor: Actor, tenant_id: int | None, permission: str) -> bool:
    """The operator not narrowed to a company, and staff of the company with the permission."""
    if actor.is_operator and not actor.acting:
        return True
    membership = actor.membership(tenant_id)
    return membership is not None and tenant_id in actor.staff_tenants and bool(getattr(membership, permission))


def may_open(actor: Actor, tenant_id: int | None) -> Answer:
    """Staff with the permission to open cases (PROCESSES-010, 011)."""
    return YES if _holds(actor, tenant_id, "process_create_perm") else no(_("You may not open cases."))


def may_open_at(actor: Actor, unit: Unit) -> Answer:
    """A case concerns a unit that one looks after (PROCESSES-026)."""
    if unit.community_id in actor.managed or (actor.is_operator and not actor.acting):
        return YES
    return no(_("You do not look after this unit."))


def may_change(actor: Actor, process: Process) -> Answer:
    """Staff with the permission to change cases, unless they only watch this one (PROCESSES-016, 063)."""
    if not _holds(actor, process.tenant_id, "process_update_perm"):
        return no(_("You may not change cases."))
    if process.clerks.filter(membership__in=actor.membership_ids, role="spectator").exists():
        return no(_("You watch this case, and do not work on it."))
    return YES


def may_delete(actor: Actor, process: Process) -> Answer:
    """Staff with the permission to delete cases (PROCESSES-016)."""
    return YES if _holds(actor, process.tenant_id, "process_delete_perm") else no(_("You may not delete cases."))


def may_make_kinds(actor: Actor, tenant_id: int | None) -> Answer:
    """Kinds and stages: administrators, and whoever may open cases."""
    return _administers_or(actor, tenant_id, "process_create_perm")


def may_change_kinds(actor: Actor, tenant_id: int | None) -> Answer:
    """Administrators, and whoever may change cases."""
    return _administers_or(actor, tenant_id, "process_update_perm")


def may_delete_kinds(actor: Actor, tenant_id: int | None) -> Answer:
    """Administrators, and whoever may delete cases."""
    return _administers_or(actor, tenant_id, "process_delete_perm")


def _administers_or(actor: Actor, tenant_id: int | None, permission: str) -> Answer:
    return YES if _holds(actor, tenant_id, permission) else may_administer(actor, tenant_id)
