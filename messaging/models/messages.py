"""The outbox, which is the mail log and the error log as well: one row per physical mail or text message."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import TENANT, MutableRow, Row, one_of
from messaging.querysets import MessageQuerySet, MessageRecipientQuerySet
from orgs.languages import USER_LANGUAGES


class Message(MutableRow):
    """One mail or text message. Written in the business transaction, claimed by a worker after commit.

    ``message_id`` is fixed here, so that a repetition after a crash is the same mail. ``dedupe_key`` (event and
    part of the recipients) lets a repeated event write nothing. ``tenant`` null = sent by the installation.
    """

    class Channel(models.TextChoices):
        MAIL = "mail", _("e-mail")
        SMS = "sms", _("text message")

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        BOUNCED = "bounced", _("came back")
        CANCELLED = "cancelled", _("cancelled")

    tenant = models.ForeignKey(
        TENANT,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("tenant"),
    )
    channel = models.CharField(_("channel"), max_length=4, choices=Channel.choices, default=Channel.MAIL)
    kind = models.CharField(_("kind"), max_length=40)
    caused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("caused by"),
    )
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    body_html = models.TextField(_("text (HTML)"), blank=True)
    body_text = models.TextField(_("text"), blank=True)
    language = models.CharField(_("language"), max_length=2, choices=USER_LANGUAGES, blank=True)
    to_emails = ArrayField(
        models.EmailField(max_length=254), default=list, blank=True, verbose_name=_("visible recipients")
    )
    bcc_emails = ArrayField(
        models.EmailField(max_length=254), default=list, blank=True, verbose_name=_("recipients in BCC")
    )
    mobile_number = models.CharField(_("mobile number"), max_length=40, blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=255, unique=True)
    in_reply_to = models.CharField(_("answer to"), max_length=255, blank=True)
    reply_to = models.EmailField(_("reply address"), max_length=254, blank=True)
    reply_token_hash = models.BinaryField(max_length=32, null=True, blank=True, unique=True)
    dedupe_key = models.CharField(max_length=200, unique=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    not_before = models.DateTimeField(_("not before"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    error_msg = models.TextField(_("error"), blank=True)
    gateway_id = models.CharField(_("number at the gateway"), max_length=100, blank=True)
    app_config = models.BooleanField(_("through the mail server of the installation"), default=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("-id",)
        constraints = (
            one_of("channel", ["mail", "sms"], "message_channel"),
            one_of("state", ["queued", "sending", "sent", "failed", "bounced", "cancelled"], "message_state"),
            one_of("language", ["", *(code for code, _name in USER_LANGUAGES)], "message_language"),
        )
        indexes = (
            models.Index(fields=("not_before", "id"), condition=Q(state="queued"), name="message_claim"),
            models.Index(fields=("lease_until",), condition=Q(state="sending"), name="message_leased"),
            models.Index(fields=("tenant", "-sent_at"), name="message_log"),
            models.Index(fields=("tenant", "-id"), condition=~Q(error_msg=""), name="message_errors"),
        )

    def __str__(self) -> str:
        return self.subject or self.kind


class MessageRecipient(Row):
    """To whom a message went: the evidence that a paper was delivered.

    ``document_id`` is a plain number, because the evidence outlives the paper.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENT = "sent", _("sent")
        BOUNCED = "bounced", _("came back")
        SUPPRESSED = "suppressed", _("not sent")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="recipients")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    contact = models.ForeignKey("orgs.Contact", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    address = models.CharField(_("address"), max_length=254)
    document_id = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)

    objects = MessageRecipientQuerySet.as_manager()

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        ordering = ("message", "id")
        constraints = (one_of("state", ["queued", "sent", "bounced", "suppressed"], "message_recipient_state"),)
        indexes = (models.Index(fields=("document_id", "user"), name="message_recipient_document"),)

    def __str__(self) -> str:
        return self.address
