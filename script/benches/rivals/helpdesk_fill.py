"""Gives django-helpdesk the accounts, tickets and entries of our help desk, row by row the same: a house is a queue.

Run inside the environment of a `_world.World`: ``… helpdesk_fill fill`` once, ``… helpdesk_fill visitor`` for the cookies
of the clerk, who is staff there and so sees every queue.
"""

# mypy: ignore-errors
# Only the benches install what this imports.

from __future__ import annotations

import json
import os
import sys

from django.db import connection

_FILL = (
    """
    INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
    SELECT id, '!', false, id::text, left(first_name, 150), left(last_name, 150), email, email = 'staff@demo.test', true, now()
      FROM public.orgs_user
    """,
    """
    INSERT INTO helpdesk_usersettings (user_id, login_view_ticketlist, email_on_ticket_change, email_on_ticket_assign,
      tickets_per_page, use_email_as_submitter, ticket_respond_layout)
    SELECT id, true, true, true, 25, true, 'tabs' FROM auth_user ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO helpdesk_queue (id, title, slug, allow_public_submission, allow_email_submission,
      enable_notifications_on_email_events, email_box_ssl)
    SELECT id, left(name, 100), 'house-' || id, false, false, false, false FROM public.orgs_community
    """,
    """
    INSERT INTO helpdesk_ticket (id, title, queue_id, created, modified, submitter_email, assigned_to_id, status, on_hold,
      description, priority, secret_key)
    SELECT t.id, left(t.title, 200), t.community_id, t.created_at, t.updated_at, r.email, m.user_id,
           CASE t.status WHEN 'solved' THEN 3 WHEN 'closed' THEN 4 WHEN 'reopened' THEN 2 ELSE 1 END, false, t.description, 3,
           t.uuid::text
      FROM public.tickets_ticket t LEFT JOIN public.orgs_contact c ON c.id = t.contact_id
      LEFT JOIN public.orgs_user r ON r.id = c.user_id LEFT JOIN public.orgs_membership m ON m.id = t.assignee_id
    """,
    """
    INSERT INTO helpdesk_followup (id, ticket_id, date, title, comment, public, user_id, new_status)
    SELECT a.id, a.ticket_id, a.created_at, CASE a.kind WHEN 'ticketCreated' THEN 'Ticket Opened' ELSE 'Comment' END, a.text,
           true, a.user_id, CASE a.kind WHEN 'statusUpdated' THEN 1 END
      FROM public.tickets_ticketactivity a
    """,
    *(
        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
        for table in ("auth_user", "helpdesk_queue", "helpdesk_ticket", "helpdesk_followup")
    ),
    "VACUUM (ANALYZE)",
)  # fmt: skip


def fill() -> None:
    """Its tables, its mail templates, our rows."""
    from django.core.management import call_command

    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS rival CASCADE")
        cursor.execute("CREATE SCHEMA rival")
    call_command("migrate", verbosity=0)
    call_command("loaddata", "emailtemplate.json", verbosity=0)
    with connection.cursor() as cursor:
        for statement in _FILL:
            cursor.execute(statement)


def visitor() -> dict[str, str]:
    """The headers of the clerk's browser."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    clerk = get_user_model().objects.get(email="staff@demo.test")
    browser = Client()
    browser.force_login(clerk)
    token = "b" * 32
    cookies = f"sessionid={browser.cookies['sessionid'].value}; csrftoken={token}"
    return {"Cookie": cookies, "X-CSRFToken": token}


def main() -> None:
    """See above."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "script.benches.rivals.helpdesk_settings"
    django.setup()
    if sys.argv[1] == "fill":
        fill()
    else:
        json.dump(visitor(), sys.stdout)


if __name__ == "__main__":
    main()
