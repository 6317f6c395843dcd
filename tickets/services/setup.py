"""What a company sets up for its help desk: groups of types, ready-made replies, rules of assignment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Invalid
from core.services import rows
from orgs.models import Membership
from tickets import rules
from tickets.models import AssignmentRule, CannedReply, SupportType, TicketTypeGroup
from tickets.services import canned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orgs.actor import Actor

Noun = TypeVar("Noun", TicketTypeGroup, CannedReply, AssignmentRule)


@transaction.atomic
def create(model: type[Noun], *, actor: Actor, tenant_id: int, values: Mapping[str, Any]) -> Noun:
    """Add one. Side effect: audit.

    Raises `Denied` for others than administrators, `Invalid` for unknown placeholders and for what is another company's or
    cannot be assigned, `ValidationError`.
    """
    require(rules.may_set_up(actor, tenant_id))
    _check(tenant_id, values)
    return rows.create(model, tenant_id=tenant_id, **values)


@transaction.atomic
def change(obj: Noun, *, actor: Actor, changes: Mapping[str, Any], expected: int | None = None) -> None:
    """Change one. Side effect: audit. Raises as `create`, and `Changed` where somebody else did so meanwhile."""
    require(rules.may_set_up(actor, obj.tenant_id))
    _check(obj.tenant_id, changes)
    rows.change(obj, changes, expected=expected)


@transaction.atomic
def delete(obj: Noun, *, actor: Actor) -> None:
    """Remove one; what was written with it stays. Side effect: audit. Raises `Denied`."""
    require(rules.may_set_up(actor, obj.tenant_id))
    rows.delete(obj)


def _check(tenant_id: int, values: Mapping[str, Any]) -> None:
    for name in ("community", "ticket_type", "assignee"):
        other = values.get(name)
        if other is not None and other.tenant_id != tenant_id:
            raise Invalid.of(name, _("This belongs to another company."))
    assignee, community = values.get("assignee"), values.get("community")
    if assignee is not None and not Membership.objects.active().staff().filter(pk=assignee.pk).exists():
        raise Invalid.of("assignee", _("Only staff can be assigned."))
    if assignee is not None and community is not None:
        answer = rules.may_be_assigned(assignee, community)
        if not answer:
            raise Invalid.of("assignee", answer.reason)
    if "text" in values:
        canned.check(values["text"])
    if values.get("support_type", "") not in ("", *SupportType.values):
        raise Invalid.of("support_type", _("There is no such type."))
