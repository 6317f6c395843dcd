"""Documents given to somebody outside, and the door through which they fetch them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from rest_framework import serializers
from rest_framework.response import Response

from core.errors import NotFound
from docms import rules
from docms.api.base import DocmsView
from docms.api.delivery import GIVES, answer, limit_of
from docms.api.errors import operation
from docms.api.fields import LineField, LocaleField, MomentField, NullableTextField, moment, text
from docms.models import DocumentShare
from docms.services import shares

if TYPE_CHECKING:
    import zoneinfo

    from django.http.response import HttpResponseBase
    from rest_framework.request import Request


class ShareCreate(serializers.Serializer):
    """Outside recipient of one document: link and code travel on different channels."""

    name = LineField(max_length=200, help_text="Name of the recipient.")
    email = NullableTextField(required=False, max_length=254, help_text="Address the link is mailed to.")
    mobile_number = serializers.RegexField(
        shares.NUMBER, max_length=31, trim_whitespace=False, help_text="Number the code is sent to."
    )
    locale = LocaleField(required=False)
    expires = MomentField(
        required=False, allow_null=True, help_text="Moment the share ends; null uses the default of seven days."
    )


class Share(serializers.Serializer):
    """A share without its secrets."""

    share_id = serializers.IntegerField(help_text="Share id.")
    file_id = serializers.IntegerField(help_text="Document.")
    name = serializers.CharField(help_text="Recipient.")
    email = serializers.CharField(allow_null=True, help_text="Address.")
    mobile_number = serializers.CharField(help_text="Number, last three digits only.")
    expires = MomentField(help_text="End of the share.")
    access_count = serializers.IntegerField(help_text="Successful retrievals.")
    revoked = serializers.BooleanField(help_text="Withdrawn or blocked after failed attempts.")
    created = MomentField(help_text="Moment of creation.")


class ShareOpen(serializers.Serializer):
    """The code."""

    code = serializers.CharField(
        max_length=64, trim_whitespace=False, write_only=True, help_text="Code from the text message."
    )


def share_of(row: DocumentShare, zone: zoneinfo.ZoneInfo) -> dict[str, Any]:
    """A share as the contract writes it."""
    return {
        "share_id": row.pk,
        "file_id": row.document_id,
        "name": row.name,
        "email": text(row.email),
        "mobile_number": shares.masked(row.mobile_number),
        # One that ended before its time (the document was locked, say) expired then; nobody withdrew it (DOCMS-161).
        "expires": moment(min(row.expires_at, row.ended_at or row.expires_at), zone),
        "access_count": row.access_count,
        "revoked": row.revoked_at is not None,
        "created": moment(row.created_at, zone),
    }


class Shares(DocmsView):
    """`/files/{fileId}/shares`."""

    @operation(
        "createShare", tag="Shares", summary="Share a document with an outside recipient",
        description="Creates a link, mails it when an address is given (else to the caller, to be passed on) and sends "
        "the code by text message.",
        takes=ShareCreate, gives=Share, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def post(self, request: Request, file_id: int) -> Response:
        """Rights, licence and gateway are asked before the body is looked at (DOCMS-159)."""
        document = self.document(file_id)
        shares.require_sharing(self.actor, document)
        values = self.body(ShareCreate)
        row = shares.share(
            actor=self.actor,
            document=document,
            name=values["name"],
            mobile_number=values["mobile_number"],
            email=values.get("email", "").strip(),
            language=values.get("locale", ""),
            expires_at=values.get("expires"),
        )
        return Response(share_of(row, self.tenant.zone))

    @operation(
        "listShares", tag="Shares", summary="List shares of a document",
        description="Shares made by the caller; administrators and holders of edit see all.",
        gives=Share(many=True), refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, file_id: int) -> Response:
        """Whoever may send mails from the folder."""
        document = self.document(file_id)
        rules.require(rules.may_notify(self.actor, document.folder))
        found = DocumentShare.objects.visible_to(self.actor).filter(document=document).order_by("id")
        return Response([share_of(row, self.tenant.zone) for row in found])


class OneShare(DocmsView):
    """`/files/{fileId}/shares/{shareId}`."""

    @operation(
        "deleteShare", tag="Shares", summary="Withdraw a share",
        description="The link stops working at once.", refusals=(401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, file_id: int, share_id: int) -> Response:
        """Whoever made it, and administrators."""
        document = self.document(file_id)
        row = DocumentShare.objects.visible_to(self.actor).filter(document=document, pk=share_id).first()
        if row is None:
            raise NotFound
        shares.withdraw(actor=self.actor, row=row)
        return Response()


class OpenShare(DocmsView):
    """`/shares/{shareToken}`."""

    authentication_classes = ()
    keeps_refusals = True  # a wrong code is counted

    @operation(
        "openShare", tag="Shares", summary="Retrieve a shared document",
        description="Outside recipient presents link secret and code; counts and logs as download. Five wrong codes "
        "withdraw the share.",
        takes=ShareOpen, gives=GIVES, refusals=(400, 401, 404, 413),
    )  # fmt: skip
    def post(self, request: Request, share_token: str) -> HttpResponseBase:
        """Unknown, withdrawn and ended links are answered alike (DOCMS-160, 161)."""
        values = self.body(ShareOpen)
        row = shares.admit(token=share_token, code=values["code"])
        with transaction.atomic():
            _document, version, blob = shares.fetch(row, max_bytes=limit_of(request))
            return answer(request, version, blob)
