"""The settings of the installation: one row, made when first asked for."""

from __future__ import annotations

from django.conf import settings

from orgs.models import InstallationSettings


def installation() -> InstallationSettings:
    """The one row; its defaults until the operator changes them."""
    row = InstallationSettings.objects.filter(pk=1).first()
    return row or InstallationSettings(pk=1, app_url=settings.PUBLIC_URL)


def public_url(path: str = "") -> str:
    """An address people can open; never made from a request's host name (DOCMS-037)."""
    base = installation().app_url or settings.PUBLIC_URL
    return base.rstrip("/") + path
