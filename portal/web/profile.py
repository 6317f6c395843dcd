"""The own account: name, language, look, password, signed-in devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from core.errors import Invalid, NotFound
from core.services import rows
from docms.services import group_admins
from orgs.models import Session
from orgs.services import accounts, oauth, passwords, second_factor
from portal.web.context import theme_of
from portal.web.forms import ChangePasswordForm, ProfileForm
from portal.web.pages import account, before_second_factor, page, this_session
from portal.web.shell import enter
from portal.web.sign_in import remember_theme

if TYPE_CHECKING:
    from orgs.actor import Actor

# Names that people know, in the order in which a browser's long name must be read.
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def device_name(browser: str) -> str:
    """A browser as people call it: Firefox on Windows."""
    program = next((name for sign, name in BROWSERS if sign in browser), "")
    system = next((name for sign, name in SYSTEMS if sign in browser), "")
    if program and system:
        return _("%(program)s on %(system)s") % {"program": program, "system": system}
    return program or system or _("Unknown device")


def _devices(request: HttpRequest) -> list[dict[str, Any]]:
    own = Session.objects.filter(user=request.user.pk, expires_at__gt=timezone.now()).order_by("-last_seen_at", "id")
    row = this_session(request)
    here = row.pk if row else None
    devices = [
        {"id": s.pk, "name": device_name(s.browser), "seen": s.last_seen_at, "ip": s.ip, "here": s.pk == here}
        for s in own
    ]
    return sorted(devices, key=lambda d: not d["here"])


def _show(request: HttpRequest, status: int = 200, **forms: Any) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    demanding = second_factor.demanding(actor.memberships_list)
    is_owed = bool(demanding) and not actor.has_second_factor
    enter(request, None, "profile", bare=is_owed)
    user = account(request)
    initial = {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "telephone": user.telephone,
        "language": user.language,
        "theme": theme_of(request) or "auto",
    }
    context = {
        "form": ProfileForm(initial=initial),
        "password_form": ChangePasswordForm(hint=passwords.policy_hint()),
        "devices": _devices(request),
        "companies": [] if is_owed else [actor.memberships[pk].organization for pk in sorted(actor.memberships)],
        "programs": oauth.given_by(user),
        "has_circles": not is_owed and group_admins.has_circles(actor),
        "has_second_factor": actor.has_second_factor,
        "demanded_by": second_factor.named(demanding),
        **forms,
    }
    return render(request, "portal/profile.html", context, status=status)


@page
@before_second_factor
def profile(request: HttpRequest) -> HttpResponse:
    """Show and change what one may change about oneself."""
    if request.method != "POST":
        return _show(request)
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return _show(request, 422, form=form)
    changes = {name: form.cleaned_data[name] for name in ("first_name", "last_name", "telephone", "language")}
    accounts.change_profile(account(request), changes)
    response = redirect("portal:profile")
    remember_theme(request, response, form.cleaned_data["theme"])
    with translation.override(changes["language"]):
        messages.success(request, _("Your changes are saved."))
    return response


@page
@before_second_factor
def change_password(request: HttpRequest) -> HttpResponse:
    """Replace the password; every other device is signed out."""
    if request.method != "POST":
        return redirect("portal:profile")
    form = ChangePasswordForm(request.POST, hint=passwords.policy_hint())
    if not form.is_valid():
        return _show(request, 422, password_form=form)
    user = account(request)
    row = this_session(request)
    try:
        passwords.change_password(
            user,
            current=form.cleaned_data["current"],
            new=form.cleaned_data["new"],
            keep_session=bytes(row.session_key) if row else None,
        )
    except Invalid as error:
        form.take(error, {"current_password": "current", "new_password": "new", "password": "new"})
        return _show(request, 422, password_form=form)
    update_session_auth_hash(request, user)
    messages.success(request, _("Your password is changed. All other devices are signed out."))
    return redirect("portal:profile")


@require_POST
@page
@before_second_factor
def end_device(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign one other device out."""
    session = Session.objects.filter(user=request.user.pk, pk=session_id).first()
    if session is None:
        raise NotFound
    name = device_name(session.browser)
    rows.delete(session, verb="signed_out")
    messages.success(request, _("Signed out: %(device)s") % {"device": name})
    return redirect("portal:profile")


@require_POST
@page
@before_second_factor
def end_other_devices(request: HttpRequest) -> HttpResponse:
    """Sign all devices out but this one."""
    row = this_session(request)
    others = list(Session.objects.filter(user=request.user.pk).exclude(pk=row.pk if row else 0))
    for session in others:
        rows.delete(session, verb="signed_out")
    messages.success(
        request,
        ngettext("%d other device is signed out.", "%d other devices are signed out.", len(others)) % len(others),
    )
    return redirect("portal:profile")
