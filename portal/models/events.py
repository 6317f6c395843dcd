"""The calendar."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import MutableRow, TenantBound
from portal.querysets import EventQuerySet


class Event(TenantBound, MutableRow):
    """A date of a community. ``all_day`` events start at midnight in the tenant's zone (PORTAL-085)."""

    community = models.ForeignKey("orgs.Community", on_delete=models.PROTECT, related_name="events", db_index=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    title = models.CharField(_("title"), max_length=250)
    text = models.TextField(_("text"), blank=True)
    location = models.CharField(_("place"), max_length=250, blank=True)
    all_day = models.BooleanField(_("all day"), default=False)
    date_start = models.DateTimeField(_("begins"))
    date_end = models.DateTimeField(_("ends"), null=True, blank=True)
    audience = ArrayField(models.CharField(max_length=40), verbose_name=_("addressed to"))
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("date_start", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(date_start__lte=F("date_end")),
                name="event_period",
                violation_error_message=_("An event cannot end before it begins."),
            ),
            models.CheckConstraint(
                condition=~Q(audience=[]),
                name="event_addressed",
                violation_error_message=_("Say to whom this is addressed."),
            ),
        )
        indexes = (models.Index(fields=("community", "date_start"), name="event_calendar"),)

    def __str__(self) -> str:
        return self.title
