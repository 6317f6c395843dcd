"""Who gets a new ticket, by the company's rules of assignment.

A worker does it after the commit, so that filing waits for nobody and answers what was filed (TICKETS-017). What the
broker lost, and what found nobody available, is tried again for a day.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from core.services import batches
from orgs.models import Membership
from orgs.services import availability
from tickets.models import AssignmentRule, Ticket, TicketActivity, TicketStatus
from tickets.services import people
from tickets.services.changes import hand_over
from tickets.services.locking import locked_if_there

if TYPE_CHECKING:
    from core.services.jobs import Counts
    from tickets.querysets import TicketQuerySet

JOB = "tickets.assign_new"
TRIED_FOR = datetime.timedelta(days=1)
BATCH = 20  # tickets of one transaction


def assign_new() -> Counts:
    """Job: give the new tickets of the last day that nobody has had to whom the rules say."""
    return batches.go_through(Ticket, job=JOB, due=_due_after, work=assign_by_rules, batch=BATCH, counted="assigned")


def assign_by_rules(ticket_ids: list[int]) -> int:
    """Assign those of these tickets that are still due, one after the other; returns how many found somebody.

    Side effects: as of an assignment by hand, with an automatic entry.
    """
    return sum(_assign(pk) for pk in ticket_ids)


def _due_after(last: int) -> TicketQuerySet[Ticket]:
    found: TicketQuerySet[Ticket] = _due().filter(pk__gt=last)
    return found


def _due() -> TicketQuerySet[Ticket]:
    """New ones that nobody has, and that nobody has given to anybody: whom people take it from stays without."""
    touched = TicketActivity.objects.filter(ticket=OuterRef("pk"), kind=TicketActivity.Kind.ASSIGNEE)
    rules = AssignmentRule.objects.filter(tenant=OuterRef("tenant"), is_active=True)
    found: TicketQuerySet[Ticket] = Ticket.objects.filter(
        ~Exists(touched), Exists(rules), deleted_at=None, closed_at=None, assignee=None, status=TicketStatus.NEW,
        created_at__gt=timezone.now() - TRIED_FOR,
    )  # fmt: skip
    return found


def _assign(pk: int) -> bool:
    ticket = locked_if_there(pk)
    if ticket is None or not _due().filter(pk=pk).exists():
        return False
    person = person_for(ticket)
    if person is None:
        return False
    hand_over(ticket, person, actor=None, source=TicketActivity.Source.BACK_OFFICE)
    return True


def person_for(ticket: Ticket) -> Membership | None:
    """Whom the first rule names that fits the ticket and finds somebody; None when none does. Three queries at most."""
    rules = list(
        AssignmentRule.objects.filter(
            Q(community=None) | Q(community=ticket.community_id),
            Q(ticket_type=None) | Q(ticket_type=ticket.ticket_type_id),
            tenant=ticket.tenant_id,
            is_active=True,
        )
    )
    if not rules:
        return None
    known = {person.pk: person for person in _people(ticket)}
    for rule in rules:
        if rule.assignee_id is not None:
            person = known.get(rule.assignee_id)
            if person is not None and (not rule.only_available or _is_available(person)):
                return person
            continue
        free = [person for person in known.values() if _is_available(person)]
        if free:
            return min(free, key=lambda person: (person.open_tickets, person.pk))  # type: ignore[attr-defined]
    return None


def _is_available(person: Membership) -> bool:
    return bool(person.presence == availability.AVAILABLE)  # type: ignore[attr-defined]


def _people(ticket: Ticket) -> QuerySet[Membership]:
    """Who may be assigned (TICKETS-042), each with ``presence`` and ``open_tickets``."""
    is_open = Q(assigned_tickets__closed_at=None, assigned_tickets__deleted_at=None)
    counted: QuerySet[Membership] = people.assignable(ticket.community).annotate(
        open_tickets=Count("assigned_tickets", filter=is_open & Q(assigned_tickets__isnull=False))
    )
    return counted
