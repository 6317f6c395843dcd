"""Parts of a bigger matter: tickets below another one, and when the whole is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.answers import require
from core.errors import Conflict, Invalid
from core.services import rows
from tickets import rules
from tickets.models import DONE, Ticket, TicketActivity
from tickets.services import changes
from tickets.services.filing import write
from tickets.services.locking import hold, locked

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from orgs.actor import Actor

SOURCE = TicketActivity.Source.BACK_OFFICE


def open_children(ticket: Ticket) -> QuerySet[Any, Any]:
    """What lies below and is not done."""
    return Ticket.objects.filter(parent=ticket, deleted_at=None).exclude(status__in=DONE).order_by("number", "id")


def hint(ticket: Ticket) -> bool:
    """Whether the last part is done and the whole is not: somebody should look at it."""
    below = Ticket.objects.filter(parent=ticket, deleted_at=None)
    return ticket.status not in DONE and below.exists() and not open_children(ticket).exists()


@transaction.atomic
def set_parent(*, actor: Actor, ticket: Ticket, parent: Ticket | None) -> Ticket:
    """Put a ticket below another one, or on its own again. One level: what has parts is itself no part.

    Side effects: an event in both streams, audit. Raises `Denied` for others than managers of both, `Invalid`
    (``not_a_parent``) for the ticket itself, for one of another company, one that is merged, one that is a part, one that is
    done while the ticket is open, and where the ticket has parts; `NotFound` when one was deleted.
    """
    if parent is None:
        ticket = locked(ticket)
        require(rules.may_work_on(actor, ticket))
        before = ticket.parent
        if before is not None:
            rows.change(ticket, {"parent": None}, verb="parent_changed", check=False)
            _tell(ticket, actor, "left_parent", before)
        return ticket
    ticket, parent = both(ticket, parent)
    require(rules.may_work_on(actor, ticket))
    require(rules.may_work_on(actor, parent))
    problem = _problem(ticket, parent)
    if problem:
        raise Invalid(problem, code="not_a_parent", fields={"parent": [problem]})
    if ticket.parent_id == parent.pk:
        return ticket
    rows.change(ticket, {"parent": parent}, verb="parent_changed", check=False)
    _tell(ticket, actor, "got_parent", parent)
    _tell(parent, actor, "got_child", ticket)
    return ticket


def both(one: Ticket, other: Ticket) -> tuple[Ticket, Ticket]:
    """Two tickets, locked in the order of their ids. Raises `NotFound` when one was deleted."""
    hold(Q(pk__in=[one.pk, other.pk]))
    return locked(one), locked(other)


def _problem(ticket: Ticket, parent: Ticket) -> str:
    if ticket.pk == parent.pk or ticket.tenant_id != parent.tenant_id:
        return _("A ticket cannot lie below itself or one of another company.")
    if parent.merged_into_id or ticket.merged_into_id:
        return _("A merged ticket has no parts and is none.")
    if parent.status in DONE and ticket.status not in DONE:
        return _("%(number)s is done; what is open is no part of it.") % {"number": parent.identifier}
    if parent.parent_id is not None:
        return _("%(number)s is a part of another ticket itself.") % {"number": parent.identifier}
    if Ticket.objects.filter(parent=ticket, deleted_at=None).exists():
        return _("%(number)s has parts itself.") % {"number": ticket.identifier}
    return ""


def _tell(ticket: Ticket, actor: Actor, word: str, other: Ticket) -> None:
    data = {"event": word, "ticket": other.identifier}
    write(ticket, kind=TicketActivity.Kind.EVENT, actor=actor, source=SOURCE, at=timezone.now(), data=data)


@transaction.atomic
def set_status(
    *, actor: Actor, ticket: Ticket, status: str, source: str, with_children: bool = False, by_reply: bool = False
) -> changes.Changed:
    """`changes.set_status`, but a whole is not done while parts are open, unless they are to be closed with it.

    Raises `Conflict` (``open_children``) then, and what `changes.set_status` raises, for a part, too.
    """
    hold(Q(pk=ticket.pk) | Q(parent=ticket.pk))
    ticket = locked(ticket)
    require(rules.may_work_on(actor, ticket))
    if status in DONE and ticket.status not in DONE:
        children = list(open_children(ticket))
        if children and not with_children:
            told = ngettext(
                "One part is still open: %(numbers)s. Close it first, or close it along.",
                "%(count)d parts are still open: %(numbers)s. Close them first, or close them along.",
                len(children),
            )
            numbers = ", ".join(child.identifier for child in children[:5]) + ("…" if len(children) > 5 else "")
            raise Conflict(told % {"count": len(children), "numbers": numbers}, code="open_children")
        for child in children:
            changes.set_status(actor=actor, ticket=child, status=status, source=source)
    return changes.set_status(actor=actor, ticket=ticket, status=status, source=source, by_reply=by_reply)
