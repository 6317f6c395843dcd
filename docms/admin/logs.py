"""Who touched which paper, and who has opened it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from core.admin.logs import LogAdmin, PeriodFilter, PersonFilter
from docms.models import Document, DocumentLog, ReadMark


class DocumentLogAdmin(LogAdmin):
    """Actions on papers; the log outlives them."""

    list_display = ("created_at", "paper", "action", "person", "label")
    list_filter = ("action", PersonFilter, ("created_at", PeriodFilter))
    search_fields = ("user__last_name", "user__email")
    list_select_related = ("user",)
    ordering = ("-id",)
    fields = ("created_at", "paper", "action", "person", "label")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With the title, while the paper is there."""
        title = Document.objects.filter(pk=OuterRef("document_id")).values("title")[:1]
        return super().get_queryset(request).annotate(paper_title=Subquery(title))

    @display(description=_("paper"))
    def paper(self, entry: Any) -> str:
        """Its title, or its number when it is gone."""
        return entry.paper_title or f"#{entry.document_id}"

    @display(description=_("person"), ordering="user__last_name")
    def person(self, entry: DocumentLog) -> str:
        """Nobody, for a recipient of a share."""
        return str(entry.user or "–")


class ReaderFilter(PersonFilter):
    """By who has read."""

    column = "membership__user_id"


class ReadMarkAdmin(LogAdmin):
    """Read marks."""

    list_display = ("document", "person", "version_no", "first_at", "downloaded_at")
    list_filter = (ReaderFilter, ("first_at", PeriodFilter))
    search_fields = ("document__title", "membership__user__last_name", "membership__user__email")
    list_select_related = ("document", "membership__user")
    ordering = ("-id",)
    fields = ("document", "person", "version_no", "first_at", "downloaded_at")

    def may_see(self, actor: Any) -> bool:
        """Administrators and the operator."""
        return bool(actor.is_operator or actor.admin_tenants)

    @display(description=_("person"), ordering="membership__user__last_name")
    def person(self, mark: ReadMark) -> str:
        """The reader."""
        return str(mark.membership.user)
