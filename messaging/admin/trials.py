"""Test mail and test message of the settings forms: sent at once, the server's answer shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from core.admin import pages
from core.admin.forms import Refusable, add_refusal
from core.errors import Denied, DomainError
from messaging.services import texting
from messaging.services.deliver import send_test
from orgs import rules
from orgs.admin import between
from orgs.admin.between import Page
from orgs.models import InstallationSettings, Organization, OrganizationSettings


class TestMailForm(Refusable, forms.Form):
    """To whom."""

    to = forms.EmailField(label=_("to"), widget=UnfoldAdminEmailInputWidget)


class TestMessageForm(Refusable, forms.Form):
    """To which telephone. The service names its field as the outbox does."""

    mobile_number = forms.CharField(label=_("mobile number"), max_length=50, widget=UnfoldAdminTextInputWidget)


def mail(site: AdminSite) -> Page:
    """The page of the test mail: a tenant's, or without one the installation's, for the operator."""

    def test_mail(request: HttpRequest) -> HttpResponse:
        with between.unit(request):
            tenant = _tenant(request)
        user: Any = request.user
        form = TestMailForm(request.POST or None, initial={"to": user.email})
        if request.method == "POST" and form.is_valid():
            sent = _attempt(
                form,
                lambda: send_test(
                    to=form.cleaned_data["to"], tenant=tenant, app_config=tenant is None, language=user.language,
                    caused_by=user,
                ),
            )  # fmt: skip
            if sent:
                messages.success(request, gettext("The mail server took the mail. It should arrive in a moment."))
                return redirect(_back(tenant))
        who = tenant or gettext("the installation")
        text = gettext("Through the stored mail server of %(who)s.") % {"who": who}
        return _shown(site, request, form, title=_("Send a test mail"), text=text, back=_back(tenant))

    return between.guarded(site, test_mail)


def message(site: AdminSite) -> Page:
    """The page of the test message, through the gateway of a tenant."""

    def test_message(request: HttpRequest) -> HttpResponse:
        with between.unit(request):
            tenant = _tenant(request)
        if tenant is None:
            raise Denied(_("Only tenants have a gateway for text messages."))
        user: Any = request.user
        form = TestMessageForm(request.POST or None, initial={"mobile_number": user.telephone})
        if request.method == "POST" and form.is_valid():
            number = form.cleaned_data["mobile_number"]
            sent = _attempt(
                form,
                lambda: texting.send_test(to=number, tenant=tenant, language=user.language, caused_by=user),
            )
            if sent:
                messages.success(request, gettext("The gateway took the message. It should arrive in a moment."))
                return redirect(_back(tenant))
        text = gettext("Through the stored gateway of %(who)s. The message may cost money.") % {"who": tenant}
        return _shown(site, request, form, title=_("Send a test message"), text=text, back=_back(tenant))

    return between.guarded(site, test_message)


# --- What both have in common ---------------------------------------------------------------------------------


def _attempt(form: forms.Form, send: Callable[[], str]) -> bool:
    """Whether it was taken; else the form says why not."""
    try:
        problem = send()
    except DomainError as error:
        add_refusal(form, error)
        return False
    if problem:
        form.add_error(None, problem)
    return not problem


def _shown(
    site: AdminSite, request: HttpRequest, form: forms.Form, *, title: Any, text: str, back: str
) -> HttpResponse:
    return between.shown(
        site, request, "admin/house/form.html", title=title, form=form, media=form.media, button=_("Send"), back=back,
        text=text,
    )  # fmt: skip


def _tenant(request: HttpRequest) -> Organization | None:
    """The tenant whose settings are tried; none = the installation's, for the operator. Raises `Denied`."""
    actor, tenant_id = request.actor, pages.id_in(request.GET.get("tenant", ""))  # type: ignore[attr-defined]
    if tenant_id is None and not actor.is_operator:
        raise Denied
    answer = rules.may_administer(actor, tenant_id)
    if not answer:
        raise Denied(answer.reason)
    if tenant_id is None:
        return None
    tenant = Organization.objects.tenants().select_related("settings").filter(pk=tenant_id).first()
    if tenant is None:
        raise Denied
    return tenant


def _back(tenant: Organization | None) -> str:
    return pages.list_url(OrganizationSettings if tenant else InstallationSettings)
