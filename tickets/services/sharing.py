"""Whom a ticket is shared with: the community, roles of it, units of it (PORTAL-064 … 066)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Invalid
from core.services import rows
from orgs import audience
from orgs.models import Unit
from tickets import rules
from tickets.models import ResidentRole, TicketActivity
from tickets.services.filing import write
from tickets.services.locking import locked

if TYPE_CHECKING:
    from collections.abc import Collection

    from orgs.actor import Actor
    from orgs.models import Community
    from tickets.models import Ticket


def choices(community: Community) -> list[tuple[str, Any]]:
    """Every circle that a ticket of this community can be shared with, with its name. One query."""
    roles = [(audience.community(community.pk, role), label) for role, label in ResidentRole.choices]
    units = Unit.objects.filter(community=community).order_by("name", "id").values_list("pk", "name")
    return [
        (audience.community(community.pk), _("everybody of the community")),
        *roles,
        *((audience.unit(pk), name) for pk, name in units),
    ]


@transaction.atomic
def share(
    *,
    actor: Actor,
    ticket: Ticket,
    keys: Collection[str],
    source: TicketActivity.Source = TicketActivity.Source.BACK_OFFICE,
) -> Ticket:
    """Share with exactly these circles; with none it is not shared, and readers lose it at once (PORTAL-065).

    Side effects: an event in the stream, audit. Raises `Denied` for others than managers, but that its requester may share
    it with the whole community, or with nobody; `Invalid` for a circle outside of the community, `NotFound` when deleted.
    """
    ticket = locked(ticket)
    require(rules.may_share(actor, ticket, keys))
    wanted = sorted(set(keys))
    if not set(wanted) <= {key for key, _name in choices(ticket.community)}:
        raise Invalid.of("keys", _("A ticket can only be shared within its community."))
    if wanted == sorted(ticket.shared_with):
        return ticket
    now = timezone.now()
    rows.change(
        ticket, {"shared_with": wanted, "shared_at": now if wanted else None}, verb="shared", check=False, at=now
    )
    data = {"event": "shared" if wanted else "unshared"}
    write(ticket, kind=TicketActivity.Kind.EVENT, actor=actor, source=source, at=now, data=data)
    return ticket
