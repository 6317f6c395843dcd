"""The settings of the installation: the operator's one page."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.admin.base import HouseAdmin
from core.admin.pages import Section
from docms.services import app_settings
from orgs.models import InstallationSettings
from orgs.services.installation import installation


class InstallationSettingsAdmin(HouseAdmin):
    """One row, which is there from the first look on."""

    tenant_lookup = ""
    list_display = ("__str__",)
    fieldsets = (
        (None, {"fields": ("app_name", "app_owner", "app_url")}),
        (
            _("Passwords"),
            {
                "fields": (
                    ("pw_min_length", "pw_min_lower_case", "pw_min_upper_case"), ("pw_min_numbers", "pw_min_special"),
                    ("pw_link_init_hours", "pw_link_reset_hours"),
                ),
                "description": _("What every password needs at least. Below 10 characters none is accepted anyway."),
            },
        ),
        (
            _("Mail server"),
            {
                "fields": (
                    "mail_server", "mail_port", "mail_ssl", "mail_starttls", "mail_sender", "mail_user", "mail_password",
                ),
                "description": _("For tenants without a server of their own. Empty = the server of the environment."),
            },
        ),
        (_("Tenants"), {"fields": ("trial_tenants",)}),
    )  # fmt: skip

    def may_see(self, actor: Any) -> bool:
        """The operator."""
        return bool(actor.is_operator)

    def may_change(self, actor: Any, obj: Any) -> bool:
        """The operator."""
        return bool(actor.is_operator)

    def seen_by(self, actor: Any) -> Any:
        """The row, if it was made."""
        return InstallationSettings.objects.all() if actor.is_operator else InstallationSettings.objects.none()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row with its defaults, also before it was first saved."""
        return installation() if object_id == "1" and self.may_see(request.actor) else None  # type: ignore[attr-defined]

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `app_settings.change`; the first change makes the row."""
        is_new = obj._state.adding
        app_settings.change(values, expected=None if is_new else expected)
        return installation() if is_new else obj.refresh_from_db()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect("admin:orgs_installationsettings_change", 1)

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """The test mail is messaging's page, reached by name."""
        return [
            Section(
                _("Test mail"),
                note=_("Saves nothing: sends a mail to your own address with the stored settings."),
                links=[(_("Send a test mail"), reverse("admin:test-mail"))],
            )
        ]
