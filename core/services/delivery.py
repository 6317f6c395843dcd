"""Hand stored bytes to a browser: streamed, resumable, and never run as part of our pages."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.conf import settings
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _

from core.errors import NotFound
from core.services.blobs import clean_filename, require_deliverable
from core.services.wake import wake
from core.storage import blob_name, preview_name, storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.models import Blob

log = logging.getLogger(__name__)

ACCEL_PREFIX = "/_stored/"  # the internal location of nginx whose alias is the storage folder
# Shown in the browser: what the contract's viewer shows, PDF, common pictures, plain text (DOCMS-117).
INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"})
# Chromium's PDF viewer does not start in a sandbox; a PDF runs no script of this origin anyway.
_POLICY_PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_RANGE = re.compile(r"^bytes=(\d{0,19})-(\d{0,19})$")


class _Window:
    """A file that ends after so many bytes: `FileResponse` and sendfile start where it stands."""

    def __init__(self, file: Any, length: int) -> None:
        self._file, self._left = file, length
        self.fileno, self.close = file.fileno, file.close

    def read(self, size: int = -1) -> bytes:
        chunk: bytes = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(chunk)
        return chunk

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(64 * 1024):
            yield chunk


def carries_nothing(blob: Blob, request: HttpRequest) -> bool:
    """Whether the answer to a request will hold none of the content: nothing has changed (304), or the range lies outside
    (416).
    """
    etag = f'"{bytes(blob.sha256).hex()}"'
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None and unchanged.status_code == 304:
        return True
    wish = _wish(request, etag, blob.size)
    return wish is not None and wish[0] is None


def send_whole(request: HttpRequest) -> None:
    """Answer this request with all of the content, whatever part it asks for: for what is there only once."""
    request.sends_whole = True  # type: ignore[attr-defined]


def deliver(blob: Blob, *, filename: str, inline: bool, request: HttpRequest) -> HttpResponseBase:
    """The answer that carries a blob's content. The caller has checked the rights.

    ``inline`` is honoured for pictures, PDF and plain text, everything else is saved. Answers 206 and 416 to a
    request for one range, 304 to ``If-None-Match``; several ranges get the whole file. With ``SENDFILE=x-accel``
    nginx sends the bytes.

    Raises what `require_deliverable` raises, `NotFound` (``file_missing``) when the object is lost: a worker then
    writes that down.
    """
    require_deliverable(blob)
    shown = inline and blob.mime in INLINE
    headers = {
        "Content-Type": f"{blob.mime}; charset=utf-8" if blob.mime == "text/plain" else blob.mime,
        "Content-Disposition": content_disposition_header(not shown, clean_filename(filename)) or "attachment",
        "Content-Security-Policy": _POLICY_PDF if shown and blob.mime == "application/pdf" else _POLICY,
        "Cache-Control": "private, no-store",
    }
    try:
        return _send(blob_name(blob.storage_key), bytes(blob.sha256).hex(), headers, request)
    except FileNotFoundError:
        log.error("the object of blob %s is missing", blob.pk)
        wake("core.mark_missing", blob.pk)
        raise NotFound(
            _("The content of this file is missing. The operator has been told."), code="file_missing"
        ) from None


def deliver_preview(blob: Blob, request: HttpRequest) -> HttpResponseBase:
    """The preview picture. Browsers may keep it but ask each time. Raises `NotFound` when there is none."""
    if blob.preview_key is None or blob.scan in blob.HELD:
        raise NotFound
    headers = {"Content-Type": "image/webp", "Content-Disposition": "inline", "Content-Security-Policy": _POLICY,
               "Cache-Control": "private, no-cache"}  # fmt: skip
    try:
        return _send(preview_name(blob.preview_key), blob.preview_key.hex, headers, request)
    except FileNotFoundError:
        raise NotFound from None


def _send(name: str, tag: str, headers: dict[str, str], request: HttpRequest) -> HttpResponseBase:
    """Raises `FileNotFoundError`."""
    etag = f'"{tag}"'
    headers = headers | {"ETag": etag, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
    size = storage().size(name)
    response: HttpResponseBase
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None and unchanged.status_code == 304:
        response = unchanged
        for header in ("ETag", "Cache-Control"):
            response.headers[header] = headers[header]
        return response
    whole = getattr(request, "sends_whole", False)
    if settings.SENDFILE == "x-accel" and storage().local_path(name) and not whole:  # nginx would look at the range
        return HttpResponse(headers=headers | {"X-Accel-Redirect": ACCEL_PREFIX + quote(name)})
    wish = None if whole else _wish(request, etag, size)
    start, end = wish or (0, size - 1)
    if start is None:
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    length = end - start + 1
    if wish:
        headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    headers["Content-Length"] = str(length)
    status = 206 if wish else 200
    if storage().local_path(name):
        file = storage().open(name)
        file.seek(start)
        response = FileResponse(_Window(file, length), status=status)
        for header, value in headers.items():
            response.headers[header] = value
        return response
    return StreamingHttpResponse(storage().stream(name, start, length), status=status, headers=headers)


def _wish(request: HttpRequest, etag: str, size: int) -> tuple[int | None, int] | None:
    """First and last byte a Range header asks for, (None, 0) when outside; None means send all."""
    match = _RANGE.match(request.headers.get("Range", "").strip())
    if match is None or request.method not in ("GET", "HEAD") or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = match.groups()
    if not first:
        if not last:
            return None
        return (max(0, size - int(last)), size - 1) if int(last) else (None, 0)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        return None, 0
    return int(first), min(int(last), size - 1) if last else size - 1
