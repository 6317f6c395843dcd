"""Who acts: the caller of one request, reduced once to what rights are decided by.

One query, once per request, never cached across requests: a move-out, a deactivation or a new assignment counts at the
next request.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.utils import timezone

from core import scope
from core.planned import ModelRows
from orgs import audience
from orgs.models import Membership, Organization, SecondFactor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orgs.models import User


@dataclass(frozen=True)
class Switches:
    """What each request asks of a tenant's settings: whence its APIs are open, and whether read marks are shown."""

    api_internal_access: bool = True
    api_external_access: bool = True
    mark_read: bool = False


@dataclass(frozen=True)
class ValidOccupancy:
    """One occupancy that holds today."""

    contact_id: int
    unit_id: int
    building_id: int | None
    community_id: int
    tenant_id: int
    role: str
    is_admin: bool

    @property
    def is_full(self) -> bool:
        """Owner, renter, or administering additional user."""
        return self.role in ("owner", "renter") or self.is_admin


@dataclass(frozen=True)
class Actor:
    """The caller. Build it with `actor_for`; every read rule and every predicate takes one.

    ``tenant_id`` narrows the actor to one tenant (docms, back office); without it all tenants of the person
    are in scope (portal, PORTAL-016). ``acting`` is true while an operator is deliberately narrowed, too.
    """

    user: User | None
    door: str
    tenant_id: int | None = None
    memberships_list: tuple[Membership, ...] = ()
    contacts: frozenset[tuple[int, int]] = frozenset()  # (contact id, tenant id)
    occupancies: tuple[ValidOccupancy, ...] = ()
    board_of: frozenset[int] = frozenset()
    managed: frozenset[int] = frozenset()
    scopes: frozenset[str] = frozenset()
    token_id: int | None = None
    acting: bool = False
    node: int | None = None  # the organization that a token without a person acts for (ORGS-003)

    @property
    def user_id(self) -> int | None:
        """The account, or none for an anonymous caller or an organization token."""
        return self.user.pk if self.user else None

    @property
    def is_operator(self) -> bool:
        """Runs the installation."""
        return bool(self.user and self.user.is_superuser)

    @cached_property
    def memberships(self) -> dict[int, Membership]:
        """The rows on tenant nodes, by tenant: document flags are read from them alone."""
        return {m.tenant_id: m for m in self.memberships_list if m.tenant_id and m.organization_id == m.tenant_id}

    @cached_property
    def membership_ids(self) -> frozenset[int]:
        """Ids of all active memberships in scope."""
        return frozenset(m.pk for m in self.memberships_list)

    @cached_property
    def tenants(self) -> frozenset[int]:
        """Tenants in scope in which the person has any place: a membership, or a contact of the register."""
        return frozenset(
            [m.tenant_id for m in self.memberships_list if m.tenant_id] + [tenant for _contact, tenant in self.contacts]
        )

    @cached_property
    def staff_tenants(self) -> frozenset[int]:
        """Tenants in which the person is staff."""
        return frozenset(
            m.tenant_id for m in self.memberships_list if m.tenant_id and m.role in ("owner", "staff", "affiliate")
        )

    @cached_property
    def admin_tenants(self) -> frozenset[int]:
        """Tenants in which the person is administrator; the operator is one where a member (DOCMS-056, one-model)."""
        return frozenset(
            t for t, m in self.memberships.items() if m.admin_perm or m.super_admin_perm or self.is_operator
        )

    @cached_property
    def super_admin_tenants(self) -> frozenset[int]:
        """Tenants in which the person is super administrator; the operator is one where a member (one-model)."""
        return frozenset(t for t, m in self.memberships.items() if m.super_admin_perm or self.is_operator)

    @cached_property
    def wide_tenants(self) -> frozenset[int]:
        """Tenants whose whole register the person works with, as staff: nobody keeps it who became a contractor."""
        return frozenset(
            t
            for t, m in self.memberships.items()
            if m.role in ("owner", "staff", "affiliate")
            and (m.admin_perm or m.super_admin_perm or m.all_communities or m.role == "owner")
        )

    @property
    def is_admin(self) -> bool:
        """Administrator of a tenant in scope."""
        return bool(self.admin_tenants)

    @cached_property
    def organizations(self) -> frozenset[int]:
        """Organizations in which the person has a place of the orgs contract (owner, staff, affiliate)."""
        own = frozenset(m.organization_id for m in self.memberships_list if m.role in ("owner", "staff", "affiliate"))
        return own | self.owned_organizations

    @cached_property
    def owned_organizations(self) -> frozenset[int]:
        """Organizations the person owns directly, or the one whose token is used."""
        owned = frozenset(m.organization_id for m in self.memberships_list if m.role == "owner")
        return owned if self.node is None else owned | {self.node}

    @cached_property
    def has_second_factor(self) -> bool:
        """Whether the account has any confirmed one (one query, where it is asked)."""
        return SecondFactor.objects.filter(user=self.user_id, confirmed_at__isnull=False).exists()

    @cached_property
    def contact_ids(self) -> frozenset[int]:
        """The person's contacts in the registers of the tenants in scope."""
        return frozenset(contact_id for contact_id, _tenant in self.contacts)

    @cached_property
    def communities(self) -> frozenset[int]:
        """Communities reached as resident or board member, valid today (PORTAL-013)."""
        return frozenset(o.community_id for o in self.occupancies) | self.board_of

    @cached_property
    def units(self) -> frozenset[int]:
        """The caller's units (PORTAL-017)."""
        return frozenset(o.unit_id for o in self.occupancies)

    @cached_property
    def administered_units(self) -> frozenset[int]:
        """Units the caller administers as resident (PORTAL-043)."""
        return frozenset(o.unit_id for o in self.occupancies if o.is_admin)

    @cached_property
    def keys(self) -> frozenset[str]:
        """Every audience key the person holds at this moment."""
        keys: set[str] = set()
        for o in self.occupancies:
            keys |= audience.occupancy_keys(
                community_id=o.community_id,
                building_id=o.building_id,
                unit_id=o.unit_id,
                role=o.role,
                is_full=o.is_full,
            )
        keys |= {audience.community(c, audience.BOARD) for c in self.board_of}
        keys |= {audience.contact(c) for c in self.contact_ids}
        keys |= {audience.managers(c) for c in self.managed}
        keys |= {audience.staff(t) for t in self.staff_tenants}
        if self.user_id is not None:
            keys.add(audience.account(self.user_id))
        return frozenset(keys)

    def membership(self, tenant_id: int | None) -> Membership | None:
        """The row on one tenant's node."""
        return self.memberships.get(tenant_id) if tenant_id else None

    def has_scope(self, scope: str) -> bool:
        """Whether the credential carries a scope."""
        return scope in self.scopes


