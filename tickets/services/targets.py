"""By when a ticket shall have its first response, and by when it shall be solved.

Both run in the company's working time, and stand still while the ticket waits for its requester or is done.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from orgs.services.working_time import working_time_of
from tickets.models import DONE, TicketStatus

if TYPE_CHECKING:
    from orgs.models import Community
    from tickets.models import Ticket, TicketType

PAUSING = (TicketStatus.WAITING, *DONE)


def for_new(community: Community, ticket_type: TicketType | None, now: datetime.datetime) -> dict[str, Any]:
    """The columns of a ticket that is filed now.

    The type's hours count before the community's, these before the company's: 24 to the first response unless it says
    otherwise (TICKETS-060), and none for solving it. 0 hours are no target.
    """
    chosen = community.tenant.settings
    own_response, own_resolution = None, None
    if ticket_type is not None:
        own_response, own_resolution = ticket_type.first_response_hours, ticket_type.resolution_hours
    response = _first(own_response, community.first_response_hours, chosen.default_first_response_hours)
    resolution = _first(own_resolution, chosen.default_resolution_hours)
    clock = working_time_of(community.tenant)
    return {
        "response_due_at": clock.after(now, datetime.timedelta(hours=response)) if response else None,
        "due_at": clock.after(now, datetime.timedelta(hours=resolution)) if resolution else None,
    }


def after_status(ticket: Ticket, now: datetime.datetime) -> dict[str, Any]:
    """What changes in the columns when the ticket, as it stands, leaves its status now.

    What it has waited is added to both targets; one that lies ahead again can be missed again, and is told again.
    """
    began = ticket.status_changed_at
    if ticket.status not in PAUSING or began is None:
        return {}
    clock = working_time_of(ticket.community.tenant)
    paused = clock.between(began, now)
    changes: dict[str, Any] = {"paused_seconds": ticket.paused_seconds + int(paused.total_seconds())}
    if ticket.due_at is not None:
        changes["due_at"] = clock.after(ticket.due_at, paused)
        if changes["due_at"] > now:
            changes["escalated_at"] = None
    if ticket.response_due_at is not None and ticket.first_response_at is None:
        changes["response_due_at"] = clock.after(ticket.response_due_at, paused)
    return changes


def _first(*hours: int | None) -> int | None:
    return next((found for found in hours if found is not None), None)
