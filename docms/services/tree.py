"""The tree of folders: one lock per tenant, and what is derived from the tree, rewritten in bounded statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import connection

from core import scope
from docms.models import Folder
from orgs.models import Organization

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Iterator

    from core.services.jobs import Counts

_LOCK = 2  # the class of advisory locks; jobs take 1


def lock(tenant_id: int, *, shared: bool = False) -> None:
    """Hold the tree of a tenant still until the transaction ends.

    Who makes a folder shares the lock with others who do; who moves, renames, hides or deletes has it alone. So
    nobody derives a path from a parent that moves at the same time. Readers never wait.
    """
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [_LOCK, tenant_id])


def hold(folder_id: int) -> Folder | None:
    """The folder, kept from being deleted until the transaction ends; None when it is gone.

    FOR KEY SHARE: uploads into one folder do not wait for each other.
    """
    return next(iter(Folder.objects.raw("SELECT * FROM docms_folder WHERE id = %s FOR KEY SHARE", [folder_id])), None)


def earliest(*moments: datetime.datetime | None) -> datetime.datetime | None:
    """The earliest moment, or none."""
    return min((moment for moment in moments if moment is not None), default=None)


def rewrite_paths(folder: Folder, old_path: str) -> int:
    """After a rename or a move: ancestors and paths of everything below, in one statement. Returns the rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE docms_folder
               SET ancestors = %(prefix)s::bigint[] || ancestors[array_position(ancestors, %(id)s::bigint):],
                   full_path_name = %(path)s || substr(full_path_name, %(cut)s + 1),
                   row_version = row_version + 1, updated_at = now()
             WHERE tenant_id = %(tenant)s AND ancestors @> ARRAY[%(id)s]::bigint[]
            """,
            {
                "prefix": folder.ancestors,
                "path": folder.full_path_name,
                "cut": len(old_path),
                "id": folder.pk,
                "tenant": folder.tenant_id,
            },
        )
        return int(cursor.rowcount)


def rewrite_hidden(folder: Folder) -> int:
    """After hiding, showing or moving: ``hidden_from`` of everything below, in one statement. Returns the rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE docms_folder AS f
               SET hidden_from = above.earliest, row_version = row_version + 1, updated_at = now()
              FROM (SELECT g.id, min(a.inactive_at) AS earliest
                      FROM docms_folder g JOIN docms_folder a ON a.id = g.id OR a.id = ANY (g.ancestors)
                     WHERE g.tenant_id = %(tenant)s AND a.tenant_id = %(tenant)s
                       AND g.ancestors @> ARRAY[%(id)s]::bigint[]
                     GROUP BY g.id) AS above
             WHERE f.id = above.id AND f.hidden_from IS DISTINCT FROM above.earliest
            """,
            {"id": folder.pk, "tenant": folder.tenant_id},
        )
        return int(cursor.rowcount)


_DERIVED = """
WITH RECURSIVE derived AS (
    SELECT f.id, ARRAY[]::bigint[] AS ancestors, f.name::text AS path, f.inactive_at AS hidden
      FROM docms_folder f WHERE f.tenant_id = %(tenant)s AND f.parent_id IS NULL
    UNION ALL
    SELECT f.id, above.ancestors || above.id, above.path || '/' || f.name, least(above.hidden, f.inactive_at)
      FROM docms_folder f JOIN derived above ON above.id = f.parent_id
)
UPDATE docms_folder AS f
   SET ancestors = d.ancestors, full_path_name = d.path, hidden_from = d.hidden,
       row_version = row_version + 1, updated_at = now()
  FROM derived d
 WHERE d.id = f.id
   AND (f.ancestors, f.full_path_name, f.hidden_from) IS DISTINCT FROM (d.ancestors, d.path, d.hidden)
"""


def update_paths() -> Counts:
    """Job: derive ancestors, path and ``hidden_from`` of every folder from the tree; what is right is not written.

    Whoever renames, moves or hides a folder has done it within the change. This mends what came in by other ways, as a
    restored or an edited database.
    """
    with scope.unit_of_work(door="worker"):
        tenants = list(Organization.objects.tenants().order_by("pk").values_list("pk", flat=True))
    mended = 0
    for tenant_id in tenants:
        with scope.unit_of_work(door="worker", tenants=[tenant_id]):
            lock(tenant_id)
            with connection.cursor() as cursor:
                cursor.execute(_DERIVED, {"tenant": tenant_id})
                mended += cursor.rowcount
    return {"folders": mended}


@dataclass
class Node:
    """A folder with the folders below it."""

    folder: Folder
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """This node and all below, from the top."""
        yield self
        for child in self.children:
            yield from child.walk()


def tree_of(folders: Iterable[Folder]) -> list[Node]:
    """Nest a flat list, keeping its order. A folder whose parent is not in the list stands at the top."""
    nodes = {folder.pk: Node(folder) for folder in folders}
    top: list[Node] = []
    for node in nodes.values():
        above = nodes.get(node.folder.parent_id or 0)
        (above.children if above else top).append(node)
    return top
