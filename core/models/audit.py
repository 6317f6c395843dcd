"""Who changed what, when and from where."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models.base import TENANT, Row
from core.querysets import AuditQuerySet


class AuditEntry(models.Model):
    """One write. Inserted in the business transaction with its digest; a sealer chains it afterwards.

    ``user_id`` and ``acting_for`` are plain numbers: the history must outlive what it speaks of.
    """

    tenant = models.ForeignKey(
        TENANT,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("tenant"),
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    user_id = models.BigIntegerField(_("account"), null=True, blank=True)
    acting_for = models.BigIntegerField(_("acting for"), null=True, blank=True)
    door = models.CharField(_("door"), max_length=20)
    ip = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    verb = models.CharField(_("action"), max_length=50)
    object_type = models.CharField(_("kind of object"), max_length=50)
    object_id = models.CharField(_("number of the object"), max_length=50)
    changes = models.JSONField(_("changes"), null=True, blank=True)
    salt = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=32)
    seq = models.BigIntegerField(null=True, blank=True, unique=True)
    chain = models.BinaryField(max_length=32, null=True, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ("id",)
        indexes = (
            models.Index(fields=("tenant", "object_type", "object_id", "id"), name="audit_object"),
            models.Index(fields=("tenant", "at"), name="audit_at"),
            models.Index(fields=("id",), condition=models.Q(seq=None), name="audit_unsealed"),
        )

    def __str__(self) -> str:
        return f"{self.verb} {self.object_type} {self.object_id}"


class AuditCheckpoint(Row):
    """The end of the chain on a day: exported with each backup, so that a cut tail is noticed."""

    day = models.DateField(unique=True)
    seq = models.BigIntegerField()
    chain = models.BinaryField(max_length=32)

    class Meta:
        ordering = ("day",)

    def __str__(self) -> str:
        return f"{self.day}: {self.seq}"
