"""The way of a ticket as people see it: received, assigned, in progress, done."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import pgettext

from portal.status import CLOSED, IN_PROGRESS, OPEN, WAITING, status_text, word_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orgs.models import Organization
    from tickets.models import Ticket

RECEIVED, ASSIGNED, WORKING, DONE = range(4)


@dataclass(frozen=True)
class Step:
    """One of the four: what it is called, where it stands (``done``, ``now``, ``todo``), since when."""

    label: str
    state: str
    since: datetime.datetime | None = None
    detail: str = ""


def place_of(ticket: Ticket) -> int:
    """Which of the four steps a ticket has come to."""
    word = word_of(ticket.status)
    if word == CLOSED:
        return DONE
    if word in (IN_PROGRESS, WAITING):
        return WORKING
    return ASSIGNED if ticket.assignee_id else RECEIVED


def steps_of(
    ticket: Ticket,
    tenant: Organization,
    moments: Mapping[int, datetime.datetime] | None = None,
    details: Mapping[int, str] | None = None,
) -> list[Step]:
    """The four steps; ``moments`` are those that only the stream knows."""
    at, word = place_of(ticket), word_of(ticket.status)
    labels = {
        RECEIVED: status_text(OPEN, tenant),
        ASSIGNED: pgettext("ticket", "Assigned"),
        WORKING: status_text(WAITING if word == WAITING else IN_PROGRESS, tenant),
        DONE: status_text(CLOSED, tenant),
    }
    known = {RECEIVED: ticket.created_at, DONE: ticket.closed_at, **(moments or {})}
    if at == WORKING and WORKING not in known:
        known[WORKING] = ticket.status_changed_at
    return [
        Step(
            label,
            "done" if step < at else "now" if step == at else "todo",
            known.get(step) if step <= at else None,
            (details or {}).get(step, "") if step <= at else "",
        )
        for step, label in labels.items()
    ]
