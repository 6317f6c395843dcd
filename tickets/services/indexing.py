"""What tickets are found by: number, title, description, answers and what was said; never internal notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.text import search_vector
from tickets.models import TicketActivity, TicketIndex

if TYPE_CHECKING:
    from tickets.models import Ticket


def index(ticket: Ticket) -> None:
    """Write the row anew; two statements."""
    said = TicketActivity.objects.filter(ticket=ticket, kind="comment", deleted_at=None).order_by("created_at", "id")
    answers = [str(answer.get("value", "")) for answer in ticket.answers]
    words = " ".join([ticket.description, *answers, *said.values_list("text", flat=True)])
    TicketIndex.objects.bulk_create(
        [
            TicketIndex(
                ticket=ticket,
                community_id=ticket.community_id,
                vector=search_vector(f"{ticket.identifier} {ticket.title}", words),
            )
        ],
        update_conflicts=True,
        unique_fields=["ticket"],
        update_fields=["community", "vector"],
    )
