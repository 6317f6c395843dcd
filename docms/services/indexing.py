"""What documents are found by: their own data at once, the text of their content when a worker has read it."""

from __future__ import annotations

import datetime
import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core import scope
from core.models import Blob
from core.planned import planned_cursor
from core.services import blobs
from core.services.wake import wake
from core.text import NAMES, VECTOR, names_values, names_vector, search_vector, vector_values, words_of
from docms.models import Document, DocumentIndex
from docms.services.locking import locked
from docms.services.office import PARTS, UnreadableError, office_text
from docms.text_process import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.services.jobs import Counts

log = logging.getLogger(__name__)

TEXT_MAX = 200_000  # characters of content that are kept
PAGES_MAX = 500
PATIENCE = 60  # seconds that reading a PDF may take
TITLE_MAX = 700  # characters of the names that mistyped words are compared with
FORGOTTEN = datetime.timedelta(minutes=10)  # after which a text nobody read is taken up by the job
BATCH = 200  # texts of one run of the job
PLAIN = frozenset({"text/plain", "text/csv", "text/markdown"})
READABLE = frozenset({"application/pdf", *PLAIN, *PARTS})


def index(documents: Iterable[Document], *, text: str | None = None) -> None:
    """Write the index rows of documents from their own data; the content stays unless ``text`` is given.

    Two statements however many documents there are; fetch them with their label.
    """
    found = list(documents)
    if text is not None:
        _write(row_of(document, text) for document in found)
        return
    rows = DocumentIndex.objects.filter(document__in=found).values_list("document_id", "text", "pending")
    kept = {pk: (content, pending) for pk, content, pending in rows}
    for document in found:
        kept.setdefault(document.pk, ("", False))
    _write(row_of(document, kept[document.pk][0], pending=kept[document.pk][1]) for document in found)


# The row of a document with new content, whose text is still to be read where there is any; its values are `new_values`.
NEW = f"""
INSERT INTO docms_documentindex (document_id, folder_id, title, text, pending, vector, names)
VALUES (%(document)s, %(folder)s, %(known)s, '', %(pending)s, {VECTOR}, {NAMES})
ON CONFLICT (document_id) DO UPDATE
   SET folder_id = excluded.folder_id, title = excluded.title, text = excluded.text, pending = excluded.pending,
       vector = excluded.vector, names = excluded.names
"""  # noqa: S608 - constants


def index_new(document: Document) -> None:
    """Write the index row of a document with new content."""
    with planned_cursor() as cursor:
        cursor.execute(NEW, new_values(document))


def new_values(document: Document) -> dict[str, Any]:
    """The values of `NEW`."""
    said, known = _said(document)
    return {
        "document": document.pk,
        "folder": document.folder_id,
        "known": known,
        "pending": document.mime in READABLE,
        **vector_values(said.title, f"{said.names} {said.description}"),
        **names_values(*said),
    }


def _write(rows: Iterable[DocumentIndex]) -> None:
    DocumentIndex.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["document"],
        update_fields=["folder", "title", "text", "pending", "vector", "names"],
        batch_size=500,
    )


def row_of(document: Document, text: str, *, pending: bool = False) -> DocumentIndex:
    """The unsaved index row of a document with this content."""
    content = text[:TEXT_MAX]
    said, known = _said(document)
    return DocumentIndex(
        document=document,
        folder_id=document.folder_id,
        title=known,
        text=content,
        pending=pending,
        vector=search_vector(said.title, f"{said.names} {said.description} {content}"),
        names=names_vector(*said),
    )


class _Said(NamedTuple):
    """What is said of a document: its title, its other names, and the rest."""

    title: str
    names: str
    description: str


def _said(document: Document) -> tuple[_Said, str]:
    """That, and what mistyped words are compared with: title, file name and label."""
    title = document.title or document.filename[:250]
    label = document.label.name if document.label else ""
    names = " ".join((document.filename, document.identifier, label))
    known = " ".join(dict.fromkeys(words_of(f"{title} {document.filename} {label}")))
    return _Said(title, names, document.description), known[:TITLE_MAX]


def index_content(document_id: int) -> bool:
    """Read the text of the current version into the index; False when there is nothing to read, or it is held.

    The bytes are read without a lock; a version that came meanwhile has its own task, so an older result is
    discarded. A damaged or protected file leaves the document searchable by its data.
    """
    document = Document.objects.filter(pk=document_id).select_related("current__blob").first()
    if document is None or document.current is None or document.mime not in READABLE:
        return False
    if document.current.blob.scan in Blob.HELD:
        return False  # `docms.receivers` comes back when it is cleared
    read, text = document.current, text_of(document.current.blob)
    with transaction.atomic():
        fresh = locked(document_id)
        if fresh is None or fresh.current_id != read.pk:
            return False
        index([fresh], text=text)
    return True


def index_unread(document_id: int) -> bool:
    """`index_content` where nobody has read the text yet."""
    if not DocumentIndex.objects.filter(document=document_id, pending=True).exists():
        return False
    return index_content(document_id)


def catch_up() -> Counts:
    """Job: have the texts read that a dead broker or a killed worker left, by a task each.

    A file that kills whoever reads it thus keeps nobody else's from being read.
    """
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        left = DocumentIndex.objects.filter(pending=True, document__changed_at__lt=timezone.now() - FORGOTTEN)
        left = left.exclude(document__current__blob__scan__in=Blob.HELD)  # `docms.receivers` comes back to these
        ids = list(left.order_by("document").values_list("document_id", flat=True)[:BATCH])
    return {"texts": sum(wake("docms.index_document", document_id) for document_id in ids)}


def text_of(blob: Blob) -> str:
    """The text of stored bytes; empty where they have none that can be read."""
    try:
        with blobs.open_blob(blob) as file:
            if blob.mime in PLAIN:
                return _clean(file.read(TEXT_MAX * 4).decode("utf-8", "replace"))
            if blob.mime in PARTS:
                return _clean(office_text(file, blob.mime, limit=TEXT_MAX))
            return _pdf_text(file)
    except FileNotFoundError:
        log.error("the object of blob %s is missing", blob.pk)
    except UnreadableError as error:
        log.info("blob %s has no readable text: %s", blob.pk, error)
    return ""


def _pdf_text(file: Any) -> str:
    """See `docms.text_process`. Of a file that takes too much memory or time, what was read until then."""
    command = [sys.executable, "-m", "docms.text_process", str(PAGES_MAX), str(TEXT_MAX)]
    file.seek(0)
    try:
        done = subprocess.run(
            command,
            stdin=file.fileno(),
            capture_output=True,
            timeout=PATIENCE,
            cwd=settings.BASE_DIR,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        log.warning("reading a text took too long")
        return _clean((late.stdout or b"").decode("utf-8", "replace"))
    if done.returncode == UNREADABLE:
        raise UnreadableError(done.stderr.decode("utf-8", "replace")[:200])
    if done.returncode:
        log.warning("reading a text ended (%s): %s", done.returncode, done.stderr.decode("utf-8", "replace")[-500:])
    return _clean(done.stdout.decode("utf-8", "replace"))


def _clean(text: str) -> str:
    """Without NUL, which PostgreSQL refuses, and lone surrogates."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()[:TEXT_MAX]
