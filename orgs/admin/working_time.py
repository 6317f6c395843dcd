"""Fields of forms for the time in which a company works."""

from __future__ import annotations

import datetime
import re
from typing import Any

from django import forms
from django.utils import formats
from django.utils.dates import WEEKDAYS as NAMES
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from core.errors import Invalid
from orgs.services.working_time import WEEKDAYS, check_business_hours

# Countries in which our customers work; parts of a country by their own names.
REGIONS = (
    ("", _("none")),
    (
        "Deutschland",
        (
            ("DE", "Deutschland"), ("DE-BW", "Baden-Württemberg"), ("DE-BY", "Bayern"), ("DE-BE", "Berlin"),
            ("DE-BB", "Brandenburg"), ("DE-HB", "Bremen"), ("DE-HH", "Hamburg"), ("DE-HE", "Hessen"),
            ("DE-MV", "Mecklenburg-Vorpommern"), ("DE-NI", "Niedersachsen"), ("DE-NW", "Nordrhein-Westfalen"),
            ("DE-RP", "Rheinland-Pfalz"), ("DE-SL", "Saarland"), ("DE-SN", "Sachsen"), ("DE-ST", "Sachsen-Anhalt"),
            ("DE-SH", "Schleswig-Holstein"), ("DE-TH", "Thüringen"),
        ),
    ),
    ("AT", "Österreich"),
    ("CH", "Schweiz / Suisse"),
    ("FR", "France"),
    ("LU", "Luxembourg"),
    ("BE", "Belgique"),
    ("PL", "Polska"),
    ("GB", "United Kingdom"),
    ("IE", "Ireland"),
)  # fmt: skip
_SPAN = re.compile(r"(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)\Z")


class BusinessHoursField(forms.CharField):
    """A line for each weekday, by its name in the reader's language: ``Monday: 08:00–12:00, 13:00–17:00``."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 7})

    def prepare_value(self, value: Any) -> Any:
        """All seven days, so that nobody has to know how they are spelled."""
        if not isinstance(value, dict):
            return value
        return "\n".join(
            f"{NAMES[number]}: " + ", ".join(f"{begin}–{end}" for begin, end in value.get(day, ()))
            for number, day in enumerate(WEEKDAYS)
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        """By what is said, not by how it is written."""
        return super().has_changed(self.prepare_value(initial or {}), data)

    def clean(self, value: Any) -> Any:
        """As it is stored."""
        days = {str(name).casefold(): WEEKDAYS[number] for number, name in NAMES.items()}
        found: dict[str, list[list[str]]] = {}
        for line in filter(str.strip, str(super().clean(value)).splitlines()):
            name, _colon, spans = line.partition(":")
            day = days.get(name.strip().casefold())
            if day is None or day in found:
                raise forms.ValidationError(
                    _("This line does not begin with a weekday, or one that came before: %(line)s")
                    % {"line": line[:60]}
                )
            found[day] = [_span(text, line) for text in spans.split(",") if text.strip()]
            try:
                check_business_hours({day: found[day]})
            except Invalid as error:
                raise forms.ValidationError(f"{error.message} ({line.strip()[:60]})") from None
        return check_business_hours({day: spans for day, spans in found.items() if spans})


def _span(text: str, line: str) -> list[str]:
    found = _SPAN.match(text.strip())
    if found is None:
        raise forms.ValidationError(_("This is no time, such as 08:00–12:00: %(line)s") % {"line": line[:60]})
    return [f"{int(found[1]):02}:{found[2]}", f"{int(found[3]):02}:{found[4]}"]


class DaysOffField(forms.CharField):
    """A day in each line, as the reader writes days."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        """As the reader writes days."""
        if not isinstance(value, list):
            return value
        return "\n".join(formats.date_format(day, "SHORT_DATE_FORMAT") for day in value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """By the days, not by how they are written."""
        return super().has_changed(self.prepare_value(initial or []), data)

    def clean(self, value: Any) -> list[datetime.date]:
        """In order, each once."""
        day = forms.DateField()
        return sorted({day.clean(line.strip()) for line in str(super().clean(value)).splitlines() if line.strip()})


class RegionField(forms.ChoiceField):
    """Whose public holidays are days off."""

    widget = UnfoldAdminSelectWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=REGIONS, **kwargs)
