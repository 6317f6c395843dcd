"""Saying whether one is there: available, not available, or on assignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.errors import Invalid, NotFound
from orgs.services import availability
from portal.web.pages import account, next_page, page
from portal.web.shell import number_in

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_POST
@page
def set_presence(request: HttpRequest) -> HttpResponse:
    """One of three buttons, on the start page of the back office or here. Nobody says it for anybody else.

    The organization that is named stands for the tree in which one works; another one is not found.
    """
    organization_id = number_in(request.POST.get("organization", ""))
    mine = availability.standings(request.actor)  # type: ignore[attr-defined]
    standing = next((one for one in mine if one.organization.pk == organization_id), None)
    if standing is None:
        raise NotFound
    presence = request.POST.get("presence", "")
    if presence not in availability.PRESENCES:
        raise Invalid
    availability.set_presence(user=account(request), organization=standing.organization, presence=presence)
    if standing.on_work_order and presence != availability.ENGAGED:
        messages.info(request, _("Noted. You count as on assignment until your work order ends."))
    else:
        messages.success(request, _DONE[presence]())
    return redirect(next_page(request))


_DONE = {
    availability.AVAILABLE: lambda: _("You are available."),
    availability.UNAVAILABLE: lambda: _("You are not available."),
    availability.ENGAGED: lambda: _("You are on assignment."),
}
