"""Resumable uploads: the tus 1.0 protocol (core, creation, creation-with-upload, expiration, checksum, termination).

One view for every door that takes uploads from a signed-in browser. Bytes go from the request to the storage in
pieces; the transactions are only as long as the steps in the database.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import URLPattern, path
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views import View

from core import scope
from core.errors import DomainError, Invalid, TooLarge, WrongType
from core.logs import mask
from core.middleware import own_transactions
from core.outages import outage_of
from core.services import system_log, uploads
from core.storage import storage

if TYPE_CHECKING:
    from core.models import Upload

log = logging.getLogger(__name__)

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
PIECE = 128 * 1024 * 1024  # bytes after which progress is written down
OFFSET_TYPE = "application/offset+octet-stream"
CHECKSUMS: dict[str, Callable[[], Any]] = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}

# Says in which tenant the bytes will lie, from the request and the metadata of the upload; raises when it may not be.
TenantOf = Callable[[HttpRequest, dict[str, str]], int | None]


class ChecksumError(DomainError):
    """The bytes are not those the sender hashed."""

    status = 460
    code = "checksum_mismatch"


class TusView(View):
    """``POST`` on the folder creates, ``HEAD``, ``PATCH`` and ``DELETE`` work on one handle."""

    door = ""
    tenant_of: TenantOf = staticmethod(lambda request, metadata: None)
    limit: int | None = None  # bytes of a file; none: as many as the installation takes
    accepts: frozenset[str] = frozenset()  # media types; none: all

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Choose the operation and put every refusal into the words of the protocol."""
        method = request.method or ""
        if method == "POST":  # never for GET, which the CSRF check lets through
            method = request.headers.get("X-HTTP-Method-Override", method).upper()
        response: HttpResponseBase
        try:
            response = self._operate(method, request, **kwargs)
        except DomainError as error:
            if error.status >= 500:
                system_log.report(request, error)
            response = _refusal(error)
        except Exception as error:
            outage = outage_of(error)
            if outage is None:
                raise
            log.error("%s %s failed", method, mask(request.path), exc_info=error)
            system_log.report(request, error)
            response = _refusal(outage)
        response.headers["Tus-Resumable"] = VERSION
        response.headers["Cache-Control"] = "no-store"
        return response

    def _operate(self, method: str, request: HttpRequest, handle: str = "") -> HttpResponse:
        if method == "OPTIONS":
            return self._capabilities()
        if not request.user.is_authenticated:
            return _plain(401, "not_authenticated", _("Please sign in again."))
        if request.headers.get("Tus-Resumable") != VERSION:
            response = _plain(412, "unsupported_version", _("This server speaks tus 1.0.0."))
            response.headers["Tus-Version"] = VERSION
            return response
        if not handle:
            return self._create(request) if method == "POST" else _not_allowed("OPTIONS, POST")
        operation = {"HEAD": self._state, "PATCH": self._append, "DELETE": self._terminate}.get(method)
        return operation(request, handle) if operation else _not_allowed("OPTIONS, HEAD, PATCH, DELETE")

    def _capabilities(self) -> HttpResponse:
        return HttpResponse(
            status=204,
            headers={
                "Tus-Version": VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(self.limit or settings.UPLOAD_LIMIT),
                "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
            },
        )

    @contextmanager
    def _unit(self, request: HttpRequest, tenant_id: int | None = None) -> Iterator[None]:
        with scope.unit_of_work(
            door=self.door,
            user_id=_user_id(request),
            ip=request.client_ip,  # type: ignore[attr-defined]
            request_id=request.request_id,  # type: ignore[attr-defined]
            tenants=[tenant_id] if tenant_id else [],
        ):
            yield

    def _create(self, request: HttpRequest) -> HttpResponse:
        size = _number(request, "Upload-Length")
        metadata = _metadata(request.headers.get("Upload-Metadata", ""))
        with self._unit(request):
            tenant_id = self.tenant_of(request, metadata)
            scope.enter_tenants([tenant_id] if tenant_id else [])
            upload = uploads.create(
                user_id=_user_id(request),
                tenant_id=tenant_id,
                door=self.door,
                name=metadata.get("filename") or metadata.get("name") or "upload",
                size=size,
                limit=self.limit or settings.UPLOAD_LIMIT,
            )
        if request.content_type == OFFSET_TYPE:
            upload = self._take(request, upload, 0)
        response = self._answer(upload, 201)
        response.headers["Location"] = f"{request.path.rstrip('/')}/{upload.handle}"
        return response

    def _state(self, request: HttpRequest, handle: str) -> HttpResponse:
        with self._unit(request):
            upload = uploads.find(handle, user_id=_user_id(request), door=self.door)
        response = self._answer(upload, 200)
        response.headers["Upload-Length"] = str(upload.expected_size)
        name = base64.b64encode(upload.name.encode()).decode()
        response.headers["Upload-Metadata"] = f"filename {name}"
        return response

    def _append(self, request: HttpRequest, handle: str) -> HttpResponse:
        if request.content_type != OFFSET_TYPE:
            return _plain(415, "wrong_type", _("Pieces are sent as application/offset+octet-stream."))
        offset = _number(request, "Upload-Offset")
        with self._unit(request):
            upload = uploads.find(handle, user_id=_user_id(request), door=self.door)
        if offset != upload.received:
            return _plain(409, "wrong_offset", _("The upload stands at another offset."))
        return self._answer(self._take(request, upload, offset), 204)

    def _terminate(self, request: HttpRequest, handle: str) -> HttpResponse:
        with self._unit(request):
            uploads.terminate(uploads.find(handle, user_id=_user_id(request), door=self.door))
        return HttpResponse(status=204)

    def _take(self, request: HttpRequest, upload: Upload, offset: int) -> Upload:
        """Move the body into the upload, piece by piece; a body with a checksum counts as a whole or not at all."""
        try:
            left = int(request.headers.get("Content-Length", ""))
        except ValueError:
            raise Invalid(_("The length of the piece is missing."), code="length_required") from None
        if offset + left > upload.expected_size:
            raise TooLarge
        hashing, wanted = _checksum(request.headers.get("Upload-Checksum", ""))
        unit = partial(self._unit, request, upload.tenant_id)
        if hashing is None and storage().grows:
            return self._grow(request, upload, offset, left, unit)
        while True:
            piece, broken = uploads.read_piece(request, left if hashing else min(left, PIECE), hashing)
            if hashing and hashing.digest() != wanted:
                piece.discard()
                raise ChecksumError(_("The file was changed on its way."))
            left -= piece.size
            size = piece.size
            upload = uploads.append(upload, offset, piece, unit)
            offset += size
            if broken or left <= 0:
                break
        if upload.received == upload.expected_size and upload.blob_id is None:
            upload = self._finish(upload, unit)
        return upload

    def _grow(self, request: HttpRequest, upload: Upload, offset: int, left: int, unit: uploads.Unit) -> Upload:
        """The same where objects grow: the body becomes one piece, counted from time to time while it arrives.

        What arrives in one request from the first to the last byte is written and hashed once.
        """
        digest = None if offset else hashlib.sha256()
        key, piece = uuid.uuid4().hex, storage().begin()
        try:
            while left > 0:
                before = piece.size
                broken = uploads.read_more(request, piece, min(left, PIECE), digest)
                left -= piece.size - before
                if piece.size > before:
                    upload = uploads.count_in(upload, offset, piece, key, unit)
                if broken:
                    break
        finally:
            piece.discard()
        if upload.received == upload.expected_size and upload.blob_id is None:
            upload = self._finish(upload, unit, sha256=digest.digest() if digest else b"")
        return upload

    def _finish(self, upload: Upload, unit: uploads.Unit, sha256: bytes = b"") -> Upload:
        """Make it a blob. Of a type this door does not take nothing stays, and `WrongType` is raised (conflict 14)."""
        upload = uploads.finish(upload, unit, sha256=sha256)
        if not self.accepts:
            return upload
        with unit():
            accepted = upload.blob is not None and upload.blob.mime in self.accepts
            if not accepted:
                uploads.terminate(upload)
        if not accepted:
            raise WrongType
        return upload

    def _answer(self, upload: Upload, status: int) -> HttpResponse:
        headers = {"Upload-Offset": str(upload.received), "Upload-Expires": http_date(upload.expires_at.timestamp())}
        return HttpResponse(status=status, headers=headers)


