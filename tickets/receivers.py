"""What happens to tickets becomes mail, in the same transaction."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from messaging.receivers import undoes_nothing
from tickets.models import Ticket, TicketActivity
from tickets.services import notify
from tickets.signals import (
    ticket_assigned,
    ticket_commented,
    ticket_filed,
    ticket_noted,
    ticket_overdue,
    ticket_status_changed,
)


@receiver(ticket_filed, dispatch_uid="tickets.mail_filed")
@undoes_nothing
def mail_filed(sender: Any, *, ticket: Ticket, activity: TicketActivity, **_: Any) -> None:
    """The management hears of it, and whom it was filed for."""
    notify.tell_of_new(ticket, activity)


@receiver(ticket_commented, dispatch_uid="tickets.mail_commented")
@receiver(ticket_assigned, dispatch_uid="tickets.mail_assigned")
@receiver(ticket_status_changed, dispatch_uid="tickets.mail_status")
@receiver(ticket_noted, dispatch_uid="tickets.mail_noted")
@undoes_nothing
def mail_activity(sender: Any, *, ticket: Ticket, activity: TicketActivity, **_: Any) -> None:
    """Who takes part hears of it."""
    notify.tell_of_activity(ticket, activity)


@receiver(ticket_overdue, dispatch_uid="tickets.mail_overdue")
@undoes_nothing
def mail_overdue(sender: Any, *, ticket: Ticket, target: str, **_: Any) -> None:
    """Who is in charge is reminded (TICKETS-060)."""
    notify.remind(ticket, target)
