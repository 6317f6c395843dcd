"""Comments on tickets: written, and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.response import Response

from core.errors import Invalid, NotFound
from tickets.api.auth import DOOR
from tickets.api.base import NETWORK_ID, SOURCE, SupportView, as_uuid, in_envelope
from tickets.api.bodies import Part, TextField
from tickets.api.errors import operation
from tickets.api.repeats import IDEMPOTENCY_KEY, RepeatableView
from tickets.api.shapes import SHOWN, Shaper, TicketActivityShape
from tickets.models import TicketActivity
from tickets.services import attachments, comments

if TYPE_CHECKING:
    from rest_framework.request import Request


class AttachmentRef(Part):
    """A file that was uploaded before."""

    key = serializers.CharField(max_length=128)


class CommentCreate(Part):
    """A new comment: text, a file, or both (TICKETS-047)."""

    attachments = serializers.ListField(child=AttachmentRef(), required=False, min_length=1, max_length=1)
    text = TextField(required=False)
    ticketRef = serializers.UUIDField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """It says something."""
        if not attrs.get("text") and not attrs.get("attachments"):
            raise serializers.ValidationError({"text": [_("Please write something or attach a file.")]})
        return attrs


class CommentBody(Part):
    """The envelope."""

    activity = CommentCreate()


class CommentCreated(serializers.Serializer):
    """The recorded activity."""

    activity = TicketActivityShape()


class Comments(RepeatableView):
    """`/support/tickets/v1/comment`."""

    @operation(
        "createSupportTicketComment", tag="Support", summary="Comment on a ticket", takes=CommentBody,
        gives={201: OpenApiResponse(CommentCreated, description="The recorded activity.")},
        parameters=(NETWORK_ID, IDEMPOTENCY_KEY), refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """See `comments.add_comment` (TICKETS-047 … 050, 055)."""
        sent = self.body(CommentBody)["activity"]
        return self.once(request, lambda: self._comment(sent))

    def _comment(self, sent: dict[str, Any]) -> dict[str, Any]:
        ticket = self.ticket(sent["ticketRef"])
        files = attachments.Files([file["key"] for file in sent.get("attachments", ())], DOOR)
        try:
            said = comments.add_comment(
                actor=self.actor, ticket=ticket, text=sent.get("text", ""), files=files, source=SOURCE,
                reopens_closed=False,
            )  # fmt: skip
        except Invalid as error:
            if error.code == "invalid_upload":
                fields = {"activity.attachments[0].key": [str(error.message)]}
                raise Invalid(error.message, code=error.code, fields=fields) from error
            raise in_envelope(error, "activity") from error
        return {"activity": Shaper(self.actor, ticket.community).activities(ticket.uuid, [said.activity])[0]}


class OneComment(SupportView):
    """`/support/tickets/v1/comment/{id}`."""

    @operation(
        "deleteSupportTicketComment", tag="Support", summary="Delete a comment",
        description="Only activities of type `comment` can be deleted.",
        gives={204: OpenApiResponse(description="Deleted.")},
        parameters=(
            OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="Activity to delete."),
            NETWORK_ID,
        ),
        refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, id: str) -> Response:
        """See `comments.delete_comment` (TICKETS-053, 054)."""
        seen = TicketActivity.objects.visible_to(self.actor).filter(kind__in=SHOWN, uuid=as_uuid(id, "id"))
        entry = seen.select_related("ticket__community").first()
        if entry is None:
            raise NotFound(_("There is no such activity."))
        self.ticket(entry.ticket.uuid)  # a reader by sharing knows it from elsewhere only (conflict 10)
        comments.delete_comment(actor=self.actor, comment=entry)
        return Response(status=204)
