"""The one place where documents end: checks, records, rows. A worker removes the bytes that nothing refers to then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Conflict
from core.models import AuditEntry, DestructionRecord
from core.services import audit, sweeps
from core.services.wake import wake
from docms.models import Document, DocumentHold, DocumentLog, DocumentVersion
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


@dataclass(frozen=True)
class End:
    """Why a document goes, as its record says: the reason, and the facts of the rule that applied."""

    reason: str
    rule: Mapping[str, Any] = field(default_factory=dict)


def destroy(documents: QuerySet[Document], *, user_id: int | None, end: End | Mapping[int, End]) -> list[int]:
    """Delete documents with all versions, marks and shares; return their ids. Deleting none is fine.

    ``end`` is one for all, or one for each id. The caller runs in a transaction, has called `holds.keep_still`, has
    locked the rows or their folders, and has asked `refuse_protected` or a rule that asks the same.

    Side effects: per document a destruction record, a log entry and an audit entry; holds that were released let
    go; signal `document_deleted` for each tenant; after commit a worker removes the bytes.
    """
    doomed = list(
        documents.order_by("id").values(
            "id", "tenant_id", "folder_id", "title", "filename", "size_bytes", "current__blob__sha256"
        )
    )
    if not doomed:
        return []
    ids = [row["id"] for row in doomed]
    ends = dict.fromkeys(ids, end) if isinstance(end, End) else end
    _record(doomed, ends, user_id)
    blobs = sorted(set(DocumentVersion.objects.filter(document__in=ids).order_by().values_list("blob_id", flat=True)))
    DocumentHold.objects.filter(document__in=ids, hold__released_at__isnull=False).delete()
    Document.objects.filter(pk__in=ids).delete()
    by_tenant: dict[int, list[int]] = {}
    for row in doomed:
        by_tenant.setdefault(row["tenant_id"], []).append(row["id"])
    for tenant_id, gone in by_tenant.items():
        document_deleted.send(sender=Document, tenant_id=tenant_id, document_ids=gone)
    for start in range(0, len(blobs), sweeps.BATCH):
        told = blobs[start : start + sweeps.BATCH]
        transaction.on_commit(partial(wake, sweeps.TASK, *told), robust=True)
    return ids


def _record(doomed: Sequence[Mapping[str, Any]], ends: Mapping[int, End], user_id: int | None) -> None:
    """What outlives the documents."""
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
            reason=ends[row["id"]].reason,
            rule=dict(ends[row["id"]].rule),
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
            changes={
                "filename": [row["filename"], None],
                "folder": [row["folder_id"], None],
                "reason": [None, ends[row["id"]].reason],
            },
        )
        for row in doomed
    )
