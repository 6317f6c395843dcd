"""The feed and the history of a case, and its documents."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import Blob, Row, TenantBound, one_of
from processes.models.visibility import circles_field, known_circles
from processes.querysets import ProcessActivityQuerySet, ProcessDocumentQuerySet


class ProcessDocument(TenantBound, Row):
    """A file of a case. It keeps its blob when the linked paper is deleted in docms (conflict 63)."""

    id = models.AutoField(primary_key=True)
    process = models.ForeignKey("processes.Process", on_delete=models.CASCADE, related_name="documents")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    document = models.ForeignKey("docms.Document", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(_("name"), max_length=255)
    visibility = circles_field(default=list, blank=True, verbose_name=_("shown to"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    changed_at = models.DateTimeField(_("latest change"), default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ProcessDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document of a case")
        verbose_name_plural = _("documents of cases")
        ordering = ("process", "id")
        constraints = (known_circles("visibility", "process_document_visibility"),)

    def __str__(self) -> str:
        return self.name


class ProcessActivity(TenantBound, Row):
    """One entry of the feed. A change is the history entry as well, with the same id (PROCESSES-057)."""

    class Kind(models.TextChoices):
        MESSAGE = "message", _("message")
        DOCUMENT = "document", _("document")
        CHANGE = "change", _("change")

    id = models.AutoField(primary_key=True)
    process = models.ForeignKey(
        "processes.Process", on_delete=models.CASCADE, related_name="activities", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    text = models.TextField(_("text"), max_length=100000, blank=True)
    document = models.ForeignKey(
        ProcessDocument, null=True, blank=True, on_delete=models.RESTRICT, related_name="activities"
    )
    property = models.CharField(_("property"), max_length=50, blank=True)
    old_value = models.TextField(_("old value"), null=True, blank=True)
    new_value = models.TextField(_("new value"), null=True, blank=True)
    visibility = circles_field(default=list, blank=True, verbose_name=_("shown to"))
    changed_at = models.DateTimeField(_("latest change"), default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ProcessActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry of the feed")
        verbose_name_plural = _("entries of the feed")
        ordering = ("process", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="document", document__isnull=False) | (~Q(kind="document") & Q(document=None)),
                name="process_activity_document",
            ),
            known_circles("visibility", "process_activity_visibility"),
            one_of("kind", ["message", "document", "change"], "process_activity_kind"),
        )
        indexes = (models.Index(fields=("process", "id"), name="process_activity_feed"),)

    def __str__(self) -> str:
        return self.text[:50] or self.property or self.kind
