"""Documents: lists, upload, data, change, deletion, marks."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from core.api import flag
from core.errors import Invalid
from core.http import BoundedMultiPart
from docms import rules
from docms.api import content
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import IdField
from docms.api.file_rows import File, FileCreate, FileUpdate, columns_of, in_pieces, new, one, rows_of
from docms.api.folders import ALL
from docms.api.spooling import SpoolingJSONParser
from docms.models import Document
from docms.services import documents, marks
from docms.services.names import refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import StreamingHttpResponse
    from rest_framework.request import Request

    from docms.models import Folder


class FileMultipart(serializers.Serializer):
    """Streaming alternative to Base64, meant for big files."""

    metadata = FileUpdate(help_text="Document fields as JSON, without file_data.")
    content = serializers.FileField(help_text="Raw content.")


TAKES_NEW = {"application/json": FileCreate, "multipart/form-data": FileMultipart}
TAKES_CHANGE = {"application/json": FileUpdate, "multipart/form-data": FileMultipart}


class _FileWithContent(FileUpdate):
    """New document whose content is another part of the body."""

    folder_id = IdField(help_text="Folder holding the document.")
    filename = serializers.RegexField(r"^[^/\\\x00]+\Z", required=False, max_length=255, trim_whitespace=False)


def target_of(view: DocmsView, folder_id: int) -> tuple[Folder, rules.Flags]:
    """The folder that a body names, and the caller's flags there; what the caller does not see is 400 (DOCMS-047)."""
    found = rules.seen(view.actor, folder_id)
    if found is None:
        refuse_unknown("folder_id", [folder_id])
    assert found is not None
    found[0].tenant = view.tenant
    return found


@contextlib.contextmanager
def _period_named() -> Iterator[None]:
    """The refusal of a period by the database, as one of a field."""
    try:
        yield
    except ValidationError as error:
        if getattr(error, "code", "") != "document_period":
            raise
        raise Invalid.of("inactive_date", error.message) from None


