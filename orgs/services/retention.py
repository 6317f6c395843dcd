"""How long an organization keeps what is over (`retention_months`): the moments before which tickets and cases go.

The period counts calendar months in the organization's own time zone (ORGS-062, 064); nobody inherits one from above.
0 keeps everything, except tickets of people whose account was erased: those end after 36 months (ORGS-063, PORTAL-099;
conflict 15). The purges themselves live on the floors of tickets and processes.
"""

from __future__ import annotations

import datetime
import operator
import zoneinfo
from dataclasses import dataclass
from functools import reduce
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import Q

from orgs.models import Organization

ERASED_MONTHS = 36  # where the organization's own period is 0


def cut_off(now: datetime.datetime, *, months: int, timezone: str) -> datetime.datetime:
    """What ended before this moment has been kept for so many months: the beginning of that day in that time zone.

    Days that the earlier month does not have are its last one (ORGS-064). A day has one cut-off, however often it is
    asked for (ORGS-065).
    """
    zone = zoneinfo.ZoneInfo(timezone)
    day = now.astimezone(zone).date() - relativedelta(months=months)
    return datetime.datetime.combine(day, datetime.time.min, tzinfo=zone)


@dataclass(frozen=True)
class Period:
    """What organizations of one time zone that keep things equally long have in common at one moment."""

    retention_months: int
    timezone: str
    months: int
    cut_off: datetime.datetime

    def over(self, path: str, done: str) -> Q:
        """Rows beyond it. ``path`` leads to the organization; ``done`` is when a row was closed, else when deleted."""
        ended = Q(**{f"{done}__lt": self.cut_off}) | Q(**{done: None, "deleted_at__lt": self.cut_off})
        return ended & Q(**{f"{path}__retention_months": self.retention_months, f"{path}__timezone": self.timezone})


def periods(now: datetime.datetime) -> list[Period]:
    """Those of all organizations that do not keep everything; there are few pairs of period and time zone."""
    return _periods(now, Q(retention_months__gt=0))


def periods_of_erased(now: datetime.datetime) -> list[Period]:
    """Those by which the tickets of erased people go where everything else is kept."""
    return _periods(now, Q(retention_months=0))


def _periods(now: datetime.datetime, which: Q) -> list[Period]:
    pairs = Organization.objects.filter(which).order_by().values_list("retention_months", "timezone").distinct()
    return [
        Period(own, zone, own or ERASED_MONTHS, cut_off(now, months=own or ERASED_MONTHS, timezone=zone))
        for own, zone in sorted(pairs)
    ]


def any_over(found: list[Period], path: str, done: str) -> Q:
    """Rows that are beyond the period of their organization; none where there is no period."""
    return reduce(operator.or_, (period.over(path, done) for period in found), Q(pk__in=[]))


def rule_of(organization: Organization, ended: datetime.datetime, now: datetime.datetime) -> dict[str, Any]:
    """What a destruction record says of the rule that ended a row of this organization."""
    months = organization.retention_months or ERASED_MONTHS
    before = cut_off(now, months=months, timezone=organization.timezone)
    return {
        "organization": organization.pk,
        "months": months,
        "ended_at": ended.isoformat(),
        "cut_off": before.isoformat(),
    }
