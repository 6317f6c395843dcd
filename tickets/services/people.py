"""The people of tickets as the support contract sees them: a person's place in one location (TICKETS-022, 023, 042)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from core.planned import ModelRows
from orgs import audience
from orgs.models import Membership

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orgs.models import Community
    from orgs.querysets import MembershipQuerySet

OWNER, ADMIN, MEMBER = "owner", "admin", "member"


@dataclass(frozen=True)
class Place:
    """A person's membership of the company, seen from one location."""

    membership: Membership
    role: str  # owner, admin, member
    has_place: bool  # lives there, sits on its board or looks after it today

    @property
    def is_blocked(self) -> bool:
        """Whether the membership has ended."""
        end = self.membership.deactivated_at
        return end is not None and end <= timezone.now()


_MEMBERSHIPS = ModelRows(
    """
    SELECT {m}, {u} FROM orgs_membership m JOIN orgs_user u ON u.id = m.user_id
     WHERE m.organization_id = %(tenant)s AND m.user_id = ANY(%(users)s::int[])
    """,
    m="orgs.Membership",
    u="orgs.User",
)


def places(community: Community, user_ids: Iterable[int]) -> dict[int, Place]:
    """Those of these accounts that are members of the company, by account; two queries however many they are."""
    wanted = sorted(set(user_ids))
    memberships = [] if not wanted else _MEMBERSHIPS.fetch({"tenant": community.tenant_id, "users": wanted})
    if not memberships:
        return {}
    manage, live = audience.managers(community.pk), audience.community(community.pk)
    holders = audience.people_by_key([manage, live], community.tenant, among=wanted)
    found = {}
    for membership, user in memberships:
        membership.user = user
        found[user.pk] = _place(membership, holders[manage], holders[live])
    return found


def assignable(community: Community) -> MembershipQuerySet[Membership]:
    """Who looks after the community and so can be assigned (TICKETS-042), available people first, with ``presence``.

    Two queries.
    """
    managers = audience.people_of([audience.managers(community.pk)], community.tenant)
    found: MembershipQuerySet[Membership] = Membership.objects.active().staff()
    return found.filter(organization=community.tenant_id, user__in=managers).available_first()


def _place(membership: Membership, managers: set[int], residents: set[int]) -> Place:
    manages = membership.user_id in managers
    role = MEMBER
    if manages:
        role = OWNER if membership.role == Membership.Role.OWNER else ADMIN
    return Place(membership, role, manages or membership.user_id in residents)
