"""What is said about a ticket: comments, internal notes, and taking a comment back."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Conflict, Invalid, NotFound
from core.services import destruction, rows
from core.text import is_blank
from orgs.services.holds import keep_still
from tickets import rules
from tickets.models import Ticket, TicketActivity, TicketAttachment, TicketStatus
from tickets.services import attachments, indexing
from tickets.services.changes import move_to, refuse_held
from tickets.services.filing import check_length, write
from tickets.services.locking import hold, locked
from tickets.signals import ticket_comment_withdrawn, ticket_commented, ticket_noted

if TYPE_CHECKING:
    from orgs.actor import Actor

REOPENED_FOR = datetime.timedelta(days=30)  # after the closing (PORTAL-070)
Kind = TicketActivity.Kind


@dataclass(frozen=True)
class Commented:
    """The ticket as it is now, the new entry, and the one that tells of its reopening, if it did."""

    ticket: Ticket
    activity: TicketActivity
    reopened: TicketActivity | None = None


@transaction.atomic
def add_comment(
    *,
    actor: Actor,
    ticket: Ticket,
    source: str,
    text: str = "",
    files: attachments.Files = attachments.NONE,
    message_id: str | None = None,
    reopens_closed: bool = True,
) -> Commented:
    """Say something to all who take part. What the requester says reopens a ticket that was done (conflict 2).

    ``reopens_closed`` False is the tickets door: there only a solved ticket reopens, and a closed one takes the comment
    as it is (TICKETS-055). One that waits for its requester waits no longer: its targets run again. Elsewhere a ticket closed 30 days ago or longer takes none from its requester. A merged ticket
    stays closed; the one it leads to reopens instead, and an event there tells of the comment.

    Side effects: the first one of a manager is the first response (TICKETS-059); search index; audit; signals
    `ticket_commented` and, when it reopens, `ticket_status_changed`.

    Raises `Denied` for readers by sharing (PORTAL-066), `Invalid` without text and file or for a file that is none,
    `Conflict` (``ticket_closed``) for the requester of one closed long ago, `NotFound` when it was deleted.
    """
    ticket = _locked_with_target(ticket)
    require(rules.may_comment(actor, ticket))
    text = "" if is_blank(text) else text.strip()
    if not text and not files.handles:
        problem = _("Please write something or attach a file.")
        raise Invalid(problem, code="required", fields={"text": [problem]})
    check_length(text)
    reopens = _reopens(actor, ticket, reopens_closed)
    now = timezone.now()
    activity = write(ticket, kind=Kind.COMMENT, actor=actor, source=source, at=now, text=text, message_id=message_id)
    attachments.add(activity, attachments.claim(actor=actor, tenant_id=ticket.tenant_id, files=files))
    is_first = activity.from_staff and ticket.first_response_at is None
    changes = {"first_response_at": now} if is_first else {}
    if changes:
        rows.change(ticket, changes, verb="answered", check=False, at=now)
    else:
        Ticket.objects.filter(pk=ticket.pk).update(updated_at=now)
        ticket.updated_at = now
    indexing.index(ticket)
    ticket_commented.send(sender=Ticket, ticket=ticket, activity=activity)
    reopened = move_to(ticket, TicketStatus.REOPENED, actor=actor, source=source) if reopens else None
    if ticket.status == TicketStatus.WAITING and rules.is_requester(actor, ticket) and not activity.from_staff:
        move_to(ticket, TicketStatus.IN_PROGRESS, actor=actor, source=source)
    if ticket.merged_into_id is not None and rules.is_requester(actor, ticket):
        _pass_on(ticket, actor=actor, source=source)
    return Commented(ticket, activity, reopened)


def _locked_with_target(ticket: Ticket) -> Ticket:
    """The ticket, and with it where it leads. Merged at this very moment, only the ticket: the other one is locked later."""
    leads_to = Ticket.objects.filter(pk=ticket.pk).values("merged_into")
    hold(Q(pk=ticket.pk) | Q(pk__in=leads_to))
    return locked(ticket)


def _pass_on(ticket: Ticket, *, actor: Actor, source: str) -> None:
    """What the requester of a merged ticket says is work for whoever has the one it leads to: told there, and reopening it."""
    assert ticket.merged_into is not None
    target = locked(ticket.merged_into)
    now = timezone.now()
    data = {"event": "merged_comment", "ticket": ticket.identifier}
    write(target, kind=Kind.EVENT, actor=actor, source=source, at=now, data=data)
    Ticket.objects.filter(pk=target.pk).update(updated_at=now)
    if target.closed_at is not None:
        move_to(target, TicketStatus.REOPENED, actor=actor, source=source)
    elif target.status == TicketStatus.WAITING:
        move_to(target, TicketStatus.IN_PROGRESS, actor=actor, source=source)


def is_over(ticket: Ticket) -> bool:
    """Whether it was closed so long ago that its requester opens it no more, and says no more."""
    return ticket.closed_at is not None and ticket.closed_at <= timezone.now() - REOPENED_FOR


def _reopens(actor: Actor, ticket: Ticket, reopens_closed: bool) -> bool:
    if ticket.closed_at is None or ticket.merged_into_id is not None or not rules.is_requester(actor, ticket):
        return False
    if not reopens_closed:
        return ticket.status == TicketStatus.SOLVED
    if is_over(ticket):
        raise Conflict(_("This ticket was closed more than 30 days ago. Please file a new one."), code="ticket_closed")
    return True


@transaction.atomic
def add_note(*, actor: Actor, ticket: Ticket, text: str) -> TicketActivity:
    """Write an internal note, which only managers ever see (PORTAL-069, conflict 8).

    Side effects: audit; signal `ticket_noted`. It is no answer, and moves no date of the ticket.

    Raises `Denied` for others than managers, `Invalid` without text, `NotFound` when the ticket was deleted.
    """
    ticket = locked(ticket)
    require(rules.may_work_on(actor, ticket))
    if is_blank(text):
        problem = _("Please write something.")
        raise Invalid(problem, code="required", fields={"text": [problem]})
    check_length(text)
    note = write(
        ticket,
        kind=Kind.NOTE,
        actor=actor,
        source=TicketActivity.Source.BACK_OFFICE,
        at=timezone.now(),
        text=text.strip(),
    )
    ticket_noted.send(sender=Ticket, ticket=ticket, activity=note)
    return note


@transaction.atomic
def delete_comment(*, actor: Actor, comment: TicketActivity) -> None:
    """Take a comment out of the stream, in every door: the text is emptied, its files go (TICKETS-053, 054, conflict 9).

    Side effects: search index, audit; signal `ticket_comment_withdrawn`; after commit a worker removes the bytes.

    Raises `Denied` for others than its author and managers, `Invalid` (``not_a_comment``) for other entries, `Conflict`
    (``held``) under a legal hold, `NotFound` when it is gone already.
    """
    keep_still([comment.tenant_id])
    ticket = locked(comment.ticket)
    fresh = TicketActivity.objects.filter(pk=comment.pk, ticket=ticket, deleted_at=None).first()
    if fresh is None:
        raise NotFound
    if fresh.kind != Kind.COMMENT:
        raise Invalid(_("Only comments can be deleted."), code="not_a_comment")
    require(rules.may_delete_comment(actor, ticket, fresh))
    refuse_held(ticket)
    files = TicketAttachment.objects.filter(activity=fresh)
    blob_ids = list(files.values_list("blob_id", flat=True))
    for file in files:
        rows.delete(file)
    rows.change(fresh, {"deleted_at": timezone.now(), "text": ""}, verb="withdrawn", check=False)
    indexing.index(ticket)
    ticket_comment_withdrawn.send(sender=Ticket, ticket=ticket, activity=fresh)
    destruction.remove_bytes_later(blob_ids)
