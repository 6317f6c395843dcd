"""Saved views of the work list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Conflict, Denied, Invalid
from core.services import rows
from core.text import is_blank
from tickets import rules
from tickets.models import TicketFilter

if TYPE_CHECKING:
    from orgs.actor import Actor

MOST = 50  # of one person


@transaction.atomic
def save(*, actor: Actor, tenant_id: int, name: str, query: str, is_shared: bool = False) -> TicketFilter:
    """Save a view under a name; saving under the same name replaces it. Side effect: audit.

    Raises `Denied` for who is no staff of the company, `Invalid` without a name, `Conflict` above `MOST`,
    `ValidationError` for what is too long.
    """
    if tenant_id not in actor.staff_tenants or actor.user_id is None:
        raise Denied
    name = name.strip()
    if is_blank(name):
        raise Invalid.of("name", _("Please give it a name."))
    mine = TicketFilter.objects.filter(tenant=tenant_id, user=actor.user_id)
    found = mine.filter(name=name).first() if "\x00" not in name else None
    values: dict[str, Any] = {"query": query or "view=", "is_shared": is_shared}
    if found is not None:
        rows.change(found, values)
        return found
    if mine.count() >= MOST:
        raise Conflict(_("You have %(count)d filters already; remove one first.") % {"count": MOST})
    return rows.create(TicketFilter, tenant_id=tenant_id, user_id=actor.user_id, name=name, **values)


@transaction.atomic
def remove(*, actor: Actor, saved: TicketFilter) -> None:
    """Remove a saved view. Side effect: audit. Raises `Denied` for others than its owner; shared ones administrators, too."""
    require(rules.may_keep_filter(actor, saved))
    rows.delete(saved)


def tabs(actor: Actor, tenant_id: int | None) -> list[TicketFilter]:
    """The own ones and the shared ones, by name. One query."""
    found = TicketFilter.objects.visible_to(actor).select_related("user")
    return list(found.filter(tenant=tenant_id) if tenant_id is not None else found.none())
