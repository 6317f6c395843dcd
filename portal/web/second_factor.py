"""Signing in in two steps: switch it on, keep recovery codes, switch it off."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core import scope
from orgs.models import SecondFactor, SignInLog, User
from orgs.services import second_factor as service
from orgs.services.installation import installation
from portal.web.forms import CodeForm
from portal.web.pages import account, before_second_factor, next_page, page
from portal.web.shell import enter


def _key(user: User) -> SecondFactor:
    """The key that waits for its first code; made when there is none."""
    return service.pending(user) or service.start(user)


def _offer(user: User) -> dict[str, Any]:
    """What an authenticator app needs: the key to type and the address to open."""
    key = _key(user)
    groups = [key.secret[i : i + 4] for i in range(0, len(key.secret), 4)]
    return {"key": " ".join(groups), "address": service.address(key, installation().app_name)}


@page
@before_second_factor
def enrol(request: HttpRequest) -> HttpResponse:
    """Show the key, take the first code, hand out recovery codes; then on to where somebody was sent here from."""
    owed = service.owed(request.actor)  # type: ignore[attr-defined]
    enter(request, None, "profile", bare=bool(owed))
    user = account(request)
    onwards = next_page(request, reverse("portal:profile"))
    if service.confirmed(user):
        return redirect(onwards)
    form = CodeForm(request.POST if request.method == "POST" else None, first=True)
    if request.method == "POST" and form.is_valid():
        if service.confirm(_key(user), form.cleaned_data["code"]):
            done = {"codes": service.new_recovery_codes(user), "onwards": onwards}
            return render(request, "portal/second_factor_codes.html", done)
        form.add_error("code", _("This code is not right. Is the clock of your phone right?"))
    status = 422 if form.errors else 200
    context: dict[str, Any] = {"form": form, "demanded_by": service.named(owed), **_offer(user)}
    return render(request, "portal/second_factor.html", context, status=status)


@require_POST
@page
def renew_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes; the earlier ones stop working."""
    enter(request, None, "profile")
    user = account(request)
    if not service.confirmed(user):
        return redirect("portal:profile")
    context = {"codes": service.new_recovery_codes(user), "onwards": reverse("portal:profile")}
    return render(request, "portal/second_factor_codes.html", context)


@require_POST
@page
def remove(request: HttpRequest) -> HttpResponse:
    """Switch it off, unless an organization demands it, which the refusal names; the password is asked again."""
    user = account(request)
    demanding = service.demanding(request.actor.memberships_list)  # type: ignore[attr-defined]
    if demanding:
        refusal = _("%(who)s demands the second step. It stays switched on.")
        messages.error(request, refusal % {"who": service.named(demanding)})
    elif not user.check_password(request.POST.get("password", "")):
        messages.error(request, _("The password was not right. The second step stays switched on."))
    else:
        service.remove(user)
        messages.success(request, _("Signing in in two steps is switched off."))
    return redirect("portal:profile")


def enrol_at_sign_in(
    request: HttpRequest, user: User | None, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Somebody whose company demands a second step and who has none yet: switch it on before coming in."""
    assert user is not None
    with scope.unit_of_work(door="web", user_id=user.pk, ip=request.client_ip):  # type: ignore[attr-defined]
        offer = _offer(user)
    return render(request, "portal/login_enrol.html", {**context, **offer}, status=status)


def confirm_at_sign_in(request: HttpRequest, user: User, code: str) -> list[str] | None:
    """Take the first code of a demanded second step; answers the recovery codes, or None for a wrong code."""
    ip = request.client_ip  # type: ignore[attr-defined]
    with scope.unit_of_work(door="web", user_id=user.pk, ip=ip):
        key = service.pending(user)
        if key is None or not service.confirm(key, code):
            return None
        SignInLog.objects.create(user=user, type=SignInLog.Type.LOGIN, door="web", ip=ip)
        return service.new_recovery_codes(user)
