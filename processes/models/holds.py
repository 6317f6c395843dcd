"""What may not be deleted, whatever retention says: cases under a legal hold by name."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Row, TenantBound
from processes.querysets import ProcessHoldQuerySet


class ProcessHold(TenantBound, Row):
    """A legal hold covers this case. PROTECT: the database, too, refuses to delete what is held."""

    hold = models.ForeignKey("orgs.Hold", on_delete=models.PROTECT, related_name="process_holds", db_index=False)
    process = models.ForeignKey("processes.Process", on_delete=models.PROTECT, related_name="holds")

    objects = ProcessHoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("held case")
        verbose_name_plural = _("held cases")
        ordering = ("hold", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("hold", "process"),
                name="process_hold_once",
                violation_error_message=_("The hold covers this case already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.hold} · {self.process}"
