"""Two tickets about the same thing become one.

What people expect, and what therefore happens: the merged ticket keeps its number, its requester and its stream, is closed,
and leads to the other one wherever staff open it; there its stream is shown, too. Its requester must not lose sight of the
matter, and must not read what somebody else wrote in confidence: so they keep their own ticket and do not get the other
stream. What staff answer on the target is told to them in their own ticket (`desk.answer`), and what they still say there
is told on the target and reopens it (`comments.add_comment`). Comments are not moved: the stream is append-only, and a
comment stays where its author said it. Watchers of the merged ticket watch the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Conflict, Invalid
from core.services import rows
from tickets import rules
from tickets.models import DONE, Ticket, TicketActivity, TicketStatus, TicketWatcher
from tickets.services import changes, family
from tickets.services.filing import write
from tickets.signals import ticket_merged

if TYPE_CHECKING:
    from orgs.actor import Actor


@transaction.atomic
def merge(*, actor: Actor, ticket: Ticket, into: Ticket) -> Ticket:
    """Close ``ticket`` and let it lead to ``into``; returns the one that is left.

    Whatever was merged into ``ticket`` before leads there, too, at one hop. Its parts become parts of the target.

    Side effects: status closed, an event in both streams, watchers, audit, signals `ticket_status_changed` and
    `ticket_merged`.

    Raises `Denied` for others than managers of both, `Invalid` (``not_a_target``) for the same ticket, another company, or
    one that was merged itself, `Conflict` (``merged``) when ``ticket`` was merged already, `NotFound` when one was deleted.
    """
    ticket, into = family.both(ticket, into)
    require(rules.may_work_on(actor, ticket))
    require(rules.may_work_on(actor, into))
    if ticket.merged_into_id is not None:
        raise Conflict(_("This ticket is merged already."), code="merged")
    problem = _problem(ticket, into)
    if problem:
        raise Invalid(problem, code="not_a_target", fields={"into": [problem]})
    source, now = TicketActivity.Source.BACK_OFFICE, timezone.now()
    if ticket.status not in DONE:
        changes.move_to(ticket, TicketStatus.CLOSED, actor=actor, source=source)
    rows.change(ticket, {"merged_into": into, "parent": None}, verb="merged", check=False)
    for earlier in Ticket.objects.filter(merged_into=ticket).order_by("pk"):
        rows.change(earlier, {"merged_into": into}, verb="merged", check=False)
    for child in Ticket.objects.filter(parent=ticket).exclude(pk=into.pk).order_by("pk"):
        rows.change(child, {"parent": None if into.parent_id else into}, verb="parent_changed", check=False)
    if into.parent_id == ticket.pk:
        rows.change(into, {"parent": None}, verb="parent_changed", check=False)
    _watch(ticket, into)
    for one, word, other in ((ticket, "merged_into", into), (into, "merged_from", ticket)):
        data = {"event": word, "ticket": other.identifier}
        write(one, kind=TicketActivity.Kind.EVENT, actor=actor, source=source, at=now, data=data)
    ticket_merged.send(sender=Ticket, ticket=into, merged=ticket)
    return into


def target_of(ticket: Ticket) -> Ticket:
    """Where a ticket leads: itself, or what it was merged into. That is one hop, since `merge` lets no way grow longer."""
    into = ticket.merged_into
    return ticket if into is None or into.deleted_at is not None else into


def target_for(actor: Actor, ticket: Ticket) -> Ticket:
    """Where a ticket leads somebody: to what it was merged into, if the person sees that, else to itself."""
    target = target_of(ticket)
    if target is ticket or Ticket.objects.visible_to(actor).filter(pk=target.pk).exists():
        return target
    return ticket


def _problem(ticket: Ticket, into: Ticket) -> str:
    if ticket.pk == into.pk:
        return _("A ticket cannot be merged with itself.")
    if ticket.tenant_id != into.tenant_id:
        return _("Tickets of two companies cannot be merged.")
    if into.merged_into_id is not None:
        return _("%(number)s is merged itself; choose the ticket it leads to.") % {"number": into.identifier}
    return ""


def _watch(ticket: Ticket, into: Ticket) -> None:
    """Who watched the one watches the other, as far as they look after it."""
    watching = set(TicketWatcher.objects.filter(ticket=into).values_list("membership_id", flat=True))
    for watcher in TicketWatcher.objects.filter(ticket=ticket).select_related("membership").order_by("pk"):
        if watcher.membership_id not in watching and rules.may_be_assigned(watcher.membership, into.community):
            rows.create(TicketWatcher, tenant_id=into.tenant_id, ticket=into, membership=watcher.membership)
