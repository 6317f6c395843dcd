"""Which folders an actor reaches, and what the actor may do there, written out as SQL: what every list, search and upload
asks. Put together by the ORM from querysets it costs more time than the database needs to answer.

The rules are those of `docms.querysets`; tests hold the two against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from core.planned import NEXT, ModelRows, planned_cursor
from core.text import search_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from docms.models import Folder
    from orgs.actor import Actor
    from orgs.models import Community

# Effective flag in a folder → flag of the membership that decides where no folder permission is active.
MEMBER_FLAGS = {
    "read": "read_perm",
    "download": "download_perm",
    "upload": "upload_file_perm",
    "edit": "edit_file_perm",
    "edit_own": "edit_own_file_perm",
    "mail": "mail_perm",
    "log": "log_perm",
}

HELD = """
SELECT g.id FROM docms_group g
 WHERE g.tenant_id = ANY(%s) AND (g.audience_key = ANY(%s)
    OR g.kind = 'manual' AND g.id = ANY(ARRAY(SELECT m.group_id FROM docms_groupmember m WHERE m.membership_id = ANY(%s))))
"""
SEEN = f"""
SELECT f.id FROM docms_folder f
 WHERE f.id = ANY(ARRAY(SELECT a.folder_id FROM docms_folderaccess a WHERE a.group_id = ANY(ARRAY({HELD}))))
   AND f.tenant_id = ANY(%s) AND (f.hidden_from IS NULL OR f.hidden_from > %s OR f.tenant_id = ANY(%s))
"""  # noqa: S608 - two constants
# Of a folder, where the portal shows it: the same as `FolderQuerySet.shown_in`.
SHOWN = """
AND (f.community_id = %s
  OR f.community_id IS NULL AND f.unit_id IN (SELECT u.id FROM orgs_unit u WHERE u.community_id = %s)
  OR f.community_id IS NULL AND f.unit_id IS NULL AND f.tenant_id = %s)
"""
# Of a folder f: the person's own active permission there, and whether a group of theirs checks papers off in it. The values
# are `flag_values`, what is read of a row is `flags_in`; folders are joined with `OWN_PERMISSION`.
FLAGS = f"""
p.id IS NOT NULL, {", ".join(f"p.{flag}" for flag in MEMBER_FLAGS)},
f.show_check_mark AND EXISTS (
  SELECT 1 FROM docms_folderaccess a JOIN docms_group c ON c.id = a.group_id
   WHERE a.folder_id = f.id AND c.show_check_mark AND c.id = ANY(ARRAY({HELD})))
"""  # noqa: S608 - constants
OWN_PERMISSION = """
LEFT JOIN docms_folderpermission p ON p.folder_id = f.id AND p.membership_id = ANY(%s) AND p.active
"""
_FLAGS = f"SELECT f.id, {FLAGS} FROM docms_folder f {OWN_PERMISSION} WHERE f.id = ANY(%s)"  # noqa: S608 - as above


def flag_values(actor: Actor) -> list[Any]:
    """The values of `FLAGS` and `OWN_PERMISSION`, in this order."""
    return [*held_values(actor), [membership.pk for membership in actor.memberships.values()]]


def flags_in(columns: Sequence[Any]) -> tuple[dict[str, bool] | None, bool]:
    """Of the columns of `FLAGS`: what an active permission of the actor's own says there (none without one), and whether the
    actor checks papers off.
    """
    is_decided, *flags, checks = columns
    return dict(zip(MEMBER_FLAGS, flags, strict=True)) if is_decided else None, checks


def flags_of(actor: Actor, folder_ids: Iterable[int]) -> Iterator[tuple[int, dict[str, bool] | None, bool]]:
    """Of each folder its id and what `flags_in` says. Written out, because every upload, download and list asks it."""
    with planned_cursor() as cursor:
        cursor.execute(_FLAGS, [*flag_values(actor), list(folder_ids)])
        rows = cursor.fetchall()
    for folder_id, *columns in rows:
        yield (folder_id, *flags_in(columns))


# One folder, for whom `FolderQuerySet.visible_to` with ``all`` shows it.
_WHERE_SEEN = f"""
  FROM docms_folder f {OWN_PERMISSION}
 WHERE f.id = %s AND (f.tenant_id = ANY(%s) OR f.id = ANY(ARRAY({SEEN})))
"""
_ONE_SEEN = ModelRows(f"SELECT {{f}}, {FLAGS} {_WHERE_SEEN}", f="docms.Folder")
# The numbers of a new document and of its version. FOR KEY SHARE: uploads into one folder do not wait for each other.
NUMBERS = f"{NEXT.format(table='docms_document')}, {NEXT.format(table='docms_documentversion')}"
_ONE_HELD = ModelRows(f"SELECT {{f}}, {NUMBERS}, {FLAGS} {_WHERE_SEEN} FOR KEY SHARE OF f", f="docms.Folder")
# The tree of one place: `FolderQuerySet.with_ancestors` and `FolderQuerySet.shown_in`, in its order.
_TREE = ModelRows(
    f"""
