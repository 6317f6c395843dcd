"""Stored bytes, and the handles under which bytes arrive."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import TENANT, MutableRow, one_of
from core.querysets import BlobQuerySet, UploadQuerySet


def upload_handle() -> str:
    """40 characters that nobody guesses: whoever names one has been given it."""
    return secrets.token_hex(20)


class Blob(MutableRow):
    """Bytes that are stored once per tenant and content; everything that shows a file points here.

    `storage_key` is random, so the object removed after the last reference went can never be a newer
    upload of equal content. ``tenant`` null = picture of an account or of the installation.
    """

    class Scan(models.TextChoices):
        PENDING = "pending", _("being checked")
        CLEAN = "clean", _("clean")
        INFECTED = "infected", _("infected")
        TOO_LARGE = "too_large", _("too large to be checked")
        SKIPPED = "skipped", _("not checked")

    HELD = (Scan.PENDING, Scan.INFECTED, Scan.TOO_LARGE)  # bytes in these states never leave

    class Preview(models.TextChoices):
        PENDING = "pending", _("being made")
        READY = "ready", _("ready")
        NONE = "none", _("no preview for this type")
        ENCRYPTED = "encrypted", _("protected by a password")
        BROKEN = "broken", _("the file is damaged")

    tenant = models.ForeignKey(
        TENANT, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    sha256 = models.BinaryField(max_length=32)
    size = models.BigIntegerField()
    mime = models.CharField(max_length=127)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    storage_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    scan = models.CharField(_("virus check"), max_length=10, choices=Scan.choices, default=Scan.SKIPPED)
    preview_state = models.CharField(max_length=10, choices=Preview.choices, default=Preview.PENDING)
    preview_key = models.UUIDField(null=True, blank=True, editable=False)
    verified_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)

    objects = BlobQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "sha256", "size"), nulls_distinct=False, name="blob_once_per_tenant"
            ),
            models.CheckConstraint(condition=models.Q(size__gte=0), name="blob_size"),
            one_of("scan", ["pending", "clean", "infected", "too_large", "skipped"], "blob_scan"),
            one_of("preview_state", ["pending", "ready", "none", "encrypted", "broken"], "blob_preview_state"),
        )
        indexes = (
            models.Index(fields=("created_at",), name="blob_created"),
            models.Index(fields=("updated_at", "id"), condition=models.Q(scan="pending"), name="blob_unscanned"),
        )

    def __str__(self) -> str:
        return f"{self.mime}, {self.size} B"


class Upload(MutableRow):
    """A handle that waits to be attached: a resumable upload, then a stored blob, then part of something."""

    handle = models.CharField(max_length=40, unique=True, default=upload_handle)
    tenant = models.ForeignKey(
        TENANT,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("tenant"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    credential = models.ForeignKey(
        "orgs.AccessToken", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    community = models.ForeignKey(
        "orgs.Community", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("community")
    )
    blob = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="uploads")
    expected_size = models.BigIntegerField(_("size in bytes"))
    received = models.BigIntegerField(_("received bytes"), default=0)
    parts = models.JSONField(default=list, blank=True)
    name = models.CharField(_("file name"), max_length=255)
    door = models.CharField(_("door"), max_length=20)
    attached_at = models.DateTimeField(_("attached at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"))

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("file upload")
        verbose_name_plural = _("file uploads")
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(received__gte=0, received__lte=models.F("expected_size")), name="upload_received"
            ),
        )
        indexes = (models.Index(fields=("expires_at",), condition=models.Q(attached_at=None), name="upload_waiting"),)

    def __str__(self) -> str:
        return self.name
