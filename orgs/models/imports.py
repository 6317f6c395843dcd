"""Imports of a register: what came, how far it is, what became of it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Blob, MutableRow, TenantBound, one_of
from orgs.querysets import ImportRunQuerySet


class ImportRun(TenantBound, MutableRow):
    """One import of a register: what came, how far it is, what became of it.

    ``stage``, ``rows_done`` and ``rows_total`` are written beside the import's own transaction, so that others see
    them; ``state`` becomes ``done`` inside it. ``report`` lists wrong cells as ``[row, column, message]``.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    class Failure(models.TextChoices):
        INTERRUPTED = "interrupted", _("The import was interrupted several times.")
        TOO_LONG = "too_long", _("The import took too long. Please split the file.")
        FILE_LOST = "file_lost", _("The uploaded file is not there any more. Please upload it again.")
        BLOCKED = "blocked", _("The file contains malware, or cannot be checked for it.")
        UNEXPECTED = "unexpected", _("An unexpected error. The log of the installation says more.")

    OPEN = (State.WAITING, State.RUNNING)

    file = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("file")
    )
    filename = models.CharField(_("file name"), max_length=255, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("uploaded by"),
    )
    mapping = models.JSONField(_("columns"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    failure = models.CharField(_("reason"), max_length=12, choices=Failure.choices, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    stage = models.CharField(_("step"), max_length=100, blank=True)
    rows_done = models.PositiveIntegerField(_("rows done"), default=0)
    rows_total = models.PositiveIntegerField(_("rows in total"), default=0)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    counts = models.JSONField(_("counted"), default=dict, blank=True)
    report = models.JSONField(_("errors"), default=list, blank=True)
    contacts_created = ArrayField(
        models.IntegerField(), default=list, blank=True, verbose_name=_("people who were created")
    )
    contacts_changed = ArrayField(
        models.IntegerField(), default=list, blank=True, verbose_name=_("people who were changed")
    )

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-id",)
        constraints = (
            one_of("state", ["waiting", "running", "done", "refused", "failed", "cancelled"], "import_run_state"),
            one_of(
                "failure", ["", "interrupted", "too_long", "file_lost", "blocked", "unexpected"], "import_run_failure"
            ),
        )
        indexes = (models.Index(fields=("id",), condition=Q(state__in=["waiting", "running"]), name="import_run_open"),)

    def __str__(self) -> str:
        return self.filename or f"{self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        """Whether something may still become of it."""
        return self.state in self.OPEN
