"""Who administers a group, chosen on its form in the back office."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core import scope
from docms.models import Group, GroupMember
from docms.services import groups
from orgs.services import members, occupancies
from tests.factories import manual_group
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

    from tests.cast import Cast


@pytest.fixture
def circle(cast: Cast) -> Group:
    with scope.unit_of_work(door="test"):
        return manual_group(cast, "Beirat", "owner", "renter")


def administering(group: Group) -> set[int]:
    return set(GroupMember.objects.filter(group=group, is_admin=True).values_list("membership__user_id", flat=True))


def save(client: Client, group: Group, **values: Any) -> HttpResponse:
    url = f"/admin/docms/group/{group.pk}/change/"
    form = client.get(url).context["adminform"].form
    values = {"name": group.name, "expected_version": form["expected_version"].value(), **values}
    return client.post(url, values)  # type: ignore[return-value]


def test_an_administrator_chooses_who_administers_a_group(cast: Cast, circle: Group) -> None:
    client, owner, renter = signed_in(cast.admin), cast.membership("owner").pk, cast.membership("renter").pk
    assert save(client, circle, people=[owner, renter], groupadmin_ids=[owner]).status_code == 302
    assert administering(circle) == {cast.owner.pk}
    page = client.get(f"/admin/docms/group/{circle.pk}/change/")
    assert page.context["adminform"].form.initial["groupadmin_ids"] == [owner]
    (section,) = page.context["sections"]
    assert {str(row[0].text): str(row[2].text) for row in section.rows} == {
        str(cast.owner): "betreut die Gruppe", str(cast.renter): "",
    }  # fmt: skip
    assert save(client, circle, people=[owner, renter]).status_code == 302
    assert administering(circle) == set()


def test_a_new_group_has_its_administrators_at_once(cast: Cast) -> None:
    owner = cast.membership("owner").pk
    signed_in(cast.admin).post("/admin/docms/group/add/", {"name": "Neu", "people": [owner], "groupadmin_ids": [owner]})
    assert administering(Group.objects.get(name="Neu")) == {cast.owner.pk}


@pytest.mark.parametrize("who", ["neighbour", "stranger"])
def test_only_people_of_the_group_administer_it(cast: Cast, circle: Group, who: str) -> None:
    outside = cast.membership(who, cast.other_tenant if who == "stranger" else cast.tenant).pk
    people = [cast.membership("owner").pk]
    refused: Any = save(signed_in(cast.admin), circle, people=people, groupadmin_ids=[outside])
    assert refused.status_code == 200
    assert refused.context["adminform"].form.errors.keys() == {"groupadmin_ids"}
    assert administering(circle) == set()


@pytest.mark.parametrize(("who", "status"), [("staff", 403), ("owner", 403), ("stranger", 404)])
def test_nobody_else_chooses_them(cast: Cast, circle: Group, who: str, status: int) -> None:
    with scope.unit_of_work(door="test"):
        GroupMember.objects.filter(group=circle, membership=cast.membership("owner")).update(is_admin=True)
    renter = cast.membership("renter").pk
    values = {"name": "Beirat", "people": [renter], "groupadmin_ids": [renter]}
    answer = signed_in(getattr(cast, who)).post(f"/admin/docms/group/{circle.pk}/change/", values)
    assert answer.status_code == status
    assert administering(circle) == {cast.owner.pk}


def test_of_former_members_those_go_on_administering_who_did(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        circle = manual_group(cast, "Kreis", "staff", "guest", "owner", groupadmin_ids=[cast.staff.pk])
        for name in ("staff", "guest"):
            members.deactivate(actor=cast.actor("admin"), membership=cast.membership(name))
    owner = cast.membership("owner").pk
    assert save(signed_in(cast.admin), circle, people=[owner], groupadmin_ids=[owner]).status_code == 302
    assert administering(circle) == {cast.staff.pk, cast.owner.pk}


@pytest.fixture
def household(cast: Cast) -> Group:
    """Whoever lives in house A."""
    with scope.unit_of_work(door="test"):
        return groups.derived_group(tenant=cast.tenant, community=cast.house_a)


def test_an_administrator_chooses_who_administers_a_derived_group(cast: Cast, household: Group) -> None:
    client, owner, renter = signed_in(cast.admin), cast.membership("owner").pk, cast.membership("renter").pk
    assert "people" not in client.get(f"/admin/docms/group/{household.pk}/change/").context["adminform"].form.fields
    before = groups.members_of(household)
    assert save(client, household, groupadmin_ids=[owner, renter]).status_code == 302
    assert administering(household) == {cast.owner.pk, cast.renter.pk}
    assert save(client, household, groupadmin_ids=[renter]).status_code == 302
    assert administering(household) == {cast.renter.pk}
    assert save(client, household).status_code == 302
    assert administering(household) == set()
    assert groups.members_of(household) == before


def test_only_who_lives_there_administers_a_derived_group(cast: Cast, household: Group) -> None:
    outside = cast.membership("staff").pk
    refused: Any = save(signed_in(cast.admin), household, groupadmin_ids=[outside])
    assert refused.context["adminform"].form.errors == {
        "groupadmin_ids": [f"Heute nicht in dieser Gruppe: {cast.staff}"]
    }
    assert administering(household) == set()


def test_who_has_moved_out_keeps_nobody_from_saving_the_rest(cast: Cast, household: Group) -> None:
    client, renter = signed_in(cast.admin), cast.membership("renter").pk
    save(client, household, groupadmin_ids=[renter])
    with scope.unit_of_work(door="test"):
        occupancies.revoke(cast.occupancy("renter"))
    assert save(client, household, groupadmin_ids=[renter], name="Haus").status_code == 302
    household.refresh_from_db()
    assert (household.name, administering(household)) == ("Haus", {cast.renter.pk})


def test_who_was_deactivated_keeps_nobody_from_choosing_others(cast: Cast, household: Group) -> None:
    client, renter, owner = signed_in(cast.admin), cast.membership("renter").pk, cast.membership("owner").pk
    save(client, household, groupadmin_ids=[renter])
    with scope.unit_of_work(door="test"):
        members.deactivate(actor=cast.actor("admin"), membership=cast.membership("renter"))
    assert save(client, household, name="Haus").status_code == 302  # the form shows nobody, and nobody was touched
    assert administering(household) == {cast.renter.pk}
    assert save(client, household, groupadmin_ids=[owner]).status_code == 302
    assert administering(household) == {cast.owner.pk}


def test_the_form_costs_the_same_for_one_administrator_and_three(cast: Cast) -> None:
    def cost(name: str, *who: str) -> int:
        with scope.unit_of_work(door="test"):
            group = manual_group(cast, name, *who, groupadmin_ids=[getattr(cast, person).pk for person in who])
        return queries_of(client, f"/admin/docms/group/{group.pk}/change/")

    client = signed_in(cast.admin)
    cost("warm", "owner")
    assert cost("one", "owner") == cost("three", "owner", "renter", "neighbour")
