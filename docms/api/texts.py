"""Texts of mails and text messages: of the tenant, of the house, and of single folders."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.response import Response

from core.errors import Invalid, NotFound
from docms import rules
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import NullableLineField, NullableTextField, text
from docms.models import Folder
from docms.services import texts
from docms.services.texts import Kind
from messaging.services import templates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest_framework.request import Request

    from messaging.services.texts import Texts

NOTIFICATION = "document_published"


class MailTemplateUpdate(serializers.Serializer):
    """Template content; with rest_bcc set, to_email is mandatory."""

    subject = NullableLineField(
        required=False, max_length=250, help_text="Subject for users of the tenant's primary language."
    )
    subject_en = NullableLineField(
        required=False, max_length=250, help_text="Subject for all other users, usually English."
    )
    body = NullableTextField(
        required=False, max_length=100000, help_text="HTML body for users of the tenant's primary language."
    )
    body_en = NullableTextField(
        required=False, max_length=100000, help_text="HTML body for all other users, usually English."
    )
    to_email = NullableLineField(
        required=False, max_length=254, help_text="Visible address placed in To when all recipients go to BCC."
    )
    rest_bcc = serializers.BooleanField(required=False, help_text="Put every recipient into BCC instead of To.")


class MailTemplate(serializers.Serializer):
    """A template as it is stored."""

    folder_id = serializers.IntegerField(
        allow_null=True, help_text="Folder the template belongs to; null for the tenant or built-in template."
    )
    subject = serializers.CharField(allow_null=True)
    subject_en = serializers.CharField(allow_null=True)
    body = serializers.CharField(allow_null=True)
    body_en = serializers.CharField(allow_null=True)
    to_email = serializers.CharField(allow_null=True)
    rest_bcc = serializers.BooleanField()


class SmsTemplateUpdate(serializers.Serializer):
    """The words of text messages."""

    message = NullableTextField(
        required=False, max_length=1000, help_text="Text for users of the tenant's primary language."
    )
    message_eng = NullableTextField(
        required=False, max_length=1000, help_text="Text for all other users, usually English."
    )


class SmsTemplate(serializers.Serializer):
    """The words as they are stored, and where."""

    folder_id = serializers.IntegerField(
        allow_null=True, help_text="Folder the template belongs to; null for the tenant template."
    )
    message = serializers.CharField(allow_null=True)
    message_eng = serializers.CharField(allow_null=True)
    type = serializers.ChoiceField(choices=("tenant", "folder"), help_text="Level the template is stored at.")


def mail_text(row: Texts, folder_id: int | None = None) -> dict[str, Any]:
    """A template of mails as the contract writes it."""
    return {
        "folder_id": folder_id,
        **{name: text(getattr(row, name)) for name in ("subject", "subject_en", "body", "body_en", "to_email")},
        "rest_bcc": row.rest_bcc,
    }


def sms_text(row: Texts, folder_id: int | None = None) -> dict[str, Any]:
    """A template of text messages as the contract writes it."""
    return {
        "folder_id": folder_id,
        "message": text(row.body),
        "message_eng": text(row.body_en),
        "type": "tenant" if folder_id is None else "folder",
    }


_SMS_COLUMNS = {"message": "body", "message_eng": "body_en"}


def _sms_columns(values: dict[str, Any]) -> dict[str, Any]:
    return {_SMS_COLUMNS[name]: value for name, value in values.items()}


@contextlib.contextmanager
def _sms_names() -> Iterator[None]:
    """What a service refused about a column names the field of the contract."""
    names = {column: name for name, column in _SMS_COLUMNS.items()}
    try:
        yield
    except Invalid as error:
        fields = {names.get(name, name): found for name, found in error.fields.items()}
        raise Invalid(error.message, code=error.code, fields=fields) from None


class _FolderText(DocmsView):
    """What belongs to one folder."""

    kind = ""

    def administered(self, folder_id: int) -> Folder:
        """A folder of the tenant, for administrators (DOCMS-185). Raises `Denied`, `NotFound`."""
        self.require_admin()
        return self.folder(folder_id)

    def own(self, folder: Folder) -> Texts:
        """The folder's own text. Raises `NotFound` when it has none."""
        row = texts.text_of(folder, self.kind)
        if row is None:
            raise NotFound
        return row


