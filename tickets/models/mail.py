"""Mail that comes in: where it is fetched, and what became of each."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from core.models import MutableRow, Row, TenantBound, one_of
from tickets.querysets import DeskQuerySet


class Mailbox(TenantBound, MutableRow):
    """The one mailbox of a company whose mail becomes comments and tickets.

    ``address`` is what people write to; answers to a ticket's mails go to ``name+<signed>@…`` of it, so its server
    must take plus addresses. ``uid_validity`` and ``last_uid`` say how far the server's folder was read.
    """

    class Security(models.TextChoices):
        SSL = "ssl", _("TLS from the start")
        STARTTLS = "starttls", _("STARTTLS")
        NONE = "none", _("none")

    class Unknown(models.TextChoices):
        IGNORE = "ignore", _("is left unanswered")
        TICKET = "ticket", _("becomes a ticket")

    address = models.EmailField(_("e-mail address"), max_length=254)
    host = models.CharField(_("IMAP server"), max_length=200, blank=True)
    port = models.PositiveIntegerField(_("port"), default=993)
    security = models.CharField(_("security"), max_length=8, choices=Security.choices, default=Security.SSL)
    user_name = models.CharField(_("user name"), max_length=200, blank=True)
    password = EncryptedTextField(_("password"), blank=True)
    folder = models.CharField(_("folder"), max_length=200, default="INBOX")
    unknown_senders = models.CharField(
        _("mail of unknown senders"), max_length=8, choices=Unknown.choices, default=Unknown.IGNORE
    )
    community = models.ForeignKey(
        "orgs.Community",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("community of new tickets"),
        help_text=_("For mail of senders that live in no community, or in several."),
    )
    is_active = models.BooleanField(_("mail is fetched"), default=True)
    uid_validity = models.BigIntegerField(_("numbering of the server"), default=0, editable=False)
    last_uid = models.BigIntegerField(_("last mail that was read"), default=0, editable=False)
    checked_at = models.DateTimeField(_("last read at"), null=True, blank=True, editable=False)
    error = models.TextField(_("last error"), blank=True, editable=False)

    objects = DeskQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant",),
                name="mailbox_once",
                violation_error_message=_("The company has a mailbox already."),
            ),
            models.UniqueConstraint(
                models.functions.Lower("address"),
                name="mailbox_address_once",
                violation_error_message=_("This address belongs to another mailbox."),
            ),
            models.CheckConstraint(
                condition=~Q(unknown_senders="ticket") | Q(community__isnull=False),
                name="mailbox_community",
                violation_error_message=_("Say in which community mail of unknown senders becomes a ticket."),
            ),
            one_of("security", ["ssl", "starttls", "none"], "mailbox_security"),
            one_of("unknown_senders", ["ignore", "ticket"], "mailbox_unknown_senders"),
        )

    def __str__(self) -> str:
        return self.address


class InboundMail(TenantBound, Row):
    """What became of a mail that came in; each Message-ID is taken once (TICKETS-063)."""

    class Outcome(models.TextChoices):
        COMMENT = "comment", _("became a comment")
        TICKET = "ticket", _("became a ticket")
        IGNORED = "ignored", _("ignored")
        REFUSED = "refused", _("refused")

    message_id = models.CharField(_("Message-ID"), max_length=255)
    sender = models.CharField(_("sender"), max_length=254, blank=True)
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    outcome = models.CharField(_("what became of it"), max_length=10, choices=Outcome.choices)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    ticket = models.ForeignKey(
        "tickets.Ticket",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("ticket"),
    )

    objects = DeskQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail that came in")
        verbose_name_plural = _("mails that came in")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "message_id"), name="inbound_mail_once"),
            one_of("outcome", ["comment", "ticket", "ignored", "refused"], "inbound_mail_outcome"),
        )
        indexes = (models.Index(fields=("tenant", "-id"), name="inbound_mail_log"),)

    def __str__(self) -> str:
        return self.subject or self.message_id
