"""What staff do with one ticket on one page: several controls saved together, and the people who can get it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from core.answers import require
from core.errors import Changed
from core.services import rows
from orgs.models import Membership
from tickets import rules
from tickets.models import Ticket, TicketActivity, TicketAttachment
from tickets.services import changes, drafts, family, priority
from tickets.services.comments import add_comment, add_note
from tickets.services.locking import hold, locked
from tickets.services.worklist import beginning_only

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orgs.actor import Actor
    from tickets.services.attachments import Files

SOURCE = TicketActivity.Source.BACK_OFFICE


@transaction.atomic
def save(
    *,
    actor: Actor,
    ticket: Ticket,
    wanted: Mapping[str, Any],
    expected: int | None = None,
    with_children: bool = False,
    by_reply: bool = False,
) -> Ticket:
    """Set what ``wanted`` names of ``status``, ``assignee``, ``priority`` and ``support_type``: all of it, or nothing.

    ``expected`` – the version the person has seen: what a colleague saved meanwhile is not overwritten unseen. ``by_reply``
    – see `changes.set_status`.

    Side effects: those of `changes` and `priority`. Raises `Denied` for others than managers, `Changed` when the version
    moved on, `Conflict` (``open_children``), and what they raise.
    """
    hold(Q(pk=ticket.pk) | Q(parent=ticket.pk))
    ticket = locked(ticket)
    require(rules.may_work_on(actor, ticket))
    if expected is not None and ticket.row_version != expected:
        raise Changed
    if "support_type" in wanted:
        changes.set_type(actor=actor, ticket=ticket, support_type=wanted["support_type"])
    if "priority" in wanted:
        priority.set_priority(actor=actor, ticket=ticket, priority=wanted["priority"])
    if "assignee" in wanted:
        changes.assign(actor=actor, ticket=ticket, assignee=wanted["assignee"], source=SOURCE)
    if "status" in wanted:
        family.set_status(
            actor=actor, ticket=ticket, status=wanted["status"], source=SOURCE, with_children=with_children,
            by_reply=by_reply,
        )  # fmt: skip
    return locked(ticket)


@transaction.atomic
def answer(
    *,
    actor: Actor,
    ticket: Ticket,
    text: str,
    is_note: bool,
    files: Files,
    status: str = "",
    expected: int | None = None,
    with_children: bool = False,
) -> TicketActivity:
    """Send a reply or an internal note, and with it a new status; the draft is gone then.

    A note takes no files: those of a ticket are for all who take part. A reply is told to the requesters of tickets that
    were merged into this one, too, each in their own ticket. Side effects and errors: `add_comment`, `add_note`, and `save`
    where a status is given.
    """
    hold(Q(pk=ticket.pk) | Q(merged_into=ticket.pk) | Q(parent=ticket.pk))
    if status:
        save(
            actor=actor, ticket=ticket, wanted={"status": status}, expected=expected, with_children=with_children,
            by_reply=not is_note,
        )  # fmt: skip
    if is_note:
        written = add_note(actor=actor, ticket=ticket, text=text)
    else:
        written = add_comment(actor=actor, ticket=ticket, text=text, files=files, source=SOURCE).activity
        _tell_merged(written, actor=actor)
    drafts.drop(actor=actor, ticket=ticket)
    return written


def _tell_merged(written: TicketActivity, *, actor: Actor) -> None:
    """The same words and files in each ticket that leads here and has a requester of its own."""
    files = list(written.attachments.order_by("position", "id"))
    for merged in Ticket.objects.filter(merged_into=written.ticket_id, deleted_at=None).order_by("pk"):
        if merged.contact_id is not None and merged.contact_id == written.ticket.contact_id:
            continue
        text = written.text or ", ".join(file.name for file in files)
        told = add_comment(actor=actor, ticket=merged, text=text, source=SOURCE).activity
        for file in files:
            rows.create(
                TicketAttachment,
                tenant_id=merged.tenant_id,
                ticket=merged,
                activity=told,
                blob_id=file.blob_id,
                name=file.name,
                position=file.position,
            )


def fill_people(activities: Collection[TicketActivity]) -> dict[int, str]:
    """Names of the memberships that entries of assignment speak of. One query, or none."""
    ids = {
        pk
        for entry in activities
        for pk in (entry.data.get("assignee"), entry.data.get("previous"))
        if entry.kind == "assigneeUpdated" and pk
    }
    if not ids:
        return {}
    members = Membership.objects.filter(pk__in=ids).select_related("user")
    return {member.pk: str(member.user) for member in members}


def others_of_requester(actor: Actor, ticket: Ticket, limit: int) -> list[Ticket]:
    """Further tickets of the same requester that the actor works on, newest first."""
    found = Ticket.objects.worked_on_by(actor).filter(tenant=ticket.tenant_id).exclude(pk=ticket.pk)
    who: dict[str, Any] = {"contact": None, "created_by": ticket.created_by_id, "stranger": ticket.stranger}
    if ticket.contact_id:
        who = {"contact": ticket.contact_id}
    return list(beginning_only(found.filter(**who)).order_by("-id")[:limit])
