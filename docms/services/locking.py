"""The row lock on a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.planned import planned_cursor
from docms.models import Document

if TYPE_CHECKING:
    from collections.abc import Iterable

# The folders first, by their numbers: whoever deletes folders locks them before their documents, too.
_FOLDERS = """
SELECT id FROM docms_folder
 WHERE id = ANY(array_append(%s::bigint[], (SELECT folder_id FROM docms_document WHERE id = %s)))
 ORDER BY id FOR KEY SHARE
"""


def locked(document_id: int, *, folders: Iterable[int] = ()) -> Document | None:
    """The document as it is now, locked until the transaction ends, with folder, tenant, label and current version.

    Its folder, and other ``folders`` that the change names, are not deleted before that. Read after the lock was granted: a
    joined row that was read before would still be the old one. Marks and log entries of others do not wait, because no key
    is locked.
    """
    with planned_cursor() as cursor:
        cursor.execute(_FOLDERS, [list(folders), document_id])
    if Document.objects.select_for_update(no_key=True).filter(pk=document_id).values_list("pk").first() is None:
        return None
    return Document.objects.select_related("folder__tenant", "label", "current", "uploaded_by").get(pk=document_id)
