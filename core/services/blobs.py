"""Stored bytes: take them in, once per tenant and content, and give them out again.

Bytes go to a temporary object while they are hashed; the row decides whether they are new. The object gets its
name inside the transaction and goes again when that is undone; what a crash leaves is found by `core.services.sweeps`.
"""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
import weakref
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg.pq import TransactionStatus

from core import scope
from core.arriving import ArrivedFile
from core.disk import CHUNK, TempObject
from core.errors import BeingChecked, Held, Invalid, TooLarge
from core.models import Blob
from core.services import audit, rows
from core.services.sniff import PICTURES, dimensions, sniff
from core.services.together import insert_unless_there
from core.services.wake import wake_after_commit
from core.storage import blob_name, storage
from core.text import unseen_gone

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Iterable, Iterator
    from io import BufferedReader

    from django.core.files import File

log = logging.getLogger(__name__)

NAME_MAX = 255  # characters of a file name
# Why bytes are held for good.
_HELD: dict[str, Any] = {
    Blob.Scan.INFECTED: _("This file contains malware and is not handed out."),
    Blob.Scan.TOO_LARGE: _("This file is too large to be checked for malware and is held back."),
}
# What the preview maker can draw; everything else is born without preview.
PREVIEWABLE = frozenset({*PICTURES, "application/pdf"})


class Readable(Protocol):
    """A stream of bytes: a request, a file."""

    def read(self, size: int, /) -> bytes: ...


def clean_filename(name: str, *, field: str = "filename") -> str:
    """The name without folders, control and direction characters, composed, at most 255 characters.

    The extension survives the cut. Raises `Invalid` (naming ``field``) for a NUL byte, a broken encoding or when
    nothing remains.
    """

    def refused(why: Any) -> Invalid:
        return Invalid(why, code="invalid_filename", fields={field: [str(why)]})

    if "\x00" in name or any("\ud800" <= letter <= "\udfff" for letter in name):
        raise refused(_("The file name contains characters that are not allowed."))
    base = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    base = "".join(c for c in unseen_gone(base) if unicodedata.category(c) != "Cc").strip().rstrip(". ")
    if not base.strip("."):
        raise refused(_("The file has no name."))
    if len(base) <= NAME_MAX:
        return base
    stem, dot, extension = base.rpartition(".")
    if not dot or len(extension) > 20:
        return base[:NAME_MAX].rstrip(". ")
    return stem[: NAME_MAX - len(extension) - 1].rstrip(". ") + dot + extension


def store(
    source: Readable | Iterable[bytes],
    *,
    tenant_id: int | None,
    limit: int,
    declared_mime: str = "",
    expected_size: int | None = None,
) -> Blob:
    """Take bytes in and return their row: a new one, or the one this tenant already has of equal content.

    ``limit`` and ``expected_size`` are bytes. The row is locked against the sweep until the transaction ends, so
    refer to it in the same one. The type comes from the content; ``declared_mime`` only tells CSV from other text.

    Side effects: an object in the storage (gone again if the transaction is undone), an audit entry, and on commit
    the virus scanner is woken, or where there is none the preview maker.

    Raises `TooLarge` above the limit, `Invalid` for an empty file (``empty_file``) or a wrong length
    (``incomplete``); nothing is stored then.
    """
    with prepared(source, limit=limit, declared_mime=declared_mime, expected_size=expected_size) as bytes_:
        return bytes_.keep(tenant_id)


@dataclass(frozen=True)
class Prepared:
    """Bytes that arrived completely and are described; `keep` makes them a blob."""

    temp: TempObject
    sha256: bytes
    mime: str
    width: int | None
    height: int | None

    def keep(self, tenant_id: int | None) -> Blob:
        """The database's half of `store`: the new row, or the one that is there."""
        new = Blob(
            tenant_id=tenant_id,
            sha256=self.sha256,
            size=self.temp.size,
            mime=self.mime,
            width=self.width,
            height=self.height,
            scan=Blob.Scan.PENDING if settings.CLAMAV_URL else Blob.Scan.SKIPPED,
            preview_state=Blob.Preview.PENDING if self.mime in PREVIEWABLE else Blob.Preview.NONE,
        )
        with scope.joined():
            return _settle(new, self.temp)


