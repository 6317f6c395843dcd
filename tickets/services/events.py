"""The events of the tickets contract on our own bus: `support.ticket.created`, `.updated`, `.commented` (its open point 12).

One for each change that the tickets door shows, whichever door it came through, once it is committed. What the management
keeps to itself (notes, priority, watchers, drafts) is none.
"""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from tickets.signals import support_event

if TYPE_CHECKING:
    from tickets.models import Ticket, TicketActivity

CREATED, UPDATED, COMMENTED = "support.ticket.created", "support.ticket.updated", "support.ticket.commented"


@dataclass(frozen=True)
class SupportEvent:
    """What has happened, in ids: who receives it is outside of the transaction and reads what it may see.

    ``activity_id`` – the entry that tells of it; None where none does: another type, and a deletion.
    """

    name: str
    tenant_id: int
    ticket_id: int
    ticket_ref: uuid.UUID
    activity_id: int | None
    at: datetime.datetime


def announce(name: str, ticket: Ticket, activity: TicketActivity | None = None) -> None:
    """Send the event once the running transaction is committed; rolled back, it never was."""
    event = SupportEvent(
        name,
        ticket.tenant_id,
        ticket.pk,
        ticket.uuid,
        activity.pk if activity else None,
        activity.created_at if activity else timezone.now(),
    )
    transaction.on_commit(partial(support_event.send_robust, sender=SupportEvent, event=event), robust=True)
