"""The tree of folders and what belongs to a folder."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from core.expressions import IsNotDistinct, LastOf
from core.models import MutableRow, Row, TenantBound, one_of
from docms.querysets import FolderLabelQuerySet, FolderMarkQuerySet, FolderQuerySet, OfAdministrators, OfTenant

COLOR = r"^#[0-9A-Fa-f]{6}$"
is_color = RegexValidator(COLOR, _("A colour is written as #RRGGBB."))


class Folder(TenantBound, MutableRow):
    """A folder. Access is given per folder (DOCMS-100) by `FolderAccess`; nothing is inherited but visibility.

    ``hidden_from`` is the earliest ``inactive_at`` of the folder and its ancestors, so that no read has to walk
    up the tree (DOCMS-103, 104). It, ``ancestors``, ``full_path_name`` and ``sort_key`` are derived by services.
    Community, unit and contact say where the portal shows the folder; without any it shows under each community.
    """

    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
        db_index=False,
        verbose_name=_("folder above"),
    )
    ancestors = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)
    name = models.CharField(_("name"), max_length=200)
    sort_key = models.CharField(max_length=200, editable=False, default="")
    full_path_name = models.CharField(_("path"), max_length=4000, editable=False, default="")
    show_check_mark = models.BooleanField(_("documents can be checked off"), default=False)
    inactive_at = models.DateTimeField(_("hidden from"), null=True, blank=True)
    hidden_from = models.DateTimeField(_("hidden from"), null=True, blank=True, editable=False)
    allow_delete_files = models.DateTimeField(_("protected until"), null=True, blank=True)
    auto_delete_files = models.BooleanField(_("empty it then"), default=False)
    file_delete_files = models.PositiveIntegerField(_("days kept after the first access"), default=0)
    mail_after_upload_enable = models.BooleanField(_("mail after each upload"), default=False)
    mail_after_upload_custom = models.BooleanField(_("only to chosen people"), default=False)
    mail_after_upload_users = models.ManyToManyField(
        "orgs.Membership", through="docms.FolderMailUser", related_name="+", blank=True, verbose_name=_("chosen people")
    )
    community = models.ForeignKey(
        "orgs.Community",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="folders",
        db_index=False,
        verbose_name=_("community"),
    )
    unit = models.ForeignKey(
        "orgs.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="folders", verbose_name=_("unit")
    )
    contact = models.ForeignKey(
        "orgs.Contact",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="folders",
        verbose_name=_("contact"),
    )

    objects = FolderQuerySet.as_manager()

    class Meta:
        verbose_name = _("folder")
        verbose_name_plural = _("folders")
        ordering = ("sort_key", "id")
        constraints = (
            models.UniqueConstraint(
                F("tenant"),
                F("parent"),
                Lower("name"),
                nulls_distinct=False,
                name="folder_name_once",
                violation_error_message=_("A folder of that name exists here."),
            ),
            models.CheckConstraint(
                condition=~Q(name__contains="/") & ~Q(name=""),
                name="folder_name_plain",
                violation_error_message=_("A folder needs a name without a slash."),
            ),
            models.CheckConstraint(
                condition=~Q(ancestors__contains=[F("id")]),
                name="folder_not_own_ancestor",
                violation_error_message=_("A folder cannot lie below itself."),
            ),
            models.CheckConstraint(
                condition=IsNotDistinct(F("parent_id"), LastOf(F("ancestors"))), name="folder_parent_is_last_ancestor"
            ),
            models.CheckConstraint(
                condition=Q(file_delete_files__lte=36500),
                name="folder_file_delete_files",
                violation_error_message=_("Documents are kept for 36500 days at most."),
            ),
        )
        indexes = (
            GinIndex(fields=("ancestors",), name="folder_ancestors"),
            models.Index(fields=("parent", "sort_key", "id"), name="folder_children"),
            models.Index(fields=("tenant", "community"), name="folder_community"),
            models.Index(fields=("allow_delete_files",), condition=Q(auto_delete_files=True), name="folder_emptying"),
        )

    def __str__(self) -> str:
        return self.full_path_name or self.name


class FolderTemplate(TenantBound, MutableRow):
    """Texts of one folder that replace the tenant's, field by field (DOCMS-147, 148)."""

    class Kind(models.TextChoices):
        NOTIFICATION = "notification", _("notification")
        SHARE_MAIL = "share_mail", _("mail about a shared document")
        SHARE_SMS = "share_sms", _("text message about a shared document")

    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="templates", db_index=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    body = models.TextField(_("text"), max_length=100000, blank=True)
    subject_en = models.CharField(_("subject (English)"), max_length=250, blank=True)
    body_en = models.TextField(_("text (English)"), max_length=100000, blank=True)
    to_email = models.EmailField(_("visible recipient"), max_length=254, blank=True)
    rest_bcc = models.BooleanField(_("everybody else in BCC"), default=False)

    objects = OfAdministrators.as_manager()

    class Meta:
        verbose_name = _("template of a folder")
        verbose_name_plural = _("templates of folders")
        ordering = ("folder", "kind", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("folder", "kind"),
                name="folder_template_once",
                violation_error_message=_("The folder has a text of this kind already."),
            ),
            models.CheckConstraint(
                condition=Q(rest_bcc=False) | ~Q(to_email=""),
                name="folder_template_bcc_needs_to",
                violation_error_message=_("With everybody in BCC, a visible recipient is needed."),
            ),
            one_of("kind", ["notification", "share_mail", "share_sms"], "folder_template_kind"),
        )

    def __str__(self) -> str:
        return f"{self.folder}: {self.kind}"


