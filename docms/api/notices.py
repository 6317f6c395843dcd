"""Who is told of documents: rules for uploads, and notifications sent by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.response import Response

from docms import rules
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import IdField, IdsField
from docms.api.files import target_of
from docms.models import Document, MailRule, MailRuleRecipient
from docms.services import notices, permissions
from docms.services.names import refuse_unknown
from orgs.models import Membership

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.request import Request


class MailAfterUpload(serializers.Serializer):
    """Notification rule for uploads of one user into one folder."""

    user_id = IdField(help_text="Uploading user the rule is set up for.")
    folder_id = IdField(help_text="Folder the rule applies to.")
    custom = serializers.BooleanField(
        help_text="True while this rule is in force; false keeps it stored but lets the folder's general rule apply."
    )
    recipients = IdsField(
        help_text="Users to notify; those without access to the folder are skipped when mail goes out."
    )


class Notification(serializers.Serializer):
    """Document and users."""

    file_id = IdField(help_text="Document to announce.")
    user_ids = IdsField(
        min_length=1,
        max_length=notices.MOST,
        help_text="Users to notify; each must have access to the document's folder.",
    )


def rules_of(found: Iterable[MailRule]) -> list[dict[str, Any]]:
    """Rules as the contract writes them, in two queries whatever their number."""
    listed = list(found)
    recipients: dict[int, list[int]] = {}
    pairs = MailRuleRecipient.objects.filter(rule__in=listed).order_by("membership__user_id")
    for rule_id, user_id in pairs.values_list("rule_id", "membership__user_id"):
        recipients.setdefault(rule_id, []).append(user_id)
    return [
        {
            "user_id": rule.membership.user_id,
            "folder_id": rule.folder_id,
            "custom": rule.custom,
            "recipients": recipients.get(rule.pk, []),
        }
        for rule in listed
    ]


class MailRules(DocmsView):
    """`/mail-after-upload`."""

    @operation(
        "saveMailAfterUpload", tag="Mail after upload", summary="Create an upload notification rule",
        description="Stores who is told when the given user uploads into the given folder; an existing rule for the "
        "pair is overwritten.",
        takes=MailAfterUpload, gives=MailAfterUpload, refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Administrators only; ids in a body that are not the tenant's are 400 (DOCMS-047)."""
        self.require_admin()
        values = self.body(MailAfterUpload)
        folder, _flags = target_of(self, values["folder_id"])
        if not Membership.objects.living().filter(organization=self.tenant.pk, user=values["user_id"]).exists():
            refuse_unknown("user_id", [values["user_id"]])
        rule = permissions.set_mail_rule(
            actor=self.actor,
            folder=folder,
            user_id=values["user_id"],
            custom=values["custom"],
            recipient_ids=values["recipients"],
        )
        return Response(rules_of(MailRule.objects.filter(pk=rule.pk).select_related("membership"))[0])


class OneMailRule(DocmsView):
    """`/mail-after-upload/{userId}/{folderId}`."""

    @operation(
        "deleteMailAfterUpload", tag="Mail after upload", summary="Delete an upload notification rule",
        description="The folder's general rule applies again.", refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, user_id: int, folder_id: int) -> Response:
        """Administrators only."""
        self.require_admin()
        permissions.delete_mail_rule(actor=self.actor, folder=self.folder(folder_id), user_id=user_id)
        return Response()


class MailRulesOfFolder(DocmsView):
    """`/folders/{folderId}/mail-after-upload`."""

    @operation(
        "listMailAfterUpload", tag="Mail after upload", summary="List upload notification rules of a folder",
        description="Needed to show and edit stored rules.",
        gives=MailAfterUpload(many=True), refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, folder_id: int) -> Response:
        """Administrators only."""
        self.require_admin()
        found = MailRule.objects.filter(folder=self.folder(folder_id)).select_related("membership")
        return Response(rules_of(found.order_by("membership__user_id")))


class Notifications(DocmsView):
    """`/notifications`."""

    @operation(
        "sendNotification", tag="Notifications", summary="Notify users about a document",
        description="Queues one mail per language to the users given. Every user must have access to the document's "
        "folder, otherwise nothing is sent and the answer is 401.",
        takes=Notification, gives=Notification, refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Needs ``mail`` in the folder; without ``rest_bcc`` everybody gets a mail of the own (DOCMS-146)."""
        values = self.body(Notification)
        document = (
            Document.objects.visible_to(self.actor, all=True)
            .select_related("folder__tenant", "current__blob")
            .filter(pk=values["file_id"])
            .first()
        )
        if document is None:
            refuse_unknown("file_id", [values["file_id"]])
        assert document is not None
        rules.require(rules.may_notify(self.actor, document.folder))
        notices.notify_by_hand(actor=self.actor, document=document, user_ids=values["user_ids"])
        return Response(values)
