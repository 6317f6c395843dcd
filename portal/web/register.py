"""Invitations: type a code, see who is invited where, open an account or accept with one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.vary import vary_on_cookie

from core import scope
from core.errors import Blocked, Conflict, DomainError, Expired, Invalid, NotFound, Used, Withdrawn
from core.middleware import own_transactions
from orgs.models import Invite, Occupancy, User
from orgs.services import invites, passwords, second_factor
from orgs.services.sign_in import start_session
from portal.web.context import outside
from portal.web.forms import UNKNOWN_CODE, InviteCodeForm, RegisterForm
from portal.web.pages import account, blocked

DEAD = (Used, Withdrawn, Expired)


@vary_on_cookie
@own_transactions
def invite(request: HttpRequest) -> HttpResponse:
    """Type the code of a letter."""
    if "code" not in request.GET:
        return render(request, "portal/invite_code.html", {"form": InviteCodeForm()})
    form = InviteCodeForm(request.GET)
    if not form.is_valid():
        return render(request, "portal/invite_code.html", {"form": form}, status=422)
    return redirect("portal:invite", code=form.cleaned_data["code"])


@never_cache
@vary_on_cookie
@own_transactions
def invited(request: HttpRequest, code: str) -> HttpResponse:
    """Who is invited, where, by whom, until when; open an account or accept in one step (PORTAL-037 … 041)."""
    ip = request.client_ip  # type: ignore[attr-defined]
    try:
        found = invites.find(code, ip=ip)
        outside(request, found.tenant)
        context = _context(request, found, code)
        if request.method != "POST":
            return render(request, "portal/invite.html", context)
        if request.user.is_authenticated:
            return _accept(request, code, ip, context)
        return _register(request, code, ip, context)
    except Blocked as error:
        return blocked(request, "portal/invite_code.html", {"form": InviteCodeForm()}, error.retry_after)
    except DomainError as error:
        return _dead(request, code, error)


def _context(request: HttpRequest, found: Invite, code: str) -> dict[str, Any]:
    with scope.unit_of_work(door="web", ip=request.client_ip), scope.all_tenants():  # type: ignore[attr-defined]
        roles = _roles(found)
        terms = found.tenant.settings.terms
    person = found.contact
    return {
        "invite": found,
        "code": code,
        "roles": roles,
        "terms": terms,
        "privacy": found.tenant.settings.privacy_text,
        "greeting": person.full_name if person else f"{found.first_name} {found.last_name}".strip(),
        "form": _form(request, found, terms),
    }


def _roles(found: Invite) -> list[str]:
    """As what somebody is invited: the roles of the register, today or to come."""
    if found.kind == Invite.Kind.STAFF or found.contact is None:
        return []
    rows = Occupancy.objects.filter(contact=found.contact, revoked_at=None, period__endswith__gt=found.tenant.today())
    open_ended = Occupancy.objects.filter(contact=found.contact, revoked_at=None, period__upper_inf=True)
    here = (rows | open_ended).filter(unit__community=found.community_id)
    if found.unit_id:
        here = here.filter(unit=found.unit_id)
    return [
        str(Occupancy.Role(role).label) for role in dict.fromkeys(here.order_by("id").values_list("role", flat=True))
    ]


def _form(request: HttpRequest, found: Invite, terms: str) -> RegisterForm:
    return RegisterForm(
        request.POST if request.method == "POST" and not request.user.is_authenticated else None,
        initial={"email": found.email, "first_name": found.first_name, "last_name": found.last_name},
        hint=passwords.policy_hint(),
        ask_names=not (found.first_name and found.last_name),
        ask_terms=bool(terms),
    )


def _register(request: HttpRequest, code: str, ip: str | None, context: dict[str, Any]) -> HttpResponse:
    form: RegisterForm = context["form"]
    if not form.is_valid():
        return render(request, "portal/invite.html", context, status=422)
    data = form.cleaned_data
    try:
        user = invites.register(
            code=code,
            ip=ip,
            email=data["email"],
            first_name=data.get("first_name", ""),
            last_name=data.get("last_name", ""),
            password=data["password"],
            language=(get_language() or "")[:2],
        )
    except Invalid as error:
        form.take(error)
        return render(request, "portal/invite.html", context, status=422)
    except Conflict:
        here = reverse("portal:invite", args=[code])
        sign_in = f"{reverse('portal:login')}?{urlencode({'next': here, 'username': data['email']})}"
        return render(
            request, "portal/invite.html", {**context, "has_account": data["email"], "sign_in": sign_in}, status=409
        )
    return _welcome(request, user, context["invite"])


def _welcome(request: HttpRequest, user: User, found: Invite) -> HttpResponse:
    messages.success(request, _("Welcome! Your account is ready."))
    if second_factor.obliged(user):
        return redirect(f"{reverse('portal:login')}?{urlencode({'username': user.username})}")
    start_session(request, user, remember=False, second_factor=False)
    return _arrive(found)


def _arrive(found: Invite) -> HttpResponse:
    if found.kind == Invite.Kind.RESIDENT and found.community_id:
        return redirect("portal:start", community_id=found.community_id)
    return redirect("portal:home")


def _accept(request: HttpRequest, code: str, ip: str | None, context: dict[str, Any]) -> HttpResponse:
    try:
        found = invites.accept(code=code, user=account(request), ip=ip)
    except Conflict as error:
        return render(request, "portal/invite.html", {**context, "refused": str(error.message)}, status=409)
    messages.success(request, _("The invitation is accepted."))
    return _arrive(found)


def _dead(request: HttpRequest, code: str, error: DomainError) -> HttpResponse:
    """Expired, used, withdrawn and unknown codes each say so, with what to do next."""
    if isinstance(error, NotFound):
        form = InviteCodeForm({"code": code})
        if form.is_valid():
            form.add_error("code", UNKNOWN_CODE)
        return render(request, "portal/invite_code.html", {"form": form}, status=404)
    if not isinstance(error, DEAD):
        return render(request, "portal/refused.html", {"reason": error.message}, status=error.status)
    outside(request, invites.company_of(code))
    return render(request, "portal/invite_dead.html", {"reason": error.code}, status=error.status)
