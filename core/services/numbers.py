"""Gap-free numbers per tenant, kind and scope, taken inside the creating transaction as late as possible.

A rollback gives the number back, a deleted row keeps it. Callers that take two take community before tenant.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.planned import planned_cursor

_NEXT = """
INSERT INTO core_numbercounter (tenant_id, kind, scope_id, last)
SELECT %(tenant)s, w.kind, w.scope, %(count)s FROM unnest(%(kinds)s::text[], %(scopes)s::bigint[]) WITH ORDINALITY AS w(kind, scope, place)
 ORDER BY w.place
    ON CONFLICT (tenant_id, kind, scope_id) DO UPDATE SET last = core_numbercounter.last + excluded.last
RETURNING last
"""


def next_number(*, tenant_id: int, kind: str, scope_id: int = 0, count: int = 1) -> int:
    """The next number, starting at 1; with ``count`` the first of that many in a row."""
    return next_numbers(tenant_id=tenant_id, of=[(kind, scope_id)], count=count)[0]


def next_numbers(*, tenant_id: int, of: Sequence[tuple[str, int]], count: int = 1) -> list[int]:
    """The next number of each kind and scope, taken in this order by one statement; with ``count`` the first of that many."""
    kinds, scopes = zip(*of, strict=True)
    with planned_cursor() as cursor:
        cursor.execute(_NEXT, {"tenant": tenant_id, "kinds": list(kinds), "scopes": list(scopes), "count": count})
        return [int(last) - count + 1 for (last,) in cursor.fetchall()]
