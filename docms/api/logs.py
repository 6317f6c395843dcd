"""Logs: who touched a document, who signed in, which mails went out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from core import scope
from core.api import flag
from core.errors import Denied, NotFound
from docms import rules
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import MomentField, moment, text
from docms.models import DocumentLog
from messaging.models import Message
from orgs.models import SignInLog, User

if TYPE_CHECKING:
    from rest_framework.request import Request

ALL_TENANTS = OpenApiParameter(
    "all", OpenApiTypes.BOOL, default=False, description="Operator only: entries of every tenant."
)


class FileLog(serializers.Serializer):
    """An action on a document."""

    file_id = serializers.IntegerField(help_text="Document.")
    user_id = serializers.IntegerField(allow_null=True, help_text="Acting user; null for the system or an outsider.")
    action = serializers.ChoiceField(DocumentLog.Action.values)
    label = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="Label set by the action, for label entries."
    )
    created = MomentField(help_text="Moment of the action.")


class LoginLog(serializers.Serializer):
    """A sign-in event."""

    user_id = serializers.IntegerField(help_text="User.")
    tenant_id = serializers.IntegerField(allow_null=True, help_text="Tenant chosen; null before a choice.")
    app_id = serializers.IntegerField(allow_null=True, help_text="Application used; null for the built-in clients.")
    type = serializers.ChoiceField(SignInLog.Type.values)
    created = MomentField(help_text="Moment of the event.")


class MailLog(serializers.Serializer):
    """A mail that was sent."""

    user_id = serializers.IntegerField(allow_null=True, help_text="User who caused the mail; null for the system.")
    tenant_id = serializers.IntegerField(allow_null=True, help_text="Tenant; null for application-level mail.")
    subject = serializers.CharField(help_text="Subject as sent.")
    to_emails = serializers.CharField(help_text="To addresses, comma separated.")
    bcc_emails = serializers.CharField(help_text="BCC addresses, comma separated.")
    created = MomentField(help_text="Moment of sending.")


class MailErrorLog(MailLog):
    """A mail that could not be sent."""

    error_msg = serializers.CharField(help_text="Reason given by the mail system, without credentials.")


class FileLogs(DocmsView):
    """`/files/{fileId}/logs`."""

    @operation(
        "listFileLogs", tag="Logs", summary="List actions on a document",
        description="Oldest first. Uploaders always see the log of their own documents.",
        gives=FileLog(many=True), refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, file_id: int) -> Response:
        """Needs ``log``, except for the uploader (DOCMS-163)."""
        document = self.document(file_id)
        rules.require(rules.may_see_log(self.actor, document))
        rows = DocumentLog.objects.filter(document_id=document.pk, tenant=self.tenant.pk).order_by("id")
        return Response(
            [
                {
                    "file_id": file_id,
                    "user_id": row["user_id"],
                    "action": row["action"],
                    "label": text(row["label"]),
                    "created": moment(row["created_at"], self.tenant.zone),
                }
                for row in rows.values("user_id", "action", "label", "created_at")
            ]
        )


class LoginLogs(DocmsView):
    """`/users/{userId}/loginlogs`."""

    @operation(
        "listLoginLogs", tag="Logs", summary="List sign-in events of a user",
        description="Newest first; superadmins see events of the current tenant, the operator all events, users their "
        "own.",
        gives=LoginLog(many=True), refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, user_id: int) -> Response:
        """Whose they are, and what of them is visible (DOCMS-164)."""
        if user_id != self.actor.user_id and not self.is_super_admin:
            raise Denied(_("Only super administrators may do this."))
        if self.actor.is_operator:
            if not User.objects.filter(pk=user_id).exists():
                raise NotFound
        else:
            self.member(user_id)
        rows = SignInLog.objects.visible_to(self.actor).filter(user=user_id).order_by("-id")
        return Response(
            [
                {
                    "user_id": row["user_id"],
                    "tenant_id": row["tenant_id"],
                    "app_id": row["app_id"],
                    "type": row["type"],
                    "created": moment(row["created_at"], self.tenant.zone),
                }
                for row in rows.values("user_id", "tenant_id", "app_id", "type", "created_at")
            ]
        )


class _Mails(DocmsView):
    """Mails of the current tenant; ``all`` is the operator's (DOCMS-165)."""

    def rows(self, request: Request, found: Any, when: str, *more: str) -> list[dict[str, Any]]:
        """The rows, newest first."""
        self.require_admin()
        everything = flag(request, "all")
        if everything and not self.actor.is_operator:
            raise Denied(_("Only the operator may see the mails of every company."))
        found = found.filter(channel=Message.Channel.MAIL)
        if not everything:
            return self._written(found.filter(tenant=self.tenant.pk), when, *more)
        with scope.all_tenants():
            return self._written(found, when, *more)

    def _written(self, found: Any, when: str, *more: str) -> list[dict[str, Any]]:
        zone = self.tenant.zone
        columns = ("caused_by_id", "tenant_id", "subject", "to_emails", "bcc_emails", when, *more)
        return [
            {
                "user_id": row["caused_by_id"],
                "tenant_id": row["tenant_id"],
                "subject": row["subject"],
                "to_emails": ",".join(row["to_emails"]),
                "bcc_emails": ",".join(row["bcc_emails"]),
                "created": moment(row[when], zone),
                **{name: row[name] for name in more},
            }
            for row in found.values(*columns)
        ]


class MailLogs(_Mails):
    """`/maillogs`."""

    @operation(
        "listMailLogs", tag="Logs", summary="List sent mails", description="Newest first, for the current tenant.",
        gives=MailLog(many=True), refusals=(400, 401, 403), parameters=(ALL_TENANTS,),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """One row per physical mail."""
        found = Message.objects.visible_to(self.actor, all=self.actor.is_operator).sent()
        return Response(self.rows(request, found, "sent_at"))


class MailErrors(_Mails):
    """`/maillogs/errors`."""

    @operation(
        "listMailErrorLogs", tag="Logs", summary="List mails that could not be sent",
        description="Newest first, for the current tenant, including test mails.",
        gives=MailErrorLog(many=True), refusals=(400, 401, 403), parameters=(ALL_TENANTS,),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """With the reason."""
        found = Message.objects.visible_to(self.actor, all=self.actor.is_operator).with_errors()
        return Response(self.rows(request, found, "created_at", "error_msg"))
