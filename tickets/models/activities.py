"""The stream of a ticket: what was said and what was changed, oldest first."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Blob, Row, TenantBound, one_of
from core.models.blobs import upload_handle
from tickets.querysets import TicketActivityQuerySet, TicketAttachmentQuerySet


class TicketActivity(TenantBound, Row):
    """One entry. Append-only: a trigger refuses every update but withdrawing it and noting a foreign reference.

    ``from_staff`` is fixed when written: who leaves the company later has still spoken for it. ``user`` null =
    written by an automatic responder, whose name is ``automatic_name``.
    """

    class Kind(models.TextChoices):
        CREATED = "ticketCreated", _("reported")
        COMMENT = "comment", _("comment")
        NOTE = "note", _("internal note")
        ASSIGNEE = "assigneeUpdated", _("assigned")
        STATUS = "statusUpdated", _("status changed")
        EVENT = "event", _("event")

    class Source(models.TextChoices):
        PORTAL = "portal", _("app")
        WEB = "web", _("portal")
        SUPPORT = "support", _("support interface")
        MAIL = "mail", _("e-mail")
        BACK_OFFICE = "back_office", _("back office")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="activities", db_index=False)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    from_staff = models.BooleanField(_("by the management"), default=False)
    text = models.TextField(_("text"), max_length=20000, blank=True)
    data = models.JSONField(default=dict, blank=True)
    automatic_name = models.CharField(max_length=100, blank=True)
    source = models.CharField(_("through"), max_length=12, choices=Source.choices)
    external_ref = models.CharField(_("external reference"), max_length=100, blank=True)
    message_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = TicketActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity of a ticket")
        verbose_name_plural = _("activities of tickets")
        ordering = ("ticket", "created_at", "id")
        constraints = (
            one_of(
                "kind",
                ["ticketCreated", "comment", "note", "assigneeUpdated", "statusUpdated", "event"],
                "ticket_activity_kind",
            ),
            one_of("source", ["portal", "web", "support", "mail", "back_office"], "ticket_activity_source"),
        )
        indexes = (models.Index(fields=("ticket", "created_at", "id"), name="ticket_activity_stream"),)

    def __str__(self) -> str:
        return f"{self.kind}: {self.text[:50]}"


class TicketAttachment(TenantBound, Row):
    """A file of a ticket. Those sent with the report belong to its `ticketCreated` entry, so all doors find them."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="attachments")
    activity = models.ForeignKey(
        TicketActivity, null=True, blank=True, on_delete=models.RESTRICT, related_name="attachments"
    )
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("file name"), max_length=255)
    title = models.CharField(_("title"), max_length=255, blank=True)
    position = models.PositiveIntegerField(_("order"), default=0)
    key = models.CharField(max_length=40, unique=True, default=upload_handle, editable=False)

    objects = TicketAttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ("ticket", "position", "id")

    def __str__(self) -> str:
        return self.name


class IdempotencyRecord(TenantBound, Row):
    """The first answer to an `Idempotency-Key`, kept for 24 hours (TICKETS-056, 057).

    ``credential`` names the credential with its kind, because access tokens and OAuth tokens both come here.
    """

    credential = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    body_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    response = models.JSONField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("credential", "key"), name="idempotency_record_once"),)
        indexes = (models.Index(fields=("created_at",), name="idempotency_record_age"),)

    def __str__(self) -> str:
        return self.key
