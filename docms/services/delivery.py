"""Opening documents: rights, proof and bytes, in this order and in the caller's unit of work."""

from __future__ import annotations

import base64
import datetime
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BooleanField, ExpressionWrapper
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Conflict, Denied, NotFound, TooLarge, WrongType
from core.services import blobs
from core.services import delivery as core_delivery
from core.services.wake import wake
from docms import rules
from docms.models import Document, DocumentLog, DocumentVersion
from docms.querysets import may
from docms.services.opening import DOWNLOAD, PROOF, READ, VIEWABLE, Opened, open_at_once
from docms.signals import document_opened

if TYPE_CHECKING:
    from core.models import Blob
    from orgs.actor import Actor
    from orgs.models import User

# A transfer that goes on (a viewer fetching pages, a download after a broken line) is the access it began with.
_CONTINUED = re.compile(r"^bytes=(0*[1-9]\d{0,18})-\d{0,19}$")
_BEGUN = re.compile(r"^bytes=0{1,19}-\d{0,19}$")
_CONTINUES_FOR = datetime.timedelta(hours=1)


def open_for_read(
    *, document_id: int, actor: Actor, request: HttpRequest | None = None, max_bytes: int | None = None
) -> Opened:
    """Open a document in the viewer and prove it.

    Side effects: log entry, read mark, counter plus one (DOCMS-119), ``first_access`` if it is the first
    (DOCMS-120), signal `document_opened`. A request that continues a transfer, asks for headers only,
    or is answered without content (304, 416) adds none.

    Raises `NotFound` for what the actor does not see, `Denied` without ``read`` (DOCMS-116), `WrongType` for types
    the viewer cannot show (DOCMS-117), `TooLarge` above ``max_bytes``, `Conflict` while the bytes are being checked
    or were found infected. Nothing is counted then.
    """
    if (opened := _at_once(document_id, actor, READ, request, max_bytes)) is not None:
        return opened
    document, flags = _seen_with(document_id, actor, "read")
    rules.require(rules.may_read(actor, document, flags))
    version, blob = bytes_of(document.current, max_bytes)
    if blob.mime not in VIEWABLE:
        raise WrongType(_("This type cannot be shown here; please download it."))
    _prove(document, version, actor, READ, request)
    return document, version, blob


def open_for_download(
    *, document_id: int, actor: Actor, request: HttpRequest | None = None, max_bytes: int | None = None
) -> Opened:
    """Take a document away and prove it; with ``delete_after_next_download`` it is claimed by this download.

    Side effects: as `open_for_read`; a claimed document is gone for everybody at once, a worker deletes it
    (DOCMS-122), and of two downloads at the same time one finds nothing (DOCMS-123).

    Raises as `open_for_read`, but for the type; `Denied` without ``download``, and with ``download_locked`` for
    everybody when it is locked (DOCMS-118).
    """
    if (opened := _at_once(document_id, actor, DOWNLOAD, request, max_bytes)) is not None:
        return opened
    document, flags = _seen_with(document_id, actor, "download")
    _require_download(document, actor, flags)
    version, blob = bytes_of(document.current, max_bytes)
    if request is not None and (request.method == "HEAD" or core_delivery.carries_nothing(blob, request)):
        return document, version, blob
    if document.delete_after_next_download:
        if request is not None:
            core_delivery.send_whole(request)  # a part of it would be all that anybody ever gets
        with transaction.atomic():
            claim(document, actor.user)
            _prove(document, version, actor, DOWNLOAD, request)
    else:
        _prove(document, version, actor, DOWNLOAD, request)
    return document, version, blob


def open_version(
    *, document_id: int, number: int, actor: Actor, request: HttpRequest | None = None, max_bytes: int | None = None
) -> Opened:
    """Take away one version, an earlier one, too. The caller has settled who may see earlier versions.

    Side effects: as `open_for_download`, but nothing is claimed, and an earlier version leaves the read mark of
    the current one alone.

    Raises as `open_for_download`; `NotFound` for a version that does not exist.
    """
    document, flags = _seen_with(document_id, actor, "download")
    _require_download(document, actor, flags)
    version = DocumentVersion.objects.select_related("blob").filter(document=document, number=number).first()
    version, blob = bytes_of(version, max_bytes)
    _prove(document, version, actor, DOWNLOAD, request)
    return document, version, blob


