"""Logs: lists that are filtered by kind, person and period, and leave as CSV exactly as they are filtered."""

from __future__ import annotations

import csv
import datetime
import io
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import display_for_field, label_for_field, lookup_field
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateFilter, TextFilter

from core.admin.base import ReadOnlyAdmin
from core.services import audit

EXPORT_MAX = 100_000  # lines of one file
PEOPLE_MAX = 500  # accounts that a name may mean
_IN_MEMORY = 1024 * 1024  # bytes
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(64 * 1024):
            yield chunk


class PersonFilter(TextFilter):
    """By who did it: all words occur in names or address. The log itself is asked by number, which has an index."""

    title = gettext_lazy("person")
    parameter_name = "person"
    column = "user_id"

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Entries of the accounts that are meant."""
        words = (self.value() or "").split()
        if not words:
            return queryset
        people = get_user_model()._default_manager.order_by("pk")
        for word in words:
            people = people.filter(
                Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(email__icontains=word)
            )
        return queryset.filter(**{f"{self.column}__in": list(people.values_list("pk", flat=True)[:PEOPLE_MAX])})


class PeriodFilter(RangeDateFilter):
    """From one day to another, both included, as they pass in the zone of whoever asks. What is no day is left out.

    The theme's compares moments with midnight, so the last day would be missing.
    """

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Entries of these days."""
        first, last = (self._day(f"{self.parameter_name}_{end}") for end in ("from", "to"))
        if first is not None:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": _midnight(first)})
        if last is not None and last < datetime.date.max:
            after = last + datetime.timedelta(days=1)
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": _midnight(after)})
        return queryset

    def _day(self, name: str) -> datetime.date | None:
        try:
            return forms.DateField(required=False).clean(self.used_parameters.get(name))
        except ValidationError:
            return None


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))


def harmless(written: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{written}" if written.startswith(_FORMULA) else written


class LogAdmin(ReadOnlyAdmin):
    """A log. What has a filter for a period needs a button, because it is typed."""

    list_filter_submit = True
    list_before_template = "admin/house/export.html"

    def get_urls(self) -> list[URLPattern]:
        """With the export, before Django's last route, which takes everything."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export), name=name), *super().get_urls()]

    @property
    def export_url(self) -> str:
        """The address of the export; the filters stand behind it."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export")

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The list as it is filtered, with its columns, as CSV for spreadsheets: UTF-8 with its mark, semicolons.

        What has more than 100,000 lines is refused rather than cut, and never counted further. What is exported is audited.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        here = f"{reverse(f'admin:{self.opts.app_label}_{self.opts.model_name}_changelist')}?{request.GET.urlencode()}"
        try:
            found = self.get_changelist_instance(request).queryset
            total = found.order_by().values("pk")[: EXPORT_MAX + 1].count()
        except (
            IncorrectLookupParameters,
            ValueError,
            OverflowError,
        ):  # the list says what is wrong, as in HouseChangeList
            return redirect(here)
        if total > EXPORT_MAX:
            told = _("These are more than %(count)d entries. Please narrow them down, for instance to a month.")
            messages.error(request, told % {"count": EXPORT_MAX})
            return redirect(here)
        file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with the response
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)  # type: ignore[type-var]
        writer = csv.writer(text, delimiter=";")
        writer.writerows(self._lines(request, found))
        text.detach()
        file.seek(0)
        actor: Any = request.actor  # type: ignore[attr-defined]
        audit.record_export(self.model, tenant_id=actor.tenant_id, query=request.GET.urlencode(), form="csv")
        name = f"{self.opts.model_name}-{timezone.localdate():%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        response = StreamingHttpResponse(_chunks(file), content_type="text/csv; charset=utf-8", headers=headers)
        # Of who hangs up before the first byte.
        response._resource_closers.append(file.close)  # type: ignore[attr-defined]
        return response

    def _lines(self, request: HttpRequest, found: models.QuerySet[Any]) -> Iterator[list[str]]:
        names = [name for name in self.get_list_display(request) if isinstance(name, str)]
        yield [str(label_for_field(name, self.model, self)) for name in names]
        for row in found.iterator(chunk_size=2000):
            yield [self._cell(name, row) for name in names]

    def _cell(self, name: str, row: Any) -> str:
        field, _attribute, value = lookup_field(name, row, self)
        if isinstance(value, tuple):  # a word of state comes with its tone
            value = value[-1]
        if isinstance(value, datetime.datetime):
            return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"
        written = str(display_for_field(value, field, "") if field is not None else "" if value is None else value)
        return harmless(written)
