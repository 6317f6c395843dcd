"""The floor of downloads: bare Django behind the same server does the same work by hand-written SQL.

A WSGI application for `gunicorn script.benches._floor`: token look-up, who the caller is, the rights rule, counter, read
mark and log row in one transaction, then `FileResponse`. No middleware, no REST framework, no object of ours.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import environ
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path

if TYPE_CHECKING:
    from django.urls import URLPattern

settings.configure(
    SECRET_KEY="floor",  # noqa: S106 - nothing is signed
    ROOT_URLCONF="script.benches._floor",
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[],
    DATABASES={"default": {**environ.Env.db_url_config(os.environ["DATABASE_URL"]), "CONN_MAX_AGE": 60}},
    USE_TZ=True,
)
FILES = Path(os.environ["STORAGE_URL"].removeprefix("file://"))

# The tenant of the token, so that the row policies let the rest of the transaction see it.
_TOKEN = """
SELECT t.user_id, t.organization_id, set_config('quartier.tenants', '{' || t.organization_id || '}', true)
  FROM orgs_accesstoken t JOIN orgs_user u ON u.id = t.user_id
 WHERE t.token_hash = %s AND t.revoked_at IS NULL AND t.expires_at > now() AND t.state = 'active'
   AND u.erased_at IS NULL
"""
_CALLER = """
SELECT m.id, m.download_perm FROM orgs_membership m JOIN orgs_organization o ON o.id = m.organization_id
 WHERE m.user_id = %(user)s AND m.organization_id = %(tenant)s AND o.closed_at IS NULL
   AND (m.deactivated_at IS NULL OR m.deactivated_at > now())
"""
_KEYS = """
SELECT 'c:' || u.community_id FROM orgs_occupancy o
  JOIN orgs_contact c ON c.id = o.contact_id JOIN orgs_unit u ON u.id = o.unit_id
 WHERE c.user_id = %(user)s AND c.erased_at IS NULL AND o.revoked_at IS NULL AND o.period @> current_date
"""
_DOCUMENT = """
SELECT v.number, v.filename, b.storage_key, b.sha256, b.mime, p.download
  FROM docms_document d
  JOIN docms_folder f ON f.id = d.folder_id
  JOIN docms_documentversion v ON v.id = d.current_id
  JOIN core_blob b ON b.id = v.blob_id
  LEFT JOIN docms_folderpermission p ON p.folder_id = f.id AND p.membership_id = %(membership)s AND p.active
 WHERE d.id = %(id)s AND d.tenant_id = %(tenant)s AND d.claimed_at IS NULL AND d.allow_download
   AND (d.active_from IS NULL OR d.active_from <= now()) AND (d.active_until IS NULL OR d.active_until > now())
   AND (f.hidden_from IS NULL OR f.hidden_from > now())
   AND EXISTS (
     SELECT 1 FROM docms_folderaccess a JOIN docms_group g ON g.id = a.group_id
      WHERE a.folder_id = f.id AND (g.audience_key = ANY (%(keys)s) OR EXISTS (
        SELECT 1 FROM docms_groupmember gm WHERE gm.group_id = g.id AND gm.membership_id = %(membership)s)))
"""
_PROVE = """
UPDATE docms_document SET access_counter = access_counter + 1, first_access = coalesce(first_access, now())
 WHERE id = %(id)s
"""
_MARK = """
INSERT INTO docms_readmark AS mark
       (tenant_id, document_id, membership_id, version_no, first_at, downloaded_at, created_at)
VALUES (%(tenant)s, %(id)s, %(membership)s, %(version)s, now(), now(), now())
ON CONFLICT (document_id, membership_id) DO UPDATE
   SET version_no = greatest(mark.version_no, excluded.version_no),
       downloaded_at = coalesce(mark.downloaded_at, excluded.downloaded_at)
"""
_LOG = """
INSERT INTO docms_documentlog (created_at, tenant_id, document_id, user_id, action, label)
VALUES (now(), %(tenant)s, %(id)s, %(user)s, 'download', '')
"""


@transaction.atomic
def download(request: HttpRequest, document_id: int) -> HttpResponseBase:
    """Authorised, logged, sent."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    with connection.cursor() as cursor:
        cursor.execute(_TOKEN, [hashlib.sha256(token.encode()).digest()])
        found = cursor.fetchone()
        if found is None:
            return HttpResponse(status=401)
        values = {"id": document_id, "user": found[0], "tenant": found[1]}
        cursor.execute(_CALLER, values)
        values["membership"], may = cursor.fetchone()
        cursor.execute(_KEYS, values)
        values["keys"] = [row[0] for row in cursor.fetchall()]
        cursor.execute(_DOCUMENT, values)
        row = cursor.fetchone()
        if row is None:
            return HttpResponse(status=404)
        values["version"], filename, key, digest, mime, own = row
        if not (may if own is None else own):
            return HttpResponse(status=403)
        for statement in (_PROVE, _MARK, _LOG):
            cursor.execute(statement, values)
    file = (FILES / "blobs" / key.hex[:2] / key.hex[2:4] / key.hex).open("rb")
    answer = FileResponse(file, as_attachment=True, filename=filename, content_type=mime)
    answer["ETag"] = f'"{bytes(digest).hex()}"'
    return answer


urlpatterns: list[URLPattern] = [path("docms/api/v1/files/<int:document_id>/download", download)]
application = get_wsgi_application()
