"""Uploads: a handle is created, bytes arrive in pieces, the whole becomes a blob, and one thing takes it.

Each piece is an object of its own in the storage, so that an upload survives a broken line, a restart of the
server and a change of the web process. While bytes stream in no transaction is open; `Upload.received` moves
only forward, under a row lock, and only from the offset the sender named: of two senders one wins.
"""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import scope
from core.disk import CHUNK, TempObject
from core.errors import Conflict, Expired, Invalid, NotFound, TooLarge
from core.models import Blob, Upload
from core.services import blobs, rows
from core.storage import part_name, storage

if TYPE_CHECKING:
    from core.services.jobs import Counts

log = logging.getLogger(__name__)

LIFETIME = datetime.timedelta(hours=24)  # PORTAL-080, TICKETS-052
BATCH = 100  # rows of one transaction of the job

# Opens the caller's unit of work: streaming services open several short ones.
Unit = Callable[[], AbstractContextManager[None]]


def create(
    *,
    user_id: int,
    tenant_id: int | None,
    door: str,
    name: str,
    size: int,
    limit: int,
    credential_id: int | None = None,
    community_id: int | None = None,
) -> Upload:
    """Open a handle for ``size`` bytes; it lives 24 hours.

    Raises `TooLarge` above ``limit`` bytes, `Invalid` for an empty file or an impossible name.
    """
    if size <= 0:
        raise Invalid(_("The file is empty."), code="empty_file")
    if size > limit:
        raise TooLarge
    return rows.create(
        Upload,
        check=False,
        user_id=user_id,
        tenant_id=tenant_id,
        door=door,
        name=blobs.clean_filename(name),
        expected_size=size,
        credential_id=credential_id,
        community_id=community_id,
        expires_at=timezone.now() + LIFETIME,
    )


def receive(
    source: Any,
    *,
    user_id: int,
    tenant_id: int | None,
    door: str,
    name: str,
    limit: int,
    declared_mime: str = "",
    credential_id: int | None = None,
    community_id: int | None = None,
) -> Upload:
    """An upload in one request: store the bytes and return the finished handle. Raises what `blobs.store` raises."""
    name = blobs.clean_filename(name)
    blob = blobs.store(source, tenant_id=tenant_id, limit=limit, declared_mime=declared_mime)
    return rows.create(
        Upload,
        check=False,
        user_id=user_id,
        tenant_id=tenant_id,
        door=door,
        name=name,
        blob_id=blob.pk,
        expected_size=blob.size,
        received=blob.size,
        credential_id=credential_id,
        community_id=community_id,
        expires_at=timezone.now() + LIFETIME,
    )


def find(handle: str, *, user_id: int, door: str) -> Upload:
    """The caller's own handle of this door that nothing took yet, and enter its tenant.

    Raises `NotFound` for an unknown, foreign or used one (a client that wants to go on then starts anew),
    `Expired` after 24 hours.
    """
    upload = None
    if _is_handle(handle):
        with scope.all_tenants():
            upload = Upload.objects.filter(handle=handle, user_id=user_id, door=door, attached_at=None).first()
    if upload is None:
        raise NotFound
    if upload.expires_at <= timezone.now():
        raise Expired(_("This upload has expired."))
    if upload.tenant_id:
        scope.enter_tenants([upload.tenant_id])
    return upload


def _is_handle(text: str) -> bool:
    """Whether the database can be asked for it: addresses and forms bring anything, NUL too."""
    return 0 < len(text) <= 40 and "\x00" not in text


