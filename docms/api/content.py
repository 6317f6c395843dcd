"""Content in and out: Base64 in JSON, multipart, and raw bytes. Nothing is ever held in memory whole."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers

from core.api import plain_body
from core.errors import Denied, Invalid, NotFound
from core.http import AROUND, dumps, loads
from core.services import blobs, delivery
from core.services.wake import wake
from docms import rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

    from core.models import Blob
    from docms.api.spooling import SpooledContent

OCTETS = "application/octet-stream"
_CHUNK = 3 * 192 * 1024  # bytes; a multiple of three
JSON_LIMIT = settings.BASE64_LIMIT * 4 // 3 + AROUND


class FileData(serializers.Serializer):
    """Content in JSON."""

    filename = serializers.CharField(help_text="File name including extension.")
    data = serializers.CharField(help_text="Content as plain Base64.")  # type: ignore[assignment]


# --- In ---------------------------------------------------------------------------------------------------


def fields_and_content(request: Request) -> tuple[Any, UploadedFile | None]:
    """The document's fields, and the content when the body is multipart.

    Raises `ValidationError` for a multipart body without one of its two parts, `Invalid` for fields that are no object.
    """
    if not request.content_type.startswith("multipart/"):
        return plain_body(request), None
    content = request.FILES.get("content")
    metadata = cast("Any", request.data).get("metadata")
    missing = [name for name, part in (("metadata", metadata), ("content", content)) if part is None]
    if missing:
        raise exceptions.ValidationError({name: [_("This field is required.")] for name in missing})
    if isinstance(metadata, UploadedFile):
        metadata = metadata.read(AROUND).decode(errors="replace")
    if "\ufffd" in metadata:  # what Django and the line above make of broken bytes
        raise exceptions.ValidationError({"metadata": [_("The text is not UTF-8.")]})
    fields = loads(str(metadata).encode())
    if not isinstance(fields, dict):
        raise Invalid.of("metadata", _("The metadata must be a JSON object."))
    fields.pop("file_data", None)
    return fields, content


def store(view: Any, *, file_data: SpooledContent | None, content: UploadedFile | None) -> Blob | None:
    """Take the content in; none when there is none.

    Raises `TooLarge` above the limit of the form it came in (DOCMS-134), `Invalid` for what is no Base64
    (DOCMS-133) or empty, naming the field, `Denied` for a big file without licence (DOCMS-125).
    """
    tenant_id = view.tenant.pk
    if content is not None:
        size = content.size or 0
        if not rules.may_store_big(tenant_id, size):
            raise Denied(rules.may_store_big(tenant_id, size).reason, code="license_required")
        with _named("content"):
            return blobs.store(
                content, tenant_id=tenant_id, limit=settings.UPLOAD_LIMIT, declared_mime=content.content_type or ""
            )
    if file_data is None:
        return None
    if file_data.is_wrong:
        problem = _("Must be plain Base64 or a data URI with Base64.")
        raise exceptions.ValidationError({"file_data": [problem]})
    with _named("file_data"):
        return blobs.store(
            file_data.chunks(),
            tenant_id=tenant_id,
            limit=settings.BASE64_LIMIT,
            declared_mime=file_data.declared_mime,
        )


@contextlib.contextmanager
def _named(field: str) -> Iterator[None]:
    """What is wrong with the bytes is wrong with that field."""
    try:
        yield
    except Invalid as error:
        raise Invalid(error.message, code=error.code, fields={field: [str(error.message)]}) from None


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
