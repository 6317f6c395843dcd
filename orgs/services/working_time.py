"""The time in which a company works: business hours, public holidays, further days off.

What is promised in hours runs in this time only. A company that says nothing works around the clock.
"""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import holidays
from django.utils.translation import gettext as _

from core.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orgs.models import Organization, OrganizationSettings

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON = 3660  # days that are looked at; who works less than that allows never gets there
_DAY = datetime.timedelta(days=1)
_ZERO = datetime.timedelta(0)
Span = tuple[datetime.datetime, datetime.datetime]


class WorkingTime:
    """When one company works."""

    def __init__(self, tenant: Organization, chosen: OrganizationSettings) -> None:
        self._zone = ZoneInfo(tenant.timezone)
        self._hours: dict[str, list[tuple[datetime.time, datetime.time]]] = {
            day: [(_time(begin), _time(end)) for begin, end in spans] for day, spans in chosen.business_hours.items()
        }
        self._region = chosen.holiday_region
        self._days_off = frozenset(chosen.extra_holidays)

    @property
    def is_around_the_clock(self) -> bool:
        """Whether an hour of it is an hour of the clock."""
        return not (any(self._hours.values()) or self._region or self._days_off)

    def after(self, begin: datetime.datetime, length: datetime.timedelta) -> datetime.datetime:
        """The moment at which so much working time has gone by since ``begin``."""
        if self.is_around_the_clock:
            return begin + length
        left = length
        for start, end in self._spans(begin):
            if end - start >= left:
                return (start + left).astimezone(datetime.UTC)
            left -= end - start
        return begin + length

    def between(self, begin: datetime.datetime, end: datetime.datetime) -> datetime.timedelta:
        """How much working time lies between two moments; none when the second is not later."""
        if end <= begin:
            return _ZERO
        if self.is_around_the_clock:
            return end - begin
        worked = _ZERO
        for start, stop in self._spans(begin):
            if start >= end:
                break
            worked += min(stop, end) - start
        return worked

    def _spans(self, begin: datetime.datetime) -> Iterator[Span]:
        """Working time from ``begin`` on, in UTC, so that a change of the clocks counts as it is."""
        first = begin.astimezone(self._zone).date()
        for number in range(HORIZON):
            try:
                day = first + number * _DAY
            except OverflowError:
                return
            for start, end in self._spans_of(day):
                if end > begin:
                    yield max(start, begin.astimezone(datetime.UTC)), end

    def _spans_of(self, day: datetime.date) -> Iterator[Span]:
        if day in self._days_off or (self._region and day in _holidays(self._region)):
            return
        if not any(self._hours.values()):
            yield self._moment(day, datetime.time.min), self._moment(day + _DAY, datetime.time.min)
            return
        for start, end in self._hours.get(WEEKDAYS[day.weekday()], ()):
            until = self._moment(day + _DAY, datetime.time.min) if end == datetime.time.min else self._moment(day, end)
            yield self._moment(day, start), until

    def _moment(self, day: datetime.date, time: datetime.time) -> datetime.datetime:
        return datetime.datetime.combine(day, time, self._zone).astimezone(datetime.UTC)


def working_time_of(tenant: Organization) -> WorkingTime:
    """When a company works; its settings are read."""
    return WorkingTime(tenant, tenant.settings)


def check_business_hours(value: Any) -> dict[str, list[list[str]]]:
    """``{"mon": [["08:00", "12:00"], ["13:00", "17:00"]], …}``; "24:00" is the end of a day.

    Raises `Invalid` for other days and times, and for spans that end before they begin or overlap.
    """
    if not isinstance(value, dict) or not set(value) <= set(WEEKDAYS):
        raise _wrong_hours(_("Business hours are times of a weekday, such as 08:00–12:00."))
    found: dict[str, list[list[str]]] = {}
    for day in WEEKDAYS:
        last = -1
        for span in value.get(day, []):
            try:
                begin, end = span
                minutes = _minutes(begin), _minutes(end)
            except (AttributeError, TypeError, ValueError):
                raise _wrong_hours(_("The times of a weekday lie between 00:00 and 24:00.")) from None
            if minutes[0] >= minutes[1]:
                raise _wrong_hours(_("A time of a weekday ends after it begins."))
            if minutes[0] < last:
                raise _wrong_hours(_("The times of a weekday follow each other and do not overlap."))
            last = minutes[1]
            found.setdefault(day, []).append([begin, end])
    return found


def _wrong_hours(problem: str) -> Invalid:
    return Invalid.of("business_hours", problem)


def check_region(value: str) -> str:
    """A country, or one of its parts: "DE", "DE-HE". Raises `Invalid` for one whose holidays nobody knows."""
    try:
        _holidays(value)
    except NotImplementedError:
        raise Invalid.of("holiday_region", _("The public holidays of this region are not known.")) from None
    return value


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    if (len(hours), len(minutes)) != (2, 2) or not (hours + minutes).isascii():
        raise ValueError(text)
    total = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or not 0 <= total <= 24 * 60:
        raise ValueError(text)
    return total


def _time(text: str) -> datetime.time:
    """ "24:00" is midnight, as the end of a span."""
    return datetime.time(_minutes(text) // 60 % 24, _minutes(text) % 60)


@lru_cache(maxsize=128)
def _holidays(region: str) -> Any:
    """The public holidays of a region; years are worked out when they are asked for."""
    country, _gap, part = region.partition("-")
    return holidays.country_holidays(country, subdiv=part or None)