@contextmanager
def prepared(
    source: Readable | Iterable[bytes], *, limit: int, declared_mime: str = "", expected_size: int | None = None
) -> Iterator[Prepared]:
    """The slow half of `store`, for callers that keep no transaction open while bytes stream.

    What is not kept is gone at the end. Raises like `store`.
    """
    if expected_size is not None and expected_size > limit:
        raise TooLarge
    temp, digest = _arrived(source, limit) if isinstance(source, ArrivedFile) else _written(source, limit)
    try:
        if not temp.size:
            raise Invalid(_("The file is empty."), code="empty_file")
        if expected_size is not None and temp.size != expected_size:
            raise Invalid(_("The file did not arrive completely."), code="incomplete")
        temp.file.flush()
        mime = sniff(temp.file, declared_mime)
        yield Prepared(temp, digest, mime, *dimensions(temp.file, mime))
    finally:
        temp.discard()


def _arrived(source: ArrivedFile, limit: int) -> tuple[TempObject, bytes]:
    """Of a form, where bytes are written and hashed while they come: nothing is copied. Raises `TooLarge`."""
    if source.temp.size > limit:
        raise TooLarge
    return source.temp, source.sha256


def _written(source: Readable | Iterable[bytes], limit: int) -> tuple[TempObject, bytes]:
    """The bytes and their hash. Raises `TooLarge`."""
    temp, digest = storage().begin(), hashlib.sha256()
    try:
        for chunk in _chunks(source):
            if temp.size + len(chunk) > limit:
                raise TooLarge
            temp.write(chunk)
            digest.update(chunk)
    except BaseException:
        temp.discard()
        raise
    return temp, digest.digest()


@contextmanager
def described(stored: TempObject, *, declared_mime: str = "", sha256: bytes = b"") -> Iterator[Prepared]:
    """`prepared` for bytes that the storage holds already: nothing is copied, and without ``sha256`` they are hashed."""
    try:
        stored.file.seek(0)
        mime = sniff(stored.file, declared_mime)
        if not sha256:
            stored.file.seek(0)
            sha256 = hashlib.file_digest(cast("BufferedReader", stored.file), "sha256").digest()
        yield Prepared(stored, sha256, mime, *dimensions(stored.file, mime))
    finally:
        stored.discard()


def _chunks(source: Readable | Iterable[bytes]) -> Iterator[bytes]:
    if hasattr(source, "read"):
        readable = cast("Readable", source)
        while chunk := readable.read(CHUNK):
            yield chunk
    else:
        yield from source


def _settle(new: Blob, temp: TempObject) -> Blob:
    """Insert the row and name the object, or take the row that is there."""
    while True:
        if insert_unless_there(new):  # and nobody else sees the row before the transaction ends
            _name_object_of(new, temp)
            audit.record("stored", new, {"sha256": [None, bytes(new.sha256).hex()], "size": [None, new.size]})
            _wake_workers(new)
            return new
        found = _locked(new.tenant_id, bytes(new.sha256), new.size)
        if found is None:
            continue  # the sweep removed it between the two statements
        if found.missing_since or not storage().exists(blob_name(found.storage_key)):
            _name_object(temp, new.storage_key)
            changes = {"storage_key": new.storage_key, "missing_since": None, "scan": _scan_again(found)}
            rows.change(found, changes, verb="healed", check=False)
            _wake_workers(found)
        elif found.scan != (scan := _scan_again(found)):
            if Blob.objects.filter(pk=found.pk, scan=found.scan).update(scan=scan, updated_at=timezone.now()):
                audit.record("scan_asked", found, {"scan": [found.scan, scan]})
            found.scan = scan
            _wake_workers(found)
        return found


def _locked(tenant_id: int | None, sha256: bytes, size: int) -> Blob | None:
    """The row of that content, held against deletion. FOR KEY SHARE: equal uploads do not wait for each other."""
    found = Blob.objects.raw(
        "SELECT * FROM core_blob WHERE tenant_id IS NOT DISTINCT FROM %s AND sha256 = %s AND size = %s FOR KEY SHARE",
        [tenant_id, sha256, size],
    )
    return next(iter(found), None)


