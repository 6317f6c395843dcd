"""The first page of the portal's search as the product finds it, and as the floor's statement does, on one connection.

Run inside the environment of `_world.World`, with the visitor on standard input; prints rounds as JSON. Both find the
same papers in the same order and the same number, and mark the hits.
"""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from typing import Any

SEARCHES = {"two words": "hausordnung 2020", "a frequent word": "hausverwaltung"}


def times(visitor: dict[str, Any]) -> dict[str, list[list[float]]]:
    """Rounds of each search, product and floor."""
    from orgs.actor import enter
    from orgs.models import Community, User
    from portal.web import papers
    from script.benches._load import race_calls

    user = User.objects.get(pk=visitor["user"])
    resident = enter(user, door="docms", tenant_id=visitor["tenant"])
    community = Community.objects.select_related("tenant").get(pk=visitor["community"])
    params = {
        "user": visitor["user"],
        "tenants": [visitor["tenant"]],
        "memberships": sorted(resident.membership_ids),
        "keys": sorted(resident.keys),
        "community": visitor["community"],
    }

    def product(words: str) -> Any:
        cabinet = papers.Cabinet(resident, community, papers.Filters(words=words))
        page = cabinet.pages.page(1)
        rows = list(page)
        marks = cabinet.marks(rows)
        shown = [(marks.marked(str(row)), marks.piece(row)) for row in rows]
        return [row.pk for row in rows], page.paginator.count, shown

    contestants: dict[str, Callable[[], Any]] = {}
    for name, words in SEARCHES.items():
        floor = _floor(words, params)
        found, expected = product(words), floor()
        assert found[:2] == expected[:2], (found[:2], expected[:2])
        assert all("<mark>" in "".join(texts) for texts in found[2]), "a hit is not marked"
        contestants[name] = partial(product, words)
        contestants[f"floor: {name}"] = floor
    results = race_calls(contestants, rounds=5, seconds=1.5)
    return {name: [list(astuple(r)) for r in result.rounds] for name, result in results.items()}


def _floor(words: str, params: dict[str, Any]) -> Callable[[], Any]:
    from django.db import connection

    from script.benches.floor import sql

    statement, values = sql.search_page(words.split())
    hit = re.compile(rf"\b(?:{'|'.join(words.split())})\w*", re.IGNORECASE)

    def marked(text: str) -> str:
        return hit.sub(r"<mark>\g<0></mark>", html.escape(text))

    def ask() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement, {**params, **values})
            rows = cursor.fetchall()
        return [row[0] for row in rows], rows[0][1], [(marked(row[2]), marked(row[9])) for row in rows]

    return ask


def main() -> None:
    """For the visitor on standard input."""
    import django

    django.setup()
    from core import scope

    visitor = json.load(sys.stdin)
    with scope.unit_of_work(door="docms"):
        json.dump(times(visitor), sys.stdout)


if __name__ == "__main__":
    main()
