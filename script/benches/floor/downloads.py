"""The floor of downloads: authorised, counted, marked, logged and sent, in three statements and without a transaction.

It does what the product does for its duty: token with membership and tenant, circles of the person, the rules of the
document and of its bytes, counter, read mark and log entry, and the same headers. It knows neither row policies nor
refusals in words, and of ranges nothing, because nobody asks it for one. On S3 or behind nginx it does not work.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from django.db import connection
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

from script.benches.floor import sql
from script.benches.floor.views import keys_of

FILES = Path(os.environ.get("STORAGE_URL", "file:///nowhere").removeprefix("file://"))

_USED = "UPDATE orgs_accesstoken SET last_used_at = now() WHERE id = %s"
_OPEN = """
WITH found AS (
  SELECT d.id, v.number, v.filename, b.storage_key, b.sha256
    FROM docms_document d
    JOIN docms_folder f ON f.id = d.folder_id
    JOIN docms_documentversion v ON v.id = d.current_id
    JOIN core_blob b ON b.id = v.blob_id
    LEFT JOIN docms_folderpermission p ON p.folder_id = f.id AND p.membership_id = %(membership)s AND p.active
   WHERE d.id = %(document)s AND d.tenant_id = %(tenant)s AND d.claimed_at IS NULL
     AND d.allow_download AND NOT d.delete_after_next_download AND coalesce(p.download, %(may)s)
     AND b.scan IN ('clean', 'skipped') AND b.missing_since IS NULL
     AND (%(is_admin)s
       OR (f.hidden_from IS NULL OR f.hidden_from > now())
      AND ((d.active_from IS NULL OR d.active_from <= now()) AND (d.active_until IS NULL OR d.active_until > now())
           OR d.uploaded_by_id = %(user)s)
      AND EXISTS (
        SELECT 1 FROM docms_folderaccess a JOIN docms_group g ON g.id = a.group_id
         WHERE a.folder_id = f.id AND (g.audience_key = ANY(%(keys)s) OR g.kind = 'manual' AND EXISTS (
           SELECT 1 FROM docms_groupmember l WHERE l.group_id = g.id AND l.membership_id = %(membership)s))))
), counted AS (
  UPDATE docms_document d SET access_counter = d.access_counter + 1, first_access = coalesce(d.first_access, now())
    FROM found WHERE d.id = found.id
  RETURNING d.id, found.number
), marked AS (
  INSERT INTO docms_readmark AS mark
         (tenant_id, document_id, membership_id, version_no, first_at, downloaded_at, created_at)
  SELECT %(tenant)s, id, %(membership)s, number, now(), now(), now() FROM counted
  ON CONFLICT (document_id, membership_id) DO UPDATE
     SET version_no = greatest(mark.version_no, excluded.version_no),
         downloaded_at = coalesce(mark.downloaded_at, excluded.downloaded_at)
   WHERE mark.version_no < excluded.version_no OR mark.downloaded_at IS NULL
), logged AS (
  INSERT INTO docms_documentlog (created_at, tenant_id, document_id, user_id, action, label)
  SELECT now(), %(tenant)s, id, %(user)s, 'download', '' FROM counted
)
SELECT filename, storage_key, sha256 FROM found JOIN counted USING (id)
"""
_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Accept-Ranges": "bytes",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Strict-Transport-Security": "max-age=31536000",
    "Referrer-Policy": "same-origin",
}


def download(request: HttpRequest, document_id: int) -> HttpResponseBase:
    """A document as raw bytes."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    with connection.cursor() as cursor:
        cursor.execute(sql.DOWNLOAD_TOKEN, [hashlib.sha256(token.encode()).digest()])
        caller = cursor.fetchone()
        if caller is None:
            return HttpResponse(status=401)
        number, user, tenant, membership, may, is_admin, is_let_in, is_stale = caller
        if not is_let_in:
            return HttpResponse(status=403)
        if is_stale:
            cursor.execute(_USED, [number])
        cursor.execute(sql.PLACES, {"user": user, "tenants": [tenant]})
        values = {
            "document": document_id, "user": user, "tenant": tenant, "membership": membership, "may": may,
            "is_admin": is_admin, "keys": keys_of(cursor.fetchall(), user),
        }  # fmt: skip
        cursor.execute(_OPEN, values)
        opened = cursor.fetchone()
    if opened is None:
        return HttpResponse(status=404)
    filename, key, digest = opened
    headers = _HEADERS | {
        "ETag": f'"{bytes(digest).hex()}"',
        "Content-Disposition": content_disposition_header(True, filename) or "attachment",
    }
    unchanged = get_conditional_response(request, etag=headers["ETag"])
    if unchanged is not None:
        return unchanged
    file = (FILES / "blobs" / key.hex[:2] / key.hex[2:4] / key.hex).open("rb")
    return FileResponse(file, content_type="application/octet-stream", headers=headers)
