"""Opening a document in one statement: found, seen, permitted, counted, marked and logged; or nothing of it.

Nearly every request for a document succeeds, and the ORM needs longer to put the question together than PostgreSQL to
answer it. So the rules for *one* document are written here once more: what `DocumentQuerySet.visible_to` (``all``),
`docms.querysets.may` and `core.services.blobs.require_deliverable` say. Those stay the rules. What is not opened here is
put to them, and they alone refuse; `tests/rights/test_oracle_openings.py` holds the two and the contract's sentences
against each other in random companies.
"""

# ruff: noqa: S608 - statements made of constants

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection, models
from django.utils import timezone

from core.models import Blob
from core.planned import planned_cursor
from core.services.delivery import INLINE
from docms.models import Document, DocumentLog, DocumentVersion
from docms.querysets import MEMBER_FLAGS
from docms.services.marks import READ_MARK

if TYPE_CHECKING:
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

# A document whose bytes may leave, and the caller's membership in its tenant. Administrators see it (DOCMS-096); others
# when a group leads them to its folder and that is not hidden (DOCMS-061, 103), in its period or as its uploader
# (DOCMS-121). The flag is that of an active folder permission, else the membership's own.
_FOUND = """
SELECT d.id, d.tenant_id, d.folder_id, d.allow_download, d.delete_after_next_download, d.current_id, m.id AS membership_id,
       v.number, v.filename, v.blob_id, b.storage_key, b.sha256, b.size, b.mime, b.scan, b.missing_since
  FROM docms_document d
  JOIN docms_folder f ON f.id = d.folder_id
  JOIN docms_documentversion v ON v.id = d.current_id
  JOIN core_blob b ON b.id = v.blob_id
  JOIN unnest(%(tenants)s::bigint[], %(memberships)s::bigint[], %(flags)s::bool[]) AS m(tenant_id, id, flag)
    ON m.tenant_id = d.tenant_id
 WHERE d.id = %(document)s AND d.claimed_at IS NULL
   AND (d.tenant_id = ANY(%(administered)s::bigint[])
     OR (f.hidden_from IS NULL OR f.hidden_from > %(now)s)
    AND ((d.active_from IS NULL OR d.active_from <= %(now)s) AND (d.active_until IS NULL OR d.active_until > %(now)s)
         OR d.uploaded_by_id = %(user)s)
    AND EXISTS (
      SELECT 1 FROM docms_folderaccess a JOIN docms_group g ON g.id = a.group_id
       WHERE a.folder_id = f.id AND (g.audience_key = ANY(%(keys)s::text[]) OR g.kind = 'manual' AND EXISTS (
         SELECT 1 FROM docms_groupmember l WHERE l.group_id = g.id AND l.membership_id = ANY(%(places)s::bigint[])))))
   AND COALESCE(
     (SELECT p.{flag} FROM docms_folderpermission p WHERE p.folder_id = f.id AND p.membership_id = m.id AND p.active),
     m.flag)
   AND b.scan <> ALL(%(held)s::text[]) AND b.missing_since IS NULL
   AND (%(max_bytes)s::bigint IS NULL OR b.size <= %(max_bytes)s::bigint)
"""
# A document that goes with its next download is claimed first, which is not done here (DOCMS-122).
_AND: dict[str, str] = {
    READ: "AND b.mime = ANY(%(viewable)s::text[])",
    DOWNLOAD: "AND d.allow_download AND NOT d.delete_after_next_download",  # DOCMS-118
}
# The column of the flag is called as the action.
STATEMENTS: dict[str, str] = {
    action: f"WITH found AS ({_FOUND.replace('{flag}', action)} {more}), {PROOF}"
    "SELECT found.*, counted.access_counter, counted.first_access FROM found JOIN counted USING (id)"
    for action, more in _AND.items()
}


def open_at_once(*, document_id: int, actor: Actor, action: str, max_bytes: int | None = None) -> Opened | None:
    """Open a document (``action``: ``READ`` or ``DOWNLOAD``) and prove it, in one round trip.

    None says nothing about why: the document may not be there, not be seen, not be permitted, not be deliverable, or need
    more than this. Nothing is counted then. ``max_bytes`` limits the size of what is opened.
    """
    seats = actor.memberships
    if not seats or actor.user_id is None:
        return None
    values: dict[str, Any] = {
        "document": document_id,
        "user": actor.user_id,
        "tenants": list(seats),
        "memberships": [seat.pk for seat in seats.values()],
        "flags": [getattr(seat, MEMBER_FLAGS[action]) for seat in seats.values()],
        "administered": list(actor.admin_tenants),
        "keys": list(actor.keys),
        "places": list(actor.membership_ids),
        "held": list(Blob.HELD),
        "viewable": list(VIEWABLE),
        "max_bytes": max_bytes,
        "action": action,
        "is_download": action == DOWNLOAD,
        "now": timezone.now(),
    }
    with planned_cursor() as cursor:
        cursor.execute(STATEMENTS[action], values)
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
