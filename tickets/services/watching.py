"""Who of the staff is told of everything that happens to a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from core.answers import require
from core.errors import Invalid
from core.services import rows
from tickets import rules
from tickets.models import TicketWatcher
from tickets.services.locking import locked

if TYPE_CHECKING:
    from orgs.actor import Actor
    from orgs.models import Membership
    from tickets.models import Ticket


@transaction.atomic
def watch(*, actor: Actor, ticket: Ticket, membership: Membership) -> TicketWatcher:
    """Let somebody watch; twice is once. Side effect: audit.

    Raises `Denied` for others than managers, `Invalid` (``not_assignable``) for whoever does not look after the community,
    `NotFound` when the ticket was deleted.
    """
    ticket = locked(ticket)
    require(rules.may_work_on(actor, ticket))
    answer = rules.may_be_assigned(membership, ticket.community)
    if not answer:
        raise Invalid(answer.reason, code=answer.code, fields={"membership": [str(answer.reason)]})
    found = TicketWatcher.objects.filter(ticket=ticket, membership=membership).first()
    return found or rows.create(TicketWatcher, tenant_id=ticket.tenant_id, ticket=ticket, membership=membership)


@transaction.atomic
def unwatch(*, actor: Actor, ticket: Ticket, membership_id: int) -> None:
    """Let somebody watch no longer; nothing happens to who does not. Side effect: audit. Raises `Denied`, `NotFound`."""
    ticket = locked(ticket)
    require(rules.may_work_on(actor, ticket))
    for watcher in TicketWatcher.objects.filter(ticket=ticket, membership=membership_id):
        rows.delete(watcher)
