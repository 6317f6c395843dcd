"""Who belongs to which group today, for many groups or many people at a constant number of queries."""

from __future__ import annotations

from collections import defaultdict

from docms.models import Group, GroupMember
from orgs import audience
from orgs.actor import actor_for
from orgs.models import Contact, Membership, Occupancy, Organization, Responsibility


def people_by_key(tenant: Organization) -> dict[str, set[int]]:
    """For each audience key of residents of a tenant the accounts that hold it today, in four queries.

    The same answer as `orgs.audience.people_of` for one key, of members only; whoever is deactivated holds nothing.
    """
    if tenant.closed_at is not None:
        return {}
    today = tenant.today()
    held: dict[str, set[int]] = defaultdict(set)
    stays = Occupancy.objects.filter(
        tenant=tenant,
        revoked_at=None,
        period__contains=today,
        contact__user__isnull=False,
        contact__erased_at=None,
    ).values_list("contact__user_id", "unit__community_id", "unit__building_id", "unit_id", "role", "is_admin")
    for user_id, community_id, building_id, unit_id, role, is_admin in stays.iterator(chunk_size=5000):
        keys = audience.occupancy_keys(
            community_id=community_id,
            building_id=building_id,
            unit_id=unit_id,
            role=role,
            is_full=is_admin or role in ("owner", "renter"),
        )
        for key in keys:
            held[key].add(user_id)
    seats = Responsibility.objects.filter(
        tenant=tenant,
        type="ADVISORY_BOARD",
        period__contains=today,
        contact__user__isnull=False,
        contact__erased_at=None,
    )
    for user_id, community_id in seats.values_list("contact__user_id", "community_id"):
        held[audience.community(community_id, audience.BOARD)].add(user_id)
    contacts = Contact.objects.filter(tenant=tenant, user__isnull=False, erased_at=None)
    for contact_id, user_id in contacts.values_list("id", "user_id"):
        held[audience.contact(contact_id)].add(user_id)
    active = set(Membership.objects.active().filter(organization=tenant).values_list("user_id", flat=True))
    return {key: people & active for key, people in held.items()}


def groups_by_person(tenant: Organization) -> dict[int, list[int]]:
    """The ids of the groups of each account of a tenant, made by hand or derived, in a constant number of queries."""
    found: dict[int, set[int]] = defaultdict(set)
    listed = GroupMember.objects.filter(tenant=tenant, group__kind=Group.Kind.MANUAL)
    for user_id, group_id in listed.values_list("membership__user_id", "group_id"):
        found[user_id].add(group_id)
    held = people_by_key(tenant)
    derived = Group.objects.filter(tenant=tenant, kind=Group.Kind.DERIVED)
    for group_id, key in derived.values_list("id", "audience_key"):
        for user_id in held.get(key, ()):
            found[user_id].add(group_id)
    return {user_id: sorted(ids) for user_id, ids in found.items()}


def group_ids_of(membership: Membership) -> list[int]:
    """The groups of one member: listed by hand, and derived from where the person lives today."""
    person = actor_for(membership.user, door="docms", tenant_id=membership.organization_id)
    derived = Group.objects.filter(audience_key__in=person.keys, tenant=membership.organization_id)
    listed = Group.objects.filter(kind=Group.Kind.MANUAL, members__membership=membership)
    return sorted({*derived.values_list("id", flat=True), *listed.values_list("id", flat=True)})
