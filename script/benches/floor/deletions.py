"""The floor of the retention sweep: the same documents deleted by hand-written SQL in one transaction, then unlinked.

It does what the product does for its duty: due by the folder's date, kept by a hold; a destruction record and a log entry
for each; rows that hang on a document, the document, its versions, the bytes' rows, and at last the files. It asks
nobody twice, locks nothing, writes no audit entries and knows no row policies; a kill leaves the files behind.
"""

from __future__ import annotations

from pathlib import Path

import psycopg

from core.storage import blob_name

_DUE = """
CREATE TEMP TABLE doomed ON COMMIT DROP AS
SELECT d.id, d.tenant_id, d.folder_id, d.title, d.filename, d.size_bytes, b.sha256, f.allow_delete_files
  FROM docms_document d
  JOIN docms_folder f ON f.id = d.folder_id
  LEFT JOIN orgs_unit u ON u.id = f.unit_id
  LEFT JOIN docms_documentversion v ON v.id = d.current_id
  LEFT JOIN core_blob b ON b.id = v.blob_id
 WHERE f.auto_delete_files AND f.allow_delete_files <= now() AND d.claimed_at IS NULL
   AND NOT EXISTS (SELECT FROM docms_documenthold n JOIN orgs_hold h ON h.id = n.hold_id
                    WHERE n.document_id = d.id AND h.released_at IS NULL)
   AND NOT EXISTS (SELECT FROM orgs_hold h WHERE h.tenant_id = d.tenant_id AND h.released_at IS NULL
                    AND (h.contact_id = f.contact_id OR h.unit_id = f.unit_id
                         OR h.community_id IN (f.community_id, u.community_id)))
"""
_RECORD = """
INSERT INTO core_destructionrecord
       (created_at, tenant_id, kind, object_id, folder_id, title, filename, sha256, size, reason, rule)
SELECT now(), tenant_id, 'document', id, folder_id, title, filename, sha256, size_bytes, 'folder_date',
       jsonb_build_object('policy', 'folder_date', 'allow_delete_files', allow_delete_files)
  FROM doomed
"""
_LOG = """
INSERT INTO docms_documentlog (created_at, tenant_id, document_id, action, label)
SELECT now(), tenant_id, id, 'delete', '' FROM doomed
"""
_DELETE = (
    "DELETE FROM docms_documenthold WHERE document_id IN (SELECT id FROM doomed)",
    "DELETE FROM docms_documentindex WHERE document_id IN (SELECT id FROM doomed)",
    "DELETE FROM docms_readmark WHERE document_id IN (SELECT id FROM doomed)",
    "DELETE FROM docms_documentshare WHERE document_id IN (SELECT id FROM doomed)",
    "DELETE FROM docms_document WHERE id IN (SELECT id FROM doomed)",
)
_VERSIONS = "DELETE FROM docms_documentversion WHERE document_id IN (SELECT id FROM doomed) RETURNING blob_id"
_BLOBS = """
DELETE FROM core_blob b WHERE id = ANY(%s) AND NOT EXISTS (SELECT FROM docms_documentversion WHERE blob_id = b.id)
RETURNING storage_key
"""


def delete(database: str, files: Path) -> int:
    """Everything that is due, once; returns how many files went."""
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(_DUE)
        cursor.execute("ANALYZE doomed")
        cursor.execute(_RECORD)
        cursor.execute(_LOG)
        for statement in _DELETE:
            cursor.execute(statement)
        blobs = [row[0] for row in cursor.execute(_VERSIONS)]
        keys = [row[0] for row in cursor.execute(_BLOBS, [blobs])]
    for key in keys:
        (files / blob_name(key)).unlink()
    return len(keys)
