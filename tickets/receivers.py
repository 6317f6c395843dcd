"""What happens to tickets becomes mail: in the same transaction, but for new tickets."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from core.services.wake import wake
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
def mail_filed(sender: Any, *, activity: TicketActivity, **_: Any) -> None:
    """The management hears of it, and whom it was filed for: after the commit, by a worker. Whoever files next in the
    house waits for this transaction, and mails take longer to write than all the rest.
    """
    transaction.on_commit(partial(wake, notify.TASK, activity.pk), robust=True)


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
