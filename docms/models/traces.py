"""What happened to a document: who read it, who touched it, to whom it was given, what keeps it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import MutableRow, Row, TenantBound, one_of
from docms.querysets import DocumentLogQuerySet, DocumentShareQuerySet, OfAdministrators, ReadMarkQuerySet
from orgs.languages import USER_LANGUAGES


class ReadMark(TenantBound, Row):
    """Which version a member has opened last; ``downloaded_at`` is the portal's ``downloaded``."""

    document = models.ForeignKey(
        "docms.Document",
        on_delete=models.CASCADE,
        related_name="read_marks",
        db_index=False,
        verbose_name=_("document"),
    )
    membership = models.ForeignKey(
        "orgs.Membership", on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )
    version_no = models.PositiveIntegerField(_("version"))
    first_at = models.DateTimeField(_("opened at"), default=timezone.now)
    downloaded_at = models.DateTimeField(_("downloaded at"), null=True, blank=True)

    objects = ReadMarkQuerySet.as_manager()

    class Meta:
        verbose_name = _("reader")
        verbose_name_plural = _("readers")
        ordering = ("document", "id")
        constraints = (models.UniqueConstraint(fields=("document", "membership"), name="read_mark_once"),)

    def __str__(self) -> str:
        return f"{self.document_id}: {self.membership_id}"


class DocumentLog(TenantBound, Row):
    """Who touched a document (docms `FileLog`). Append-only; plain numbers, because it outlives the document."""

    class Action(models.TextChoices):
        CREATE = "create", _("uploaded")
        READ = "read", _("read")
        DOWNLOAD = "download", _("downloaded")
        EDIT = "edit", _("changed")
        CHECK = "check", _("checked off")
        UNCHECK = "uncheck", _("check mark removed")
        LABEL = "label", _("labelled")
        NOTIFY = "notify", _("notification sent")
        SHARE = "share", _("shared")
        SHARE_ACCESS = "share_access", _("fetched by a recipient")
        DELETE = "delete", _("deleted")

    document_id = models.BigIntegerField(_("number of the document"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("account"),
    )
    action = models.CharField(_("action"), max_length=12, choices=Action.choices)
    label = models.CharField(_("label"), max_length=100, blank=True)
    share_id = models.BigIntegerField(_("share"), null=True, blank=True)

    objects = DocumentLogQuerySet.as_manager()

    class Meta:
        verbose_name = _("action on a document")
        verbose_name_plural = _("actions on documents")
        ordering = ("id",)
        constraints = (
            one_of(
                "action",
                [
                    "create",
                    "read",
                    "download",
                    "edit",
                    "check",
                    "uncheck",
                    "label",
                    "notify",
                    "share",
                    "share_access",
                    "delete",
                ],
                "document_log_action",
            ),
        )
        indexes = (
            models.Index(fields=("document_id", "id"), name="document_log_document"),
            models.Index(fields=("tenant", "user", "id"), name="document_log_user"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.document_id}"


class DocumentShare(TenantBound, MutableRow):
    """A document given to an outsider: the link by mail, the code by text message, only hashes here (DOCMS-160).

    ``revoked_at`` – somebody withdrew it, or five wrong codes did; ``ended_at`` – its time or the document's is over
    (DOCMS-161), noted by whoever finds out first; ``undelivered_at`` – the gateway did not take the code.
    """

    class State(models.TextChoices):
        """What `DocumentShareQuerySet.with_state` says of a share."""

        OPEN = "open", _("in force")
        UNDELIVERED = "undelivered", _("code did not arrive")
        OVER = "over", _("over")
        WITHDRAWN = "withdrawn", _("withdrawn")

    document = models.ForeignKey("docms.Document", on_delete=models.CASCADE, related_name="shares")
    name = models.CharField(_("recipient"), max_length=200)
    email = models.EmailField(_("e-mail address"), max_length=254, blank=True)
    mobile_number = models.CharField(_("mobile number"), max_length=40)
    locale = models.CharField(_("language"), max_length=2, choices=USER_LANGUAGES, default="de")
    expires_at = models.DateTimeField(_("expires at"))
    token_hash = models.BinaryField(max_length=32, unique=True)
    code_hash = models.BinaryField(max_length=32)
    failures = models.PositiveSmallIntegerField(_("wrong codes"), default=0)
    access_count = models.PositiveIntegerField(_("retrievals"), default=0)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    undelivered_at = models.DateTimeField(_("code did not arrive"), null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    message = models.ForeignKey("messaging.Message", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = DocumentShareQuerySet.as_manager()

    class Meta:
        verbose_name = _("share")
        verbose_name_plural = _("shares")
        ordering = ("-id",)
        constraints = (one_of("locale", [code for code, _name in USER_LANGUAGES], "document_share_locale"),)
        indexes = (
            models.Index(
                fields=("expires_at",), condition=models.Q(ended_at=None, revoked_at=None), name="document_share_open"
            ),
        )

    def __str__(self) -> str:
        return self.name


class DocumentHold(TenantBound, Row):
    """A legal hold covers this document. PROTECT: the database, too, refuses to delete what is held."""

    hold = models.ForeignKey("orgs.Hold", on_delete=models.PROTECT, related_name="document_holds", db_index=False)
    document = models.ForeignKey("docms.Document", on_delete=models.PROTECT, related_name="holds")

    objects = OfAdministrators.as_manager()

    class Meta:
        verbose_name = _("held document")
        verbose_name_plural = _("held documents")
        ordering = ("hold", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("hold", "document"),
                name="document_hold_once",
                violation_error_message=_("The hold covers this document already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.hold} · {self.document}"
