"""Tickets are changed one change at a time: the row is locked first, so that a stream tells one story."""

from __future__ import annotations

from core.errors import NotFound
from tickets.models import Ticket


def locked(ticket: Ticket) -> Ticket:
    """The ticket as it stands now, locked until the transaction ends. Raises `NotFound` when it was deleted meanwhile."""
    found = locked_if_there(ticket.pk)
    if found is None:
        raise NotFound
    return found


def locked_if_there(pk: int) -> Ticket | None:
    """The same for jobs, to which one that was deleted meanwhile is nothing."""
    return (
        Ticket.objects.select_for_update(no_key=True, of=("self",))
        .select_related("community__tenant", "contact", "assignee", "ticket_type")
        .filter(pk=pk, deleted_at=None)
        .first()
    )