class Files(DocmsView):
    """`/files`."""

    parser_classes = (SpoolingJSONParser, BoundedMultiPart)
    json_body_limit = content.JSON_LIMIT

    @property
    def takes_bytes(self) -> bool:  # type: ignore[override]
        """The body of an upload is received between two transactions."""
        return self.request.method == "POST"

    @operation(
        "listFiles", tag="Files", summary="List all visible documents",
        description="Documents in every folder the caller reaches through groups, without content.",
        gives=File(many=True), refusals=(400, 401), parameters=(ALL,),
    )  # fmt: skip
    def get(self, request: Request) -> Response | StreamingHttpResponse:
        """With ``all`` administrators get every document (DOCMS-187): there may be a hundred thousand."""
        found = Document.objects.visible_to(self.actor, all=flag(request, "all"))
        return in_pieces(self, found.order_by("sort_key", "id"))

    @operation(
        "uploadFile", tag="Files", summary="Upload a document",
        description="Stores a new document; the answer comes after the content is stored completely. Upload "
        "notifications are queued afterwards. Multipart is offered for content too large for Base64.",
        takes=TAKES_NEW, gives=File, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Rights are asked before the content is stored (DOCMS-110)."""
        fields, part = content.fields_and_content(request)
        if part is None:
            form: Any = FileCreate(data=fields)
        else:
            form = _FileWithContent(data={"filename": part.name, **fields})
        form.is_valid(raise_exception=True)
        values = form.validated_data
        place = documents.place_for(self.actor, values["folder_id"])
        if place is None:
            refuse_unknown("folder_id", [values["folder_id"]])
        assert place is not None
        place.folder.tenant = self.tenant
        rules.require(rules.may_upload(self.actor, place.folder, place.flags))
        blob = content.store(self, file_data=values.pop("file_data", None), content=part)
        if blob is None:
            raise serializers.ValidationError({"file_data": [_("The content is missing.")]})
        with _period_named():
            document = documents.publish(
                actor=self.actor,
                folder=place.folder,
                blob=blob,
                place=place,
                filename=values["filename"],
                label_name=values.get("label_name"),
                **columns_of(values),
            )
        return Response(new(self, document, place.flags))


class UnreadFiles(DocmsView):
    """`/files/unread`."""

    @operation(
        "listUnreadFiles", tag="Files", summary="List documents not read yet",
        description="Visible documents whose current version the caller has not opened.",
        gives=File(many=True), refusals=(401,),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Exactly those of the list that are unread (DOCMS-128)."""
        found = Document.objects.visible_to(self.actor).unread_by(self.membership.pk)
        return Response(rows_of(self, found.order_by("sort_key", "id")))


class FilesInFolder(DocmsView):
    """`/folders/{folderId}/files`."""

    @operation(
        "listFilesInFolder", tag="Files", summary="List documents of a folder",
        description="Documents directly in the folder, without content.",
        gives=File(many=True), refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, folder_id: int) -> Response:
        """Only an empty answer leaves open whether the folder is there for the caller."""
        rows = rows_of(self, Document.objects.in_folder(folder_id, self.actor).order_by("sort_key", "id"))
        if not rows:
            self.folder(folder_id)  # or 404
        return Response(rows)


class OneFile(DocmsView):
    """`/files/{fileId}`."""

    parser_classes = (SpoolingJSONParser, BoundedMultiPart)
    json_body_limit = content.JSON_LIMIT

    @property
    def takes_bytes(self) -> bool:  # type: ignore[override]
        """The body of a change may hold content."""
        return self.request.method == "PUT"

    @operation(
        "getFile", tag="Files", summary="Read document data",
        description="Data of one document, without content; does not count as access.",
        gives=File, refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, file_id: int) -> Response:
        """Whoever sees it."""
        return Response(one(self, self.document(file_id).pk))

    @operation(
        "updateFile", tag="Files", summary="Change a document",
        description="Changes data, and content when file_data is present, which starts a new version. Moving needs "
        "the same rights in the target folder.",
        takes=TAKES_CHANGE, gives=File, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def put(self, request: Request, file_id: int) -> Response:
        """Rights are asked before the content is stored (DOCMS-111)."""
        document = self.document(file_id)
        rules.require(rules.may_edit(self.actor, document))
        fields, part = content.fields_and_content(request)
        form = FileUpdate(data=fields)
        form.is_valid(raise_exception=True)
        values = form.validated_data
        changes = columns_of(values)
        changes |= {name: values[name] for name in ("label_name", "first_access", "filename") if name in values}
        if "folder_id" in values:
            changes["folder"], _flags = target_of(self, values["folder_id"])
        blob = content.store(self, file_data=values.get("file_data"), content=part)
        with _period_named():
            documents.change_document(actor=self.actor, document=document, changes=changes, blob=blob)
        return Response(one(self, file_id))

    @operation(
        "deleteFile", tag="Files", summary="Delete a document",
        description="Removes the document with all versions and content; refused with DELETION_LOCKED before the "
        "folder's allow_delete_files date.",
        refusals=(400, 401, 403, 404, 409),
    )  # fmt: skip
    def delete(self, request: Request, file_id: int) -> Response:
        """Administrators, and group administrators where the tenant lets them (DOCMS-083, 114)."""
        documents.delete_document(actor=self.actor, document=self.document(file_id))
        return Response()


class DoneStateOfFile(DocmsView):
    """`/files/{fileId}/done/{donestate}`."""

    @operation(
        "setDoneState", tag="Files", summary="Check a document off or clear the mark",
        description="Needs check marks switched on for the folder and for one of the caller's groups assigned to it.",
        refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def put(self, request: Request, file_id: int, donestate: str) -> Response:
        """Shared by everybody of the folder (DOCMS-129, 130)."""
        if donestate.lower() not in ("true", "false"):
            raise serializers.ValidationError({"donestate": [_("Must be true or false.")]})
        marks.set_done(document_id=file_id, actor=self.actor, done=donestate.lower() == "true")
        return Response()


class MarkRead(DocmsView):
    """`/files/{fileId}/mark-read`."""

    @operation(
        "markFileRead", tag="Files", summary="Mark a document as read",
        description="Sets the caller's read mark for the current version without delivering content, without a log "
        "entry and without counting as access.",
        refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def put(self, request: Request, file_id: int) -> Response:
        """Needs ``read`` in the folder."""
        marks.mark_read(document_id=file_id, actor=self.actor)
        return Response()
