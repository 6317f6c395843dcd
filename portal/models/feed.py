"""What the portal tells people: notifications, the activities of a community, and where to push them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Row, TenantBound, one_of
from portal.querysets import ActivityQuerySet, NotificationQuerySet, PushSubscriptionQuerySet
from tickets.models import TicketStatus


class NotificationType(models.TextChoices):
    """The words of the portal contract."""

    TICKET_CREATED = "ticket_created", _("new ticket")
    TICKET_UPDATED = "ticket_updated", _("ticket changed")
    TICKET_COMMENT_CREATED = "ticket_comment_created", _("comment on a ticket")
    TICKET_SHARED = "ticket_shared", _("ticket shared")
    POST_CREATED = "post_created", _("new notice")
    POST_COMMENT_CREATED = "post_comment_created", _("comment on a notice")
    EVENT_CREATED = "event_created", _("new event")
    EVENT_UPDATED = "event_updated", _("event changed")
    EVENT_CANCELLED = "event_cancelled", _("event cancelled")
    DOCUMENT_CREATED = "document_created", _("new document")
    INVITE_ACCEPTED = "invite_accepted", _("invitation accepted")


class Notification(TenantBound, Row):
    """News for one person. ``cause`` names what happened, so one cause tells a person once (PORTAL-091).

    ``item_id`` and ``parent_item_id`` are plain numbers: the type says of what. ``ticket_status`` is the status
    at that moment.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications", db_index=False
    )
    community = models.ForeignKey("orgs.Community", on_delete=models.PROTECT, related_name="+")
    type = models.CharField(_("kind"), max_length=30, choices=NotificationType.choices)
    item_id = models.BigIntegerField()
    parent_item_id = models.BigIntegerField(null=True, blank=True)
    ticket_status = models.CharField(max_length=12, choices=TicketStatus.choices, blank=True)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    cause = models.UUIDField()

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("user", "cause"), name="notification_once"),
            one_of("type", NotificationType.values, "notification_type"),
            one_of("ticket_status", ["", *TicketStatus.values], "notification_ticket_status"),
        )
        indexes = (
            models.Index(fields=("user", "community", "-created_at", "-id"), name="notification_list"),
            models.Index(
                fields=("user", "community", "-created_at", "-id"),
                condition=Q(read_at=None),
                name="notification_unread",
            ),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.item_id}"


class Activity(TenantBound, Row):
    """What happened in a community. A projection: who changes an item's audience rewrites it here (PORTAL-094)."""

    class Action(models.TextChoices):
        CREATED = "created", _("created")
        UPDATED = "updated", _("updated")
        COMMENTED = "commented", _("commented")
        CLOSED = "closed", _("closed")
        SHARED = "shared", _("shared")
        JOINED = "joined", _("joined")

    class Category(models.TextChoices):
        TICKET = "ticket", _("ticket")
        POST = "post", _("notice")
        EVENT = "event", _("event")
        DOCUMENT = "document", _("document")
        FAQ = "faq", _("answer")
        MEMBER = "member", _("member")

    community = models.ForeignKey("orgs.Community", on_delete=models.PROTECT, related_name="+", db_index=False)
    action = models.CharField(_("action"), max_length=10, choices=Action.choices)
    category = models.CharField(_("category"), max_length=10, choices=Category.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    item_id = models.BigIntegerField(null=True, blank=True)
    title = models.CharField(_("title"), max_length=250, blank=True)
    audience = ArrayField(models.CharField(max_length=40))

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        ordering = ("-id",)
        constraints = (
            one_of("action", ["created", "updated", "commented", "closed", "shared", "joined"], "activity_action"),
            one_of("category", ["ticket", "post", "event", "document", "faq", "member"], "activity_category"),
        )
        indexes = (
            models.Index(fields=("community", "-id"), name="activity_newest"),
            models.Index(fields=("tenant", "category", "item_id"), name="activity_item"),
        )

    def __str__(self) -> str:
        return f"{self.category} {self.action}"


class PushSubscription(Row):
    """A browser that takes push messages of one person (Web Push: address and the two keys of the browser)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="push_subscriptions")
    endpoint = models.CharField(max_length=1000, unique=True)
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=50)
    browser = models.CharField(_("browser"), max_length=300, blank=True)

    objects = PushSubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("push subscription")
        verbose_name_plural = _("push subscriptions")
        ordering = ("id",)

    def __str__(self) -> str:
        return self.browser or str(self.pk)
