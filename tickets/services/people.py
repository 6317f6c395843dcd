"""The people of tickets as the support contract sees them: a person's place in one location (TICKETS-022, 023, 042)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from orgs import audience
from orgs.models import Membership

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orgs.models import Community

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


def places(community: Community, user_ids: Iterable[int]) -> dict[int, Place]:
    """Those of these accounts that are members of the company, by account; three queries however many they are."""
    found = Membership.objects.filter(organization=community.tenant_id, user__in=set(user_ids)).select_related("user")
    memberships = list(found)
    if not memberships:
        return {}
    managers = audience.people_of([audience.managers(community.pk)], community.tenant)
    residents = audience.people_of([audience.community(community.pk)], community.tenant)
    return {m.user_id: _place(m, managers, residents) for m in memberships}


def _place(membership: Membership, managers: set[int], residents: set[int]) -> Place:
    manages = membership.user_id in managers
    role = MEMBER
    if manages:
        role = OWNER if membership.role == Membership.Role.OWNER else ADMIN
    return Place(membership, role, manages or membership.user_id in residents)
