"""Circles of people as short text keys. This is the only module that knows their grammar.

===================  =========================================================================
``c:12``             every valid occupant of community 12
``c:12:owner``       … of that role (owner, renter, additional), or ``board`` by responsibility
``b:7``              full occupants of the units of building 7
``u:904``            full occupants of unit 904 (``u:904:renter`` … of that role)
``p:31``             the account linked to contact 31
``a:17``             account 17
``m:12``             staff who manage community 12
``t:3``              all staff of tenant 3
===================  =========================================================================

An actor holds a set of keys (`keys_of`), a thing is addressed to keys, and the two sets either meet or not.
Nobody stores who is in a circle today: it is computed from occupancies, responsibilities and assignments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone

from core.planned import planned_cursor

if TYPE_CHECKING:
    from orgs.actor import Actor
    from orgs.models import Organization

BOARD = "board"


def community(community_id: int, role: str = "") -> str:
    """Everyone of a community, or everyone there in one role."""
    return f"c:{community_id}:{role}" if role else f"c:{community_id}"


def building(building_id: int) -> str:
    """Full occupants of an entrance."""
    return f"b:{building_id}"


def unit(unit_id: int, role: str = "") -> str:
    """The household of a unit, or those of it in one role."""
    return f"u:{unit_id}:{role}" if role else f"u:{unit_id}"


def contact(contact_id: int) -> str:
    """The account of one contact."""
    return f"p:{contact_id}"


def account(user_id: int) -> str:
    """One account."""
    return f"a:{user_id}"


def managers(community_id: int) -> str:
    """Staff who manage a community."""
    return f"m:{community_id}"


def staff(tenant_id: int) -> str:
    """All staff of a tenant."""
    return f"t:{tenant_id}"


def occupancy_keys(*, community_id: int, building_id: int | None, unit_id: int, role: str, is_full: bool) -> set[str]:
    """The keys one valid occupancy brings; additional users without `is_admin` get no building or unit key."""
    keys = {community(community_id), community(community_id, role)}
    if is_full:
        keys |= {unit(unit_id), unit(unit_id, role)}
        if building_id:
            keys.add(building(building_id))
    return keys


def addressed_to(actor: Actor, community_field: str = "community", audience_field: str = "audience") -> Q:
    """Rows of a managed community, or addressed to one of the actor's keys."""
    return Q(**{f"{community_field}__in": actor.managed}) | Q(
        **{f"{community_field}__in": actor.communities, f"{audience_field}__overlap": sorted(actor.keys)}
    )


