"""Opening a document in one statement: found, seen, permitted, counted, marked and logged; or nothing of it.

Nearly every request for a document succeeds. What may be opened is the text of the querysets' own rules
(`visible_to`, `readable_by`, `downloadable_by`); this adds the bytes, which `core.services.blobs.require_deliverable`
judges again. What is not opened here is put to the rules one by one, and they alone refuse;
`tests/rights/test_oracle_openings.py` holds both against the contract's sentences in random companies.
"""

# ruff: noqa: S608 - statements made of constants

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection, models
from django.utils import timezone

from core.models import Blob
from core.planned import named_sql_of, planned_cursor
from core.services.delivery import INLINE
from docms.models import Document, DocumentLog, DocumentVersion
from docms.services.marks import READ_MARK

if TYPE_CHECKING:
    from docms.querysets import DocumentQuerySet
    from orgs.actor import Actor

_M = TypeVar("_M", bound=models.Model)

READ, DOWNLOAD = DocumentLog.Action.READ, DocumentLog.Action.DOWNLOAD
VIEWABLE = INLINE  # what the viewer can show, and nothing else (DOCMS-117)

Opened = tuple[Document, DocumentVersion, Blob]

# What ``found`` has a row of (id, tenant_id, membership_id, number) is opened: counter (DOCMS-119, 120), read mark
# (DOCMS-126) and log entry. Everybody who opens the same document waits for its row from here to the commit.
PROOF = f"""
counted AS (
  UPDATE docms_document AS d
     SET access_counter = d.access_counter + 1, first_access = COALESCE(d.first_access, %(now)s)
    FROM found WHERE d.id = found.id
  RETURNING d.id, d.tenant_id, d.access_counter, d.first_access, found.membership_id, found.number
), marked AS ({READ_MARK})
, logged AS (
  INSERT INTO docms_documentlog (created_at, tenant_id, document_id, user_id, action, label)
  SELECT %(now)s, tenant_id, id, %(user)s, %(action)s, '' FROM counted
)
"""

# What may be opened says a queryset, in its own text; of it, what has bytes that may leave, and the caller's membership.
_FOUND = """
SELECT d.id, d.tenant_id, d.folder_id, d.allow_download, d.delete_after_next_download, d.current_id, m.id AS membership_id,
       v.number, v.filename, v.blob_id, b.storage_key, b.sha256, b.size, b.mime, b.scan, b.missing_since
  FROM docms_document d
  JOIN docms_documentversion v ON v.id = d.current_id
  JOIN core_blob b ON b.id = v.blob_id
  JOIN unnest(%(tenants)s::bigint[], %(memberships)s::bigint[]) AS m(tenant_id, id) ON m.tenant_id = d.tenant_id
 WHERE d.id = ANY(ARRAY({permitted})) AND b.scan <> ALL(%(held)s::text[]) AND b.missing_since IS NULL
   AND (%(types)s::text[] IS NULL OR b.mime = ANY(%(types)s::text[]))
   AND (%(max_bytes)s::bigint IS NULL OR b.size <= %(max_bytes)s::bigint)
"""
_STATEMENT = f"""
WITH found AS ({_FOUND}), {PROOF}
SELECT found.*, counted.access_counter, counted.first_access FROM found JOIN counted USING (id)
"""


def _permitted(document_id: int, actor: Actor, action: str) -> DocumentQuerySet[Document]:
    seen = Document.objects.visible_to(actor, all=True).filter(pk=document_id)
    if action == READ:
        return seen.readable_by(actor)
    # A document that goes with its next download is claimed first, which is not done here (DOCMS-122).
    return seen.downloadable_by(actor).filter(delete_after_next_download=False)


def open_at_once(*, document_id: int, actor: Actor, action: str, max_bytes: int | None = None) -> Opened | None:
    """Open a document (``action``: ``READ`` or ``DOWNLOAD``) and prove it, in one round trip.

    None says nothing about why: the document may not be there, not be seen, not be permitted, not be deliverable, or need
    more than this. Nothing is counted then. ``max_bytes`` limits the size of what is opened.
    """
    seats = actor.memberships
    permitted = named_sql_of(_permitted(document_id, actor, action).order_by().values("id")) if seats else None
    if permitted is None or actor.user_id is None:
        return None
    text, values = permitted
    values |= {
        "user": actor.user_id,
        "tenants": list(seats),
        "memberships": [seat.pk for seat in seats.values()],
        "held": list(Blob.HELD),
        "types": list(VIEWABLE) if action == READ else None,
        "max_bytes": max_bytes,
        "action": action,
        "is_download": action == DOWNLOAD,
        "now": timezone.now(),
    }
    with planned_cursor() as cursor:
        cursor.execute(_STATEMENT.replace("{permitted}", text), values)
        row = cursor.fetchone()
        if row is None:
            return None
        found = dict(zip((column.name for column in cursor.description), row, strict=True))
    document = _as_read(Document, found)
    version = _as_read(DocumentVersion, {**found, "id": found["current_id"], "document_id": found["id"]})
    blob = _as_read(Blob, {**found, "id": found["blob_id"]})
    document.current, version.blob = version, blob
    return document, version, blob


def _as_read(model: type[_M], values: dict[str, Any]) -> _M:
    """A row as the ORM would have read it with `only`: what is not there comes when somebody asks for it."""
    names = [field.attname for field in model._meta.concrete_fields if field.attname in values]
    return model.from_db(connection.alias, names, [values[name] for name in names])
