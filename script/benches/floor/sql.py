"""The statements of the floor, as somebody writes them who knows the tables and asks for nothing twice."""

from collections.abc import Sequence

_OF_TOKEN = """
  FROM orgs_accesstoken t
  JOIN orgs_user u ON u.id = t.user_id AND u.erased_at IS NULL
  JOIN orgs_organization o ON o.id = t.organization_id AND o.closed_at IS NULL
  JOIN orgs_membership m ON m.user_id = t.user_id AND m.organization_id = t.organization_id
       AND (m.deactivated_at IS NULL OR m.deactivated_at > now())
  JOIN orgs_organizationsettings s ON s.organization_id = o.id
 WHERE t.token_hash = %s AND t.kind = 'docms_session' AND t.state = 'active' AND t.revoked_at IS NULL
   AND t.expires_at > now()
"""
TOKEN = f"""
SELECT t.user_id, t.organization_id, o.timezone, m.id, m.read_perm, m.download_perm, m.upload_file_perm,
       m.edit_file_perm, m.edit_own_file_perm, s.mark_read, s.api_internal_access
{_OF_TOKEN}"""
# What a download needs of it; the use is noted once a minute.
DOWNLOAD_TOKEN = f"""
SELECT t.id, t.user_id, t.organization_id, m.id, m.download_perm, m.admin_perm OR m.super_admin_perm OR u.is_superuser,
       s.api_internal_access, t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute'
{_OF_TOKEN}"""

SESSION = """
SELECT s.user_id FROM orgs_session s JOIN orgs_user u ON u.id = s.user_id AND u.erased_at IS NULL
 WHERE s.session_key = %s AND s.expires_at > now()
"""

MEMBERSHIPS = """
SELECT m.id, m.tenant_id, o.timezone FROM orgs_membership m JOIN orgs_organization o ON o.id = m.organization_id
 WHERE m.user_id = %s AND m.organization_id = m.tenant_id AND o.closed_at IS NULL
   AND (m.deactivated_at IS NULL OR m.deactivated_at > now())
"""

# Contacts, and what they hold today in their company's zone: the board's seats come as a role without a unit.
PLACES = """
SELECT c.id, o.unit_id, u.building_id, u.community_id, o.role, o.role IN ('owner', 'renter') OR o.is_admin
  FROM orgs_contact c JOIN orgs_organization g ON g.id = c.tenant_id
  LEFT JOIN orgs_occupancy o ON o.contact_id = c.id AND o.revoked_at IS NULL
       AND o.period @> (now() AT TIME ZONE g.timezone)::date
  LEFT JOIN orgs_unit u ON u.id = o.unit_id
 WHERE c.user_id = %(user)s AND c.tenant_id = ANY(%(tenants)s) AND c.erased_at IS NULL
UNION ALL
SELECT c.id, NULL, NULL, r.community_id, 'board', false
  FROM orgs_contact c JOIN orgs_organization g ON g.id = c.tenant_id
  JOIN orgs_responsibility r ON r.contact_id = c.id AND r.type = 'ADVISORY_BOARD'
       AND r.period @> (now() AT TIME ZONE g.timezone)::date
 WHERE c.user_id = %(user)s AND c.tenant_id = ANY(%(tenants)s) AND c.erased_at IS NULL
"""

_REACHED = """
SELECT a.folder_id FROM docms_folderaccess a JOIN docms_group g ON g.id = a.group_id
 WHERE g.tenant_id = ANY(%(tenants)s) AND g.audience_key = ANY(%(keys)s)
UNION
SELECT a.folder_id FROM docms_folderaccess a JOIN docms_groupmember m ON m.group_id = a.group_id
  JOIN docms_group g ON g.id = m.group_id AND g.kind = 'manual'
 WHERE m.membership_id = ANY(%(memberships)s)
"""

FOLDER = f"""
SELECT p.upload, p.edit, p.edit_own FROM docms_folder f
  LEFT JOIN docms_folderpermission p ON p.folder_id = f.id AND p.membership_id = ANY(%(memberships)s) AND p.active
 WHERE f.id = %(folder)s AND f.tenant_id = ANY(%(tenants)s) AND (f.hidden_from IS NULL OR f.hidden_from > now())
   AND f.id IN ({_REACHED})
"""