def append(upload: Upload, offset: int, piece: TempObject, unit: Unit) -> Upload:
    """Add a piece at ``offset`` and return the row. The piece is stored first, then counted in a short transaction.

    The piece is committed to the storage or discarded. Raises `Conflict` (``wrong_offset``) when another sender
    was faster, `TooLarge` when it holds more than was announced, `NotFound` when the upload was ended meanwhile.
    """
    key, size, counted = uuid.uuid4().hex, piece.size, False
    name = part_name(upload.pk, key)
    try:
        if size:
            storage().commit(piece, name)
        with unit():
            row = Upload.objects.select_for_update(no_key=True).filter(pk=upload.pk).first()
            if row is None:
                raise NotFound
            if row.received != offset:
                raise Conflict(_("The upload stands at another offset."), code="wrong_offset")
            if offset + size > row.expected_size:
                raise TooLarge
            if size:
                _advance(row, received=offset + size, parts=[*row.parts, [key, size]])
        counted = True
        return row
    finally:
        piece.discard()
        if size and not counted:
            storage().delete(name)


def count_in(upload: Upload, start: int, piece: TempObject, key: str, unit: Unit) -> Upload:
    """`append` for a piece that began at ``start`` and goes on growing: what it holds by now is written through and counted.

    Raises as `append`; what was counted before stays.
    """
    name, counted = part_name(upload.pk, key), piece.is_named
    storage().checkpoint(piece, name)
    try:
        with unit():
            row = Upload.objects.select_for_update(no_key=True).filter(pk=upload.pk).first()
            if row is None:
                raise NotFound
            before = [part for part in row.parts if part[0] != key]
            own = sum(size for part, size in row.parts if part == key)
            if row.received != start + own or bool(own) != counted:
                raise Conflict(_("The upload stands at another offset."), code="wrong_offset")
            if start + piece.size > row.expected_size:
                raise TooLarge
            _advance(row, received=start + piece.size, parts=[*before, [key, piece.size]])
        counted = True
        return row
    finally:
        if not counted:
            storage().delete(name)


def finish(upload: Upload, unit: Unit, *, declared_mime: str = "", sha256: bytes = b"") -> Upload:
    """Make a blob of an upload whose last byte arrived, with no transaction open meanwhile.

    Several pieces are joined; a single one stays where it is, if the storage can give it a second name. ``sha256`` is
    that of the whole, where the caller has seen it pass. Raises `NotFound` when the upload was ended meanwhile.
    """
    try:
        with _whole(upload, declared_mime, sha256) as joined, unit():
            row = Upload.objects.select_for_update(no_key=True).filter(pk=upload.pk).first()
            if row is None:
                raise NotFound
            if row.blob_id is None:
                _remove_parts_on_commit(row)
                _advance(row, blob=joined.keep(row.tenant_id), parts=[])
            return row
    except FileNotFoundError:
        with unit():
            found = Upload.objects.exclude(blob=None).filter(pk=upload.pk).first()
        if found is None:
            raise NotFound from None
        return found


def complete(upload: Upload, *, declared_mime: str = "") -> Blob:
    """Join the pieces into a blob; call it under the row's lock. Returns the blob that is there already, if any.

    Raises `Invalid` (``incomplete``) while bytes are missing.
    """
    if upload.blob is not None:
        return upload.blob
    if upload.received != upload.expected_size:
        raise Invalid(_("The file did not arrive completely."), code="incomplete")
    blob = blobs.store(
        _joined(upload),
        tenant_id=upload.tenant_id,
        limit=upload.expected_size,
        declared_mime=declared_mime,
        expected_size=upload.expected_size,
    )
    _remove_parts_on_commit(upload)
    _advance(upload, blob=blob, parts=[])
    return blob


def claim(handle: str, *, user_id: int, door: str, credential_id: int | None = None) -> Upload:
    """Use up a handle and return its row with ``blob`` and ``name``: once, by its uploader, through its own door.

    With ``credential_id`` it must have been made with that credential. Undone with the transaction, it can be
    used again. Raises `Invalid` (``invalid_upload``) for every other handle, without saying why.
    """
    refused = Invalid(_("This upload does not exist, is not finished or has been used already."), code="invalid_upload")
    if not _is_handle(handle):
        raise refused
    with transaction.atomic():
        rows_ = Upload.objects.waiting().filter(handle=handle, user_id=user_id, door=door)
        if credential_id is not None:
            rows_ = rows_.filter(credential_id=credential_id)
        upload = rows_.select_for_update(no_key=True).first()
        if upload is None or upload.received != upload.expected_size:
            raise refused
        complete(upload)  # a server that died before the last step left the pieces
        rows.change(upload, {"attached_at": timezone.now()}, verb="attached", check=False)
    return upload


