"""Forgotten passwords, and the links that set a first or a new one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.vary import vary_on_cookie

from core.errors import Invalid, Unknown
from orgs.models import OneTimeLink
from orgs.services import passwords
from portal.web.forms import ForgotForm, NewPasswordForm


@vary_on_cookie
def forgot(request: HttpRequest) -> HttpResponse:
    """Ask for a link. Known and unknown addresses get the same answer (PORTAL-010)."""
    form = ForgotForm(
        request.POST if request.method == "POST" else None, initial={"email": request.GET.get("email", "")}
    )
    if request.method != "POST":
        return render(request, "portal/password_forgot.html", {"form": form})
    if not form.is_valid():
        return render(request, "portal/password_forgot.html", {"form": form}, status=422)
    email = form.cleaned_data["email"]
    passwords.request_reset(email, ip=request.client_ip)  # type: ignore[attr-defined]
    return render(
        request, "portal/password_forgot.html", {"form": form, "sent_to": email, "minutes": passwords.RESET_MINUTES}
    )


@never_cache
@vary_on_cookie
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Set a password by a link that works once; a weak password leaves the link usable."""
    try:
        link = passwords.find_link(token)
    except Unknown:
        return render(request, "portal/password_link_dead.html", status=404)
    form = NewPasswordForm(request.POST if request.method == "POST" else None, hint=passwords.policy_hint())
    context = {"form": form, "person": link.user, "first": link.purpose == OneTimeLink.Purpose.PASSWORD_INIT}
    if request.method != "POST":
        return render(request, "portal/password_set.html", context)
    if not form.is_valid():
        return render(request, "portal/password_set.html", context, status=422)
    try:
        user = passwords.set_by_link(token, form.cleaned_data["password"])
    except Unknown:
        return render(request, "portal/password_link_dead.html", status=404)
    except Invalid as error:
        form.take(error)
        return render(request, "portal/password_set.html", context, status=422)
    messages.success(request, _("Your password is set. You can sign in with it now."))
    return redirect(f"{reverse('portal:login')}?{urlencode({'username': user.username})}")
