"""Updates of the installation: what is known, asking anew, and a moment for the newest one. The operator's."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSplitDateTimeVerticalWidget

from core.admin.forms import Refusable
from core.errors import Denied
from orgs.admin import between
from orgs.admin.between import Page
from orgs.services import updates
from orgs.services.installation import installation


class InstallForm(Refusable, forms.Form):
    """When. The service names the field as its contract does."""

    install_date = forms.SplitDateTimeField(
        label=_("start the update at"), required=False, help_text=_("Empty = at once."),
        widget=UnfoldAdminSplitDateTimeVerticalWidget(
            date_attrs={"aria-label": _("day")}, time_attrs={"aria-label": _("time of day")}
        ),
    )  # fmt: skip


def view(site: AdminSite) -> Page:
    """The guarded page."""

    def updates_page(request: HttpRequest) -> HttpResponse:
        if not request.actor.is_operator:  # type: ignore[attr-defined]
            raise Denied
        if request.method == "POST" and "_check" in request.POST:
            _check(request)
            return redirect("admin:updates")
        form = InstallForm(request.POST if "_install" in request.POST else None)
        if form.is_bound and form.is_valid():
            with between.unit(request):
                is_planned = form.attempt(lambda: updates.schedule(form.cleaned_data["install_date"]))
            if is_planned:
                messages.success(request, gettext("The update is planned."))
                return redirect("admin:updates")
        with between.unit(request):
            known, row = updates.available(), installation()
        return between.shown(
            site, request, "admin/house/updates.html", title=_("Updates"), version=settings.VERSION, known=known,
            released=updates.released(known) if known else None, is_planned=row.update_state == updates.State.SCHEDULED, row=row, form=form, media=form.media, has_updater=bool(settings.UPDATER_URL),
        )  # fmt: skip

    return between.guarded(site, updates_page)


def _check(request: HttpRequest) -> None:
    """Ask the updater, outside of any transaction, and say what became of it."""
    problem = updates.check().problem
    if problem:
        messages.error(request, problem)
    else:
        messages.success(request, gettext("The updater was asked."))
