"""The hot lists as the product asks for them: their statements, their plans, and how long they take without a server.

Run inside the environment of `_world.World`: ``plans`` prints the plans, ``times`` races the lists that the start page
needs against the floor's statements on the same connection; both as JSON.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

Question = Callable[[], Any]
_MOMENT = re.compile(r"'[^']*'::timestamp with time zone")  # the same text whenever it is asked


def questions(visitor: dict[str, Any]) -> dict[str, Question]:
    """Each list by name, for the resident; the last two as the company's administrator."""
    from docms.models import Document, Folder
    from orgs.models import Community, User
    from portal.web import papers

    resident = _actor(User.objects.get(pk=visitor["user"]), visitor["tenant"])
    admin = _actor(User.objects.get(email="admin@demo.test"), visitor["tenant"])
    community = Community.objects.select_related("tenant").get(pk=visitor["community"])
    member = resident.memberships[visitor["tenant"]].pk
    files = Document.objects

    def cabinet(**filters: Any) -> papers.Cabinet:
        return papers.Cabinet(resident, community, papers.Filters(**filters))

    return {
        "folder-page": lambda: list(
            files.in_folder(visitor["folder"], resident).with_read_state(member).order_by("sort_key", "id")
        ),
        "page-by-ids": lambda: list(
            files.visible_to(resident, all=True).filter(pk__in=visitor["files"]).order_by("sort_key", "id")[:50]
        ),
        "all-files": lambda: list(files.visible_to(resident).order_by("sort_key", "id")),
        "unread-files": lambda: list(files.visible_to(resident).unread_by(member).order_by("sort_key", "id")),
        "newest": lambda: list(files.newest(resident, 20)),
        "new-for-me": lambda: papers.newest_unread(resident, community, 6),
        "unread-count": lambda: papers.unread_count(resident, community),
        "folders": lambda: list(Folder.objects.visible_to(resident).order_by("sort_key", "id")),
        "portal-folders": lambda: cabinet().folders,
        "portal-list": lambda: list(cabinet().listed[:50]),
        "portal-unread-by-folder": lambda: cabinet().unread,
        "portal-search": lambda: cabinet(words="Hausordnung 2020").pages.count,
        "search": lambda: list(files.search(resident, "Hausordnung 2020").order_by("sort_key", "id")),
        "search-mistyped": lambda: list(files.resembling(resident, "Hausordnnug")[:5]),
        "search-as-administrator": lambda: list(
            files.search(admin, "Legionellenprüfung 2020").filter(folder=visitor["folder"]).order_by("sort_key", "id")
        ),
        "folder-page-as-administrator": lambda: list(
            files.in_folder(visitor["folder"], admin).with_read_state(None).order_by("sort_key", "id")
        ),
    }


def job_questions(visitor: dict[str, Any]) -> dict[str, Question]:
    """What the sweeps ask to find what they delete, by name; asked in a unit of work that is undone."""
    from django.utils import timezone

    from core.querysets import equals_any
    from core.services import batches, sweeps
    from docms.models import Document, DocumentLog, Folder
    from docms.services import claims, retention, trimming

    now = timezone.now()
    day = datetime.timedelta(days=1)
    folder = Folder.objects.filter(pk=visitor["folder"])
    folder.update(auto_delete_files=True, allow_delete_files=now - day, file_delete_files=1)
    Document.objects.filter(folder=visitor["folder"]).update(first_access=now - 2 * day)

    def candidates(policy: Any) -> Question:
        return lambda: batches.find(partial(retention.due_after, policy), 0)

    again = retention._by(
        retention.Policy.FOLDER_DATE, Document.objects.filter(equals_any("pk", visitor["files"])), now
    )
    return {
        "sweep-folder-date": candidates(retention.Policy.FOLDER_DATE),
        "sweep-first-access": candidates(retention.Policy.FIRST_ACCESS),
        "sweep-big-files": candidates(retention.Policy.BIG_FILE),
        "sweep-asked-again": lambda: list(again),
        "sweep-claims": lambda: claims._batch(0),
        "sweep-bytes": lambda: sweeps._unreferenced_after(0),
        "sweep-logs": lambda: trimming._trim(DocumentLog, trimming.LONGEST),
    }


def _actor(user: Any, tenant: int) -> Any:
    from orgs.actor import enter

    return enter(user, door="docms", tenant_id=tenant)


