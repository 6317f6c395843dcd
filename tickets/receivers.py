"""What happens to tickets becomes mail, in the same transaction but for new tickets, and an event of the contract after it."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from core.services.wake import wake
from messaging.receivers import undoes_nothing
from orgs.models import User
from orgs.signals import user_erased
from tickets.models import Ticket, TicketActivity
from tickets.services import erase, events, notify
from tickets.signals import (
    ticket_assigned,
    ticket_comment_withdrawn,
    ticket_commented,
    ticket_deleted,
    ticket_filed,
    ticket_noted,
    ticket_overdue,
    ticket_status_changed,
    ticket_type_changed,
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
def mail_activity(sender: Any, *, ticket: Ticket, activity: TicketActivity, by_reply: bool = False, **_: Any) -> None:
    """Who takes part hears of it; of a status that comes with a reply, by the mail about the reply."""
    if by_reply:
        return
    notify.tell_of_activity(ticket, activity)


@receiver(ticket_overdue, dispatch_uid="tickets.mail_overdue")
@undoes_nothing
def mail_overdue(sender: Any, *, ticket: Ticket, target: str, **_: Any) -> None:
    """Who is in charge is reminded (TICKETS-060)."""
    notify.remind(ticket, target)


@receiver(ticket_filed, dispatch_uid="tickets.event_created")
def event_created(sender: Any, *, ticket: Ticket, activity: TicketActivity, **_: Any) -> None:
    """A new ticket."""
    events.announce(events.CREATED, ticket, activity)


@receiver(ticket_commented, dispatch_uid="tickets.event_commented")
def event_commented(sender: Any, *, ticket: Ticket, activity: TicketActivity, **_: Any) -> None:
    """A new comment."""
    events.announce(events.COMMENTED, ticket, activity)


@receiver(ticket_assigned, dispatch_uid="tickets.event_assigned")
@receiver(ticket_status_changed, dispatch_uid="tickets.event_status")
@receiver(ticket_comment_withdrawn, dispatch_uid="tickets.event_withdrawn")
@receiver(ticket_type_changed, dispatch_uid="tickets.event_type")
@receiver(ticket_deleted, dispatch_uid="tickets.event_deleted")
def event_updated(sender: Any, *, ticket: Ticket, activity: TicketActivity | None = None, **_: Any) -> None:
    """The tickets door shows something else than before."""
    events.announce(events.UPDATED, ticket, activity)


@receiver(user_erased, dispatch_uid="tickets.forget_person")
def forget_person(sender: Any, *, user: User, **_: Any) -> None:
    """Drafts, filters and what the account watches go with it."""
    erase.person(user)