WITH seen AS MATERIALIZED ({SEEN})
SELECT {{f}}, EXISTS (SELECT 1 FROM seen WHERE seen.id = f.id), {FLAGS}
  FROM docms_folder f {OWN_PERMISSION}
 WHERE f.id = ANY(ARRAY(SELECT unnest(array_append(s.ancestors, s.id)) FROM docms_folder s
                         WHERE s.id = ANY(ARRAY(SELECT seen.id FROM seen))))
   AND f.tenant_id = ANY(%s) {SHOWN}
 ORDER BY f.sort_key, f.id
""",  # noqa: S608 - constants
    f="docms.Folder",
)
# Folders in which a permission of the actor's own decides, whatever it says.
DECIDED = "SELECT p.folder_id FROM docms_folderpermission p WHERE p.membership_id = ANY(%s) AND p.active"


def held_values(actor: Actor) -> list[Any]:
    """The values of `HELD`."""
    return [sorted(actor.tenants), sorted(actor.keys), sorted(actor.membership_ids)]


def seen_values(actor: Actor) -> list[Any]:
    """The values of `SEEN`."""
    return [*held_values(actor), sorted(actor.tenants), timezone.now(), sorted(actor.admin_tenants)]


def seen_folder(actor: Actor, folder_id: int) -> tuple[Folder, dict[str, bool] | None, bool] | None:
    """The folder of that number, if `FolderQuerySet.visible_to` with ``all`` shows it to the actor, and what `flags_in` says
    there: uploads ask it first.
    """
    values = [*flag_values(actor), folder_id, sorted(actor.admin_tenants), *seen_values(actor)]
    for folder, *columns in _ONE_SEEN.fetch(values):
        return (folder, *flags_in(columns))
    return None


def held_folder(actor: Actor, folder_id: int) -> tuple[Folder, int, int, dict[str, bool] | None, bool] | None:
    """The same, of a folder that is not deleted before the transaction ends, with `NUMBERS` before the flags."""
    values = [*flag_values(actor), folder_id, sorted(actor.admin_tenants), *seen_values(actor)]
    for folder, document_id, version_id, *columns in _ONE_HELD.fetch(values):
        return (folder, document_id, version_id, *flags_in(columns))
    return None


def tree_of(actor: Actor, community: Community) -> Iterator[tuple[Folder, dict[str, bool] | None, bool]]:
    """The folders that the portal draws for the actor in a community, each with ``is_reached``: the same as
    `FolderQuerySet.with_ancestors` there. With each comes what `flags_in` says. Every page of papers asks it.
    """
    place = [sorted(actor.tenants), community.pk, community.pk, community.tenant_id]
    for folder, is_reached, *columns in _TREE.fetch([*seen_values(actor), *flag_values(actor), *place]):
        folder.is_reached = is_reached
        yield (folder, *flags_in(columns))


# Documents of reached folders in which all words occur, as `DocumentQuerySet.search` finds them, with their ranks.
_HITS = """
SELECT d.id, d.created_at, ts_rank(i.names, {some}) AS rank
  FROM docms_documentindex i JOIN docms_document d ON d.id = i.document_id
 WHERE i.folder_id = ANY(%s) AND d.folder_id = ANY(%s) AND d.claimed_at IS NULL
   AND ((d.active_from IS NULL OR d.active_from <= %s) AND (d.active_until IS NULL OR d.active_until > %s)
        OR d.uploaded_by_id = %s OR d.tenant_id = ANY(%s))
   AND i.vector @@ {every} AND (i.folder_id <> ALL(%s) OR i.names @@ {every})
"""


def hits(actor: Actor, folders: Mapping[int, bool], words: str) -> tuple[str, list[Any]] | None:
    """Statement and values for the ids, moments and ranks of what a search finds in these folders; none for no words.

    The folders are those that `tree_of` has just said are reached, each with whether the actor has ``read`` there: nothing
    of that is asked again.
    """
    every, some = search_query(words), search_query(words, any_word=True)
    if every is None or some is None:
        return None
    (all_words, all_values), (any_words, any_values) = every.as_sql(), some.as_sql()
    reached, unread, now = list(folders), [pk for pk, may_read in folders.items() if not may_read], timezone.now()
    people = [actor.user_id, sorted(actor.admin_tenants)]
    values = [*any_values, reached, reached, now, now, *people, *all_values, unread, *all_values]
    return _HITS.format(every=all_words, some=any_words), values