_IN_PERIOD = """
d.claimed_at IS NULL AND ((d.active_from IS NULL OR d.active_from <= now())
  AND (d.active_until IS NULL OR d.active_until > now()) OR d.uploaded_by_id = %(user)s)
"""

_ROW = """
SELECT d.id, d.version_label, d.folder_id, f.inactive_at, d.title, d.description, d.filename, l.name, l.color,
       d.size_bytes, d.access_counter, d.allow_download, d.changed_at, d.active_from, d.active_until, d.done, d.done_at,
       d.done_by_id, u.first_name, u.last_name, d.uploaded_by_id, d.identifier, d.first_access, d.is_big,
       d.delete_after_next_download, d.internal_note,
       EXISTS (SELECT 1 FROM docms_readmark r WHERE r.document_id = d.id AND r.membership_id = ANY(%(memberships)s)
                AND r.version_no >= v.number)
  FROM docms_document d JOIN docms_folder f ON f.id = d.folder_id
  LEFT JOIN docms_folderlabel l ON l.id = d.label_id LEFT JOIN orgs_user u ON u.id = d.done_by_id
  LEFT JOIN docms_documentversion v ON v.id = d.current_id
"""

FILES = f"{_ROW} WHERE d.folder_id = %(folder)s AND {_IN_PERIOD} ORDER BY d.sort_key, d.id"

PAGE = f"""
{_ROW} WHERE d.id = ANY(%(ids)s) AND {_IN_PERIOD}
   AND d.folder_id = ANY(ARRAY(SELECT g.id FROM docms_folder g WHERE g.id IN ({_REACHED})
                                AND (g.hidden_from IS NULL OR g.hidden_from > now())))
 ORDER BY d.sort_key, d.id LIMIT %(limit)s
"""

FLAGS = """
SELECT p.folder_id, p.upload, p.edit, p.edit_own FROM docms_folderpermission p
 WHERE p.folder_id = ANY(%(folders)s) AND p.membership_id = ANY(%(memberships)s) AND p.active
"""

COMMUNITY = """
SELECT c.name, o.name, o.timezone, s.accent_color, s.imprint FROM orgs_community c
  JOIN orgs_organization o ON o.id = c.tenant_id JOIN orgs_organizationsettings s ON s.organization_id = o.id
 WHERE c.id = %(community)s AND c.has_documents
"""

_HERE = f"""
SELECT f.id FROM docms_folder f LEFT JOIN orgs_unit u ON u.id = f.unit_id
 WHERE f.id IN ({_REACHED}) AND (f.hidden_from IS NULL OR f.hidden_from > now())
   AND (f.community_id = %(community)s OR f.community_id IS NULL AND u.community_id = %(community)s
        OR f.community_id IS NULL AND f.unit_id IS NULL)
"""

_UNREAD = """
NOT EXISTS (SELECT 1 FROM docms_readmark r WHERE r.document_id = d.id AND r.membership_id = ANY(%(memberships)s)
             AND r.version_no >= (SELECT v.number FROM docms_documentversion v WHERE v.id = d.current_id))
"""

NEW = f"""
SELECT d.id, d.title, d.filename, d.created_at, f.name, f.full_path_name
  FROM (SELECT n.* FROM unnest(ARRAY({_HERE})) AS h(id)
         CROSS JOIN LATERAL (SELECT * FROM docms_document d WHERE d.folder_id = h.id AND {_IN_PERIOD} AND {_UNREAD}
                              ORDER BY d.created_at DESC, d.id DESC LIMIT 6) AS n) AS d
  JOIN docms_folder f ON f.id = d.folder_id
 ORDER BY d.created_at DESC, d.id DESC LIMIT 6
"""

UNREAD = f"SELECT count(*) FROM docms_document d WHERE d.folder_id = ANY(ARRAY({_HERE})) AND {_IN_PERIOD} AND {_UNREAD}"