def open_for_archive(*, document_id: int, actor: Actor) -> Opened:
    """Take a document away as one of many, and prove it.

    Side effects: as `open_for_download`. Raises as that, and `Conflict` (``goes_with_download``) for a document that is
    deleted with its next download: it goes to whoever asks for it by name, not unnoticed in a heap that may break off.
    """
    if (opened := _at_once(document_id, actor, DOWNLOAD, None, None)) is not None:
        return opened
    document, flags = _seen_with(document_id, actor, "download")
    _require_download(document, actor, flags)
    if document.delete_after_next_download:
        raise Conflict(
            _("It is deleted with its next download. Please download it by itself."), code="goes_with_download"
        )
    version, blob = bytes_of(document.current, None)
    _prove(document, version, actor, DOWNLOAD, None)
    return document, version, blob


def _at_once(
    document_id: int, actor: Actor, action: str, request: HttpRequest | None, max_bytes: int | None
) -> Opened | None:
    """The usual case: nothing to refuse, no headers alone, the beginning of a transfer. See `opening`."""
    if request is not None and (request.method == "HEAD" or not _is_plain(request)):
        return None
    opened = open_at_once(document_id=document_id, actor=actor, action=action, max_bytes=max_bytes)
    if opened is not None:
        _announce(opened[0], actor, action)
    return opened


def _is_plain(request: HttpRequest) -> bool:
    """Asks for the content from its first byte on, whatever the caller has of it already."""
    asked = request.headers.get("Range", "").strip()
    return "If-None-Match" not in request.headers and (not asked or bool(_BEGUN.match(asked)))


def _require_download(document: Document, actor: Actor, flags: rules.Flags) -> None:
    answer = rules.may_download(actor, document, flags)
    if not answer:
        raise Denied(answer.reason, code="" if document.allow_download else "download_locked")


def _seen(document_id: int, actor: Actor) -> Document:
    document = (
        Document.objects.visible_to(actor, all=True)
        .select_related("folder", "current__blob")
        .filter(pk=document_id)
        .first()
    )
    if document is None:
        raise NotFound
    return document


# What opening needs; the rest of the row comes when somebody asks for it.
_OPENED = (
    "tenant", "folder", "allow_download", "delete_after_next_download", "access_counter", "first_access",
    *(f"current__{name}" for name in ("document", "number", "filename", "blob", "created_at")),
    *(f"current__blob__{name}" for name in ("storage_key", "sha256", "size", "mime", "scan", "missing_since")),
)  # fmt: skip


def _seen_with(document_id: int, actor: Actor, flag: Literal["read", "download"]) -> tuple[Document, rules.Flags]:
    """A document the actor sees, and whether the flag is effective there, in one query. Raises `NotFound`."""
    document = (
        Document.objects.visible_to(actor, all=True)
        .filter(pk=document_id)
        .annotate(permitted=ExpressionWrapper(may(actor, flag), output_field=BooleanField()))
        .select_related("current__blob")
        .only(*_OPENED)
        .order_by()
        .first()
    )
    if document is None:
        raise NotFound
    return document, rules.Flags(**{flag: document.permitted})


def bytes_of(version: DocumentVersion | None, max_bytes: int | None) -> tuple[DocumentVersion, Blob]:
    """A version, if its bytes may leave the house. Raises what `blobs.require_deliverable` raises."""
    if version is None:
        raise NotFound
    blob = version.blob
    blobs.require_deliverable(blob)
    if blob.missing_since is not None:
        raise missing()
    if max_bytes is not None and blob.size > max_bytes:
        raise TooLarge
    return version, blob


def missing() -> NotFound:
    """The refusal where a document's bytes are lost."""
    return NotFound(_("The content of this file is missing. The operator has been told."), code="file_missing")


def claim(document: Document, user: User | None) -> None:
    """Take the document for this download alone: whoever waited for the row lock finds it claimed. Raises `NotFound`.

    ``user`` is none for somebody outside. Side effect: a worker is told to delete it (DOCMS-122).
    """
    mine = (
        Document.objects.select_for_update(no_key=True)
        .filter(pk=document.pk, claimed_at=None, delete_after_next_download=True)
        .first()
    )
    if mine is None:
        raise NotFound
    now = timezone.now()
    Document.objects.filter(pk=mine.pk).update(claimed_at=now, claimed_by=user)
    document.claimed_at, document.claimed_by = now, user
    transaction.on_commit(partial(wake, "docms.delete_after_download", document.pk), robust=True)


