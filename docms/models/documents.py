"""Documents, their versions, and what they are found by."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import Blob, MutableRow, Row, TenantBound
from docms.querysets import DocumentQuerySet, DocumentVersionQuerySet


class Document(TenantBound, MutableRow):
    """The one row that every door shows. Deletion is physical (DOCMS-114); what stays is a destruction record.

    ``size_bytes``, ``mime`` and ``is_big`` are copied from ``current``; services derive ``sort_key`` from the title.
    ``claimed_at`` hides a document that a download has claimed for deletion (DOCMS-123). ``changed_at`` is not moved by
    access.
    """

    folder = models.ForeignKey(
        "docms.Folder", on_delete=models.PROTECT, related_name="documents", verbose_name=_("folder")
    )
    title = models.CharField(_("title"), max_length=250, blank=True)
    sort_key = models.CharField(max_length=200, blank=True, editable=False, default="")
    description = models.TextField(_("description"), max_length=4000, blank=True)
    version_label = models.CharField(_("version"), max_length=50, blank=True)
    filename = models.CharField(_("file name"), max_length=255)
    label = models.ForeignKey(
        "docms.FolderLabel",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="documents",
        verbose_name=_("label"),
    )
    current = models.ForeignKey(
        "docms.DocumentVersion",
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="+",
        editable=False,
        verbose_name=_("current version"),
    )
    size_bytes = models.BigIntegerField(_("size in bytes"), default=0, editable=False)
    mime = models.CharField(_("file type"), max_length=127, blank=True, editable=False)
    is_big = models.BooleanField(_("big file"), default=False, editable=False)
    allow_download = models.BooleanField(_("may be downloaded"), default=True)
    active_from = models.DateTimeField(_("visible from"), null=True, blank=True)
    active_until = models.DateTimeField(_("visible until"), null=True, blank=True)
    identifier = models.CharField(_("reference"), max_length=250, blank=True)
    internal_note = models.TextField(_("internal note"), max_length=4000, blank=True)
    delete_after_next_download = models.BooleanField(_("delete after the next download"), default=False)
    claimed_at = models.DateTimeField(_("claimed for deletion at"), null=True, blank=True, editable=False)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("claimed by"),
    )
    first_access = models.DateTimeField(_("first access"), null=True, blank=True)
    access_counter = models.PositiveIntegerField(_("accesses"), default=0)
    done = models.BooleanField(_("checked off"), default=False)
    done_at = models.DateTimeField(_("checked off at"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("checked off by"),
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    notified_at = models.DateTimeField(_("announced at"), null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(_("latest change"), default=timezone.now, editable=False)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ("sort_key", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(active_from__lt=F("active_until")),
                name="document_period",
                violation_error_message=_("A document cannot end before it begins."),
            ),
            models.CheckConstraint(condition=Q(size_bytes__gte=0), name="document_size"),
        )
        indexes = (
            models.Index(fields=("folder", "sort_key", "id"), condition=Q(claimed_at=None), name="document_titles"),
            models.Index(
                fields=("folder", "-created_at", "-id"),
                include=("active_from", "active_until", "uploaded_by"),
                condition=Q(claimed_at=None),
                name="document_newest",
            ),
            models.Index(fields=("tenant", "identifier"), condition=~Q(identifier=""), name="document_identifier"),
            models.Index(fields=("active_from",), condition=Q(notified_at=None), name="document_unannounced"),
            models.Index(
                fields=("first_access",), condition=Q(first_access__isnull=False), name="document_first_access"
            ),
            models.Index(fields=("created_at",), condition=Q(is_big=True), name="document_big"),
            models.Index(fields=("id",), condition=Q(claimed_at__isnull=False), name="document_claimed"),
        )

    def __str__(self) -> str:
        return self.title or self.filename


class DocumentVersion(TenantBound, Row):
    """One content of a document. ``Document.current`` names the one in use."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField(_("number"))
    label = models.CharField(_("version"), max_length=50, blank=True)
    filename = models.CharField(_("file name"), max_length=255)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    size_bytes = models.BigIntegerField()
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    objects = DocumentVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ("document", "number", "id")
        constraints = (
            models.UniqueConstraint(fields=("document", "number"), name="document_version_once"),
            models.CheckConstraint(condition=Q(number__gte=1, size_bytes__gte=0), name="document_version_numbers"),
        )

    def __str__(self) -> str:
        return f"{self.filename} ({self.number})"


class DocumentIndex(models.Model):
    """What a document is found by. No policy and no rights of its own: read only as ``id IN (SELECT …)``.

    Written with the document from its own data; a worker adds ``text``, the content, which is kept so that a
    new title needs no second reading of the file; ``pending`` until then. ``folder`` is a copy: the index is asked with the folders
    first, so a search costs what the caller's folders hold, not what the installation holds. ``title`` holds the
    words of title, file name and label, which mistyped ones are compared with; ``names`` is what hits are ranked by.
    """

    document = models.OneToOneField(Document, primary_key=True, on_delete=models.CASCADE, related_name="index")
    folder = models.ForeignKey("docms.Folder", on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=700, blank=True)
    text = models.TextField(blank=True)
    pending = models.BooleanField(default=False)
    vector = SearchVectorField()
    names = SearchVectorField()

    class Meta:
        ordering = ("document",)
        indexes = (
            GinIndex(fields=("folder", "vector"), name="document_index_words"),
            GinIndex(fields=("title",), name="document_index_titles", opclasses=("gin_trgm_ops",)),
            models.Index(fields=("document",), condition=models.Q(pending=True), name="document_index_pending"),
        )

    def __str__(self) -> str:
        return self.title
