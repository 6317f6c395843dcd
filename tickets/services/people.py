"""The people of tickets as the support contract sees them: a person's place in one location (TICKETS-022, 023, 042)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.planned import planned_cursor
from orgs import audience
from orgs.models import Membership

if TYPE_CHECKING:
    import datetime
    import uuid
    from collections.abc import Iterable

    from orgs.models import Community, User
    from orgs.querysets import MembershipQuerySet

OWNER, ADMIN, MEMBER = "owner", "admin", "member"


class Person(NamedTuple):
    """An account, as far as the door shows it."""

    pk: int
    uuid: uuid.UUID
    first_name: str
    last_name: str
    email: str
    mobile: str
    telephone: str
    erased_at: datetime.datetime | None

    @classmethod
    def of(cls, user: User) -> Person:
        """An account."""
        return cls(*(getattr(user, name) for name in cls._fields))


# The columns of a `Person`, where ``{0}`` is the account.
PERSON = "{0}.id, {0}.uuid, {0}.first_name, {0}.last_name, {0}.email, {0}.mobile, {0}.telephone, {0}.erased_at"


class Place(NamedTuple):
    """A person's membership of the company, seen from one location."""

    person: Person
    membership: uuid.UUID
    role: str  # owner, admin, member
    has_place: bool  # lives there, sits on its board or looks after it today
    is_blocked: bool  # the membership has ended


_PLACES = f"""
WITH held AS ({audience.HELD_BY})
SELECT {PERSON.format("u")}, m.uuid, m.role, coalesce(m.deactivated_at <= %(now)s, false),
       EXISTS (SELECT 1 FROM held h WHERE h.user_id = u.id AND h.key = %(manage)s), u.id IN (SELECT user_id FROM held)
  FROM orgs_membership m JOIN orgs_user u ON u.id = m.user_id
 WHERE m.organization_id = %(tenant)s AND m.user_id = ANY(%(among)s::int[])
"""  # noqa: S608 - constant text


def places(community: Community, user_ids: Iterable[int]) -> dict[int, Place]:
    """Those of these accounts that are members of the company, by account; one query however many they are."""
    among = sorted(set(user_ids))
    if not among:
        return {}
    manage, live = audience.managers(community.pk), audience.community(community.pk)
    values = audience.values_of([manage, live], community.tenant)
    with planned_cursor() as cursor:
        cursor.execute(_PLACES, values | {"among": among, "manage": manage})
        rows = cursor.fetchall()
    size = len(Person._fields)
    return {row[0]: _place(Person._make(row[:size]), *row[size:]) for row in rows}


def assignable(community: Community) -> MembershipQuerySet[Membership]:
    """Who looks after the community and so can be assigned (TICKETS-042), available people first, with ``presence``.

    Two queries.
    """
    managers = audience.people_of([audience.managers(community.pk)], community.tenant)
    found: MembershipQuerySet[Membership] = Membership.objects.active().staff()
    return found.filter(organization=community.tenant_id, user__in=managers).available_first()


def _place(person: Person, membership: uuid.UUID, role: str, is_blocked: bool, manages: bool, is_held: bool) -> Place:
    seen = MEMBER
    if manages:
        seen = OWNER if role == Membership.Role.OWNER else ADMIN
    return Place(person, membership, seen, is_held, is_blocked)
