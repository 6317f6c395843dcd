"""The ticket."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import MutableRow, TenantBound, one_of
from tickets.models.types import Priority, SupportType
from tickets.querysets import TicketQuerySet


class TicketStatus(models.TextChoices):
    """The finest vocabulary; each door has a coarser one and maps both ways."""

    NEW = "new", _("new")
    REOPENED = "reopened", _("reopened")
    IN_PROGRESS = "in_progress", _("in progress")
    WAITING = "waiting", _("waiting")
    SOLVED = "solved", _("solved")
    CLOSED = "closed", _("closed")


DONE = (TicketStatus.SOLVED, TicketStatus.CLOSED)


class Ticket(TenantBound, MutableRow):
    """Something that was reported, and what became of it.

    ``number`` counts per community, ``identifier`` per tenant; deleted tickets keep both (TICKETS-027). The
    requester is the account of ``contact``; ``created_by`` is who filed it, or took it in for a ``stranger``, the
    address of a sender whom the register does not know. ``answers`` is a snapshot, so a change of the type alters no
    filed ticket. ``shared_with`` holds audience keys. ``updated_at`` is moved by
    services only (TICKETS-037, 039). ``response_due_at`` and ``due_at`` are worked out when it is filed and moved by
    the time it waited for its requester, which ``paused_seconds`` adds up; without a target they are null.
    ``reminded_at`` and ``escalated_at``: a missed target is told once each.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    community = models.ForeignKey(
        "orgs.Community", on_delete=models.PROTECT, related_name="tickets", db_index=False, verbose_name=_("community")
    )
    number = models.PositiveIntegerField(_("number"), editable=False)
    identifier = models.CharField(_("reference"), max_length=30, editable=False)
    ticket_type = models.ForeignKey(
        "tickets.TicketType",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="tickets",
        verbose_name=_("ticket type"),
    )
    support_type = models.CharField(
        _("support type"), max_length=40, choices=SupportType.choices, default=SupportType.OTHER
    )
    unit = models.ForeignKey(
        "orgs.Unit", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets", verbose_name=_("unit")
    )
    contact = models.ForeignKey(
        "orgs.Contact",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="tickets",
        db_index=False,
        verbose_name=_("requester"),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("filed by")
    )
    stranger = models.CharField(_("unknown sender"), max_length=254, blank=True, editable=False)
    assignee = models.ForeignKey(
        "orgs.Membership",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assigned_tickets",
        verbose_name=_("assignee"),
    )
    title = models.CharField(_("title"), max_length=250)
    description = models.TextField(_("description"), blank=True)
    answers = models.JSONField(_("answers"), default=list, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=TicketStatus.choices, default=TicketStatus.NEW)
    status_changed_at = models.DateTimeField(_("status changed at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    first_response_at = models.DateTimeField(_("first response"), null=True, blank=True)
    shared_with = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("shared with"))
    shared_at = models.DateTimeField(_("shared at"), null=True, blank=True)
    rating = models.PositiveSmallIntegerField(_("rating"), null=True, blank=True)
    rating_comment = models.TextField(_("comment on the rating"), max_length=2000, blank=True)
    rated_at = models.DateTimeField(_("rated at"), null=True, blank=True)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.NORMAL)
    due_at = models.DateTimeField(_("due at"), null=True, blank=True)
    response_due_at = models.DateTimeField(_("first response due at"), null=True, blank=True)
    paused_seconds = models.PositiveIntegerField(_("seconds of waiting"), default=0)
    reminded_at = models.DateTimeField(_("missed response told at"), null=True, blank=True)
    escalated_at = models.DateTimeField(_("missed solution told at"), null=True, blank=True)
    external_ref = models.CharField(_("external reference"), max_length=100, blank=True)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged", verbose_name=_("merged into")
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children", verbose_name=_("belongs to")
    )
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("community", "number"), name="ticket_number_once"),
            models.UniqueConstraint(fields=("tenant", "identifier"), name="ticket_identifier_once"),
            models.CheckConstraint(
                condition=Q(status__in=["solved", "closed"], closed_at__isnull=False)
                | (~Q(status__in=["solved", "closed"]) & Q(closed_at=None)),
                name="ticket_closed_has_date",
            ),
            models.CheckConstraint(
                condition=Q(rating=None) | Q(status__in=["solved", "closed"]),
                name="ticket_rating_only_closed",
                violation_error_message=_("Only a closed ticket can be rated."),
            ),
            models.CheckConstraint(
                condition=Q(rating__gte=1, rating__lte=5),
                name="ticket_rating_range",
                violation_error_message=_("A rating lies between 1 and 5."),
            ),
            models.CheckConstraint(condition=Q(priority__gte=1, priority__lte=4), name="ticket_priority"),
            one_of("status", TicketStatus.values, "ticket_status"),
            one_of("support_type", SupportType.values, "ticket_support_type"),
        )
        indexes = (
            models.Index(
                fields=("community", "-created_at", "-id"), condition=Q(deleted_at=None), name="ticket_created"
            ),
            models.Index(
                fields=("community", "-updated_at", "-id"), condition=Q(deleted_at=None), name="ticket_updated"
            ),
            models.Index(fields=("contact",), condition=Q(deleted_at=None), name="ticket_contact"),
            models.Index(fields=("created_by",), condition=Q(deleted_at=None), name="ticket_created_by"),
            models.Index(fields=("tenant", "assignee", "status"), condition=Q(deleted_at=None), name="ticket_assigned"),
            GinIndex(fields=("shared_with",), condition=Q(deleted_at=None) & ~Q(shared_with=[]), name="ticket_shared"),
            models.Index(fields=("tenant", "closed_at"), condition=Q(closed_at__isnull=False), name="ticket_closed"),
            models.Index(
                fields=("response_due_at",),
                condition=Q(deleted_at=None, first_response_at=None, reminded_at=None, closed_at=None),
                name="ticket_response_due",
            ),
            models.Index(
                fields=("due_at",), condition=Q(deleted_at=None, escalated_at=None, closed_at=None), name="ticket_due"
            ),
            models.Index(fields=("tenant", "-id"), condition=Q(deleted_at=None, closed_at=None), name="ticket_open"),
        )

    def __str__(self) -> str:
        return f"{self.identifier} {self.title}"


class TicketIndex(models.Model):
    """What a ticket is found by. No policy and no rights of its own: read only as ``id IN (SELECT …)``."""

    ticket = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="index")
    community = models.ForeignKey("orgs.Community", on_delete=models.CASCADE, related_name="+")
    vector = SearchVectorField()

    class Meta:
        ordering = ("ticket",)
        indexes = (GinIndex(fields=("community", "vector"), name="ticket_index_words"),)

    def __str__(self) -> str:
        return str(self.ticket_id)
