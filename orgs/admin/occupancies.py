"""Who owns, rents or shares a unit; and its end: as of a last day, or at once."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSingleDateWidget

from core.admin.base import HouseAdmin
from core.admin.forms import HouseForm, Refusable
from core.admin.pages import Cell, Section, change_url, confirm, form_page, of_object, problem
from core.admin.pickers import PickedFilter
from core.errors import Conflict, Denied
from orgs import rules
from orgs.models import Occupancy
from orgs.services import occupancies

FARTHEST = datetime.timedelta(days=100 * 365)


def state_of(occupancy: Occupancy, today: datetime.date) -> tuple[str, Any]:
    """A tone and a word: valid, in the future, ended, revoked."""
    last = occupancies.last_day(occupancy)
    if occupancy.revoked_at is not None:
        return "bad", gettext("revoked")
    if occupancy.period.lower and occupancy.period.lower > today:
        return "info", gettext("from later on")
    if last is not None and last < today:
        return "none", gettext("ended")
    if last is not None:
        return "warn", gettext("ends on %(day)s") % {"day": formats.date_format(last, "SHORT_DATE_FORMAT")}
    return "good", gettext("valid")


def is_running(occupancy: Occupancy) -> bool:
    """Whether there is something to end: buttons ask, and each page asks again when it is opened and sent."""
    return state_of(occupancy, occupancy.tenant.today())[0] in ("good", "warn", "info")


def period_text(occupancy: Occupancy) -> str:
    """First and last day, both included."""
    first, last = occupancy.period.lower, occupancies.last_day(occupancy)
    return f"{formats.date_format(first, 'SHORT_DATE_FORMAT') if first else '…'} – " + (
        formats.date_format(last, "SHORT_DATE_FORMAT") if last else "…"
    )


def occupancy_section(
    found: list[Occupancy], *, title: Any, show: str, links: list[tuple[Any, str]] | None = None
) -> Section:
    """A table of occupancies below a unit or a person, with both ways to end one."""
    lines = []
    for o in found:
        tone, word = state_of(o, o.tenant.today())
        other = o.contact if show == "contact" else o.unit
        name = str(other) if show == "contact" else f"{o.unit.community} · {o.unit}"
        account = (Cell(gettext("yes") if o.contact.user_id else gettext("no")),) if show == "contact" else ()
        running = is_running(o)
        lines.append(
            [
                Cell(name, change_url(other)),
                Cell(o.get_role_display()),
                Cell(period_text(o), change_url(o)),
                *account,
                Cell(word, tone=tone),
                Cell(gettext("End …"), reverse("admin:orgs_occupancy_end", args=[o.pk])) if running else Cell(""),
                Cell(gettext("Revoke …"), reverse("admin:orgs_occupancy_revoke", args=[o.pk])) if running else Cell(""),
            ]
        )
    first = _("Person") if show == "contact" else _("Unit")
    account_head = [_("Account")] if show == "contact" else []
    return Section(
        title,
        [first, _("Role"), _("Period"), *account_head, _("State"), "", ""],
        lines,
        _("Nobody."),
        links=links or [],
    )


class OccupancyForm(HouseForm):
    """Moving in: first and last day instead of a range with an end nobody lives on."""

    first = forms.DateField(label=_("first day"), required=False, widget=UnfoldAdminSingleDateWidget)
    last = forms.DateField(
        label=_("last day"), required=False, widget=UnfoldAdminSingleDateWidget, help_text=_("Empty = open end.")
    )

    class Meta:
        model = Occupancy
        fields = ("contact", "unit", "role", "is_admin", "external_ref")


class EndForm(Refusable, forms.Form):
    """The last day of an occupancy."""

    last = forms.DateField(
        label=_("last day"),
        widget=UnfoldAdminSingleDateWidget,
        help_text=_("The person keeps access until the end of this day. Yesterday = the access is gone at once."),
    )
    expected_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean_last(self) -> datetime.date:
        """Nobody plans that far: it is a slip of the hand, or somebody means an open end."""
        last: datetime.date = self.cleaned_data["last"]
        if last > timezone.localdate() + FARTHEST:
            raise forms.ValidationError(_("This day lies too far in the future."))
        return last


class StateFilter(admin.SimpleListFilter):
    """Valid today, ended, in the future, revoked."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Four states."""
        return [
            ("valid", _("valid today")),
            ("future", _("from later on")),
            ("ended", _("ended")),
            ("revoked", _("revoked")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """By period and revocation."""
        today = timezone.localdate()
        return {
            "valid": lambda: queryset.filter(period__contains=today, revoked_at=None),
            "future": lambda: queryset.filter(period__startswith__gt=today, revoked_at=None),
            "ended": lambda: queryset.filter(period__endswith__lte=today, revoked_at=None),
            "revoked": lambda: queryset.exclude(revoked_at=None),
        }.get(self.value() or "", lambda: queryset)()


class OccupancyAdmin(HouseAdmin):
    """Occupancies. Role and period are history; only the end moves."""

    form = OccupancyForm
    list_display = ("contact", "unit", "community", "role", "days", "state")
    list_filter = (StateFilter, "role", ("unit__community", PickedFilter))
    list_filter_submit = True
    search_fields = ("contact__last_name", "contact__first_name", "contact__company", "unit__name", "unit__identifier")
    list_select_related = ("contact", "unit__community", "tenant")
    autocomplete_fields = ("contact", "unit")
    ordering = ("contact__sort_key", "id")
    actions_detail = ("end", "revoke")

    def may_add(self, actor: Any) -> bool:
        """Whoever manages something in the tenant in view; which unit, the field's choices say."""
        return actor.tenant_id is not None and bool(actor.managed)

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Staff of the community."""
        return obj is None or bool(rules.may_end(actor, obj))

    def seen_by(self, actor: Any) -> models.QuerySet[Any]:
        """Of managed communities."""
        return Occupancy.objects.managed_by(actor)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Two faces: moving in, and what was recorded."""
        if obj is None:
            return [(None, {"fields": ("contact", "unit", "role", "is_admin", ("first", "last"), "external_ref")})]
        return [
            (
                None,
                {"fields": ("contact", "unit", "role", "days", "state_text", "revoked_at", "is_admin", "external_ref")},
            )
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who, where and when cannot be rewritten."""
        return ("contact", "unit", "role", "days", "state_text", "revoked_at") if obj else ()

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """Move in; whoever has an account gets a seat in the tenant."""
        answer = rules.may_manage(request.actor, values["unit"].community_id)  # type: ignore[attr-defined]
        if not answer:
            raise Denied(answer.reason)
        return occupancies.move_in(**values)

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """Only what is no history."""
        kept = {k: v for k, v in values.items() if k in ("is_admin", "external_ref")}
        return super().update(request, obj, kept, expected)

    @display(description=_("community"), ordering="unit__community__sort_key")
    def community(self, occupancy: Occupancy) -> Any:
        """Through the unit."""
        return occupancy.unit.community

    @display(description=_("period"), ordering="period")
    def days(self, occupancy: Occupancy) -> str:
        """First and last day."""
        return period_text(occupancy)

    @display(
        description=_("state"),
        label={"good": "success", "bad": "danger", "warn": "warning", "info": "info", "none": "default"},
    )
    def state(self, occupancy: Occupancy) -> tuple[str, Any]:
        """Valid or not, in one word."""
        return state_of(occupancy, occupancy.tenant.today())

    @display(description=_("state"))
    def state_text(self, obj: Any) -> Any:
        """The word alone, for the form."""
        return self.state(obj)[1]

    def buttons(self, actor: Any, obj: Any) -> tuple[str, ...]:
        """What has ended cannot end again."""
        return ("end", "revoke") if is_running(obj) else ()

    @action(description=_("End as of a last day"), url_path="end", icon="event_busy")
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A move-out: the last day counts, from the day after the community is gone for this person."""
        occupancy = self._handled(request, object_id)
        if not is_running(occupancy):
            return _over(request, occupancy)
        form = EndForm(
            request.POST or None,
            initial={"last": occupancy.tenant.today(), "expected_version": occupancy.row_version},
        )
        if request.method == "POST" and form.is_valid():
            last, expected = form.cleaned_data["last"], form.cleaned_data["expected_version"]
            if form.attempt(lambda: occupancies.end(occupancy, last=last, expected=expected)):
                day = formats.date_format(last, "SHORT_DATE_FORMAT")
                messages.success(
                    request, gettext("%(who)s has access until %(day)s.") % {"who": occupancy.contact, "day": day}
                )
                return redirect(change_url(occupancy))
        return form_page(
            self, request, form, obj=occupancy, title=_("End as of a last day"), button=_("Set the last day"),
            text=gettext("%(who)s, %(role)s of %(unit)s, %(community)s") % _words(occupancy),
        )  # fmt: skip

    @action(description=_("Revoke now"), url_path="revoke", icon="block", variant=ActionVariant.DANGER)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The access ends with this click."""
        occupancy = self._handled(request, object_id)
        if not is_running(occupancy):
            return _over(request, occupancy)
        return confirm(
            self,
            request,
            occupancy,
            title=_("Revoke now"),
            text=gettext(
                "%(who)s loses the access as %(role)s of %(unit)s, %(community)s, with the next click: papers, folders and "
                "everything else of the community. Use this for a wrong entry or a locked-out person; for a move-out set a last day."
            )
            % _words(occupancy),
            button=_("Revoke now"),
            danger=True,
            work=lambda: occupancies.revoke(occupancy),
            done=gettext("%(who)s has no access any more.") % {"who": occupancy.contact},
        )

    def _handled(self, request: HttpRequest, object_id: str) -> Occupancy:
        occupancy: Occupancy = of_object(self, request, object_id)
        answer = rules.may_end(request.actor, occupancy)  # type: ignore[attr-defined]
        if not answer:
            raise Denied(answer.reason)
        return occupancy


def _over(request: HttpRequest, occupancy: Occupancy) -> HttpResponse:
    """Back to the row, which says what became of it: a page from yesterday gives nobody access again."""
    problem(request, Conflict())
    return redirect(change_url(occupancy))


def _words(occupancy: Occupancy) -> dict[str, Any]:
    return {
        "who": occupancy.contact,
        "role": occupancy.get_role_display(),
        "unit": occupancy.unit,
        "community": occupancy.unit.community,
    }
