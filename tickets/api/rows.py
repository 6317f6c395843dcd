"""Tickets with their people as the support door reads them: by one statement around what a queryset finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.planned import ModelRows
from tickets.models import Ticket

if TYPE_CHECKING:
    from django.db.models import QuerySet

_ROWS = ModelRows(
    """
    SELECT {t}, {c}, {cu}, {m}, {mu} FROM (found) AS f JOIN tickets_ticket t ON t.id = f.pk
      LEFT JOIN orgs_contact c ON c.id = t.contact_id LEFT JOIN orgs_user cu ON cu.id = c.user_id
      LEFT JOIN orgs_membership m ON m.id = t.assignee_id LEFT JOIN orgs_user mu ON mu.id = m.user_id
    """,
    t="tickets.Ticket",
    c="orgs.Contact",
    cu="orgs.User",
    m="orgs.Membership",
    mu="orgs.User",
)


def with_people(found: QuerySet[Ticket]) -> list[Ticket]:
    """The tickets that a queryset finds, with ``contact.user`` and ``assignee.user``, in any order."""
    tickets = []
    for row in _ROWS.fetch({}, found=found.values("pk")):
        ticket: Any = row[0]
        ticket.contact, ticket.assignee = row[1], row[3]
        if row[1] is not None:
            row[1].user = row[2]
        if row[3] is not None:
            row[3].user = row[4]
        tickets.append(ticket)
    return tickets
