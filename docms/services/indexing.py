"""What documents are found by: their own data at once, the text of a PDF when a worker has read it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pypdfium2
from django.db import transaction

from core.services import blobs
from core.text import search_vector
from docms.models import Document, DocumentIndex
from docms.services.locking import locked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.models import Blob

log = logging.getLogger(__name__)

TEXT_MAX = 200_000  # characters of content that are kept
PAGES_MAX = 500
READABLE = frozenset({"application/pdf", "text/plain"})


def index(documents: Iterable[Document], *, text: str | None = None) -> None:
    """Write the index rows of documents from their own data; the content stays unless ``text`` is given.

    Two statements however many documents there are; fetch them with their label.
    """
    found = list(documents)
    kept: dict[int, str] = {}
    if text is None:
        kept = dict(DocumentIndex.objects.filter(document__in=found).values_list("document_id", "text"))
    DocumentIndex.objects.bulk_create(
        [row_of(document, text if text is not None else kept.get(document.pk, "")) for document in found],
        update_conflicts=True,
        unique_fields=["document"],
        update_fields=["folder", "title", "text", "vector"],
        batch_size=500,
    )


def row_of(document: Document, text: str) -> DocumentIndex:
    """The unsaved index row of a document with this content."""
    title, content = document.title or document.filename[:250], text[:TEXT_MAX]
    label = document.label.name if document.label else ""
    words = " ".join((document.filename, document.identifier, label, document.description, content))
    return DocumentIndex(
        document=document,
        folder_id=document.folder_id,
        title=title,
        text=content,
        vector=search_vector(title, words),
    )


def index_content(document_id: int) -> bool:
    """Read the text of the current version into the index; False when there is nothing to read.

    The bytes are read without a lock; a version that came meanwhile has its own task, so an older result is
    discarded. A damaged or protected PDF leaves the document searchable by its data.
    """
    document = Document.objects.filter(pk=document_id).select_related("current__blob").first()
    if document is None or document.current is None or document.mime not in READABLE:
        return False
    read, text = document.current, text_of(document.current.blob)
    with transaction.atomic():
        fresh = locked(document_id)
        if fresh is None or fresh.current_id != read.pk:
            return False
        index([fresh], text=text)
    return True


def index_unread(document_id: int) -> bool:
    """`index_content` where no text was found yet: perhaps a dead broker told no worker to look for it."""
    if DocumentIndex.objects.filter(document=document_id).exclude(text="").exists():
        return False
    return index_content(document_id)


def text_of(blob: Blob) -> str:
    """The text of stored bytes; empty where they have none that can be read."""
    try:
        with blobs.open_blob(blob) as file:
            if blob.mime == "text/plain":
                return _clean(file.read(TEXT_MAX * 4).decode("utf-8", "replace"))
            return _pdf_text(file)
    except FileNotFoundError:
        log.error("the object of blob %s is missing", blob.pk)
    except pypdfium2.PdfiumError as error:
        log.info("blob %s has no readable text: %s", blob.pk, error)
    return ""


def _pdf_text(file: object) -> str:
    pdf = pypdfium2.PdfDocument(file)
    try:
        parts: list[str] = []
        length = 0
        for number in range(min(len(pdf), PAGES_MAX)):
            page = pdf[number]
            textpage = page.get_textpage()
            parts.append(textpage.get_text_bounded())
            textpage.close()
            page.close()
            length += len(parts[-1])
            if length >= TEXT_MAX:
                break
        return _clean("\n".join(parts))
    finally:
        pdf.close()


def _clean(text: str) -> str:
    """Without NUL, which PostgreSQL refuses, and lone surrogates."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()[:TEXT_MAX]
