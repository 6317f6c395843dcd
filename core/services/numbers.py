"""Gap-free numbers per tenant, kind and scope, taken inside the creating transaction as late as possible.

A rollback gives the number back, a deleted row keeps it. Callers that take two take community before tenant.
"""

from __future__ import annotations

from django.db import connection


def next_number(*, tenant_id: int, kind: str, scope_id: int = 0, count: int = 1) -> int:
    """The next number, starting at 1; with ``count`` the first of that many in a row."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO core_numbercounter (tenant_id, kind, scope_id, last) VALUES (%s, %s, %s, %s)
            ON CONFLICT (tenant_id, kind, scope_id) DO UPDATE SET last = core_numbercounter.last + excluded.last
            RETURNING last
            """,
            [tenant_id, kind, scope_id, count],
        )
        return int(cursor.fetchone()[0]) - count + 1
