"""Questions and answers."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Blob, MutableRow, Row, TenantBound
from portal.querysets import FaqAttachmentQuerySet, FaqGroupQuerySet, FaqItemQuerySet


class FaqGroup(TenantBound, MutableRow):
    """A heading over answers; without a community it stands in all of the tenant's."""

    community = models.ForeignKey(
        "orgs.Community", null=True, blank=True, on_delete=models.PROTECT, related_name="faq_groups"
    )
    title = models.CharField(_("title"), max_length=250)
    position = models.PositiveIntegerField(_("order"), default=0)

    objects = FaqGroupQuerySet.as_manager()

    class Meta:
        verbose_name = _("group of answers")
        verbose_name_plural = _("groups of answers")
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.title


class FaqItem(TenantBound, MutableRow):
    """A question with its answer; without a community it stands in all of the tenant's."""

    community = models.ForeignKey(
        "orgs.Community", null=True, blank=True, on_delete=models.PROTECT, related_name="faq_items"
    )
    group = models.ForeignKey(
        FaqGroup, null=True, blank=True, on_delete=models.SET_NULL, related_name="items", verbose_name=_("group")
    )
    title = models.CharField(_("question"), max_length=250)
    text = models.TextField(_("answer"))
    keywords = models.CharField(_("search words"), max_length=500, blank=True)
    ticket_type = models.ForeignKey(
        "tickets.TicketType",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("ticket type offered when this did not help"),
    )
    position = models.PositiveIntegerField(_("order"), default=0)
    published = models.BooleanField(_("published"), default=True)

    objects = FaqItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.title


class FaqAttachment(TenantBound, Row):
    """A file of an answer."""

    item = models.ForeignKey(FaqItem, on_delete=models.CASCADE, related_name="attachments")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("file name"), max_length=255)
    position = models.PositiveIntegerField(_("order"), default=0)

    objects = FaqAttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ("item", "position", "id")

    def __str__(self) -> str:
        return self.name
