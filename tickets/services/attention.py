"""What asks for attention at this moment: open tickets that nobody has, that are late, and how old they are.

Shown on every page of the back office, so it is one query whose cost has an end: of very many open tickets, the newest are
looked at, and the numbers say "at least".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from tickets import rules
from tickets.services import reports, worklist
from tickets.services.worklist import Wish

if TYPE_CHECKING:
    from orgs.actor import Actor
    from tickets.services.reports import Bar

MOST = 5_000  # open tickets that are looked at


@dataclass(frozen=True)
class Attention:
    """Numbers of one person, each with the query of the list behind it."""

    unassigned: int
    overdue: int
    ages: list[Bar]
    is_partial: bool = False  # there are more than `MOST` open ones

    UNASSIGNED = Wish(view="unassigned").query
    OVERDUE = Wish(view="overdue").query


def attention(actor: Actor) -> Attention | None:
    """Of the tickets that the actor works on, in the tenant in view; none for who has no help desk. One query."""
    if not rules.may_see_desk(actor):
        return None
    newest = worklist.matching(actor, Wish())[: MOST + 1]
    places = range(len(worklist.AGES) + 1)
    counted = newest.aggregate(
        total=Count("id"),
        unassigned=Count("id", filter=Q(assignee=None)),
        overdue=Count("id", filter=worklist.overdue()),
        **{f"a{place}": Count("id", filter=worklist.of_age(place)) for place in places},
    )
    ages = reports.age_bars([counted[f"a{place}"] for place in places], Wish())
    return Attention(counted["unassigned"], counted["overdue"], ages, counted["total"] > MOST)
