"""Earlier contents of documents, and what is left of deleted ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from core.api import whole
from core.errors import Denied
from core.models import DestructionRecord
from docms import rules
from docms.api.base import DocmsView
from docms.api.delivery import GIVES, answer, limit_of, proving
from docms.api.errors import operation
from docms.api.fields import MomentField, moment, text
from docms.services import delivery, documents

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

    from docms.models import Document

OFFSET = OpenApiParameter("offset", OpenApiTypes.INT, default=0, description="Entries to skip.")
LIMIT = OpenApiParameter("limit", OpenApiTypes.INT, default=50, description="Largest number of entries (1 to 500).")
# Reasons that this contract has no word for.
_REASONS = {"retention": "folder_date", "erasure": "manual"}


class FileVersion(serializers.Serializer):
    """Earlier or current content of a document."""

    version_no = serializers.IntegerField(help_text="Running number, starting at 1.")
    version = serializers.CharField(allow_null=True, help_text="Designation the uploader gave.")
    filename = serializers.CharField(help_text="File name at that time.")
    size_bytes = serializers.IntegerField(help_text="Size in bytes.")
    created = MomentField(help_text="Upload moment.")
    user_id = serializers.IntegerField(allow_null=True, help_text="Uploader.")
    current = serializers.BooleanField(help_text="True for the version in use.")


class DeletedFile(serializers.Serializer):
    """Entry of the deletion history."""

    file_id = serializers.IntegerField(help_text="Id the document had.")
    folder_id = serializers.IntegerField(allow_null=True, help_text="Folder it was in.")
    title = serializers.CharField(help_text="Title it had.")
    filename = serializers.CharField(help_text="File name it had.")
    user_id = serializers.IntegerField(allow_null=True, help_text="User who deleted it; null for automatic deletion.")
    reason = serializers.ChoiceField(
        ("manual", "folder_date", "first_access", "big_file", "next_download", "folder_deleted"),
        help_text="What caused the deletion.",
    )
    created = MomentField(help_text="Moment of deletion.")


def window(request: Request) -> slice:
    """Offset and limit of the query string."""
    offset = whole(request, "offset", default=0, least=0, most=2**31)
    return slice(offset, offset + whole(request, "limit", default=50, least=1, most=500))


def require_editor(view: DocmsView, document: Document) -> None:
    """``edit_own`` for one's own documents, ``edit`` for those of others. Raises `Denied`."""
    flags = rules.effective(view.actor, document.folder)
    if not (flags.edit_own if document.uploaded_by_id == view.actor.user_id else flags.edit):
        raise Denied(_("Earlier versions are for those who may change the document."))


class FileVersions(DocmsView):
    """`/files/{fileId}/versions`."""

    @operation(
        "listFileVersions", tag="Files", summary="List versions of a document",
        description="History of contents, newest first.",
        gives=FileVersion(many=True), refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, file_id: int) -> Response:
        """For those who may change the document."""
        document = self.document(file_id)
        require_editor(self, document)
        rows = documents.versions(document).order_by("-number")
        columns = ("id", "number", "label", "filename", "size_bytes", "created_at", "uploaded_by_id")
        return Response(
            [
                {
                    "version_no": row["number"],
                    "version": text(row["label"]),
                    "filename": row["filename"],
                    "size_bytes": row["size_bytes"],
                    "created": moment(row["created_at"], self.tenant.zone),
                    "user_id": row["uploaded_by_id"],
                    "current": row["id"] == document.current_id,
                }
                for row in rows.values(*columns)
            ]
        )


class DownloadVersion(DocmsView):
    """`/files/{fileId}/versions/{versionNo}/download`."""

    @operation(
        "downloadFileVersion", tag="Files", summary="Download an earlier version",
        description="Logged like a download; does not trigger deletion after download.",
        gives=GIVES, refusals=(401, 403, 404, 413),
    )  # fmt: skip
    def get(self, request: Request, file_id: int, version_no: int) -> HttpResponseBase:
        """Needs ``download``, and the right to change the document."""
        require_editor(self, self.document(file_id))
        _document, version, blob = delivery.open_version(
            document_id=file_id,
            number=version_no,
            actor=self.actor,
            request=proving(request),
            max_bytes=limit_of(request),
        )
        return answer(request, version, blob)


class DeletedFiles(DocmsView):
    """`/deleted-files`."""

    @operation(
        "listDeletedFiles", tag="Files", summary="History of deleted documents",
        description="Who or what deleted which document and when; content is gone.",
        gives=DeletedFile(many=True), refusals=(400, 401, 403), parameters=(OFFSET, LIMIT),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Newest first; administrators only (DOCMS-132)."""
        self.require_admin()
        rows = DestructionRecord.objects.visible_to(self.actor).filter(kind="document", tenant=self.tenant.pk)
        columns = ("object_id", "folder_id", "title", "filename", "user_id", "reason", "created_at")
        return Response(
            [
                {
                    "file_id": row["object_id"],
                    "folder_id": row["folder_id"],
                    "title": row["title"],
                    "filename": row["filename"],
                    "user_id": row["user_id"],
                    "reason": _REASONS.get(row["reason"], row["reason"]),
                    "created": moment(row["created_at"], self.tenant.zone),
                }
                for row in rows.order_by("-id").values(*columns)[window(request)]
            ]
        )