class TenantMailTemplate(DocmsView):
    """`/mail-templates`."""

    @operation(
        "getTenantMailTemplate", tag="Mail templates", summary="Read the tenant's notification template",
        description="Main template used where a folder has none.",
        gives=MailTemplate, refusals=(401, 403),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Administrators only (DOCMS-185)."""
        self.require_admin()
        return Response(mail_text(templates.tenant_text(self.tenant.pk, Kind.NOTIFICATION)))

    @operation(
        "updateTenantMailTemplate", tag="Mail templates", summary="Change the tenant's notification template",
        description="Empty fields fall back to the built-in template.",
        takes=MailTemplateUpdate, gives=MailTemplate, refusals=(400, 401, 403, 413),
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Administrators, super administrators while the settings are locked."""
        rules.require(rules.may_change_settings(self.actor, self.tenant.pk))
        changes = self.body(MailTemplateUpdate)
        return Response(
            mail_text(
                texts.change_tenant_text(actor=self.actor, tenant=self.tenant, kind=Kind.NOTIFICATION, changes=changes)
            )
        )


class DefaultMailTemplate(DocmsView):
    """`/mail-templates/default`."""

    @operation(
        "getDefaultMailTemplate", tag="Mail templates", summary="Read the built-in notification template",
        description="Template of the application, used where the tenant has none; the starting point for resetting.",
        gives=MailTemplate, refusals=(401, 403),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Administrators only (DOCMS-185)."""
        self.require_admin()
        return Response(mail_text(templates.starting_point(NOTIFICATION, self.tenant)))


class FolderMailTemplate(_FolderText):
    """`/folders/{folderId}/mail-template`."""

    kind = Kind.NOTIFICATION

    @operation(
        "getFolderMailTemplate", tag="Mail templates", summary="Read a folder's notification template",
        description="404 when the folder has none.",
        gives=MailTemplate, refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, folder_id: int) -> Response:
        """Administrators only (DOCMS-185)."""
        return Response(mail_text(self.own(self.administered(folder_id)), folder_id))

    @operation(
        "saveFolderMailTemplate", tag="Mail templates", summary="Store a folder's notification template",
        description="A folder has one template at most; storing again overwrites it.",
        takes=MailTemplateUpdate, gives=MailTemplate, refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def post(self, request: Request, folder_id: int) -> Response:
        """The former one is gone as a whole (DOCMS-185)."""
        folder = self.administered(folder_id)
        values = self.body(MailTemplateUpdate)
        row = texts.store_text(actor=self.actor, folder=folder, kind=self.kind, values=values)
        return Response(mail_text(row, folder_id))

    @operation(
        "deleteFolderMailTemplate", tag="Mail templates", summary="Delete a folder's notification template",
        description="The tenant template applies again.", refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, folder_id: int) -> Response:
        """Administrators only (DOCMS-185)."""
        texts.delete_text(actor=self.actor, folder=self.administered(folder_id), kind=self.kind)
        return Response()


class FolderShareMailTemplate(_FolderText):
    """`/folders/{folderId}/mail-template/share`."""

    kind = Kind.SHARE_MAIL

    @operation(
        "getFolderShareMailTemplate", tag="Mail templates", summary="Read the share mail that applies to a folder",
        description="Folder-specific text for shared documents, or the tenant's mail_file_share_* values when there "
        "is none.",
        gives=MailTemplate, refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, folder_id: int) -> Response:
        """Whoever may send mails from the folder."""
        folder = self.folder(folder_id)
        rules.require(rules.may_notify(self.actor, folder))
        return Response(self._applying(folder))

    @operation(
        "updateFolderShareMailTemplate", tag="Mail templates", summary="Change a folder's share mail",
        description="All-empty content removes the folder-specific text.",
        takes=MailTemplateUpdate, gives=MailTemplate, refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def put(self, request: Request, folder_id: int) -> Response:
        """Administrators only. Answers what applies now."""
        folder = self.administered(folder_id)
        changes = self.body(MailTemplateUpdate)
        texts.change_text(actor=self.actor, folder=folder, kind=self.kind, changes=changes)
        return Response(self._applying(folder))

    def _applying(self, folder: Folder) -> dict[str, Any]:
        row, is_own = texts.share_mail_of(folder)
        return mail_text(row, folder.pk if is_own else None)


class TenantSmsTemplate(DocmsView):
    """`/sms-templates`."""

    @operation(
        "getTenantSmsTemplate", tag="SMS templates", summary="Read the tenant's text-message template",
        description="Needed to show what can be changed.",
        gives=SmsTemplate, refusals=(401, 403),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Administrators only."""
        self.require_admin()
        return Response(sms_text(templates.tenant_text(self.tenant.pk, Kind.SHARE_SMS)))

    @operation(
        "updateTenantSmsTemplate", tag="SMS templates", summary="Change the tenant's text-message template",
        description="Same values as sms_file_share_template and sms_file_share_template_en of the tenant.",
        takes=SmsTemplateUpdate, gives=SmsTemplate, refusals=(400, 401, 403, 413),
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Administrators, super administrators while the settings are locked."""
        rules.require(rules.may_change_settings(self.actor, self.tenant.pk))
        changes = _sms_columns(self.body(SmsTemplateUpdate))
        with _sms_names():
            row = texts.change_tenant_text(actor=self.actor, tenant=self.tenant, kind=Kind.SHARE_SMS, changes=changes)
        return Response(sms_text(row))


class FolderSmsTemplate(_FolderText):
    """`/folders/{folderId}/sms-template`."""

    kind = Kind.SHARE_SMS

    @operation(
        "getFolderSmsTemplate", tag="SMS templates", summary="Read a folder's text-message template",
        description="404 when the folder has none.",
        gives=SmsTemplate, refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, folder_id: int) -> Response:
        """Administrators only."""
        return Response(sms_text(self.own(self.administered(folder_id)), folder_id))

    @operation(
        "updateFolderSmsTemplate", tag="SMS templates", summary="Store a folder's text-message template",
        description="One per folder; storing again overwrites it.",
        takes=SmsTemplateUpdate, gives=SmsTemplate, refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def put(self, request: Request, folder_id: int) -> Response:
        """The former one is gone as a whole."""
        folder = self.administered(folder_id)
        values = _sms_columns(self.body(SmsTemplateUpdate))
        with _sms_names():
            row = texts.store_text(actor=self.actor, folder=folder, kind=self.kind, values=values)
        return Response(sms_text(row, folder_id))

    @operation(
        "deleteFolderSmsTemplate", tag="SMS templates", summary="Delete a folder's text-message template",
        description="The tenant template applies again.", refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, folder_id: int) -> Response:
        """Administrators only."""
        texts.delete_text(actor=self.actor, folder=self.administered(folder_id), kind=self.kind)
        return Response()
