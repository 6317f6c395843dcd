"""Reading and downloading: each proves itself in the log, and streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes

from core.problems import Problem
from docms.api import content, errors
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.services import delivery

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.response import Response

    from core.models import Blob
    from docms.models import DocumentVersion

GIVES: dict[Any, Any] = {
    (200, "application/json"): content.FileData,
    (200, content.OCTETS): OpenApiTypes.BINARY,
}


def limit_of(request: Request) -> int | None:
    """Base64 has a limit, raw bytes have none (DOCMS-134)."""
    return None if content.wants_octets(request) else settings.BASE64_LIMIT


def answer(request: Request, version: DocumentVersion, blob: Blob) -> HttpResponseBase:
    """The content in the form the client asked for."""
    if not content.wants_octets(request):
        return content.in_json(blob, version.filename)
    response = content.octets(request._request, blob, version.filename)
    return _outside(request, response) if response.status_code == 416 else response


def _outside(request: Request, bare: HttpResponseBase) -> Response:
    """The answer to a range that lies outside: as every refusal of this door, with the length that there is (DOCMS-180)."""
    problem = Problem(416, "range_not_satisfiable", _("The document is shorter than the part that was asked for."))
    response = errors.answer(problem, request)
    for name in ("Accept-Ranges", "Content-Range", "ETag"):
        response[name] = bare[name]
    return response


class ReadFile(DocmsView):
    """`/files/{fileId}/read`."""

    @operation(
        "readFile", tag="Files", summary="View a document",
        description="Content for display inside the application. Writes a read entry to the log, counts as access and "
        "as first access.",
        gives=GIVES, refusals=(401, 403, 404, 413, 415),
    )  # fmt: skip
    def get(self, request: Request, file_id: int) -> HttpResponseBase:
        """Only types the viewer shows (DOCMS-116, 117)."""
        _document, version, blob = delivery.open_for_read(
            document_id=file_id, actor=self.actor, request=proving(request), max_bytes=limit_of(request)
        )
        return answer(request, version, blob)


class DownloadFile(DocmsView):
    """`/files/{fileId}/download`."""

    @operation(
        "downloadFile", tag="Files", summary="Download a document",
        description="Content for saving. Writes a download entry to the log, counts as access and as first access, and "
        "triggers deletion when delete_after_next_download is set.",
        gives=GIVES, refusals=(401, 403, 404, 413),
    )  # fmt: skip
    def get(self, request: Request, file_id: int) -> HttpResponseBase:
        """A locked document is locked for everybody (DOCMS-118)."""
        _document, version, blob = delivery.open_for_download(
            document_id=file_id, actor=self.actor, request=proving(request), max_bytes=limit_of(request)
        )
        return answer(request, version, blob)


def proving(request: Request) -> Any:
    """The request, for services that see whether it continues a transfer; JSON always comes whole and counts."""
    return request._request if content.wants_octets(request) or request.method == "HEAD" else None
