"""What may not be deleted, whatever rule or person would: legal holds."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import MutableRow, TenantBound
from orgs.models.people import Contact
from orgs.models.places import Community, Unit
from orgs.querysets import HoldQuerySet


class Hold(TenantBound, MutableRow):
    """A legal hold: what it covers is not deleted. Files, tickets and cases hang on it from upstairs."""

    title = models.CharField(_("title"), max_length=200)
    reason = models.TextField(_("reason"), max_length=2000)
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="holds", verbose_name=_("person")
    )
    unit = models.ForeignKey(
        Unit, null=True, blank=True, on_delete=models.PROTECT, related_name="holds", verbose_name=_("unit")
    )
    community = models.ForeignKey(
        Community, null=True, blank=True, on_delete=models.PROTECT, related_name="holds", verbose_name=_("community")
    )
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("placed by")
    )
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("released by"),
    )
    release_reason = models.TextField(_("reason of the release"), max_length=2000, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(released_at=None, released_by=None) | Q(released_at__isnull=False),
                name="hold_release",
                violation_error_message=_("A hold that somebody released has a moment of release."),
            ),
        )

    def __str__(self) -> str:
        return self.title
