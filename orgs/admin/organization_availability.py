"""Who of an organization is there: now, by name, and as a chart over the last 14 days."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import pages
from core.admin.pages import change_url, of_object
from orgs import rules
from orgs.models import Membership
from orgs.services import availability
from orgs.services.availability import AVAILABLE, ENGAGED, UNAVAILABLE, Counts

if TYPE_CHECKING:
    import zoneinfo

    from orgs.admin.organizations import OrganizationAdmin
    from orgs.models import Organization

PAGE = 50  # people
WIDTH, HEIGHT = 672.0, 200.0  # of the chart's field: two units an hour
GAP = datetime.timedelta(hours=2)  # without a sample for longer, nothing is drawn
WORDS = {
    AVAILABLE: ("good", gettext_lazy("available")),
    ENGAGED: ("warn", gettext_lazy("in event")),
    UNAVAILABLE: ("none", gettext_lazy("not available")),
}


@dataclass
class Day:
    """One day of the table: least and most of each number."""

    name: str
    available: tuple[int, int]
    in_event: tuple[int, int]
    not_available: tuple[int, int]


@dataclass
class Chart:
    """The samples of an organization, or of its subtree, as stacked areas and as a table."""

    areas: dict[str, list[str]] = field(default_factory=dict)  # points of polygons, by tone
    days: list[Day] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)  # where a day begins
    top: int = 1

    @property
    def half(self) -> str:
        """What the line in the middle stands for."""
        return formats.localize(self.top / 2 if self.top % 2 else self.top // 2)


def availability_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """The organization alone, or with everything below it (``total``)."""
    obj: Organization = of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    total = request.GET.get("part") == "total"
    until = timezone.now()
    samples = sorted(availability.history(obj, until=until), key=lambda one: one.sampled_at)
    present = availability.counts([obj.pk])[obj.pk]
    people = availability.people(obj, total=total)
    if not rules.may_own(actor, obj):
        people = people.filter(user__in=Membership.objects.visible_to(actor).order_by().values("user"))
    page = Paginator(people, PAGE).get_page(request.GET.get("p"))
    for person in page.object_list:
        person["tone"], person["word"] = WORDS[person["presence"]]
    return pages.render(
        admin.admin_site,
        request,
        "admin/house/availability.html",
        title=_("Availability"),
        opts=admin.opts,
        original=obj,
        total=total,
        now=present.total if total else present.root,
        chart=chart_of([(s.sampled_at, counts_of(s, total=total)) for s in samples], until=until, zone=obj.zone),
        page=page,
        back=change_url(obj),
    )


def counts_of(sample: Any, *, total: bool) -> Counts:
    """The three numbers of one sample."""
    part = "total" if total else "root"
    return Counts(*(getattr(sample, f"{part}_{name}") for name in ("available", "in_event", "not_available")))


def chart_of(
    taken: list[tuple[datetime.datetime, Counts]], *, until: datetime.datetime, zone: zoneinfo.ZoneInfo
) -> Chart:
    """Samples, oldest first, as a chart of the window before ``until``, in the organization's time zone."""
    start = until - availability.WINDOW
    top = max((c.available + c.in_event + c.not_available for _at, c in taken), default=0) or 1
    chart = Chart(top=top, marks=_marks(start, until, zone))
    for run in _runs(taken):
        floor = [0.0] * len(run)
        for tone, name in (("good", "available"), ("warn", "in_event"), ("none", "not_available")):
            ceiling = [low + getattr(c, name) for low, (_at, c) in zip(floor, run, strict=True)]
            if ceiling != floor:
                chart.areas.setdefault(tone, []).append(_polygon(run, floor, ceiling, start, top))
            floor = ceiling
    by_day: dict[datetime.date, list[Counts]] = {}
    for at, counts in taken:
        by_day.setdefault(at.astimezone(zone).date(), []).append(counts)
    chart.days = [
        Day(
            formats.date_format(day, "SHORT_DATE_FORMAT"),
            *(
                (min(numbers), max(numbers))
                for numbers in ([getattr(c, name) for c in found] for name in Counts.__annotations__)
            ),
        )
        for day, found in sorted(by_day.items(), reverse=True)
    ]
    return chart


def _runs(taken: list[tuple[datetime.datetime, Counts]]) -> list[list[tuple[datetime.datetime, Counts]]]:
    """Samples that follow each other without a gap."""
    runs: list[list[tuple[datetime.datetime, Counts]]] = []
    for one in taken:
        if runs and one[0] - runs[-1][-1][0] <= GAP:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _x(at: datetime.datetime, start: datetime.datetime) -> float:
    return round(max(0.0, (at - start) / availability.WINDOW * WIDTH), 1)


def _polygon(
    run: list[tuple[datetime.datetime, Counts]],
    floor: list[float],
    ceiling: list[float],
    start: datetime.datetime,
    top: int,
) -> str:
    """There along the upper edge in steps of an hour, back along the lower one."""

    def edge(heights: list[float]) -> list[tuple[float, float]]:
        points = []
        for (at, _counts), height in zip(run, heights, strict=True):
            y = round(HEIGHT - height / top * HEIGHT, 1)
            points += [(_x(at, start), y), (min(_x(at + datetime.timedelta(hours=1), start), WIDTH), y)]
        return points

    return " ".join(f"{x},{y}" for x, y in [*edge(ceiling), *reversed(edge(floor))])


def _marks(start: datetime.datetime, until: datetime.datetime, zone: zoneinfo.ZoneInfo) -> list[tuple[float, str]]:
    """Every other midnight of the window, with its day."""
    day = start.astimezone(zone).date() + datetime.timedelta(days=1)
    found: list[tuple[float, str]] = []
    while (at := datetime.datetime.combine(day, datetime.time(), zone)) < until:
        found.append((_x(at, start), formats.date_format(day, "j.n.") if len(found) % 2 == 0 else ""))
        day += datetime.timedelta(days=1)
    return found
