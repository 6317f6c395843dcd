"""What operations leave behind: destruction records, numbers, job runs, waits and the system log."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import TENANT, Row, TenantBound, one_of
from core.querysets import DestructionQuerySet, JobRunQuerySet, SystemLogQuerySet


class DestructionRecord(TenantBound, Row):
    """What was deleted, why, by whom: append-only, without content, outlives the file (DOCMS-132)."""

    class Reason(models.TextChoices):
        MANUAL = "manual", _("by hand")
        FOLDER_DATE = "folder_date", _("date of the folder")
        FIRST_ACCESS = "first_access", _("days after first access")
        BIG_FILE = "big_file", _("big file")
        NEXT_DOWNLOAD = "next_download", _("after download")
        FOLDER_DELETED = "folder_deleted", _("folder deleted")
        RETENTION = "retention", _("retention period")
        ERASURE = "erasure", _("erasure of a person")

    kind = models.CharField(_("kind"), max_length=30)
    object_id = models.BigIntegerField(_("number"))
    folder_id = models.BigIntegerField(_("number of the folder"), null=True, blank=True)
    title = models.CharField(_("title"), max_length=250, blank=True)
    filename = models.CharField(_("file name"), max_length=255, blank=True)
    sha256 = models.BinaryField("SHA-256", max_length=32, null=True, blank=True)
    size = models.BigIntegerField(_("size in bytes"), null=True, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("account"),
    )
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    rule = models.JSONField(_("rule that applied"), default=dict, blank=True)

    objects = DestructionQuerySet.as_manager()

    class Meta:
        verbose_name = _("record of a deletion")
        verbose_name_plural = _("records of deletions")
        ordering = ("-id",)
        constraints = (
            one_of(
                "reason",
                [
                    "manual",
                    "folder_date",
                    "first_access",
                    "big_file",
                    "next_download",
                    "folder_deleted",
                    "retention",
                    "erasure",
                ],
                "destruction_reason",
            ),
        )
        indexes = (models.Index(fields=("tenant", "-id"), name="destruction_newest"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class NumberCounter(TenantBound):
    """The last number given out per tenant, kind and scope: gap-free, taken as late as possible."""

    kind = models.CharField(max_length=30)
    scope_id = models.BigIntegerField(default=0)
    last = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("tenant", "kind", "scope_id"), name="number_counter_once"),)

    def __str__(self) -> str:
        return f"{self.kind}/{self.scope_id}: {self.last}"


class JobRun(models.Model):
    """One run of a job: what it did, or why it failed. `/readyz` and the back office read the newest."""

    name = models.CharField(_("job"), max_length=60)
    started_at = models.DateTimeField(_("started at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    counts = models.JSONField(_("counted"), default=dict, blank=True)
    error = models.TextField(_("error"), blank=True)

    objects = JobRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")
        ordering = ("-id",)
        indexes = (models.Index(fields=("name", "-started_at"), name="job_run_newest"),)

    def __str__(self) -> str:
        return f"{self.name} {self.started_at:%Y-%m-%d %H:%M}"


class Throttle(models.Model):
    """Failures of one key (an account, an address, a share) at one door: see `core.services.throttle`."""

    scope = models.CharField(max_length=20)
    key_hash = models.BinaryField(max_length=32)
    policy = models.CharField(max_length=4, default="wait")
    failures = models.PositiveIntegerField(default=0)
    locks = models.PositiveIntegerField(default=0)
    last_failure_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("scope", "key_hash"), name="throttle_once"),
            one_of("policy", ["wait", "lock"], "throttle_policy"),
        )

    def __str__(self) -> str:
        return f"{self.scope}: {self.failures}"


class SystemLog(Row):
    """Errors of the installation and of its clients (DOCMS-166); only the operator reads them."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("account"),
    )
    tenant = models.ForeignKey(
        TENANT,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("tenant"),
    )
    category = models.CharField(_("kind"), max_length=50)
    action = models.CharField(_("what happened"), max_length=100)
    stacktrace = models.TextField(_("technical details"), max_length=20000, blank=True)

    objects = SystemLogQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry of the system log")
        verbose_name_plural = _("entries of the system log")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.category}: {self.action}"