_PROVE = f"""
WITH found(id, tenant_id, membership_id, number) AS (VALUES (%(id)s, %(tenant)s, %(membership)s, %(number)s)), {PROOF}
SELECT access_counter, first_access FROM counted
"""  # noqa: S608 - constants


def _prove(
    document: Document, version: DocumentVersion, actor: Actor, action: str, request: HttpRequest | None
) -> None:
    membership = actor.membership(document.tenant_id)
    if membership is None or actor.user_id is None:
        raise NotFound  # flags come from the membership, so this cannot be reached with rights
    if request is not None and (
        request.method == "HEAD"
        or core_delivery.carries_nothing(version.blob, request)
        or _continues(document, version, actor, action, request)
    ):
        return
    values: dict[str, Any] = {
        "id": document.pk,
        "tenant": document.tenant_id,
        "membership": membership.pk,
        "number": version.number,
        "user": actor.user_id,
        "action": action,
        "is_download": action == DOWNLOAD,
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_PROVE, values)
        counted = cursor.fetchone()
    if counted is None:
        raise NotFound  # deleted since it was looked up
    document.access_counter, document.first_access = counted
    _announce(document, actor, action)


def _announce(document: Document, actor: Actor, action: str) -> None:
    document_opened.send(sender=Document, document=document, user_id=actor.user_id, action=action)


def _continues(document: Document, version: DocumentVersion, actor: Actor, action: str, request: HttpRequest) -> bool:
    """Asks for a later part of what the same person opened within the hour, and since this version is there: of another
    one nothing was opened yet. Without that entry, it is counted.
    """
    if not _CONTINUED.match(request.headers.get("Range", "").strip()):
        return False
    since = max(timezone.now() - _CONTINUES_FOR, version.created_at)
    found = DocumentLog.objects.filter(
        document_id=document.pk, user=actor.user_id, action=action, created_at__gte=since
    )
    return found.exists()


# --- Answers --------------------------------------------------------------------------------------------


def read(*, document_id: int, actor: Actor, request: HttpRequest, as_json: bool = False) -> HttpResponseBase:
    """The document for the viewer; as JSON with Base64 for docms, up to the limit (DOCMS-134). See `open_for_read`."""
    limit = settings.BASE64_LIMIT if as_json else None
    _document, version, blob = open_for_read(document_id=document_id, actor=actor, request=request, max_bytes=limit)
    if as_json:
        return JsonResponse(file_data(version, blob), headers={"Cache-Control": "no-store"})
    return core_delivery.deliver(blob, filename=version.filename, inline=True, request=request)


def download(*, document_id: int, actor: Actor, request: HttpRequest, as_json: bool = False) -> HttpResponseBase:
    """The document for saving; as JSON like `read`. See `open_for_download`."""
    limit = settings.BASE64_LIMIT if as_json else None
    _document, version, blob = open_for_download(document_id=document_id, actor=actor, request=request, max_bytes=limit)
    if as_json:
        return JsonResponse(file_data(version, blob), headers={"Cache-Control": "no-store"})
    return core_delivery.deliver(blob, filename=version.filename, inline=False, request=request)


def preview(*, document_id: int, actor: Actor, request: HttpRequest) -> HttpResponseBase:
    """The preview picture, for whoever may read or download. It is no access: nothing is counted or logged.

    Raises `NotFound` for what the actor does not see or what has no preview, `Denied` without a right.
    """
    document = _seen(document_id, actor)
    flags = rules.effective(actor, document.folder)
    if not flags.download or not document.allow_download:
        rules.require(rules.may_read(actor, document, flags))
    if document.current is None:
        raise NotFound
    return core_delivery.deliver_preview(document.current.blob, request)


def file_data(version: DocumentVersion, blob: Blob) -> dict[str, str]:
    """The contract's FileData: file name and plain Base64 (DOCMS-133). Raises `NotFound` when the bytes are lost."""
    try:
        with blobs.open_blob(blob) as file:
            data = base64.b64encode(file.read()).decode("ascii")
    except FileNotFoundError:
        wake("core.mark_missing", blob.pk)
        raise missing() from None
    return {"filename": version.filename, "data": data}
