"""How content people were: a number from 1 to 5 on a ticket that is done, with a word if they like (PORTAL-071)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Conflict, Invalid
from core.services import rows
from tickets import rules
from tickets.models import DONE, Ticket
from tickets.services.locking import locked

if TYPE_CHECKING:
    from orgs.actor import Actor

STARS = range(1, 6)
COMMENT_MAX = 2000  # characters


@transaction.atomic
def rate(*, actor: Actor, ticket: Ticket, rating: int, comment: str = "") -> Ticket:
    """Rate a ticket that is done, or rate it anew: the last word counts. Opening it again clears it (`changes.move_to`).

    Side effect: audit; it is no activity, so the date of the ticket stays.

    Raises `Denied` for others than who filed it (its contact where staff did), `Conflict` (``not_closed``) while it is
    open, `Invalid` for another number or a long comment, `NotFound` when it was deleted.
    """
    ticket = locked(ticket)
    require(rules.may_rate(actor, ticket))
    if ticket.status not in DONE:
        raise Conflict(_("Only a closed ticket can be rated."), code="not_closed")
    if isinstance(rating, bool) or rating not in STARS:
        raise Invalid.of("rating", _("A rating lies between 1 and 5."))
    comment = comment.strip()
    if len(comment) > COMMENT_MAX:
        raise Invalid.of("comment", _("The text is too long: %(count)d characters at most.") % {"count": COMMENT_MAX})
    if "\x00" in comment:
        raise Invalid.of("comment", _("Please enter a text."))
    values = {"rating": rating, "rating_comment": comment, "rated_at": timezone.now()}
    rows.change(ticket, values, verb="rated", check=False, at=ticket.updated_at)
    return ticket
