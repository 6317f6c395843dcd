"""What time does to tickets: targets that are missed are told once, and what stayed solved is closed."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from core.services import batches, rows
from tickets.models import Ticket, TicketActivity, TicketStatus
from tickets.services.changes import move_to
from tickets.services.comments import REOPENED_FOR
from tickets.services.locking import locked_if_there
from tickets.services.targets import PAUSING
from tickets.signals import ticket_overdue

if TYPE_CHECKING:
    from core.services.jobs import Counts
    from tickets.querysets import TicketQuerySet

TELL, CLOSE = "tickets.tell_overdue", "tickets.close_solved"
BATCH = 20  # tickets of one transaction
RESPONSE, RESOLUTION = "response", "resolution"


def _unanswered(now: datetime.datetime) -> Q:
    return Q(response_due_at__lt=now, first_response_at=None, reminded_at=None)


def _unsolved(now: datetime.datetime) -> Q:
    return Q(due_at__lt=now, escalated_at=None)


def _overdue(now: datetime.datetime) -> TicketQuerySet[Ticket]:
    found: TicketQuerySet[Ticket] = Ticket.objects.filter(
        _unanswered(now) | _unsolved(now), deleted_at=None, closed_at=None
    ).exclude(status__in=PAUSING)
    return found


def tell_overdue() -> Counts:
    """Job: announce each ticket whose target for the first response or for the solution has gone by, once for each.

    (TICKETS-060.) Side effects: `reminded_at` or `escalated_at`, audit, signal `ticket_overdue`.
    """
    return batches.go_through(
        Ticket, job=TELL, due=lambda last: _overdue(timezone.now()).filter(pk__gt=last), work=_tell, batch=BATCH,
        counted="told",
    )  # fmt: skip


def _tell(ids: list[int]) -> int:
    told = 0
    for pk in ids:
        now = timezone.now()
        ticket = locked_if_there(pk)
        if ticket is None:
            continue
        for target, column, is_due in ((RESPONSE, "reminded_at", _unanswered), (RESOLUTION, "escalated_at", _unsolved)):
            if _overdue(now).filter(is_due(now), pk=pk).exists():
                rows.change(ticket, {column: now}, verb="overdue", check=False)
                ticket_overdue.send(sender=Ticket, ticket=ticket, target=target)
                told += 1
    return told


def close_solved() -> Counts:
    """Job, daily: close what was solved 30 days ago and nobody has reopened (conflict 2).

    Side effects: as of a change of the status, with an automatic entry.
    """
    return batches.go_through(
        Ticket, job=CLOSE, due=lambda last: _settled().filter(pk__gt=last), work=_close, batch=BATCH, counted="closed"
    )


def _settled() -> TicketQuerySet[Ticket]:
    found: TicketQuerySet[Ticket] = Ticket.objects.filter(
        status=TicketStatus.SOLVED, closed_at__lte=timezone.now() - REOPENED_FOR, deleted_at=None
    )
    return found


def _close(ids: list[int]) -> int:
    closed = 0
    for pk in ids:
        ticket = locked_if_there(pk)
        if ticket is not None and _settled().filter(pk=pk).exists():
            move_to(ticket, TicketStatus.CLOSED, actor=None, source=TicketActivity.Source.BACK_OFFICE)
            closed += 1
    return closed