CONTACTS = """
SELECT r.title, c.first_name, c.last_name, c.company, c.email, c.telephone FROM orgs_responsibility r
  JOIN orgs_contact c ON c.id = r.contact_id
 WHERE r.community_id = %(community)s AND r.show_on_dashboard AND r.period @> current_date ORDER BY r.position, r.id
"""

GREETING = """
SELECT c.salutation, c.title, c.first_name, c.last_name FROM orgs_contact c
 WHERE c.user_id = %(user)s AND c.kind = 'person' ORDER BY c.is_primary DESC, c.id LIMIT 1
"""

UNITS = """
SELECT u.id, u.name, u.floor, c.id, c.name FROM orgs_unit u JOIN orgs_community c ON c.id = u.community_id
 WHERE u.id = ANY(%(units)s) ORDER BY c.sort_key, u.id
"""

_QUERY = "(to_tsquery('simple', %(w{0})s) || to_tsquery('german', %(w{0})s) || to_tsquery('english', %(w{0})s))"


def search(words: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Ids of what holds all words, and the values of the words."""
    query = " && ".join(_QUERY.format(n) for n in range(len(words)))
    statement = f"""
WITH seen AS MATERIALIZED (SELECT g.id FROM docms_folder g WHERE g.id IN ({_REACHED})
                            AND (g.hidden_from IS NULL OR g.hidden_from > now()))
SELECT d.id FROM docms_documentindex i JOIN docms_document d ON d.id = i.document_id
 WHERE i.folder_id = ANY(ARRAY(SELECT id FROM seen)) AND d.folder_id = ANY(ARRAY(SELECT id FROM seen))
   AND i.vector @@ ({query}) AND {_IN_PERIOD}
 ORDER BY d.sort_key, d.id"""
    return statement, {f"w{n}": f"{word}:*" for n, word in enumerate(words)}


def search_page(words: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The first fifty hits in one community, ranked, with their number and the text around the first hit."""
    every, some = (join.join(_QUERY.format(n) for n in range(len(words))) for join in (" && ", " || "))
    statement = f"""
WITH here AS MATERIALIZED ({_HERE}),
     hits AS (SELECT d.id, ts_rank(i.names, {some}) AS rank, d.created_at, count(*) OVER () AS n
                FROM docms_documentindex i JOIN docms_document d ON d.id = i.document_id
               WHERE i.folder_id = ANY(ARRAY(SELECT id FROM here)) AND d.folder_id = ANY(ARRAY(SELECT id FROM here))
                 AND i.vector @@ ({every}) AND {_IN_PERIOD}
               ORDER BY 2 DESC, 3 DESC, 1 DESC LIMIT 50)
SELECT h.id, h.n, coalesce(nullif(d.title, ''), d.filename), d.description, d.size_bytes, d.mime, f.name, l.name, b.scan,
       substr(i.text, greatest(regexp_instr(i.text, %(pattern)s) - 70, 1), 220),
       coalesce(p.read, m.read_perm), coalesce(p.download, m.download_perm),
       EXISTS (SELECT 1 FROM docms_readmark r WHERE r.document_id = d.id AND r.membership_id = ANY(%(memberships)s)
                AND r.version_no >= v.number)
  FROM hits h JOIN docms_document d ON d.id = h.id JOIN docms_documentindex i ON i.document_id = d.id
  JOIN docms_folder f ON f.id = d.folder_id JOIN docms_documentversion v ON v.id = d.current_id
  JOIN core_blob b ON b.id = v.blob_id JOIN orgs_membership m ON m.id = ANY(%(memberships)s) AND m.tenant_id = d.tenant_id
  LEFT JOIN docms_folderlabel l ON l.id = d.label_id
  LEFT JOIN docms_folderpermission p ON p.folder_id = f.id AND p.membership_id = m.id AND p.active
 ORDER BY h.rank DESC, h.created_at DESC, h.id DESC"""
    values = {f"w{n}": f"{word}:*" for n, word in enumerate(words)}
    return statement, {**values, "pattern": rf"(?i)\y(?:{'|'.join(words)})"}
