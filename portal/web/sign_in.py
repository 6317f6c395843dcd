"""Signing in and out, and the choices of visitors: language and light or dark."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django.views.decorators.vary import vary_on_cookie

from core.fields import InvalidToken, cipher
from core.middleware import own_transactions
from orgs.languages import USER_LANGUAGES
from orgs.services import accounts
from orgs.services import sign_in as service
from portal.web.context import THEME_COOKIE, THEMES
from portal.web.forms import CodeForm, SignInForm
from portal.web.pages import account, blocked, next_page
from portal.web.second_factor import confirm_at_sign_in, enrol_at_sign_in

HELD = 300  # seconds between password and code
YEAR = 365 * 24 * 3600


def hold(username: str, password: str, *, remember: bool) -> str:
    """What the first step knew, sealed for the second one: only this server can read it, and not for long."""
    return cipher().encrypt(json.dumps([username, password, remember]).encode()).decode()


def held(token: str) -> tuple[str, str, bool] | None:
    """Open what `hold` sealed; None when it is too old or was altered."""
    try:
        username, password, remember = json.loads(cipher().decrypt(token.encode(), ttl=HELD))
    except (InvalidToken, ValueError, TypeError):
        return None
    return username, password, bool(remember)


@never_cache
@vary_on_cookie
@own_transactions
def login(request: HttpRequest) -> HttpResponse:
    """Password, then a code where the account has a second factor; waits grow and are shown (PORTAL-053, 110)."""
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect(next_page(request))
        form = SignInForm(initial={"username": request.GET.get("username", "")})
        return render(request, "portal/login.html", {"form": form, "next": next_page(request)})
    if "held" in request.POST:
        return _second_step(request)
    form = SignInForm(request.POST)
    context = {"form": form, "next": next_page(request)}
    if not form.is_valid():
        return render(request, "portal/login.html", context, status=422)
    data = form.cleaned_data
    return _attempt(request, data["username"], data["password"], remember=data["remember"], context=context)


def _attempt(
    request: HttpRequest, username: str, password: str, *, remember: bool, context: dict[str, Any]
) -> HttpResponse:
    result = service.sign_in(identifier=username, password=password, door="web", ip=request.client_ip)  # type: ignore[attr-defined]
    if result.outcome == "blocked":
        return blocked(request, "portal/login.html", context, result.retry_after)
    if result.outcome == "ok" and result.user is not None:
        service.start_session(request, result.user, remember=remember, second_factor=False)
        return redirect(context["next"])
    sealed = {**context, "held": hold(username, password, remember=remember)}
    if result.outcome == "code_needed":
        return render(request, "portal/login_code.html", {**sealed, "form": CodeForm()})
    if result.outcome == "enrol_needed":
        return enrol_at_sign_in(request, result.user, {**sealed, "form": CodeForm(first=True)})
    context["form"].add_error(None, _("Address and password do not belong together. Please check both."))
    return render(request, "portal/login.html", context, status=422)


def _second_step(request: HttpRequest) -> HttpResponse:
    first = held(request.POST.get("held", ""))
    if first is None:
        messages.info(request, _("That took too long. Please sign in once more."))
        return redirect("portal:login")
    username, password, remember = first
    if "enrol" in request.POST:
        return _first_code(request, username, password, remember=remember)
    form = CodeForm(request.POST)
    context: dict[str, Any] = {"form": form, "next": next_page(request), "held": request.POST["held"]}
    if not form.is_valid():
        return render(request, "portal/login_code.html", context, status=422)
    result = service.sign_in(
        identifier=username,
        password=password,
        door="web",
        ip=request.client_ip,  # type: ignore[attr-defined]
        code=form.cleaned_data["code"],
    )
    if result.outcome == "ok" and result.user is not None:
        service.start_session(request, result.user, remember=remember, second_factor=True)
        return redirect(context["next"])
    if result.outcome == "blocked":
        return blocked(request, "portal/login_code.html", context, result.retry_after)
    if result.outcome == "code_wrong":
        form.add_error("code", _("This code is not right, or it was used already. Please wait for the next one."))
        return render(request, "portal/login_code.html", context, status=422)
    messages.info(request, _("Please sign in once more."))
    return redirect("portal:login")


def _first_code(request: HttpRequest, username: str, password: str, *, remember: bool) -> HttpResponse:
    """The first code of a second step that the company demands: switches it on and lets the person in."""
    result = service.sign_in(identifier=username, password=password, door="web", ip=request.client_ip)  # type: ignore[attr-defined]
    if result.outcome != "enrol_needed" or result.user is None:
        messages.info(request, _("Please sign in once more."))
        return redirect("portal:login")
    form = CodeForm(request.POST, first=True)
    context: dict[str, Any] = {"form": form, "next": next_page(request), "held": request.POST["held"]}
    if not form.is_valid():
        return enrol_at_sign_in(request, result.user, context, status=422)
    codes = confirm_at_sign_in(request, result.user, form.cleaned_data["code"])
    if codes is None:
        form.add_error("code", _("This code is not right. Is the clock of your phone right?"))
        return enrol_at_sign_in(request, result.user, context, status=422)
    service.start_session(request, result.user, remember=remember, second_factor=True)
    return render(request, "portal/login_codes.html", {"codes": codes, "next": context["next"]})


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """Sign this browser out."""
    language = getattr(request.user, "language", "")
    service.end_session(request)
    with override(language or None):
        messages.success(request, _("You are signed out."))
    return redirect("portal:login")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """The language of a visitor on this browser, of a signed-in person everywhere (PORTAL-095)."""
    response = HttpResponseRedirect(next_page(request, "/app/login"))
    code = request.POST.get("language", "")
    if code in dict(USER_LANGUAGES):
        if request.user.is_authenticated:
            accounts.change_profile(account(request), {"language": code})
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, code, max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
        )
    return response


def remember_theme(request: HttpRequest, response: HttpResponse, theme: str) -> None:
    """Light, dark or as the device: dark is kept in the profile of a signed-in person, the rest on this browser."""
    if theme not in THEMES:
        return
    if request.user.is_authenticated:
        accounts.change_profile(account(request), {"darkmode": theme == "dark"})
    if theme == "auto":
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
    else:
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Switch between light and dark; a script asks for no page in return."""
    scripted = request.headers.get("X-Requested-With") == "fetch"
    response = HttpResponse(status=204) if scripted else HttpResponseRedirect(next_page(request))
    remember_theme(request, response, request.POST.get("theme", ""))
    return response
