"""A clerk's search in the work list as the product finds it, and as the floor's statements do, on one connection.

Run inside the environment of `b8`'s world; prints rounds as JSON. Both know the caller by the account only, find out what
the clerk looks after, count to a thousand and read the first fifty tickets with all that a line of the list shows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from typing import Any

SEARCHES = {"two words": "aufzug stock", "a frequent word": "heizung", "a number": "4711"}
_RIGHTS = """
SELECT m.id, m.tenant_id, m.admin_perm OR m.all_communities OR m.role = 'owner',
       ARRAY(SELECT a.community_id FROM orgs_communityassignment a WHERE a.membership_id = m.id)
  FROM orgs_membership m JOIN orgs_organization o ON o.id = m.organization_id AND o.closed_at IS NULL
 WHERE m.user_id = %(user)s AND m.organization_id = m.tenant_id AND m.role IN ('owner', 'staff', 'affiliate')
   AND (m.deactivated_at IS NULL OR m.deactivated_at > now())
"""
_CLOCK = "CASE WHEN t.status IN ('waiting', 'solved') THEN t.status_changed_at ELSE now() END"
_PAGE = """
WITH hits AS MATERIALIZED (
  SELECT t.id FROM tickets_ticketindex i JOIN tickets_ticket t ON t.id = i.ticket_id
   WHERE i.community_id = ANY(%(managed)s) AND t.community_id = ANY(%(managed)s) AND i.vector @@ ({query})
     AND t.tenant_id = %(tenant)s AND t.deleted_at IS NULL AND t.closed_at IS NULL
)
SELECT t.id, (SELECT count(*) FROM (SELECT 1 FROM hits LIMIT 1001) AS n), t.number, t.identifier, t.title, t.status, t.priority,
       t.created_at, t.parent_id, t.merged_into_id, c.code, c.identifier, c.name, u.name, p.first_name, p.last_name, p.company,
       f.first_name, f.last_name, a.first_name, a.last_name, y.name, y.icon,
       (SELECT s.from_staff FROM tickets_ticketactivity s WHERE s.ticket_id = t.id AND s.deleted_at IS NULL
          AND (s.kind = 'comment' OR s.kind = 'event' AND s.data ->> 'event' = 'merged_comment')
         ORDER BY s.created_at DESC, s.id DESC LIMIT 1),
       CASE WHEN t.first_response_at IS NULL AND t.response_due_at IS NOT NULL THEN t.response_due_at ELSE t.due_at END,
       t.first_response_at IS NULL AND t.response_due_at < {clock} OR t.due_at < {clock},
       EXISTS (SELECT 1 FROM tickets_ticket k WHERE k.parent_id = t.id AND k.deleted_at IS NULL)
  FROM (SELECT id FROM hits ORDER BY id DESC LIMIT 50) AS h JOIN tickets_ticket t ON t.id = h.id
  JOIN orgs_community c ON c.id = t.community_id LEFT JOIN orgs_unit u ON u.id = t.unit_id
  LEFT JOIN orgs_contact p ON p.id = t.contact_id JOIN orgs_user f ON f.id = t.created_by_id
  LEFT JOIN orgs_membership m ON m.id = t.assignee_id LEFT JOIN orgs_user a ON a.id = m.user_id
  LEFT JOIN tickets_tickettype y ON y.id = t.ticket_type_id
 ORDER BY t.id DESC
"""
# A word as written and as German and English stem; a stem that is there already is not looked for again.
_ONE = """
to_tsquery('simple', %(w{0})s) || coalesce(nullif(to_tsquery('german', %(w{0})s), to_tsquery('simple', %(w{0})s)), '')
  || CASE WHEN to_tsquery('english', %(w{0})s) IN (to_tsquery('simple', %(w{0})s), to_tsquery('german', %(w{0})s)) THEN ''
          ELSE to_tsquery('english', %(w{0})s) END
"""


def times() -> dict[str, Any]:
    """Rounds of each search, product and floor, and how many tickets it finds."""
    from core.admin.base import COUNT_LIMIT, CappedPaginator
    from orgs.actor import enter
    from orgs.models import User
    from script.benches._load import race_calls
    from tickets.admin.worklist import PER_PAGE
    from tickets.services import worklist

    clerk = User.objects.get(email="staff@demo.test")

    def product(words: str) -> tuple[list[int], int]:
        actor = enter(clerk, door="back_office")
        found = worklist.matching(actor, worklist.read({"q": words})).values_list("pk", flat=True)
        page = CappedPaginator(list(found[: COUNT_LIMIT + 1]), PER_PAGE).get_page(1)
        return [ticket.pk for ticket in worklist.lines(actor, list(page.object_list))], page.paginator.count

    contestants: dict[str, Callable[[], Any]] = {}
    counts = {}
    for name, words in SEARCHES.items():
        floor = _floor(words, clerk.pk)
        found, expected = product(words), floor()
        assert found == expected, (name, found, expected)
        contestants[name], contestants[f"floor: {name}"] = partial(product, words), floor
        counts[name] = found[1]
    results = race_calls(contestants, rounds=5, seconds=2)
    return {
        "counts": counts,
        "rounds": {name: [list(astuple(r)) for r in results[name].rounds] for name in contestants},
    }


def _floor(words: str, user: int) -> Callable[[], tuple[list[int], int]]:
    from django.db import connection

    parts = words.split()
    query = " && ".join(f"({_ONE.format(place)})" for place, _word in enumerate(parts))
    values = {f"w{place}": f"{word}:*" for place, word in enumerate(parts)}
    statement = _PAGE.replace("{query}", query).replace("{clock}", _CLOCK)

    def ask() -> tuple[list[int], int]:
        with connection.cursor() as cursor:
            cursor.execute(_RIGHTS, {"user": user})
            ((_membership, tenant, wide, managed),) = cursor.fetchall()
            assert not wide
            cursor.execute(statement, {**values, "tenant": tenant, "managed": managed})
            rows = cursor.fetchall()
        return [row[0] for row in rows], rows[0][1] if rows else 0

    return ask


def main() -> None:
    """As somebody of whom nothing is known yet."""
    import django

    django.setup()
    from core import scope

    with scope.unit_of_work(door="back_office"):
        json.dump(times(), sys.stdout)


if __name__ == "__main__":
    main()