def plans(visitor: dict[str, Any]) -> dict[str, Any]:
    """For each list its slowest statement: the plan as text, and its nodes with the indexes they use."""
    from django.db import transaction

    from core import scope

    found = _explained(questions(visitor))
    with scope.unit_of_work(door="worker"), scope.all_tenants(), transaction.atomic():
        found |= _explained(job_questions(visitor))
        transaction.set_rollback(True)
    return found


def _explained(asked_for: dict[str, Question]) -> dict[str, Any]:
    from django.db import connection

    found = {}
    for name, ask in asked_for.items():
        asked: list[tuple[str, Any]] = []

        def listen(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
            asked.append((statement, params))  # noqa: B023 - used within this turn
            return execute(statement, params, many, context)

        with connection.execute_wrapper(listen):
            ask()
        # A list that looks its folders up first is one statement more; the list itself comes last. A job's is followed by
        # the end of its unit of work, which reads no table.
        statement, params = [one for one in asked if " FROM " in one[0]][-1]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (COSTS OFF) {statement}", params)
            text = _MOMENT.sub("now", "\n".join(row[0] for row in cursor.fetchall()))
            cursor.execute(f"EXPLAIN (COSTS OFF, FORMAT JSON) {statement}", params)
            (tree,) = cursor.fetchone()
        nodes = list(_nodes(tree[0]["Plan"]))
        indexes = list(dict.fromkeys(_indexes(tree[0]["Plan"])))
        found[name] = {"text": text, "nodes": nodes, "indexes": indexes, "statements": len(asked)}
    return found


def _nodes(plan: dict[str, Any], depth: int = 0) -> Any:
    """Node by node what is read how.

    Left out is the one node that reads the policies' setting. The policies read ``tenant_id``, too, so a scan of an index
    alone becomes a scan of the same index and its rows; the two count as one.
    """
    if plan["Node Type"] == "Result" and plan.get("Parent Relationship") == "InitPlan" and "Plans" not in plan:
        return
    words = [
        plan["Node Type"].replace("Index Only", "Index"),
        plan.get("Join Type"),
        plan.get("Relation Name"),
        plan.get("Index Name"),
    ]
    yield f"{'  ' * depth}{' '.join(word for word in words if word)}"
    for child in plan.get("Plans", ()):
        yield from _nodes(child, depth + 1)


def _indexes(plan: dict[str, Any]) -> Any:
    """The indexes that a plan reads, from the outermost node on."""
    if name := plan.get("Index Name"):
        yield name
    for child in plan.get("Plans", ()):
        yield from _indexes(child)


def times(visitor: dict[str, Any]) -> dict[str, list[list[float]]]:
    """Rounds of the start page's two lists, and of the floor's statements for them on the same connection."""
    from dataclasses import astuple

    from django.db import connection

    from orgs.models import User
    from script.benches._load import race_calls
    from script.benches.floor import sql

    asked = questions(visitor)
    resident = _actor(User.objects.get(pk=visitor["user"]), visitor["tenant"])
    params = {
        "user": visitor["user"],
        "tenants": [visitor["tenant"]],
        "memberships": sorted(resident.membership_ids),
        "keys": sorted(resident.keys),
        "community": visitor["community"],
    }

    def floor(statement: str) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, params)
            return list(cursor.fetchall())

    newest, count = asked["new-for-me"]()
    rows, ((counted,),) = floor(sql.NEW), floor(sql.UNREAD)
    assert ([d.pk for d in newest], count) == ([row[0] for row in rows], counted), "the floor finds something else"
    results = race_calls(
        {
            "new for me, with the count": asked["new-for-me"],
            "floor: new for me, with the count": lambda: (floor(sql.NEW), floor(sql.UNREAD)),
            "count of unread": asked["unread-count"],
            "floor: count of unread": lambda: floor(sql.UNREAD),
        }
    )
    return {name: [list(astuple(r)) for r in result.rounds] for name, result in results.items()}


def main() -> None:
    """What is asked for on the command line, for the visitor on standard input."""
    import django

    django.setup()
    from core import scope

    visitor = json.load(sys.stdin)
    with scope.unit_of_work(door="docms"):
        json.dump({"plans": plans, "times": times}[sys.argv[1]](visitor), sys.stdout)


if __name__ == "__main__":
    main()
