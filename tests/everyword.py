"""Where in the whole database something is still said: erasure is proven by looking everywhere, not where one expects it."""

from __future__ import annotations

from django.db import connection


def tables_that_say(*words: str) -> set[str]:
    """The tables with a row that contains one of these words, whichever column it stands in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        tables = [name for (name,) in cursor.fetchall()]
        found = set()
        for table in tables:
            cursor.execute(
                f'SELECT EXISTS (SELECT 1 FROM "{table}" AS t WHERE to_jsonb(t)::text ILIKE ANY (%s))',
                [[f"%{word}%" for word in words]],
            )
            (says,) = cursor.fetchone() or (False,)
            if says:
                found.add(table)
    return found
