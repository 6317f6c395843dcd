"""The back office at `/admin/`: one site, filled by the floors; the tenant in view; the start page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, include, path, reverse

import core.admin.operations
import docms.admin
import docms.admin.upload
import messaging.admin
import orgs.admin
import processes.admin
import tickets.admin
from core import tus
from core.admin.site import HouseSite
from orgs.admin import tenant_view


class BackOffice(HouseSite):
    """What the frame does not know: tenants, and the pages of the floors."""

    def enter(self, request: HttpRequest) -> None:
        """See `orgs.admin.tenant_view`."""
        tenant_view.enter(request)

    def turn_away(self, request: HttpRequest) -> HttpResponse | None:
        """Whoever owes a second factor sets it up first (ORGS-054)."""
        if not getattr(request, "owed", None):
            return None
        return redirect(f"{reverse('portal:second-factor')}?{urlencode({'next': request.get_full_path()})}")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """With the tenant in view."""
        return {**super().each_context(request), **tenant_view.context(request)}

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Own pages before Django's, whose last route takes everything."""
        return [
            path("tenant/", self.admin_view(tenant_view.choose), name="tenant"),
            path("uploads/", include(tus.urls(docms.admin.upload.DOOR, docms.admin.upload.tenant_of))),
            *orgs.admin.urls(self),
            *messaging.admin.urls(self),
            *tickets.admin.urls(self),
            *super().get_urls(),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The person at work, and what needs attention, each number leading to its list."""
        from config.admin_start import cards, chart_of, desk, tickets_of

        actor = request.actor  # type: ignore[attr-defined]
        tickets = tickets_of(request)
        context = {"cards": cards(actor, tickets), "chart": chart_of(tickets), "desk": desk(actor), "subtitle": None}
        return super().index(request, context | (extra_context or {}))


site = BackOffice(name="admin")
for floor in (orgs.admin, docms.admin, tickets.admin, processes.admin, messaging.admin, core.admin.operations):
    floor.register(site)
