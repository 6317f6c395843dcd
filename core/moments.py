"""Moments that can be kept and shown wherever somebody is, and how people say them.

At both ends of the calendar a moment has no name in some time zones: to show it would fail, for ever and for every list
it stands in. Before 1900 many zones differ from UTC by seconds, which no contract can write.
"""

from __future__ import annotations

import datetime

from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

EARLIEST = datetime.datetime(1900, 1, 1, tzinfo=datetime.UTC)
LATEST = datetime.datetime(9999, 12, 31, tzinfo=datetime.UTC)  # its day, which stands for "never", begins everywhere

# How the four languages write a day in full, in short, and without the year (Django's own are American or bare).
_DAY = {"en": "j F Y", "de": "j. F Y", "fr": "j F Y", "pl": "j E Y"}
_DAY_SHORT = {"en": "j M Y", "de": "j. N Y", "fr": "j N Y", "pl": "j b Y"}
_DAY_OF_YEAR = {"en": "j F", "de": "j. F", "fr": "j F", "pl": "j E"}


def is_showable(moment: datetime.datetime) -> bool:
    """Whether an aware moment lies between the two."""
    return EARLIEST <= moment <= LATEST


def day(value: datetime.date) -> str:
    """A day in full: 20. November 2026."""
    return date_format(value, _in_language(_DAY))


def day_short(value: datetime.date) -> str:
    """A day with a short month: 20. Nov. 2026."""
    return date_format(value, _in_language(_DAY_SHORT))


def day_of_year(value: datetime.date) -> str:
    """A day of a year that everybody knows: 20. November."""
    return date_format(value, _in_language(_DAY_OF_YEAR))


def clock(moment: datetime.datetime) -> str:
    """The time of a local moment as it stands alone: 02:26 Uhr."""
    return pgettext("time of day", "%(time)s") % {"time": _time(moment)}


def exact(moment: datetime.datetime) -> str:
    """Weekday, day and time of a local moment in full."""
    return _("%(weekday)s, %(day)s, %(time)s") % {
        "weekday": date_format(moment, "l"), "day": day(moment), "time": _time(moment),
    }  # fmt: skip


def relative(moment: datetime.datetime, now: datetime.datetime) -> str:
    """How people say a local moment: today, yesterday, the weekday within a week, then the date."""
    days = (now.date() - moment.date()).days
    if days == 0:
        return _("today, %(time)s") % {"time": _time(moment)}
    if days == 1:
        return _("yesterday, %(time)s") % {"time": _time(moment)}
    if 1 < days < 7:
        return _weekday(moment)
    return day_of_year(moment) if moment.year == now.year else day_short(moment)


def _weekday(moment: datetime.datetime) -> str:
    """As it stands within a line: Polish writes it small as French does, and Django's Polish names have a capital."""
    name = date_format(moment, "l")
    return name.lower() if (get_language() or "")[:2] == "pl" else name


def _time(moment: datetime.datetime) -> str:
    return date_format(moment, "H:i")


def _in_language(patterns: dict[str, str]) -> str:
    return patterns.get((get_language() or "en")[:2], patterns["en"])