class FolderLabel(TenantBound, MutableRow):
    """A label that documents of one folder may carry."""

    folder = models.ForeignKey(
        Folder, on_delete=models.CASCADE, related_name="labels", db_index=False, verbose_name=_("folder")
    )
    name = models.CharField(_("name"), max_length=100)
    color = models.CharField(_("colour"), max_length=7, validators=(is_color,))

    objects = FolderLabelQuerySet.as_manager()

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ("folder", "name", "id")
        constraints = (
            models.UniqueConstraint(
                F("folder"),
                Lower("name"),
                name="folder_label_once",
                violation_error_message=_("The folder has a label of that name already."),
            ),
            models.CheckConstraint(
                condition=Q(color__regex=COLOR),
                name="folder_label_color",
                violation_error_message=_("A colour is written as #RRGGBB."),
            ),
        )

    def __str__(self) -> str:
        return self.name


class LabelSuggestion(TenantBound, MutableRow):
    """A label the tenant suggests; folder labels made from it lead their own life."""

    name = models.CharField(_("name"), max_length=100)
    color = models.CharField(_("colour"), max_length=7, validators=(is_color,))

    objects = OfTenant.as_manager()

    class Meta:
        verbose_name = _("suggested label")
        verbose_name_plural = _("suggested labels")
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                F("tenant"),
                Lower("name"),
                name="label_suggestion_once",
                violation_error_message=_("There is a label of that name already."),
            ),
            models.CheckConstraint(
                condition=Q(color__regex=COLOR),
                name="label_suggestion_color",
                violation_error_message=_("A colour is written as #RRGGBB."),
            ),
        )

    def __str__(self) -> str:
        return self.name


class FolderMark(TenantBound, Row):
    """What a folder is to one member: a favourite, and when it was opened last (`last_folder_id`)."""

    membership = models.ForeignKey("orgs.Membership", on_delete=models.CASCADE, related_name="+", db_index=False)
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="marks")
    is_favourite = models.BooleanField(default=False)
    opened_at = models.DateTimeField(null=True, blank=True)

    objects = FolderMarkQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("membership", "folder"), name="folder_mark_once"),)

    def __str__(self) -> str:
        return f"{self.membership_id} · {self.folder_id}"
