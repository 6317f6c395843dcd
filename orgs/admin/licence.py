"""The licence: what is in force, its points and add-ons; for the operator the key, and the first set-up."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core.admin import pages
from core.admin.forms import Refusable
from core.errors import Denied
from core.services.wake import wake
from orgs.models import License, Organization
from orgs.services import licences

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    from django.contrib.admin import AdminSite

KEY_MAX = 10_000  # characters
FEATURES = {
    licences.BIG_FILES: _("Big files"),
    licences.SHARING: _("Sharing with a code by text message"),
    licences.GROUP_ADMINISTRATORS: _("Group administrators"),
    licences.APPLICATIONS: _("Applications"),
}


class KeyForm(Refusable, forms.Form):
    """A key as the vendor sends it. It is never shown again."""

    key = forms.CharField(label=_("licence key"), max_length=KEY_MAX, widget=UnfoldAdminTextareaWidget)


class SetupForm(Refusable, forms.Form):
    """What completes the set-up of an installation that waits for it."""

    secret = forms.CharField(
        label=_("set-up secret"), max_length=200, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text=_("SETUP_SECRET of the environment."),
    )  # fmt: skip
    code = forms.CharField(
        label=_("licence code"), max_length=29, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="XXXXX-XXXXX-XXXXX-XXXXX-XXXXX",
    )  # fmt: skip


def may_see(actor: Any) -> bool:
    """Administrators see what their tenant has, the operator everything."""
    return bool(actor.is_operator or actor.admin_tenants)


def page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """What is in force for the tenant in view, or for the installation."""
    actor = request.actor  # type: ignore[attr-defined]
    if not may_see(actor) or not (actor.is_operator or actor.tenant_id in actor.admin_tenants):
        raise Denied
    tenant = Organization.objects.tenants().filter(pk=actor.tenant_id).first() if actor.tenant_id else None
    waits = actor.is_operator and bool(settings.BOOTSTRAP) and not License.objects.exists()
    key_form = KeyForm(request.POST if "_key" in request.POST else None) if actor.is_operator and tenant else None
    setup_form = SetupForm(request.POST if "_setup" in request.POST else None) if waits else None
    if request.method == "POST" and not actor.is_operator:
        raise Denied
    if request.method == "POST" and _done(request, tenant, key_form, setup_form):
        return redirect("admin:licence")
    licence = licences.in_force(actor.tenant_id or 0)
    used = licences.used_points(licence, actor.tenant_id or 0)
    return pages.render(
        site, request, "admin/house/licence.html", title=_("Licence"), subject=tenant or gettext("The installation"),
        licence=licence, facts=_facts(licence, used),
        features=[(name, code in licences.features_of(actor.tenant_id or 0)) for code, name in FEATURES.items()],
        key_form=key_form, setup_form=setup_form, may_check=actor.is_operator,
    )  # fmt: skip


def _done(
    request: HttpRequest, tenant: Organization | None, key_form: KeyForm | None, setup_form: SetupForm | None
) -> bool:
    """Do what was asked; False leaves the errors in the form."""
    if "_check" in request.POST:
        transaction.on_commit(lambda: wake("docms.check_license"), robust=True)
        messages.success(
            request, gettext("The licences are checked in the background. What is wrong stands in the system log.")
        )
        return True
    if "_key" in request.POST and key_form is not None and tenant is not None:
        told = gettext("The licence of %(name)s is in force.") % {"name": tenant}
        set_key = partial(licences.set_key, tenant=tenant)
        return _went_through(request, key_form, lambda: set_key(key=key_form.cleaned_data["key"]), told)
    if "_setup" in request.POST and setup_form is not None:
        told = gettext("The set-up is complete.")
        return _went_through(request, setup_form, lambda: licences.bootstrap(**setup_form.cleaned_data), told)
    return False


def _went_through(request: HttpRequest, form: KeyForm | SetupForm, work: Callable[[], object], told: str) -> bool:
    done = form.is_valid() and form.attempt(work)
    if done:
        messages.success(request, told)
    return done


def _facts(licence: License | None, used: int) -> list[tuple[Any, Any]]:
    if licence is None:
        return [
            (_("kind"), _("community variant: everything is open, without a limit")),
            (_("points"), gettext("%(used)d used") % {"used": used}),
        ]
    limit = licence.max_points
    points = (
        gettext("%(used)d of %(limit)d used, %(free)d free")
        % {"used": used, "limit": limit, "free": max(limit - used, 0)}
        if limit
        else gettext("%(used)d used, no limit") % {"used": used}
    )
    return [
        (_("kind"), " · ".join(part for part in (licence.license_type, licence.license_variant) if part)),
        (_("covers"), _("this tenant") if licence.organization_id else _("the whole installation")),
        (_("may be used until"), _day(licence.last_day)),
        (_("maintenance until"), _day(licence.maintenance_until)),
        (_("support until"), _day(licence.support_until)),
        (_("points"), points),
    ]


def _day(day: datetime.date | None) -> str:
    return formats.date_format(day, "SHORT_DATE_FORMAT") if day else gettext("without end")
