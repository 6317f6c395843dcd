"""What a managing company brings: a stylesheet of one rule, its logo, its imprint and privacy notice."""

from __future__ import annotations

import re

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core import scope
from core.errors import BeingChecked, Held
from core.services import blobs
from orgs.models import Organization
from portal.web.context import outside

YEAR = 365 * 24 * 3600
_COLOR = re.compile(r"^#[0-9A-Fa-f]{6}$")


def _tenant(tenant_id: int) -> Organization:
    with scope.all_tenants():
        tenant = Organization.objects.tenants().filter(pk=tenant_id).select_related("settings__logo").first()
    if tenant is None or not hasattr(tenant, "settings"):
        raise Http404
    return tenant


def _lasting(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The address carries the version, so a copy may be kept for good."""
    response.headers["Cache-Control"] = f"public, max-age={YEAR if 'v' in request.GET else 300}, immutable"
    return response


@require_GET
def stylesheet(request: HttpRequest, tenant_id: int) -> HttpResponseBase:
    """The accent; contrast is kept by `tokens.css`, which sets the lightness of everything made from it."""
    accent = _tenant(tenant_id).settings.accent_color
    if not _COLOR.match(accent):
        raise Http404
    return _lasting(request, HttpResponse(f"@layer tokens{{:root{{--accent:{accent}}}}}", content_type="text/css"))


@require_GET
def logo(request: HttpRequest, tenant_id: int) -> HttpResponseBase:
    """The logo; pictures only."""
    blob = _tenant(tenant_id).settings.logo
    if blob is None or not blob.mime.startswith("image/") or blob.mime == "image/svg+xml":
        raise Http404
    try:
        file = blobs.open_blob(blob)
    except (FileNotFoundError, BeingChecked, Held):
        raise Http404 from None
    return _lasting(request, FileResponse(file, content_type=blob.mime))


@require_GET
def imprint(request: HttpRequest, tenant_id: int) -> HttpResponse:
    """Who runs this portal."""
    return _text(request, tenant_id, "imprint")


@require_GET
def privacy(request: HttpRequest, tenant_id: int) -> HttpResponse:
    """What happens to personal data."""
    return _text(request, tenant_id, "privacy")


def _text(request: HttpRequest, tenant_id: int, which: str) -> HttpResponse:
    tenant = _tenant(tenant_id)
    text = tenant.settings.imprint if which == "imprint" else tenant.settings.privacy_text
    if not text:
        raise Http404
    outside(request, tenant)
    return render(request, "portal/text.html", {"which": which, "text": text})