def urls(
    door: str,
    tenant_of: TenantOf,
    name: str = "uploads",
    *,
    limit: int | None = None,
    accepts: frozenset[str] = frozenset(),
) -> list[URLPattern]:
    """The routes of one door, to be included under a prefix that ends with a slash; ``limit`` bytes and types it takes."""
    view = own_transactions(TusView.as_view(door=door, tenant_of=tenant_of, limit=limit, accepts=accepts))
    return [path("", view, name=name), path("<str:handle>", view, name=f"{name}-handle")]


def _user_id(request: HttpRequest) -> int:
    """The signed-in person; `dispatch` let nobody else in."""
    return int(request.user.pk or 0)


def _refusal(error: DomainError) -> HttpResponse:
    body = {"code": error.code, "message": str(error.message)}
    response = JsonResponse(body, status=error.status, reason="Checksum Mismatch" if error.status == 460 else None)
    if wait := getattr(error, "retry_after", 0):
        response.headers["Retry-After"] = str(wait)
    return response


def _plain(status: int, code: str, message: str) -> HttpResponse:
    return JsonResponse({"code": code, "message": message}, status=status)


def _not_allowed(methods: str) -> HttpResponse:
    response = _plain(405, "method_not_allowed", _("This is not possible here."))
    response.headers["Allow"] = methods
    return response


def _number(request: HttpRequest, header: str) -> int:
    value = request.headers.get(header, "")
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise Invalid(_("%(header)s must be a whole number.") % {"header": header}, code="invalid_header")
    return int(value)


def _metadata(header: str) -> dict[str, str]:
    """``key base64,key base64``. Raises `Invalid` for what is no base64 or no UTF-8."""
    found = {}
    for pair in header.split(","):
        key, _blank, value = pair.strip().partition(" ")
        if not key:
            continue
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Invalid(_("Upload-Metadata is not valid."), code="invalid_header") from None
    return found


def _checksum(header: str) -> tuple[Any, bytes]:
    """The hash to compute and the value to reach; (None, b"") without the header. Raises `Invalid`."""
    if not header:
        return None, b""
    name, _blank, value = header.partition(" ")
    try:
        hashing, wanted = CHECKSUMS[name](), base64.b64decode(value, validate=True)
    except (KeyError, binascii.Error):
        hashing, wanted = None, b""
    if hashing is None or len(wanted) != hashing.digest_size:
        raise Invalid(_("This checksum is not supported."), code="invalid_checksum")
    return hashing, wanted
