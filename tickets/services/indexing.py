"""What tickets are found by: number, title, description, answers, an unknown sender and what was said; never internal notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.planned import planned_cursor
from core.text import VECTOR, vector_values
from tickets.models import TicketActivity

if TYPE_CHECKING:
    from tickets.models import Ticket


_ROW = f"""
INSERT INTO tickets_ticketindex (ticket_id, community_id, vector) VALUES (%(ticket)s, %(community)s, {VECTOR})
    ON CONFLICT (ticket_id) DO UPDATE SET community_id = excluded.community_id, vector = excluded.vector
"""  # noqa: S608 - constant text


def index(ticket: Ticket, *, is_new: bool = False) -> None:
    """Write the row anew; two statements, one where nobody has commented yet (``is_new``)."""
    words = [ticket.description, ticket.stranger, *(str(answer.get("value", "")) for answer in ticket.answers)]
    if not is_new:
        said = TicketActivity.objects.filter(ticket=ticket, kind="comment", deleted_at=None).order_by(
            "created_at", "id"
        )
        words += said.values_list("text", flat=True)
    values: dict[str, Any] = {"ticket": ticket.pk, "community": ticket.community_id}
    values |= vector_values(f"{ticket.identifier} {ticket.title}", " ".join(words))
    with planned_cursor() as cursor:
        cursor.execute(_ROW, values)
