"""The login log."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from core.admin.history import door_name
from core.admin.logs import LogAdmin, PeriodFilter, PersonFilter
from core.admin.operations import DoorFilter
from orgs.models import SignInLog


class SignInLogAdmin(LogAdmin):
    """Who signed in, and who failed to. Super administrators for their tenant, the operator for all."""

    list_display = ("created_at", "person", "type", "through", "ip")
    list_filter = ("type", DoorFilter, PersonFilter, ("created_at", PeriodFilter))
    search_fields = ("user__email", "user__last_name", "ip")
    list_select_related = ("user", "tenant")
    ordering = ("-id",)
    fields = ("created_at", "user", "tenant", "type", "door", "ip")

    def may_see(self, actor: Any) -> bool:
        """DOCMS-164."""
        return bool(actor.is_operator or actor.super_admin_tenants)

    @display(description=_("person"))
    def person(self, entry: SignInLog) -> str:
        """Nobody, for an unknown name."""
        return str(entry.user or _("unknown"))

    @display(description=_("door"), ordering="door")
    def through(self, entry: SignInLog) -> str:
        """In words."""
        return door_name(entry.door)
