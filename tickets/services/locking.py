"""Tickets are changed one change at a time: the row is locked first, so that a stream tells one story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import NotFound
from tickets.models import Ticket

if TYPE_CHECKING:
    from django.db.models import Q


def locked(ticket: Ticket) -> Ticket:
    """The ticket as it stands now, locked until the transaction ends. Raises `NotFound` when it was deleted meanwhile."""
    found = locked_if_there(ticket.pk)
    if found is None:
        raise NotFound
    return found


def hold(which: Q) -> None:
    """Lock several tickets in the order of their ids, so that two people who do the same crosswise do not wait for each
    other. Whoever works on more than one begins with this; those that come on top later are locked as they come.
    """
    list(Ticket.objects.select_for_update(no_key=True).filter(which).order_by("pk").values_list("pk"))


def locked_if_there(pk: int) -> Ticket | None:
    """The same for jobs, to which one that was deleted meanwhile is nothing."""
    return (
        Ticket.objects.select_for_update(no_key=True, of=("self",))
        .select_related("community__tenant", "contact", "assignee", "ticket_type")
        .filter(pk=pk, deleted_at=None)
        .first()
    )