# The reverse: who holds a key today. One statement with a branch per kind; `_today` is a day in the tenant's zone.
_PEOPLE = """
WITH wanted(key, kind, id, role) AS (
  SELECT k, split_part(k, ':', 1), split_part(k, ':', 2)::bigint, split_part(k, ':', 3) FROM unnest(%(keys)s::text[]) AS k
), valid AS NOT MATERIALIZED (
  SELECT c.user_id, o.contact_id, o.unit_id, o.role, u.building_id, u.community_id,
         (o.role IN ('owner', 'renter') OR o.is_admin) AS is_full
    FROM orgs_occupancy o
    JOIN orgs_contact c ON c.id = o.contact_id
    JOIN orgs_unit u ON u.id = o.unit_id
   WHERE o.tenant_id = %(tenant)s AND o.revoked_at IS NULL AND o.period @> %(today)s::date AND c.user_id IS NOT NULL
     AND c.erased_at IS NULL
), staff AS NOT MATERIALIZED (
  SELECT m.id, m.user_id, m.organization_id, m.all_communities OR m.admin_perm OR m.role = 'owner' AS wide
    FROM orgs_membership m
   WHERE m.tenant_id = %(tenant)s AND m.role IN ('owner', 'staff', 'affiliate')
     AND (m.deactivated_at IS NULL OR m.deactivated_at > %(now)s)
)
SELECT DISTINCT key, user_id FROM (
  SELECT w.key, v.user_id FROM wanted w JOIN valid v ON w.kind = 'c' AND v.community_id = w.id
     AND (w.role = '' OR v.role = w.role)
  UNION ALL
  SELECT w.key, c.user_id FROM wanted w JOIN orgs_responsibility r ON w.kind = 'c' AND w.role = 'board'
     AND r.community_id = w.id AND r.type = 'ADVISORY_BOARD' AND r.period @> %(today)s::date
    JOIN orgs_contact c ON c.id = r.contact_id AND c.erased_at IS NULL
   WHERE r.tenant_id = %(tenant)s
  UNION ALL
  SELECT w.key, v.user_id FROM wanted w JOIN valid v ON w.kind = 'b' AND v.building_id = w.id AND v.is_full
  UNION ALL
  SELECT w.key, v.user_id FROM wanted w JOIN valid v ON w.kind = 'u' AND v.unit_id = w.id AND v.is_full
     AND (w.role = '' OR v.role = w.role)
  UNION ALL
  SELECT w.key, c.user_id FROM wanted w JOIN orgs_contact c ON w.kind = 'p' AND c.id = w.id AND c.tenant_id = %(tenant)s
     AND c.erased_at IS NULL
  UNION ALL
  SELECT w.key, m.user_id FROM wanted w JOIN orgs_membership m ON w.kind = 'a' AND m.user_id = w.id AND m.tenant_id = %(tenant)s
  UNION ALL
  SELECT w.key, s.user_id FROM wanted w JOIN orgs_community c ON w.kind = 'm' AND c.id = w.id AND c.tenant_id = %(tenant)s
    JOIN orgs_organization o ON o.id = c.organization_id
    JOIN staff s ON (s.wide AND (s.organization_id = o.id OR s.organization_id = ANY (o.ancestors)))
      OR EXISTS (SELECT 1 FROM orgs_communityassignment a WHERE a.membership_id = s.id AND a.community_id = c.id)
  UNION ALL
  SELECT w.key, s.user_id FROM wanted w JOIN staff s ON w.kind = 't' AND w.id = %(tenant)s
) AS people
WHERE user_id IS NOT NULL
"""

_FOUND = f"""
SELECT key, user_id FROM ({_PEOPLE}) AS found JOIN orgs_user u ON u.id = found.user_id
 WHERE u.erased_at IS NULL AND NOT EXISTS (SELECT 1 FROM orgs_membership m WHERE m.user_id = found.user_id
   AND m.organization_id = %(tenant)s AND m.deactivated_at <= %(now)s)
"""  # noqa: S608 - constant text


# The same of a few accounts (``among``): looked up is then what they hold, not who holds the keys.
HELD_BY = f"{_FOUND} AND found.user_id = ANY(%(among)s::int[])"


def values_of(keys: Iterable[str], tenant: Organization) -> dict[str, Any]:
    """The values of `HELD_BY` but ``among``, for a statement that asks more of these accounts.

    Nobody holds anything in a company that is being closed.
    """
    asked = [] if tenant.closed_at is not None else sorted(set(keys))
    return {"keys": asked, "tenant": tenant.pk, "today": tenant.today(), "now": timezone.now()}


def people_by_key(keys: Iterable[str], tenant: Organization, among: Iterable[int] | None = None) -> dict[str, set[int]]:
    """The accounts that hold each of the keys today, in one statement; of these accounts only, where they are named.

    Whoever is deactivated on the tenant node holds nothing there (one-model, conflict 40), and nobody anything in a
    company that is being closed.
    """
    found: dict[str, set[int]] = {key: set() for key in keys}
    values = values_of(found, tenant)
    if not values["keys"]:
        return found
    statement = _FOUND
    if among is not None:
        statement, values["among"] = HELD_BY, sorted(among)
    with planned_cursor() as cursor:
        cursor.execute(statement, values)
        for key, user_id in cursor.fetchall():
            found[key].add(user_id)
    return found


def people_of(keys: Iterable[str], tenant: Organization) -> set[int]:
    """The accounts that hold one of the keys today. Used for mails and notifications. See `people_by_key`."""
    return set().union(*people_by_key(keys, tenant).values())
