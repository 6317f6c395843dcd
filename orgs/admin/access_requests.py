"""People without an invitation who ask to be let in."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import EmptyFieldListFilter
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from core.admin.base import ReadOnlyAdmin
from core.admin.pages import Section, confirm, list_url, of_object
from core.services import rows
from orgs.models import AccessRequest, Contact


class AccessRequestAdmin(ReadOnlyAdmin):
    """Read, find the person in the register, invite there, and tick off."""

    list_display = ("__str__", "last_name", "first_name", "street", "city", "created_at", "handled_at")
    list_filter = (("handled_at", EmptyFieldListFilter),)
    search_fields = ("email", "last_name", "first_name")
    ordering = ("-id",)
    fields = (
        "created_at",
        "first_name",
        "last_name",
        "email",
        "street",
        "postal_code",
        "city",
        "message",
        "handled_at",
    )
    actions_detail = ("handle",)

    def seen_by(self, actor: Any) -> models.QuerySet[Any]:
        """Staff of the tenant."""
        return AccessRequest.objects.visible_to(actor)

    def buttons(self, actor: Any, obj: Any) -> tuple[str, ...]:
        """Once."""
        return () if obj.handled_at else ("handle",)

    @action(description=_("Done"), url_path="handle", icon="task_alt")
    def handle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Tick it off."""
        asked = of_object(self, request, object_id)
        return confirm(
            self, request, asked,
            title=_("Mark as done"),
            text=_("The request leaves the list of open requests."),
            button=_("Done"),
            work=lambda: rows.change(asked, {"handled_at": timezone.now()}, verb="handled", check=False),
            done=_("The request is done."),
        )  # fmt: skip

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """The way to the person's entry in the register."""
        return [
            Section(
                _("What next?"),
                note=_("Look the person up in the register and invite from there."),
                links=[(_("Search the register"), list_url(Contact, q=obj.last_name))],
            )
        ]