ANONYMOUS = Actor(user=None, door="")


def actor_for(
    user: User | None,
    *,
    door: str,
    tenant_id: int | None = None,
    scopes: Iterable[str] = (),
    token_id: int | None = None,
) -> Actor:
    """Reduce an account to an `Actor`: memberships, contacts with valid occupancies, board seats, managed communities.

    ``tenant_id`` limits everything to one tenant. A membership deactivated on the tenant node closes every
    door of that tenant: no keys, no occupancies there (conflict 40 of the model). So does the end of the company.
    """
    if user is None or user.erased_at is not None:
        return Actor(user=None, door=door)
    memberships, places, managed = _held_by(user, tenant_id)
    occupancies = [place for place in places if place.unit_id]
    occupancies.sort(key=lambda o: (o.unit_id, o.contact_id, o.role))  # they come in any order
    return Actor(
        user=user,
        door=door,
        tenant_id=tenant_id,
        memberships_list=memberships,
        contacts=frozenset((place.contact_id, place.tenant_id) for place in places),
        occupancies=tuple(occupancies),
        board_of=frozenset(place.community_id for place in places if place.role == audience.BOARD),
        managed=frozenset(managed),
        scopes=frozenset(scopes),
        token_id=token_id,
        acting=tenant_id is not None,
    )


def enter(
    user: User | None,
    *,
    door: str,
    tenant_id: int | None = None,
    scopes: Iterable[str] = (),
    token_id: int | None = None,
) -> Actor:
    """Build the actor and let the running unit of work continue as this person, in this person's tenants.

    Where one tenant is meant, its rows alone say who the person is there: none of another one is looked at.
    """
    if tenant_id is not None:
        if scope.current().tenants != {tenant_id}:
            scope.enter_tenants([tenant_id])
        actor = actor_for(user, door=door, tenant_id=tenant_id, scopes=scopes, token_id=token_id)
        if actor.tenants != {tenant_id}:
            scope.enter_tenants(actor.tenants)
    else:
        scope.enter_tenants(Organization.objects.filter(is_tenant=True).order_by().values_list("id", flat=True))
        actor = actor_for(user, door=door, scopes=scopes, token_id=token_id)
        scope.enter_tenants(actor.tenants)
    scope.identify(actor.user_id)
    return actor


