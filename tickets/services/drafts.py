"""What somebody has begun to write on a ticket: kept until it is sent or thrown away, seen by nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Conflict
from core.text import is_blank
from tickets import rules
from tickets.models import TicketActivity, TicketDraft
from tickets.services.filing import check_length

if TYPE_CHECKING:
    import datetime

    from orgs.actor import Actor
    from tickets.models import Ticket


@transaction.atomic
def keep(
    *, actor: Actor, ticket: Ticket, text: str, is_note: bool = False, begun: datetime.datetime | None = None
) -> None:
    """Keep what is written so far; without any text there is no draft.

    ``begun`` – when the page was opened on which it is written. What comes from a page that was open before the person's
    last word here was on its way when that was sent: it would offer again what everybody has read.

    Not audited: it is written every few seconds, nobody else sees it, and what becomes of it is audited when it is sent.
    Raises `Denied` for others than managers, `Invalid` for a text longer than a comment may be, `Conflict` (``sent``).
    """
    assert actor.user_id is not None, "drafts are people's"
    require(rules.may_work_on(actor, ticket))
    check_length(text)
    if begun is not None and _has_spoken(actor, ticket, begun):
        raise Conflict(_("You have written here meanwhile. Please load the page again."), code="sent")
    if is_blank(text):
        drop(actor=actor, ticket=ticket)
        return
    TicketDraft.objects.bulk_create(
        [
            TicketDraft(
                tenant_id=ticket.tenant_id,
                ticket=ticket,
                user_id=actor.user_id,
                text=text.replace("\x00", ""),
                is_note=is_note,
                updated_at=timezone.now(),
            )
        ],
        update_conflicts=True,
        unique_fields=["ticket", "user"],
        update_fields=["text", "is_note", "updated_at"],
    )


def _has_spoken(actor: Actor, ticket: Ticket, since: datetime.datetime) -> bool:
    said = TicketActivity.objects.filter(ticket=ticket, user=actor.user_id, created_at__gte=since)
    return said.filter(kind__in=(TicketActivity.Kind.COMMENT, TicketActivity.Kind.NOTE)).exists()


def of(actor: Actor, ticket: Ticket) -> TicketDraft | None:
    """The actor's own on this ticket."""
    return TicketDraft.objects.visible_to(actor).filter(ticket=ticket).first()


def drop(*, actor: Actor, ticket: Ticket) -> None:
    """Throw it away."""
    TicketDraft.objects.filter(ticket=ticket, user=actor.user_id).delete()
