"""What this floor drops of somebody who is erased. Tickets stay until their period is over (PORTAL-099)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tickets.models import InboundMail, Ticket, TicketDraft, TicketFilter, TicketWatcher

if TYPE_CHECKING:
    from orgs.models import Contact, User


def person(user: User) -> None:
    """Drop drafts, filters and what an account watches. Joins the running transaction."""
    TicketDraft.objects.filter(user=user).delete()
    TicketFilter.objects.filter(user=user).delete()
    TicketWatcher.objects.filter(membership__user=user).delete()


def address(text: str) -> int:
    """Forget from whom and about what mails came; returns how many. That one came stays in the log."""
    return InboundMail.objects.filter(sender__iexact=text).update(sender="", subject="") if text else 0


def open_of(contact: Contact) -> list[str]:
    """The identifiers of a person's tickets that somebody still works on."""
    working = Ticket.objects.filter(contact=contact, closed_at=None, deleted_at=None)
    return list(working.order_by("pk").values_list("identifier", flat=True))
