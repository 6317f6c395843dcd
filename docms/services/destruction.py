"""The one place where documents end: checks, records, rows. Content goes with the next sweep of stored bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Conflict
from core.models import AuditEntry, DestructionRecord
from core.services import audit
from docms.models import Document, DocumentHold, DocumentLog
from docms.signals import document_deleted

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from docms.querysets import DocumentQuerySet


def refuse_protected(documents: DocumentQuerySet[Document]) -> None:
    """Raise `Conflict` when the folder's date (``deletion_locked``) or a hold (``held``) covers any of them."""
    if documents.filter(folder__allow_delete_files__gt=timezone.now()).exists():
        raise Conflict(_("Documents here are protected until a date that has not come yet."), code="deletion_locked")
    if documents.exclude(pk__in=documents.not_held().order_by().values("pk")).exists():
        raise Conflict(_("A legal hold covers documents here."), code="held")


def destroy(
    documents: QuerySet[Document], *, reason: str, user_id: int | None, rule: dict[str, Any] | None = None
) -> list[int]:
    """Delete documents with all versions, marks and shares; return their ids. Deleting none is fine.

    The caller runs in a transaction, has locked the rows or their folders, and has asked `refuse_protected`.

    Side effects: per document a destruction record, a log entry and an audit entry; holds that were released let
    go; signal `document_deleted`.
    """
    doomed = list(
        documents.order_by("id").values(
            "id", "tenant_id", "folder_id", "title", "filename", "size_bytes", "current__blob__sha256"
        )
    )
    if not doomed:
        return []
    ids = [row["id"] for row in doomed]
    DestructionRecord.objects.bulk_create(
        DestructionRecord(
            tenant_id=row["tenant_id"],
            kind="document",
            object_id=row["id"],
            folder_id=row["folder_id"],
            title=row["title"],
            filename=row["filename"],
            sha256=row["current__blob__sha256"],
            size=row["size_bytes"],
            user_id=user_id,
            reason=reason,
            rule=rule or {},
        )
        for row in doomed
    )
    DocumentLog.objects.bulk_create(
        DocumentLog(
            tenant_id=row["tenant_id"], document_id=row["id"], user_id=user_id, action=DocumentLog.Action.DELETE
        )
        for row in doomed
    )
    AuditEntry.objects.bulk_create(
        audit.entry_for(
            "deleted",
            object_type=Document._meta.label_lower,
            object_id=row["id"],
            tenant_id=row["tenant_id"],
            changes={"filename": [row["filename"], None], "folder": [row["folder_id"], None], "reason": [None, reason]},
        )
        for row in doomed
    )
    DocumentHold.objects.filter(document__in=ids, hold__released_at__isnull=False).delete()
    Document.objects.filter(pk__in=ids).delete()
    document_deleted.send(sender=Document, tenant_id=doomed[0]["tenant_id"], document_ids=ids)
    return ids
