"""How the help desk does: open tickets by age, and targets by type, community and person over a period.

Each number is counted with the same conditions by which the work list finds its rows, so that the list behind a number has
as many. A fixed number of queries, whatever there is to count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.db.models import Avg, Count
from django.utils.translation import gettext as _

from orgs.models import Community, Membership
from tickets.models import TicketType
from tickets.services import worklist
from tickets.services.worklist import AGES, Wish

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from orgs.actor import Actor

MOST = 30  # lines of a group; the rest is counted together


@dataclass
class Bar:
    """One number, and the list behind it."""

    name: str
    count: int
    query: str


@dataclass
class Line:
    """One type, community or person: how many tickets, and how many of them met or missed each target."""

    name: str
    total: Bar
    response: dict[str, Bar] = field(default_factory=dict)
    resolution: dict[str, Bar] = field(default_factory=dict)
    rating: float | None = None  # the mean of those that were rated
    rated: int = 0


@dataclass
class Group:
    """Tickets of the period, taken apart one way."""

    lines: list[Line]
    rest: int = 0  # groups that are not shown


def ages(actor: Actor, wish: Wish) -> list[Bar]:
    """Open tickets by how long ago they were filed. One query."""
    open_ones = Wish(community=wish.community)
    places = range(len(AGES) + 1)
    counted = (
        worklist.matching(actor, open_ones)
        .order_by()
        .aggregate(**{f"a{n}": Count("id", filter=worklist.of_age(n)) for n in places})
    )
    return age_bars([counted[f"a{n}"] for n in places], open_ones)


def age_bars(counts: Sequence[int], open_ones: Wish) -> list[Bar]:
    """One bar for each age of `worklist.AGES` and one for what is older; ``open_ones`` – the list they are taken from."""
    names = [
        _("up to a day"),
        *(_("%(from)d to %(to)d days") % {"from": begin, "to": end} for begin, end in pairwise(AGES)),
        _("more than %(days)d days") % {"days": AGES[-1]},
    ]
    return [
        Bar(name, count, open_ones.but(age=n).query) for n, (name, count) in enumerate(zip(names, counts, strict=True))
    ]


def grouped(actor: Actor, wish: Wish, by: str) -> Group:
    """Tickets filed in the period by ``type``, ``community`` or ``assignee``; the biggest first. Two queries."""
    column = "ticket_type" if by == "type" else by
    counts = {
        f"{target}_{result}": Count("id", filter=getattr(worklist, target)(result))
        for target in ("response", "resolution")
        for result in worklist.TARGETS
    }
    found = (
        worklist.matching(actor, wish)
        .order_by()
        .values(column)
        .annotate(total=Count("id"), mean=Avg("rating"), rated=Count("rating"), **counts)
    )
    rows = list(found.order_by("-total", column)[:10_000])
    names = _names(by, [row[column] for row in rows[:MOST] if row[column]])
    return Group([_line(row, wish, by, row[column], names) for row in rows[:MOST]], max(len(rows) - MOST, 0))


def _names(by: str, ids: list[int]) -> dict[int, str]:
    if by == "assignee":
        return {m.pk: str(m.user) for m in Membership.objects.filter(pk__in=ids).select_related("user")}
    model: Any = TicketType if by == "type" else Community
    return dict(model.objects.filter(pk__in=ids).values_list("pk", "name"))


def _line(row: dict[str, Any], wish: Wish, by: str, pk: int | None, names: dict[int, str]) -> Line:
    own = wish.but(**{by: pk or 0})
    name = names.get(pk or 0, "–") if pk else _("nobody") if by == "assignee" else _("without a type")
    line = Line(name, Bar(name, row["total"], own.query), rating=row["mean"], rated=row["rated"])
    for result, word in worklist.TARGETS.items():
        line.response[result] = Bar(str(word), row[f"response_{result}"], own.but(response=result).query)
        line.resolution[result] = Bar(str(word), row[f"resolution_{result}"], own.but(resolution=result).query)
    return line


def period(since: datetime.date, until: datetime.date, community: int | None) -> Wish:
    """All tickets filed in these days, both included."""
    return Wish(state="all", since=since, until=until, community=community)
