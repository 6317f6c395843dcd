"""Operations: what ran, who changed what, what went wrong, what waits. Read only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.auth import get_user_model
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from core.admin.base import ReadOnlyAdmin
from core.admin.history import DOORS, VERBS, door_name, steps, verb_of
from core.admin.logs import LogAdmin, PeriodFilter, PersonFilter
from core.models import AuditEntry, JobRun, SystemLog, Upload


def register(site: AdminSite) -> None:
    """The nouns of this floor."""
    site.register(JobRun, JobRunAdmin)
    site.register(AuditEntry, AuditEntryAdmin)
    site.register(SystemLog, SystemLogAdmin)
    site.register(Upload, UploadAdmin)


class OfOperator(ReadOnlyAdmin):
    """Only the operator looks at these."""

    tenant_lookup = ""

    def may_see(self, actor: Any) -> bool:
        """The operator."""
        return bool(actor.is_operator)


class FailedFilter(admin.SimpleListFilter):
    """Runs that failed."""

    title = _("result")
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Two answers."""
        return [("yes", _("failed")), ("no", _("went through"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """By the error text."""
        if self.value() == "yes":
            return queryset.exclude(error="")
        return queryset.filter(error="") if self.value() == "no" else queryset


class WordFilter(admin.SimpleListFilter):
    """By a column of known words, in words for people. The table is not asked which of them it holds."""

    column = ""
    words: ClassVar[Mapping[str, Any]] = {}

    def codes(self, model_admin: Any) -> Mapping[str, Any]:
        """Stored word → word for people."""
        return self.words

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """In the order of the alphabet; stored words that people call the same are one choice."""
        codes: dict[str, list[str]] = {}
        for code, word in self.codes(model_admin).items():
            codes.setdefault(str(word), []).append(code)
        return [(",".join(codes[word]), word) for word in sorted(codes, key=str.casefold)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Any of the stored words."""
        chosen = self.value()
        return queryset.filter(**{f"{self.column}__in": chosen.split(",")}) if chosen else queryset


class VerbFilter(WordFilter):
    """What was done."""

    title = _("action")
    parameter_name = column = "verb"
    words = VERBS


class DoorFilter(WordFilter):
    """Through which door."""

    title = _("door")
    parameter_name = column = "door"
    words = DOORS


class NounFilter(WordFilter):
    """To what: the nouns of the back office, and accounts."""

    title = _("of what")
    parameter_name = column = "object_type"

    def codes(self, model_admin: Any) -> Mapping[str, Any]:
        """See the class."""
        nouns = {*model_admin.admin_site._registry, get_user_model()}
        return {model._meta.label_lower: model._meta.verbose_name for model in nouns}


class JobRunAdmin(OfOperator, LogAdmin):
    """What the scheduler ran, and what became of it."""

    list_display = ("name", "started_at", "seconds", "result", "summary")
    list_filter = (FailedFilter, "name", ("started_at", PeriodFilter))
    ordering = ("-id",)
    fields = ("name", "started_at", "ended_at", "counts", "error")

    @display(description=_("seconds"))
    def seconds(self, run: JobRun) -> str:
        """How long it took."""
        return f"{(run.ended_at - run.started_at).total_seconds():.1f}" if run.ended_at else "–"

    @display(description=_("result"), label={"failed": "danger", "done": "success", "running": "info"})
    def result(self, run: JobRun) -> tuple[str, Any]:
        """In one word."""
        if run.error:
            return "failed", _("failed")
        return ("done", _("done")) if run.ended_at else ("running", _("running"))

    @display(description=_("counted"))
    def summary(self, run: JobRun) -> str:
        """What it counted."""
        return ", ".join(f"{name}: {count}" for name, count in run.counts.items() if count) or "–"


class AuditEntryAdmin(LogAdmin):
    """Who changed what, when and from where."""

    list_display = ("at", "who", "what", "noun", "object_id", "through", "ip")
    list_filter = (VerbFilter, DoorFilter, NounFilter, PersonFilter, ("at", PeriodFilter))
    search_fields = ("object_id", "request_id")
    search_help_text = _("Number of the object, or id of the request")
    ordering = ("-id",)
    date_hierarchy = None
    fields = ("at", "who", "what", "noun", "object_id", "through", "ip", "request_id", "values")

    def may_see(self, actor: Any) -> bool:
        """Tenant administrators and the operator."""
        return bool(actor.is_operator or actor.admin_tenants)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With the names of the people, and whether they are erased: the numbers are no references, so they are looked up
        beside."""
        people = get_user_model()._default_manager.filter(pk=models.OuterRef("user_id"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                person=models.Subquery(
                    people.values(
                        name=models.functions.Trim(
                            models.functions.Concat(
                                "first_name", models.Value(" "), "last_name", output_field=models.TextField()
                            )
                        )
                    )[:1]
                ),
                person_erased_at=models.Subquery(people.values("erased_at")[:1]),
            )
        )

    @display(description=_("who"))
    def who(self, entry: Any) -> str:
        """The person, or the system."""
        if entry.person_erased_at is not None:
            return gettext("Former user")
        return entry.person or (f"#{entry.user_id}" if entry.user_id else str(_("the system")))

    @display(description=_("action"), ordering="verb")
    def what(self, entry: AuditEntry) -> str:
        """The verb in words."""
        return verb_of(entry.verb)

    @display(description=_("of what"), ordering="object_type")
    def noun(self, entry: AuditEntry) -> str:
        """The noun in words."""
        try:
            return str(apps.get_model(entry.object_type)._meta.verbose_name)
        except (LookupError, ValueError):
            return entry.object_type

    @display(description=_("door"), ordering="door")
    def through(self, entry: AuditEntry) -> str:
        """The door in words."""
        return door_name(entry.door)

    @display(description=_("old and new values"))
    def values(self, entry: AuditEntry) -> Any:
        """Column by column."""
        try:
            model = apps.get_model(entry.object_type)
        except (LookupError, ValueError):
            return json.dumps(entry.changes, ensure_ascii=False, indent=1)
        changes = steps(model, [entry])[0].changes
        lines = format_html_join(
            "", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", ((c.label, c.old, c.new) for c in changes)
        )
        return format_html('<table class="q-facts"><tbody>{}</tbody></table>', lines)


class SystemLogAdmin(OfOperator, LogAdmin):
    """Errors of the installation."""

    list_display = ("created_at", "category", "action", "tenant")
    list_filter = ("category", PersonFilter, ("created_at", PeriodFilter))
    list_select_related = ("tenant",)
    ordering = ("-id",)
    fields = ("created_at", "category", "action", "tenant", "user", "stacktrace")


class UploadAdmin(OfOperator):
    """Bytes that arrive, and handles that wait."""

    list_display = ("created_at", "name", "user", "door", "progress", "attached_at", "expires_at")
    list_filter = (DoorFilter, ("attached_at", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    ordering = ("-id",)
    fields = ("created_at", "name", "user", "door", "expected_size", "received", "attached_at", "expires_at")

    def seen_by(self, actor: Any) -> models.QuerySet[Any]:
        """Everybody's; in `visible_to` each sees only their own."""
        return Upload.objects.watched_by(actor)

    @display(description=_("received"))
    def progress(self, upload: Upload) -> str:
        """How much has arrived."""
        return f"{upload.received * 100 // max(upload.expected_size, 1)} %"
