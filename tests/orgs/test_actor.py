"""Who may see which places, and who holds which keys."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgs import audience
from orgs.actor import actor_for
from orgs.models import Community, CommunityAssignment, Contact, Membership, Occupancy, Unit
from orgs.services import occupancies
from tests.cast import Cast, resident

RESIDENTS = ("owner", "renter", "additional", "former", "neighbour", "foreigner")


@pytest.mark.rule("PORTAL-013")
@pytest.mark.parametrize(
    ("who", "houses"),
    [
        ("owner", {"A"}), ("renter", {"A"}), ("additional", {"A"}), ("former", set()), ("neighbour", {"B"}),
        ("guest", set()), ("foreigner", {"X"}),
    ],
)  # fmt: skip
def test_residents_reach_the_communities_they_live_in_today(cast: Cast, who: str, houses: set[str]) -> None:
    assert set(Community.objects.visible_to(cast.actor(who)).values_list("identifier", flat=True)) == houses


@pytest.mark.rule("PORTAL-013")
@pytest.mark.parametrize(
    ("first", "last", "houses"),
    [
        (1, None, {"B"}), (0, None, {"A", "B"}), (0, 0, {"A", "B"}), (-9, None, {"A", "B"}), (-9, 0, {"A", "B"}),
        (-9, -1, {"B"}),
    ],
)  # fmt: skip
def test_an_occupancy_opens_its_community_from_the_first_day_to_the_last(
    cast: Cast, first: int, last: int | None, houses: set[str]
) -> None:
    def day(number: int) -> datetime.date:
        return cast.tenant.today() + datetime.timedelta(days=number)

    occupancies.move_in(
        contact=cast.contact("neighbour"),
        unit=cast.unit_a3,
        role="renter",
        first=day(first),
        last=None if last is None else day(last),
    )
    actor = cast.actor("neighbour")
    assert set(Community.objects.visible_to(actor).values_list("identifier", flat=True)) == houses


@pytest.mark.rule("PORTAL-015")
@pytest.mark.parametrize(("who", "houses"), [("staff", {"A"}), ("admin", {"A", "B"}), ("stranger", {"X"})])
def test_staff_reach_assigned_communities_of_their_own_tenant(cast: Cast, who: str, houses: set[str]) -> None:
    actor = cast.actor(who)
    assert set(Community.objects.managed_by(actor).values_list("identifier", flat=True)) == houses
    assert set(Community.objects.visible_to(actor).values_list("identifier", flat=True)) == houses


@pytest.mark.rule("PORTAL-015")
@pytest.mark.parametrize("right", [{"all_communities": True}, {"admin_perm": True}, {"role": "owner"}])
def test_each_tenant_wide_right_alone_opens_the_own_tenant_and_no_other(cast: Cast, right: dict[str, object]) -> None:
    Membership.objects.filter(user=cast.staff).update(**right)
    assert Community.objects.filter(identifier="X").exists()
    actor = cast.actor("staff")
    assert set(Community.objects.managed_by(actor).values_list("identifier", flat=True)) == {"A", "B"}
    assert set(Community.objects.visible_to(actor).values_list("identifier", flat=True)) == {"A", "B"}


@pytest.mark.rule("PORTAL-015")
def test_staff_without_assignment_or_right_reach_nothing(cast: Cast) -> None:
    CommunityAssignment.objects.filter(membership__user=cast.staff).delete()
    assert not Community.objects.visible_to(cast.actor("staff")).exists()


def test_one_account_reaches_communities_of_several_tenants(cast: Cast) -> None:
    contact = Contact.objects.create(tenant=cast.other_tenant, user=cast.renter, number="77", last_name="Muster")
    occupancies.move_in(contact=contact, unit=cast.foreign_unit, role="owner")
    found = Community.objects.visible_to(cast.actor("renter")).values_list("identifier", flat=True)
    assert set(found) == {"A", "X"}


def test_a_revoked_occupancy_ends_at_once(cast: Cast) -> None:
    occupancies.revoke(cast.occupancy("renter"))
    assert cast.actor("renter").keys == {f"a:{cast.renter.pk}", f"p:{cast.contact('renter').pk}"}


def test_units_are_the_callers_own(cast: Cast) -> None:
    assert list(Unit.objects.visible_to(cast.actor("renter"))) == [cast.unit_a2]


def test_additional_users_without_is_admin_hold_no_building_or_unit_key(cast: Cast) -> None:
    keys = cast.actor("additional").keys
    assert {k for k in keys if k[0] in "bu"} == set()
    assert f"c:{cast.house_a.pk}:additional" in keys


def test_an_admin_resident_holds_the_unit_key(cast: Cast) -> None:
    user = resident("second", cast.unit_a2, "additional", is_admin=True)
    assert f"u:{cast.unit_a2.pk}" in cast.actor(user).keys


def test_a_membership_deactivated_on_the_tenant_node_closes_the_whole_tenant(cast: Cast) -> None:
    Membership.objects.filter(user=cast.renter).update(deactivated_at=timezone.now())
    actor = cast.actor("renter")
    assert actor.keys == {f"a:{cast.renter.pk}"}
    assert not Community.objects.visible_to(actor).exists()


def test_a_deactivation_in_the_future_changes_nothing_yet(cast: Cast) -> None:
    Membership.objects.filter(user=cast.renter).update(deactivated_at=timezone.now() + datetime.timedelta(hours=1))
    assert Community.objects.visible_to(cast.actor("renter")).exists()


def test_an_erased_account_is_nobody(cast: Cast) -> None:
    cast.renter.erased_at = timezone.now()
    assert actor_for(cast.renter, door="test").keys == frozenset()


@pytest.mark.parametrize(
    ("key", "people"),
    [
        ("c", {"owner", "renter", "additional"}),
        ("c:renter", {"renter"}),
        ("b2", {"renter"}),
        ("u2", {"renter"}),
        ("u2:renter", {"renter"}),
        ("m", {"admin", "staff"}),
        ("t", {"admin", "staff"}),
        ("p", {"neighbour"}),
        ("a", {"guest"}),
    ],
)
def test_people_of_a_key_are_those_who_hold_it_today(cast: Cast, key: str, people: set[str]) -> None:
    keys = {
        "c": audience.community(cast.house_a.pk),
        "c:renter": audience.community(cast.house_a.pk, "renter"),
        "b2": audience.building(cast.entrance_2.pk),
        "u2": audience.unit(cast.unit_a2.pk),
        "u2:renter": audience.unit(cast.unit_a2.pk, "renter"),
        "m": audience.managers(cast.house_a.pk),
        "t": audience.staff(cast.tenant.pk),
        "p": audience.contact(cast.contact("neighbour").pk),
        "a": audience.account(cast.guest.pk),
    }
    found = audience.people_of([keys[key]], cast.tenant)
    assert found == {getattr(cast, name).pk for name in people}
    everyone = ("admin", "staff", "stranger", "guest", *RESIDENTS)
    assert found == {getattr(cast, n).pk for n in everyone if keys[key] in cast.actor(n, tenant=cast.tenant).keys}


def test_people_of_leaves_out_who_is_deactivated(cast: Cast) -> None:
    Membership.objects.filter(user=cast.renter).update(deactivated_at=timezone.now())
    assert cast.renter.pk not in audience.people_of([audience.community(cast.house_a.pk)], cast.tenant)


@pytest.mark.parametrize(("who", "most"), [("renter", 2), ("staff", 3), ("admin", 3), ("guest", 2)])
def test_an_actor_costs_at_most_three_queries(cast: Cast, who: str, most: int) -> None:
    user = getattr(cast, who)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        actor_for(user, door="test")
    assert len(queries) <= most


def test_an_actor_costs_the_same_with_three_occupancies(cast: Cast) -> None:
    with CaptureQueriesContext(connection) as one:
        cast.actor("renter")
    for unit in (cast.unit_a1, cast.unit_a3):
        occupancies.move_in(contact=cast.contact("renter"), unit=unit, role="owner")
    with CaptureQueriesContext(connection) as three:
        cast.actor("renter")
    assert len(one) == len(three)
    assert Occupancy.objects.filter(contact__user=cast.renter).count() == 3
