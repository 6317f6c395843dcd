"""The test mail of the settings forms: sent at once, the server's answer shown."""

from __future__ import annotations

from collections.abc import Callable

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
        wanted = request.GET.get("tenant", "")
        with scope.unit_of_work(door="back_office", ip=request.client_ip, request_id=request.request_id):  # type: ignore[attr-defined]
            tenant = _tenant(request, wanted)
            language = request.user.language  # type: ignore[union-attr]
        form = TestMailForm(request.POST or None, initial={"to": request.user.email})  # type: ignore[union-attr]
        if request.method == "POST" and form.is_valid():
            try:
                problem = send_test(
                    to=form.cleaned_data["to"], tenant=tenant, app_config=tenant is None, language=language,
                    caused_by=request.user,  # type: ignore[arg-type]
                )  # fmt: skip
            except DomainError as error:
                add_refusal(form, error)
            else:
                if not problem:
                    messages.success(request, gettext("The mail server took the mail. It should arrive in a moment."))
                    return redirect(_back(tenant))
                form.add_error(None, problem)
        with scope.unit_of_work(door="back_office"):
            request.actor = enter(request.user, door="back_office")  # type: ignore[attr-defined]
            site.enter(request)  # type: ignore[attr-defined]
            response = pages.render(
                site, request, "admin/house/form.html", title=_("Send a test mail"), form=form, media=form.media,
                button=_("Send"), back=_back(tenant),
                text=gettext("Through the stored mail server of %(who)s.") % {"who": tenant or gettext("the installation")},
            )  # fmt: skip
            return response.render()  # type: ignore[attr-defined,no-any-return]

    return own_transactions(site.admin_view(_entered(site, test_mail)))


def _entered(site: AdminSite, inner: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    return inner


def _tenant(request: HttpRequest, wanted: str) -> Organization | None:
    """The tenant whose settings are tried; none = the installation's, for the operator. Raises `Denied`."""
    actor = enter(request.user, door="back_office")  # type: ignore[arg-type]
    tenant_id = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else None
    if tenant_id is None and not actor.is_operator:
        raise Denied
    answer = rules.may_administer(actor, tenant_id)
    if not answer:
        raise Denied(answer.reason)
    if tenant_id is None:
        return None
    with scope.all_tenants():
        tenant = Organization.objects.tenants().select_related("settings").filter(pk=tenant_id).first()
    if tenant is None:
        raise Denied
    return tenant


def _back(tenant: Organization | None) -> str:
    return pages.list_url(OrganizationSettings if tenant else InstallationSettings)
