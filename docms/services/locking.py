"""The row lock on a document."""

from __future__ import annotations

from docms.models import Document


def locked(document_id: int) -> Document | None:
    """The document as it is now, locked until the transaction ends, with folder, tenant, label and current version.

    Two statements: a joined row that was read before the lock was granted would still be the old one. Marks and
    log entries of others do not wait, because no key is locked.
    """
    if Document.objects.select_for_update(no_key=True).filter(pk=document_id).values_list("pk").first() is None:
        return None
    return Document.objects.select_related("folder__tenant", "label", "current", "uploaded_by").get(pk=document_id)
