"""Files for comments: uploaded first, then named by their key, then fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.response import Response

from core.errors import DomainError, NotFound
from core.http import BoundedMultiPart
from core.services import uploads
from core.services.delivery import deliver
from orgs.services.installation import public_url
from tickets.api.auth import DOOR
from tickets.api.base import NETWORK_ID, SupportView, as_uuid, wrong
from tickets.api.errors import operation
from tickets.api.shapes import Attachment, attachment_shape
from tickets.models import Ticket, TicketAttachment
from tickets.services.attachments import ACCEPTED, LIMIT

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request


class UnsupportedKind(DomainError):
    """Not a kind of file that tickets take (conflict 14)."""

    status = 415
    code = "unsupported_media_type"


class AttachmentUpload(serializers.Serializer):
    """The form."""

    file = serializers.FileField(help_text="At most 25 MiB.")
    locationRef = serializers.UUIDField()


class AttachmentUploaded(serializers.Serializer):
    """The stored file."""

    attachment = Attachment()


class Attachments(SupportView):
    """`/support/attachments/v1`."""

    parser_classes = (BoundedMultiPart,)
    takes_bytes = True
    file_limit = LIMIT

    @operation(
        "uploadSupportAttachment", tag="Attachments", summary="Upload a file for a later comment",
        description="Answers with the key that a comment names.", takes={"multipart/form-data": AttachmentUpload},
        gives={201: OpenApiResponse(AttachmentUploaded, description="Stored, waiting to be used by a comment.")},
        parameters=(NETWORK_ID,), refusals=(400, 401, 403, 404, 413, 415),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Lives 24 hours unless a comment uses it (TICKETS-052)."""
        sent: Any = request.data  # a form
        file = request.FILES.get("file")
        if file is None:
            raise wrong("file", _("A file is needed."))
        if not isinstance(sent.get("locationRef"), str):
            raise wrong("locationRef", _("This field is required."))
        location = self.location(as_uuid(sent["locationRef"], "locationRef"))
        assert self.actor.user_id is not None
        assert request.auth is not None
        upload = uploads.receive(
            file, user_id=self.actor.user_id, tenant_id=self.network.pk, door=DOOR, name=file.name or "", limit=LIMIT,
            declared_mime=file.content_type or "", credential_id=request.auth.pk, community_id=location.pk,
        )  # fmt: skip
        if upload.blob is None or upload.blob.mime not in ACCEPTED:
            raise UnsupportedKind(_("This kind of file is not accepted."))
        return Response({"attachment": attachment_shape(upload, public_url())}, status=201)


class OneAttachment(SupportView):
    """`/support/attachments/v1/{key}`."""

    @operation(
        "downloadSupportAttachment", tag="Attachments", summary="Fetch an attachment",
        description="The `url` of an attachment points here.",
        gives={(200, "*/*"): OpenApiResponse(OpenApiTypes.BINARY, description="The file.")},
        parameters=(
            OpenApiParameter(
                "key", {"type": "string", "minLength": 20, "maxLength": 128, "pattern": "^[A-Za-z0-9_-]+$"},
                OpenApiParameter.PATH, description="Storage key.",
            ),
            NETWORK_ID,
        ),
        refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, key: str) -> HttpResponseBase:
        """For those who can read the ticket (TICKETS-051)."""
        mine = Ticket.objects.of_participants(self.actor).order_by().values("pk")
        seen = TicketAttachment.objects.visible_to(self.actor).filter(ticket__in=mine, key=key)
        file = seen.exclude(activity__kind="note").select_related("blob").first()
        if file is None:
            raise NotFound(_("There is no such attachment."))
        return deliver(file.blob, filename=file.name, inline=True, request=request._request)
