"""The test mail of the settings forms: sent at once, the server's answer shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget

from core import scope
from core.admin import pages
from core.admin.forms import Refusable, add_refusal
from core.errors import Denied, DomainError
from core.middleware import own_transactions
from messaging.services.deliver import send_test
from orgs import rules
from orgs.actor import enter
from orgs.models import InstallationSettings, Organization, OrganizationSettings


class TestMailForm(Refusable, forms.Form):
    """To whom."""

    to = forms.EmailField(label=_("to"), widget=UnfoldAdminEmailInputWidget)


def view(site: AdminSite) -> Callable[..., HttpResponse]:
    """The guarded view. A mail server may take its time, so no transaction is open while it is asked."""

    def test_mail(request: HttpRequest) -> HttpResponse:
        with _unit(request):
            tenant = _tenant(request)
        form = TestMailForm(request.POST or None, initial={"to": request.user.email})  # type: ignore[union-attr]
        if request.method == "POST" and form.is_valid() and _sent(request, form, tenant):
            messages.success(request, gettext("The mail server took the mail. It should arrive in a moment."))
            return redirect(_back(tenant))
        with _unit(request):
            response: Any = pages.render(
                site, request, "admin/house/form.html", title=_("Send a test mail"), form=form, media=form.media,
                button=_("Send"), back=_back(tenant),
                text=gettext("Through the stored mail server of %(who)s.") % {"who": tenant or gettext("the installation")},
            )  # fmt: skip
            rendered: HttpResponse = response.render()
        return rendered

    guarded = site.admin_view(test_mail)

    def entered(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            with scope.unit_of_work(door="back_office"):
                request.actor = enter(request.user, door="back_office")  # type: ignore[arg-type,attr-defined]
                site.enter(request)  # type: ignore[attr-defined]
        return guarded(request)

    return own_transactions(entered)


@contextmanager
def _unit(request: HttpRequest) -> Iterator[None]:
    with scope.unit_of_work(
        door="back_office",
        user_id=request.user.pk,
        ip=request.client_ip,  # type: ignore[attr-defined]
        request_id=request.request_id,  # type: ignore[attr-defined]
        tenants=request.actor.tenants,  # type: ignore[attr-defined]
    ):
        yield


def _sent(request: HttpRequest, form: TestMailForm, tenant: Organization | None) -> bool:
    try:
        problem = send_test(
            to=form.cleaned_data["to"], tenant=tenant, app_config=tenant is None,
            language=request.user.language, caused_by=request.user,  # type: ignore[union-attr,arg-type]
        )  # fmt: skip
    except DomainError as error:
        add_refusal(form, error)
        return False
    if problem:
        form.add_error(None, problem)
    return not problem


def _tenant(request: HttpRequest) -> Organization | None:
    """The tenant whose settings are tried; none = the installation's, for the operator. Raises `Denied`."""
    actor, wanted = request.actor, request.GET.get("tenant", "")  # type: ignore[attr-defined]
    tenant_id = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else None
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
