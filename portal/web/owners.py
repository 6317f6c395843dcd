"""The page behind the link of an owner's invitation: who asks, of what, until when; accepted with one click."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from core import scope
from core.errors import Conflict, Denied, NotFound
from core.middleware import own_transactions
from orgs.services import owners
from portal.web.context import outside
from portal.web.pages import account


@never_cache
@own_transactions
def invited(request: HttpRequest, organization_id: int, token: str) -> HttpResponse:
    """Ask, and on POST make the signed-in person an owner (ORGS-048 … 052): as the operation of the API."""
    ip = request.client_ip  # type: ignore[attr-defined]
    user_id = request.user.pk if request.user.is_authenticated else None
    try:
        with scope.unit_of_work(door="web", ip=ip, user_id=user_id):
            invitation = owners.find(organization_id=organization_id, token=token)
            if invitation.organization.tenant is not None:
                outside(request, invitation.organization.tenant)
            if request.method == "POST" and request.user.is_authenticated:
                owners.accept(user=account(request), organization_id=organization_id, token=token)
                messages.success(request, _("You are an owner of %(name)s now.") % {"name": invitation.organization})
                return redirect("admin:index")
    except NotFound:
        return render(request, "portal/owner_dead.html", status=404)
    except (Denied, Conflict) as error:
        context = {"invitation": invitation, "refused": error}
        return render(request, "portal/owner.html", context, status=error.status)
    return render(request, "portal/owner.html", {"invitation": invitation})
