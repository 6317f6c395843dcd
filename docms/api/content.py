"""Content in and out: Base64 in JSON, multipart, and raw bytes. Nothing is ever held in memory twice."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers
from rest_framework.parsers import MultiPartParser

from core.errors import Denied, Invalid, NotFound, TooLarge
from core.http import dumps, loads
from core.services import blobs, delivery
from core.services.wake import wake
from docms import rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

    from core.models import Blob

OCTETS = "application/octet-stream"
_DATA_URI = re.compile(r"data:([^,;]{0,127})[^,]{0,200};base64,", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_PIECE = 4 * 192 * 1024  # characters; a multiple of four
_CHUNK = 3 * 192 * 1024  # bytes; a multiple of three
_AROUND = 1024 * 1024  # bytes of a body that are not content
JSON_LIMIT = settings.BASE64_LIMIT * 4 // 3 + _AROUND


class FileData(serializers.Serializer):
    """Content in JSON."""

    filename = serializers.CharField(help_text="File name including extension.")
    data = serializers.CharField(help_text="Content as plain Base64.")  # type: ignore[assignment]


# --- In ---------------------------------------------------------------------------------------------------


class BoundedMultiPart(MultiPartParser):
    """Multipart up to the size of an upload; big parts go to temporary files while they arrive."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises `TooLarge` by the announced length, before a byte is read."""
        length = str((parser_context or {})["request"].META.get("CONTENT_LENGTH") or "0")
        if length.isdigit() and int(length) > settings.UPLOAD_LIMIT + _AROUND:
            raise TooLarge
        return super().parse(stream, media_type, parser_context)


def fields_and_content(request: Request) -> tuple[Any, UploadedFile | None]:
    """The document's fields, and the content when the body is multipart. Raises `Invalid`."""
    if not request.content_type.startswith("multipart/"):
        return request.data, None
    content = request.FILES.get("content")
    metadata = cast("Any", request.data).get("metadata")
    if isinstance(metadata, UploadedFile):
        metadata = metadata.read(_AROUND).decode(errors="replace")
    fields = loads(str(metadata).encode()) if metadata else {}
    if not isinstance(fields, dict):
        raise Invalid(_("The metadata must be a JSON object."))
    fields.pop("file_data", None)
    return fields, content


def store(view: Any, *, file_data: str | None, content: UploadedFile | None) -> Blob | None:
    """Take the content in; none when there is none.

    Raises `TooLarge` above the limit of the form it came in (DOCMS-134), `Invalid` for what is no Base64
    (DOCMS-133) or empty, `Denied` for a big file without licence (DOCMS-125).
    """
    tenant_id = view.tenant.pk
    if content is not None:
        size = content.size or 0
        if not rules.may_store_big(tenant_id, size):
            raise Denied(rules.may_store_big(tenant_id, size).reason, code="license_required")
        return blobs.store(
            content, tenant_id=tenant_id, limit=settings.UPLOAD_LIMIT, declared_mime=content.content_type or ""
        )
    if file_data is None:
        return None
    start, declared = _plain_part(file_data)
    return blobs.store(
        _decoded(file_data, start), tenant_id=tenant_id, limit=settings.BASE64_LIMIT, declared_mime=declared
    )


def _plain_part(file_data: str) -> tuple[int, str]:
    """Where the Base64 begins and the type that a data URI declares. Raises `Invalid`, `TooLarge`."""
    uri = _DATA_URI.match(file_data)
    start = uri.end() if uri else 0
    length = len(file_data) - start
    if length % 4 or not _BASE64.fullmatch(file_data, start):
        problem = _("Must be plain Base64 or a data URI with Base64.")
        raise exceptions.ValidationError({"file_data": [problem]})
    if length // 4 * 3 - 2 > settings.BASE64_LIMIT:
        raise TooLarge
    return start, uri.group(1) if uri else ""


def _decoded(file_data: str, start: int) -> Iterator[bytes]:
    for index in range(start, len(file_data), _PIECE):
        yield base64.b64decode(file_data[index : index + _PIECE])


# --- Out --------------------------------------------------------------------------------------------------


def wants_octets(request: Request) -> bool:
    """Whether the client prefers raw bytes to JSON."""
    for media_range in request.headers.get("Accept", "").split(","):
        kind = media_range.partition(";")[0].strip().lower()
        if kind in (OCTETS, "application/json"):
            return kind == OCTETS
    return False


def octets(request: HttpRequest, blob: Blob, filename: str) -> HttpResponseBase:
    """The raw bytes, streamed, to be saved."""
    response = delivery.deliver(blob, filename=filename, inline=False, request=request)
    if response.status_code in (200, 206):
        response["Content-Type"] = OCTETS
    return response


def in_json(blob: Blob, filename: str) -> StreamingHttpResponse:
    """`FileData`, encoded while it is read. Raises `NotFound` when the bytes are lost."""
    try:
        file = blobs.open_blob(blob)
    except FileNotFoundError:
        wake("core.mark_missing", blob.pk)
        raise NotFound(
            _("The content of this file is missing. The operator has been told."), code="file_missing"
        ) from None
    head = b'{"filename":' + dumps(filename) + b',"data":"'
    response = StreamingHttpResponse(_encoded(head, file), content_type="application/json")
    response["Content-Length"] = str(len(head) + (blob.size + 2) // 3 * 4 + 2)
    return response


def _encoded(head: bytes, file: Any) -> Iterable[bytes]:
    with file:
        yield head
        while chunk := file.read(_CHUNK):
            yield base64.b64encode(chunk)
        yield b'"}'