def hold(blob: Blob) -> bool:
    """Keep an existing row from being swept until the transaction ends; False when it is gone already.

    For services that make a second reference to stored bytes without an upload.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM core_blob WHERE id = %s FOR KEY SHARE", [blob.pk])
        return cursor.fetchone() is not None


def _scan_again(found: Blob) -> str:
    """The state of bytes that came once more: never looked at by the scanner that there is by now, they wait for it."""
    return Blob.Scan.PENDING if settings.CLAMAV_URL and found.scan == Blob.Scan.SKIPPED else found.scan


def _wake_workers(blob: Blob) -> None:
    """Foreign bytes are looked at by the scanner before a parser sees them."""
    if blob.scan == Blob.Scan.PENDING:
        wake_after_commit("docms.scan_document", blob.pk)
    else:
        wake_preview(blob)


def wake_preview(blob: Blob) -> None:
    """Have the preview made after commit, if one can be made."""
    if blob.preview_state == Blob.Preview.PENDING:
        wake_after_commit("core.make_preview", blob.pk)


def _name_object_of(new: Blob, temp: TempObject) -> None:
    """`_name_object`; where the storage fails the row goes again, so that a transaction that goes on leaves none behind."""
    try:
        _name_object(temp, new.storage_key)
    except Exception:
        Blob.objects.filter(pk=new.pk)._raw_delete(connection.alias)  # type: ignore[attr-defined]
        raise


def _name_object(temp: TempObject, key: uuid.UUID) -> None:
    """Commit the object, and let it go again if the transaction is undone."""
    name = blob_name(key)
    storage().commit(temp, name)
    on_undone(partial(storage().delete, name))


def on_undone(action: Callable[[], object]) -> None:
    """Run ``action`` once if the present transaction or savepoint is rolled back; never after a commit.

    Django drops the callbacks of an undone transaction, so a finalizer on such a callback tells. It stands first
    in line, so that no failing callback keeps it from hearing of the commit. When the connection broke during
    COMMIT nobody knows the outcome: nothing is done then, and the sweep decides later.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("on_undone() needs a transaction")

    def undone() -> None:
        raw = connection.connection
        clean = raw is not None and raw.info.transaction_status in (TransactionStatus.IDLE, TransactionStatus.INTRANS)
        if not clean:
            return
        try:
            action()
        except Exception:
            log.warning("could not tidy up after a rollback; the sweep will", exc_info=True)

    def committed() -> None:
        finalizer.detach()

    finalizer = weakref.finalize(committed, undone)
    finalizer.atexit = False
    transaction.on_commit(committed, robust=True)
    connection.run_on_commit.insert(0, connection.run_on_commit.pop())


def held_because(blob: Blob) -> Any:
    """Why these bytes do not leave, for people; nothing when they may."""
    return BeingChecked.message if blob.scan == Blob.Scan.PENDING else _HELD.get(blob.scan, "")


def require_deliverable(blob: Blob) -> None:
    """The one gate: nothing reads or hands out bytes, or what was made of them, without having asked here.

    Raises `BeingChecked` while the virus scanner has not answered, `Held` when it found something (``infected``) or
    cannot look at so much (``too_large``).
    """
    if blob.scan == Blob.Scan.PENDING:
        raise BeingChecked
    if blob.scan in Blob.HELD:
        raise Held(_HELD[blob.scan], code="unchecked" if blob.scan == Blob.Scan.TOO_LARGE else "infected")


def open_blob(blob: Blob) -> File[bytes]:
    """The content for reading, seekable.

    Raises what `require_deliverable` raises, `FileNotFoundError` when the object is lost; see `mark_missing`.
    """
    require_deliverable(blob)
    return cast("File[bytes]", storage().open(blob_name(blob.storage_key)))


def rewritten(blob: Blob, change: Callable[[bytes], bytes]) -> Blob:
    """The row of what ``change`` makes of these bytes, which is held in memory: this one when it leaves them alone.

    Bytes that the scanner has not seen yet may be changed, because what comes of them is new and waits for it again;
    what it holds for good stays as it is. Side effects and errors of `store`; `FileNotFoundError` when the object is lost.
    """
    if blob.scan in _HELD:
        return blob
    with storage().open(blob_name(blob.storage_key)) as file:
        data = file.read()
    changed = change(data)
    if changed == data:
        return blob
    return store([changed], tenant_id=blob.tenant_id, limit=len(changed), declared_mime=blob.mime)


def mark_missing(blob_id: int) -> bool:
    """Look whether the object is there and write down when not, or no longer; True when it is missing.

    Runs in a unit of work of its own: who notices usually answers with a refusal, which undoes its writes.
    """
    blob = Blob.objects.filter(pk=blob_id).first()
    if blob is None:
        return False
    missing = not storage().exists(blob_name(blob.storage_key))
    if missing and blob.missing_since is None:
        log.error("the object of blob %s is missing", blob_id)
        rows.change(blob, {"missing_since": timezone.now()}, verb="missing", check=False)
    elif not missing and blob.missing_since is not None:
        rows.change(blob, {"missing_since": None}, verb="found", check=False)
    return missing