def attach(handle: str, *, user_id: int, door: str, credential_id: int | None = None) -> Blob:
    """`claim` for callers that need only the bytes."""
    blob = claim(handle, user_id=user_id, door=door, credential_id=credential_id).blob
    assert blob is not None
    return blob


def terminate(upload: Upload) -> None:
    """End an upload that nobody attached: row and pieces go. Raises `Conflict` when something uses it already."""
    with transaction.atomic():
        row = Upload.objects.select_for_update().filter(pk=upload.pk).first()
        if row is None:
            raise NotFound
        if row.attached_at:
            raise Conflict(_("This upload is in use already."), code="attached")
        _remove_parts_on_commit(row)
        rows.delete(row, verb="terminated")


def expire() -> Counts:
    """Job: remove handles whose time is over, with the pieces of unfinished ones; their blobs wait for the sweep."""
    removed = 0
    while True:
        with scope.unit_of_work(door="worker"), scope.all_tenants():
            batch = list(
                Upload.objects.select_for_update(skip_locked=True).filter(expires_at__lte=timezone.now())[:BATCH]
            )
            for row in batch:
                _remove_parts_on_commit(row)
            Upload.objects.filter(pk__in=[row.pk for row in batch]).delete()
        removed += len(batch)
        if len(batch) < BATCH:
            return {"uploads": removed}


def _whole(upload: Upload, declared_mime: str, sha256: bytes) -> AbstractContextManager[blobs.Prepared]:
    """All bytes, described. Raises what `blobs.prepared` raises, `FileNotFoundError`."""
    size = upload.expected_size
    if len(upload.parts) == 1 and upload.parts[0][1] == size:
        alone = storage().named(part_name(upload.pk, upload.parts[0][0]))
        if alone is not None and alone.size == size:
            return blobs.described(alone, declared_mime=declared_mime, sha256=sha256)
        if alone is not None:
            alone.discard()
    return blobs.prepared(_joined(upload), limit=size, declared_mime=declared_mime, expected_size=size)


def _joined(upload: Upload) -> Iterator[bytes]:
    for key, size in upload.parts:
        yield from storage().stream(part_name(upload.pk, key), 0, size)


def _remove_parts_on_commit(upload: Upload) -> None:
    for key, _size in upload.parts:
        transaction.on_commit(partial(storage().delete, part_name(upload.pk, key)), robust=True)


def _advance(upload: Upload, **values: Any) -> None:
    """Bytes that arrive are no history: version and time move, the audit keeps quiet."""
    values |= {"row_version": upload.row_version + 1, "updated_at": timezone.now()}
    Upload.objects.filter(pk=upload.pk).update(**values)
    for name, value in values.items():
        setattr(upload, name, value)


def read_piece(source: BinaryIO | Any, length: int, hashing: Any = None) -> tuple[TempObject, bool]:
    """Take up to ``length`` bytes from a stream into a temporary object; True when the line broke before that.

    What arrived is kept either way. ``hashing`` is a hashlib object that sees the bytes, too.
    """
    piece = storage().begin()
    try:
        return piece, read_more(source, piece, length, hashing)
    except BaseException:
        piece.discard()
        raise


def read_more(source: BinaryIO | Any, piece: TempObject, length: int, hashing: Any = None) -> bool:
    """Add up to ``length`` bytes from a stream to a piece; True when the line broke before that."""
    end, broken = piece.size + length, False
    while piece.size < end and not broken:
        try:
            chunk = source.read(min(CHUNK, end - piece.size))
        except OSError as error:
            chunk, broken = getattr(error.__cause__, "arrived", b""), True  # of `core.wire.CutOff`
        piece.write(chunk)
        if hashing is not None:
            hashing.update(chunk)
        broken = broken or not chunk
    return broken
