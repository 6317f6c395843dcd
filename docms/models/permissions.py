"""What one member may do in one folder, and who is told of uploads there."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import MutableRow, Row, TenantBound
from docms.querysets import FolderPermissionQuerySet, OfAdministrators


class FolderPermission(TenantBound, MutableRow):
    """While ``active``, these flags alone decide for the pair (DOCMS-086); they open no folder (DOCMS-088)."""

    membership = models.ForeignKey("orgs.Membership", on_delete=models.CASCADE, related_name="+", db_index=False)
    folder = models.ForeignKey("docms.Folder", on_delete=models.CASCADE, related_name="permissions")
    active = models.BooleanField(_("active"), default=True)
    read = models.BooleanField(_("read"), default=False)
    download = models.BooleanField(_("download"), default=False)
    upload = models.BooleanField(_("upload"), default=False)
    edit = models.BooleanField(_("change documents"), default=False)
    edit_own = models.BooleanField(_("change own documents"), default=False)
    mail = models.BooleanField(_("send notifications"), default=False)
    log = models.BooleanField(_("see logs"), default=False)

    objects = FolderPermissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("permission in a folder")
        verbose_name_plural = _("permissions in folders")
        ordering = ("folder", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("membership", "folder"),
                name="folder_permission_once",
                violation_error_message=_("There are permissions for this person and folder already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.membership} · {self.folder}"


class FolderMailUser(TenantBound, Row):
    """One of the chosen people of a folder's general rule (DOCMS-142)."""

    folder = models.ForeignKey("docms.Folder", on_delete=models.CASCADE, related_name="+", db_index=False)
    membership = models.ForeignKey("orgs.Membership", on_delete=models.CASCADE, related_name="+")

    objects = OfAdministrators.as_manager()

    class Meta:
        ordering = ("folder", "id")
        constraints = (models.UniqueConstraint(fields=("folder", "membership"), name="folder_mail_user_once"),)

    def __str__(self) -> str:
        return f"{self.folder_id}: {self.membership_id}"


class MailRule(TenantBound, MutableRow):
    """A rule for what one member uploads into one folder; ``custom`` puts it in force (DOCMS-143)."""

    membership = models.ForeignKey("orgs.Membership", on_delete=models.CASCADE, related_name="+", db_index=False)
    folder = models.ForeignKey("docms.Folder", on_delete=models.CASCADE, related_name="mail_rules")
    custom = models.BooleanField(_("in force"), default=False)
    recipients = models.ManyToManyField(
        "orgs.Membership", through="docms.MailRuleRecipient", related_name="+", blank=True, verbose_name=_("recipients")
    )

    objects = OfAdministrators.as_manager()

    class Meta:
        verbose_name = _("rule for uploads")
        verbose_name_plural = _("rules for uploads")
        ordering = ("folder", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("membership", "folder"),
                name="mail_rule_once",
                violation_error_message=_("There is a rule for this person and folder already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.membership} · {self.folder}"


class MailRuleRecipient(TenantBound, Row):
    """Who is told by a rule."""

    rule = models.ForeignKey(MailRule, on_delete=models.CASCADE, related_name="+", db_index=False)
    membership = models.ForeignKey("orgs.Membership", on_delete=models.CASCADE, related_name="+")

    objects = OfAdministrators.as_manager()

    class Meta:
        ordering = ("rule", "id")
        constraints = (models.UniqueConstraint(fields=("rule", "membership"), name="mail_rule_recipient_once"),)

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.membership_id}"
