"""What becomes of a ticket: status, assignee, type, deletion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Conflict, Invalid
from core.services import rows
from orgs.services.holds import keep_still
from tickets import rules
from tickets.models import DONE, SupportType, Ticket, TicketActivity, TicketStatus
from tickets.services import targets
from tickets.services.filing import write
from tickets.services.locking import locked
from tickets.signals import ticket_assigned, ticket_deleted, ticket_status_changed, ticket_type_changed

if TYPE_CHECKING:
    from collections.abc import Collection

    from orgs.actor import Actor
    from orgs.models import Membership

Kind = TicketActivity.Kind


@dataclass(frozen=True)
class Changed:
    """The ticket as it is now, and the entry that tells of the change; none where nothing changed."""

    ticket: Ticket
    activity: TicketActivity | None = None


@transaction.atomic
def set_status(
    *, actor: Actor, ticket: Ticket, status: str, source: str, same: Collection[str] = (), by_reply: bool = False
) -> Changed:
    """Set the status; every one may follow every other (TICKETS-038).

    ``same`` – further values that the caller's dialect shows as the same word: from one of them nothing changes
    (TICKETS-039, conflict 1). ``by_reply`` – it comes with a reply, whose mail names the new status.

    Side effects: entry `statusUpdated` with old and new value; both dates of the ticket are the entry's (TICKETS-036,
    037); done tickets bear the date of their closing, and lose date and rating when they are open again (PORTAL-071), and
    merged ones stand on their own then, or no page would show them to be closed again; audit; signal `ticket_status_changed`.

    Raises `Denied` for others than managers (TICKETS-044), `Invalid` for an unknown status, `NotFound` when deleted.
    """
    ticket = locked(ticket)
    require(rules.may_work_on(actor, ticket))
    if status not in TicketStatus.values:
        raise Invalid.of("status", _("There is no such status."))
    if ticket.status == status or ticket.status in same:
        return Changed(ticket)
    return Changed(ticket, move_to(ticket, status, actor=actor, source=source, by_reply=by_reply))


def move_to(ticket: Ticket, status: str, *, actor: Actor | None, source: str, by_reply: bool = False) -> TicketActivity:
    """The same without a question, for services that hold the ticket's lock; without an actor it is an automatic one."""
    now = timezone.now()
    changes: dict[str, Any] = {"status": status, "status_changed_at": now, **targets.after_status(ticket, now)}
    left = ticket.merged_into if status not in DONE else None
    if status not in DONE:
        changes |= {"merged_into": None, "closed_at": None, "rating": None, "rating_comment": "", "rated_at": None}
    elif ticket.closed_at is None:
        changes["closed_at"] = now
    before = ticket.status
    rows.change(ticket, changes, verb="status_changed", check=False, at=now)
    if left is not None:
        told = {"event": "unmerged", "ticket": left.identifier}
        write(ticket, kind=Kind.EVENT, actor=actor, source=source, at=now, data=told)
    data = {"status": status, "previous": before}
    activity = write(ticket, kind=Kind.STATUS, actor=actor, source=source, at=now, data=data)
    ticket_status_changed.send(sender=Ticket, ticket=ticket, activity=activity, by_reply=by_reply)
    return activity


@transaction.atomic
def withdraw(*, actor: Actor, ticket: Ticket, source: str) -> Changed:
    """Its requester needs nothing any more: it is closed. What they write later opens it again, as every closed one.

    Side effects: those of `set_status`. Raises `Denied` for others than who filed it and its contact, `Conflict`
    (``ticket_closed``) when it is done already, `NotFound` when deleted.
    """
    ticket = locked(ticket)
    require(rules.may_withdraw(actor, ticket))
    if ticket.status in DONE:
        raise Conflict(_("This ticket is done already."), code="ticket_closed")
    return Changed(ticket, move_to(ticket, TicketStatus.CLOSED, actor=actor, source=source))


@transaction.atomic
def assign(*, actor: Actor, ticket: Ticket, assignee: Membership | None, source: str) -> Changed:
    """Give a ticket to somebody of the staff, or to nobody; to the one who has it is no change (TICKETS-039 … 041).

    Side effects: entry `assigneeUpdated` with old and new one, audit, signal `ticket_assigned`.

    Raises `Denied` for others than managers (TICKETS-044), `Invalid` (``not_assignable``) for whoever does not look after
    the community (TICKETS-042), `NotFound` when deleted.
    """
    ticket = locked(ticket)
    require(rules.may_work_on(actor, ticket))
    if ticket.assignee_id == (assignee.pk if assignee else None):
        return Changed(ticket)
    if assignee is not None:
        answer = rules.may_be_assigned(assignee, ticket.community)
        if not answer:
            raise Invalid(answer.reason, code=answer.code, fields={"assignee": [str(answer.reason)]})
    return Changed(ticket, hand_over(ticket, assignee, actor=actor, source=source))


def hand_over(ticket: Ticket, assignee: Membership | None, *, actor: Actor | None, source: str) -> TicketActivity:
    """The same without a question, for services that hold the ticket's lock; without an actor it is an automatic one."""
    now, before = timezone.now(), ticket.assignee_id
    rows.change(ticket, {"assignee": assignee}, verb="assigned", check=False, at=now)
    data = {"assignee": assignee.pk if assignee else None, "previous": before}
    activity = write(ticket, kind=Kind.ASSIGNEE, actor=actor, source=source, at=now, data=data)
    ticket_assigned.send(sender=Ticket, ticket=ticket, activity=activity)
    return activity


@transaction.atomic
def set_type(*, actor: Actor, ticket: Ticket, support_type: str) -> Changed:
    """Set the word of the tickets contract; the tenant's own type stays, and no entry tells of it (TICKETS-045, conflict 4).

    Side effects: audit, signal `ticket_type_changed`. Raises `Denied` for others than managers, `Invalid` for an unknown
    word, `NotFound` when deleted.
    """
    ticket = locked(ticket)
    require(rules.may_work_on(actor, ticket))
    if support_type not in SupportType.values:
        raise Invalid.of("support_type", _("There is no such type."))
    if rows.change(ticket, {"support_type": support_type}, verb="type_changed", check=False):
        ticket_type_changed.send(sender=Ticket, ticket=ticket)
    return Changed(ticket)


@transaction.atomic
def delete(*, actor: Actor, ticket: Ticket) -> None:
    """Hide a ticket everywhere; it keeps its numbers (TICKETS-027) and goes with the purge.

    Side effects: audit, signal `ticket_deleted`. Raises `Denied` for others than managers (TICKETS-044), `Conflict`
    (``held``) under a legal hold, `NotFound` when it is gone already.
    """
    keep_still([ticket.tenant_id])
    ticket = locked(ticket)
    require(rules.may_work_on(actor, ticket))
    refuse_held(ticket)
    rows.change(ticket, {"deleted_at": timezone.now()}, verb="deleted", check=False)
    ticket_deleted.send(sender=Ticket, ticket=ticket)


def refuse_held(ticket: Ticket) -> None:
    """Raise `Conflict` (``held``) when a legal hold covers it; the caller has called `holds.keep_still`."""
    if not Ticket.objects.filter(pk=ticket.pk).not_held().exists():
        raise Conflict(_("A legal hold covers this ticket."), code="held")
