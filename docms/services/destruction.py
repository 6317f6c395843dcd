"""The one place where documents end: checks, records, rows. A worker removes the bytes that nothing refers to then."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Conflict
from core.querysets import equals_any
from core.services import audit
from core.services.destruction import remove_bytes_later
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
    doomed = list(documents.order_by("id").values("id", "tenant_id", "folder_id", "filename"))
    if not doomed:
        return []
    ids = [row["id"] for row in doomed]
    ends = dict.fromkeys(ids, end) if isinstance(end, End) else end
    _record(doomed, ends, user_id)
    versions = DocumentVersion.objects.filter(equals_any("document", ids)).order_by()
    blobs = list(versions.values_list("blob_id", flat=True))
    DocumentHold.objects.filter(equals_any("document", ids), hold__released_at__isnull=False).delete()
    Document.objects.filter(equals_any("pk", ids)).delete()
    by_tenant: dict[int, list[int]] = {}
    for row in doomed:
        by_tenant.setdefault(row["tenant_id"], []).append(row["id"])
    for tenant_id, gone in by_tenant.items():
        document_deleted.send(sender=Document, tenant_id=tenant_id, document_ids=gone)
    remove_bytes_later(blobs)
    return ids


# Written from the rows themselves: thousands of instances would cost more time than the deletion.
_RECORDED = """
INSERT INTO core_destructionrecord
       (created_at, tenant_id, kind, object_id, folder_id, title, filename, sha256, size, user_id, reason, rule)
SELECT %(now)s, d.tenant_id, 'document', d.id, d.folder_id, d.title, d.filename, b.sha256, d.size_bytes, %(user)s,
       ended.reason, ended.rule
  FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(rules)s::jsonb[]) AS ended(id, reason, rule)
  JOIN docms_document d ON d.id = ended.id
  LEFT JOIN docms_documentversion v ON v.id = d.current_id
  LEFT JOIN core_blob b ON b.id = v.blob_id
 ORDER BY d.id
"""
_LOGGED = """
INSERT INTO docms_documentlog (created_at, tenant_id, document_id, user_id, action, label)
SELECT %(now)s, tenant_id, id, %(user)s, %(action)s, ''
  FROM docms_document WHERE id = ANY(%(ids)s) ORDER BY id
"""


def _record(doomed: Sequence[Mapping[str, Any]], ends: Mapping[int, End], user_id: int | None) -> None:
    """What outlives the documents."""
    facts = [(row["id"], ends[row["id"]].reason, json.dumps(dict(ends[row["id"]].rule))) for row in doomed]
    values = {
        "ids": [pk for pk, _reason, _rule in facts],
        "reasons": [reason for _pk, reason, _rule in facts],
        "rules": [rule for _pk, _reason, rule in facts],
        "user": user_id,
        "now": timezone.now(),
        "action": DocumentLog.Action.DELETE.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORDED, values)
        cursor.execute(_LOGGED, values)
    audit.record_many(
        "deleted",
        Document,
        (
            (
                row["id"],
                row["tenant_id"],
                {
                    "filename": [row["filename"], None],
                    "folder": [row["folder_id"], None],
                    "reason": [None, ends[row["id"]].reason],
                },
            )
            for row in doomed
        ),
    )
