"""What this floor announces, inside the transaction."""

from django.dispatch import Signal

# document: Document, people: frozenset[int] – visible from now on; the accounts that may read it, without the uploader
document_published = Signal()
# document: Document, user_id: int, action: "read" | "download"
document_opened = Signal()
# tenant_id: int, document_ids: list[int] – gone for good; the rows do not exist any more
document_deleted = Signal()
# tenant_id: int, folder_ids: list[int] – gone with everything below
folder_deleted = Signal()