# All that says who an account is, in one statement, because every request asks it: the memberships that hold now; the
# register's entries, and what each holds on the day it is in its company's zone: an occupancy, a seat on the board (a role
# without a unit), or nothing; the communities managed, by a right for all those of the node or of one above it, or by
# assignment (staff only).
_HELD = """
WITH closed AS (
  SELECT organization_id AS id FROM orgs_membership WHERE user_id = %(user)s AND deactivated_at <= %(now)s
), valid AS (
  SELECT m.id, m.organization_id, m.tenant_id, m.role, m.role = 'owner' OR m.admin_perm OR m.all_communities AS is_wide
    FROM orgs_membership m JOIN orgs_organization o ON o.id = m.organization_id
    LEFT JOIN orgs_organization t ON t.id = m.tenant_id
   WHERE m.user_id = %(user)s AND (m.deactivated_at IS NULL OR m.deactivated_at > %(now)s)
     AND NOT EXISTS (SELECT FROM closed WHERE closed.id = m.tenant_id)
     AND o.closed_at IS NULL AND t.closed_at IS NULL AND (%(tenant)s::int IS NULL OR m.tenant_id = %(tenant)s)
), staff AS (
  SELECT * FROM valid WHERE role IN ('owner', 'staff', 'affiliate') AND tenant_id IS NOT NULL
), mine AS (
  SELECT c.id, c.tenant_id, (%(now)s AT TIME ZONE t.timezone)::date AS today
    FROM orgs_contact c JOIN orgs_organization t ON t.id = c.tenant_id
   WHERE c.user_id = %(user)s AND c.erased_at IS NULL AND NOT EXISTS (SELECT FROM closed WHERE closed.id = c.tenant_id)
     AND t.closed_at IS NULL AND (%(tenant)s::int IS NULL OR c.tenant_id = %(tenant)s)
), places AS (
  SELECT c.id, o.unit_id, u.building_id, u.community_id, c.tenant_id, o.role, o.is_admin
    FROM mine c
    LEFT JOIN orgs_occupancy o ON o.contact_id = c.id AND o.revoked_at IS NULL AND o.period @> c.today
    LEFT JOIN orgs_unit u ON u.id = o.unit_id
  UNION ALL
  SELECT c.id, 0, NULL, r.community_id, c.tenant_id, 'board', false
    FROM mine c
    JOIN orgs_responsibility r ON r.contact_id = c.id AND r.type = 'ADVISORY_BOARD' AND r.period @> c.today
), managed AS (
  SELECT c.id FROM orgs_community c JOIN orgs_organization o ON o.id = c.organization_id
   WHERE c.tenant_id = ANY(ARRAY(SELECT tenant_id FROM staff)) AND (
         o.id = ANY(ARRAY(SELECT organization_id FROM staff WHERE is_wide))
         OR o.ancestors && ARRAY(SELECT organization_id FROM staff WHERE is_wide)
         OR c.id IN (SELECT a.community_id FROM orgs_communityassignment a
                      WHERE a.membership_id = ANY(ARRAY(SELECT id FROM staff))))
)
SELECT {m}, {o}, {t}, held.places, held.managed, s.api_internal_access, s.api_external_access, s.mark_read
  FROM (SELECT (SELECT json_agg(json_build_array(
                  p.id, p.unit_id, p.building_id, p.community_id, p.tenant_id, p.role, p.is_admin)) FROM places p) AS places,
               ARRAY(SELECT id FROM managed) AS managed) held
  LEFT JOIN (orgs_membership m JOIN orgs_organization o ON o.id = m.organization_id
             LEFT JOIN orgs_organization t ON t.id = m.tenant_id
             LEFT JOIN orgs_organizationsettings s ON s.organization_id = m.tenant_id) ON m.id IN (SELECT id FROM valid)
 ORDER BY m.id
"""
_ROWS = ModelRows(_HELD, m="orgs.Membership", o="orgs.Organization", t="orgs.Organization")


def _held_by(user: User, tenant_id: int | None) -> tuple[tuple[Membership, ...], list[ValidOccupancy], list[int]]:
    """Memberships, each with the ``switches`` of its tenant, places of the register, and managed communities."""
    rows = _ROWS.fetch({"user": user.pk, "tenant": tenant_id, "now": timezone.now()})
    memberships: list[Membership] = []
    for membership, organization, tenant, _places, _managed, *switches in rows:
        if membership is not None:
            membership.switches = Switches(*switches) if switches[0] is not None else Switches()
            membership.user, membership.organization, membership.tenant = user, organization, tenant
            organization.tenant = tenant  # the membership's is a copy of it
            memberships.append(membership)
    return tuple(memberships), [ValidOccupancy(*place) for place in rows[0][3] or ()], rows[0][4]
