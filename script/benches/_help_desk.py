"""Half a million tickets for the world of `b8`, in SQL by the owner.

Run inside the environment of a `_world.World`: ``python -m script.benches._help_desk 500000 6``.
"""

from __future__ import annotations

import sys
from typing import Any

THREAD = 200  # entries of the long thread
TEXTS = (
    "Die Heizung im Wohnzimmer wird nicht warm", "Im Keller steht Wasser auf dem Boden", "Der Aufzug hält nicht im dritten Stock",
    "Das Licht im Treppenhaus flackert seit gestern", "Die Haustür fällt nicht ins Schloss", "Der Rauchmelder im Flur piept",
    "Am Fenster im Bad ist ein Griff gebrochen", "Die Mülltonnen wurden nicht geleert", "Im Hof fehlt eine Lampe",
    "Die Gegensprechanlage knackt und rauscht",
)  # fmt: skip

_PEOPLE = """
CREATE TEMP TABLE people AS
SELECT row_number() OVER (ORDER BY o.id) - 1 AS n, count(*) OVER () AS total, o.tenant_id, u.community_id, o.unit_id,
       o.contact_id, c.user_id
  FROM orgs_occupancy o JOIN orgs_unit u ON u.id = o.unit_id JOIN orgs_contact c ON c.id = o.contact_id
 WHERE c.user_id IS NOT NULL AND o.period @> current_date
"""
_CREATED = "now() - (%(count)s - g) * interval '3 minutes'"
_TICKETS = f"""
INSERT INTO tickets_ticket (created_at, updated_at, row_version, tenant_id, uuid, community_id, number, identifier,
  support_type, unit_id, contact_id, created_by_id, assignee_id, title, description, answers, status, status_changed_at,
  closed_at, first_response_at, shared_with, rating_comment, priority, response_due_at, paused_seconds, external_ref,
  stranger)
SELECT at, at + interval '5 hours', 1, tenant_id, gen_random_uuid(), community_id,
       row_number() OVER (PARTITION BY community_id ORDER BY g), g::text,
       (ARRAY['other', 'cleaning', 'repairAndMaintenance', 'internet'])[1 + g %% 4], unit_id, contact_id, user_id,
       CASE WHEN g %% 3 = 0 THEN NULL ELSE %(assignee)s END, text, text || ', Nummer ' || g, '[]', status,
       at + interval '5 hours', CASE WHEN status = 'closed' THEN at + interval '5 hours' END, at + interval '1 hour', '{{}}',
       '', 2, at + interval '24 hours', 0, '', ''
  FROM (SELECT g, p.*, {_CREATED} AS at, (%(texts)s::text[])[1 + g %% %(kinds)s] AS text,
               (ARRAY['new', 'in_progress', 'waiting', 'closed', 'closed', 'closed', 'closed', 'closed'])[1 + g %% 8] AS status
          FROM generate_series(1, %(count)s) AS g JOIN people p ON p.n = (g * 7919::bigint) %% p.total) AS made
 ORDER BY g
"""
_ACTIVITIES = """
INSERT INTO tickets_ticketactivity (created_at, tenant_id, uuid, ticket_id, kind, user_id, from_staff, text, data,
  automatic_name, source, external_ref)
SELECT t.created_at + s * interval '30 minutes', t.tenant_id, gen_random_uuid(), t.id,
       CASE WHEN s = 0 THEN 'ticketCreated' WHEN s = 2 THEN 'statusUpdated' ELSE 'comment' END,
       CASE WHEN s %% 2 = 0 THEN t.created_by_id ELSE %(staff)s END, s %% 2 = 1,
       CASE WHEN s = 2 THEN '' WHEN s = 0 THEN t.description ELSE 'Wir kümmern uns darum, Antwort ' || s END,
       CASE WHEN s = 2 THEN '{"status": "in_progress", "previous": "new"}' ELSE '{}' END::jsonb, '', 'web', ''
  FROM tickets_ticket t CROSS JOIN generate_series(0, %(last)s) AS s
 WHERE t.id = ANY(%(ids)s) OR %(ids)s IS NULL
"""
_INDEX = """
INSERT INTO tickets_ticketindex (ticket_id, community_id, vector)
SELECT t.id, t.community_id, v.vector || to_tsvector('simple', 'nummer ' || t.identifier)
  FROM tickets_ticket t JOIN (SELECT text, to_tsvector('simple', text) || to_tsvector('german', text) AS vector
                                FROM unnest(%(texts)s::text[]) AS text) v ON v.text = t.title
"""
_NUMBERS = """
INSERT INTO core_numbercounter (tenant_id, kind, scope_id, last)
SELECT tenant_id, 'ticket', community_id, max(number) FROM tickets_ticket GROUP BY 1, 3
UNION ALL SELECT tenant_id, 'ticket_identifier', 0, count(*) FROM tickets_ticket GROUP BY 1
"""


def fill(count: int, entries: int) -> None:
    """So many tickets, each with so many entries, evenly over the households; triggers and indexes as they are."""
    from config.management.commands.demo import owner_connection
    from orgs.models import Membership

    clerk = Membership.objects.get(user__email="staff@demo.test")
    owner = owner_connection()
    values = {
        "count": count, "texts": list(TEXTS), "kinds": len(TEXTS), "assignee": clerk.pk, "staff": clerk.user_id,
        "last": entries - 1, "ids": None,
    }  # fmt: skip
    with owner.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for statement in (_PEOPLE, _TICKETS, _ACTIVITIES, _INDEX, _NUMBERS):
            cursor.execute(statement, values if "%" in statement else None)
        cursor.execute("SELECT max(id) FROM tickets_ticket WHERE community_id = %s", [first_house().pk])
        last = cursor.fetchone()[0]
        cursor.execute(_ACTIVITIES.replace("generate_series(0,", f"generate_series({entries},"), values | {"ids": [last], "last": THREAD - 1})  # fmt: skip
        for table in ("ticket", "ticketactivity", "ticketindex"):
            cursor.execute(f"VACUUM (ANALYZE) tickets_{table}")
    owner.close()


def first_house() -> Any:
    """The clerk looks after it."""
    from orgs.models import Community

    return Community.objects.earliest("id")


def main() -> None:
    """See above."""
    import django

    django.setup()
    from core import scope

    with scope.unit_of_work(door="command"), scope.all_tenants():
        fill(int(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    main()
