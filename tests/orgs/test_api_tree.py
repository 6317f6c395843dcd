"""Organizations over HTTP: the tree, moving and deleting in it, and lists."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from orgs.models import Membership, Organization, OrganizationSettings, SecondFactor, User
from orgs.services.tenants import add_member
from tests.factories import ProcessFactory, TicketFactory
from tests.orgs.door import Caller, of_organization, person

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def names(found: list[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in found]


# --- Hierarchy ------------------------------------------------------------------------------------------


@pytest.mark.rule("ORGS-025", "ORGS-028", "ORGS-085")
def test_children_are_direct_ones_and_paged(me: Caller, top: dict[str, Any]) -> None:
    made = [me.make(name, parentID=top["id"]) for name in ("a", "b", "c")]
    me.make("Enkel", parentID=made[0]["id"])
    path = f"/organization/{top['id']}/children"
    assert names(me.ok("GET", path)["childs"]) == ["a", "b", "c"]
    page = me.ok("GET", f"{path}?limit=1&offset=1")
    assert (names(page["childs"]), page["totalChilds"]) == (["b"], 3)
    assert names(me.ok("GET", f"{path}?offset=2")["childs"]) == ["c"]
    assert me.ok("GET", f"{path}?limit=500&offset=9")["childs"] == []
    for query in ("limit=0", "limit=501", "offset=-1", "limit=x", "offset=1.5", "limit="):
        me.refused("GET", f"{path}?{query}", 400)


@pytest.mark.rule("ORGS-026")
def test_the_path_runs_from_the_top_to_the_organization(me: Caller, top: dict[str, Any]) -> None:
    middle = me.make("Mitte", parentID=top["id"])
    leaf = me.make("Blatt", parentID=middle["id"])
    assert names(me.ok("GET", f"/organization/{leaf['id']}/children")["path"]) == ["Oben", "Mitte", "Blatt"]
    assert names(me.ok("GET", f"/organization/{top['id']}/children")["path"]) == ["Oben"]


@pytest.mark.rule("ORGS-027")
def test_the_path_leaves_out_what_one_does_not_see(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    middle = me.make("Mitte", parentID=top["id"])
    leaf = me.make("Blatt", parentID=middle["id"])
    for one in (top, leaf):
        add_member(user=cast.renter, organization=Organization.objects.get(pk=one["id"]), role="staff")
    assert names(person(cast.renter).ok("GET", f"/organization/{leaf['id']}/children")["path"]) == ["Oben", "Blatt"]


@pytest.mark.rule("ORGS-029")
def test_children_are_ordered_by_name_without_case(me: Caller, top: dict[str, Any]) -> None:
    made = [me.make(name, parentID=top["id"]) for name in ("b", "A", "a", "B", "C")]
    found = me.ok("GET", f"/organization/{top['id']}/children")["childs"]
    assert [one["id"] for one in found] == [made[n]["id"] for n in (1, 2, 0, 3, 4)]


@pytest.mark.rule("ORGS-030")
def test_having_children_begins_and_ends_with_them(me: Caller, top: dict[str, Any]) -> None:
    other = me.make("Anderswo")
    below = me.make("Unten", parentID=top["id"])
    assert me.get(top)["hasChildren"] is True
    me.put(below, parentID=other["id"])
    assert (me.get(top)["hasChildren"], me.get(other)["hasChildren"]) == (False, True)
    me.ok("DELETE", f"/organization/{below['id']}")
    assert me.get(other)["hasChildren"] is False


@pytest.mark.rule("ORGS-031")
def test_nothing_lies_below_itself(me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    for parent in (top, below):
        values = {"id": top["id"], "name": "Neu", "parentID": parent["id"]}
        me.refused("PUT", "/organization", 409, values)
    assert me.get(top) == {**top, "hasChildren": True, "availableUsersTotal": me.get(top)["availableUsersTotal"]}
    assert names(me.ok("GET", f"/organization/{below['id']}/children")["path"]) == ["Oben", "Unten"]


@pytest.mark.rule("ORGS-033")
def test_moving_needs_owner_rights_on_both_sides(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    foreign = person(cast.stranger).make("Fremd")
    node = Organization.objects.get(pk=foreign["id"])
    add_member(user=cast.owner, organization=node, role="staff", admin_perm=True)
    me.refused("PUT", "/organization", 403, {"id": top["id"], "name": "X", "parentID": foreign["id"]})
    me.refused("PUT", "/organization", 403, {"id": foreign["id"], "name": "X", "parentID": top["id"]})
    Membership.objects.filter(user=cast.owner, organization=node).update(role="owner")
    assert me.put(top, parentID=foreign["id"])["parentID"] == foreign["id"]


@pytest.mark.rule("ORGS-034")
def test_parent_zero_is_the_top_level(me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    assert me.put(below)["parentID"] == top["id"]
    assert "parentID" not in me.put(below, parentID=0)
    assert "parentID" not in me.get(below)
    assert "parentID" not in me.make("Auch oben", parentID=0)


def test_an_unknown_parent_is_not_found(me: Caller, top: dict[str, Any]) -> None:
    me.refused("POST", "/organization", 404, {"name": "X", "parentID": 2**40})
    me.refused("PUT", "/organization", 404, {"id": top["id"], "name": "X", "parentID": 2**40})
    assert "parentID" not in me.get(top)


@pytest.mark.rule("ORGS-035")
def test_what_has_children_stays(me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    me.refused("DELETE", f"/organization/{top['id']}", 409)
    assert me.get(below)["parentID"] == top["id"]


@pytest.mark.rule("ORGS-083")
def test_a_deleted_organization_is_gone_everywhere(me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    me.ok("DELETE", f"/organization/{below['id']}")
    me.refused("GET", f"/organization/{below['id']}", 404)
    assert names(me.ok("GET", "/organizations")) == ["Oben"]
    assert me.ok("GET", f"/organization/{top['id']}/children")["totalChilds"] == 0
    assert names(me.ok("GET", "/organizations/paginated")["organizations"]) == ["Oben"]


@pytest.mark.rule("ORGS-037")
def test_deleting_keeps_every_account(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    before = User.objects.count()
    me.ok("PUT", f"/organization/{top['id']}/quick-actions", [{"name": "X", "resource": "tag", "resource_id": 1}])
    me.ok("PUT", f"/organization/{top['id']}/location", {"address": "Köln"})
    me.ok("POST", f"/organization/{top['id']}/owner/invitation", {"email": cast.renter.email})
    me.ok("DELETE", f"/organization/{top['id']}")
    assert User.objects.count() == before
    for part in ("quick-actions", "owner/invitation", "history/availability"):
        me.refused("GET", f"/organization/{top['id']}/{part}", 404)
    node = Organization(pk=top["id"])
    assert not any(
        getattr(node, name).exists()
        for name in ("quick_actions", "owner_invitations", "availability_samples", "memberships")
    )


@pytest.mark.rule("ORGS-054", "ORGS-053")
def test_members_without_a_second_factor_stay_outside(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    free = me.make("Frei")
    assert me.put(top, enforcesTwoFactorAuth=True)["enforcesTwoFactorAuth"] is True
    for one in (top, below):
        assert me.refused("GET", f"/organization/{one['id']}", 403)["error"] == "second_factor_required"
    assert names(me.ok("GET", "/organizations")) == ["Frei"]
    me.get(free)
    SecondFactor.objects.create(user=cast.owner, secret="A" * 32, name="totp", confirmed_at=timezone.now())
    assert (me.get(top)["enforcesTwoFactorAuth"], me.get(below)["enforcesTwoFactorAuth"]) == (True, False)


# --- Lists ----------------------------------------------------------------------------------------------


@pytest.mark.rule("ORGS-073")
def test_the_list_is_what_one_works_in(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    me.make("Unten", parentID=top["id"])
    person(cast.stranger).make("Fremd")
    assert names(me.ok("GET", "/organizations")) == ["Oben", "Unten"]
    for who in ("renter", "guest", "foreigner"):  # residents and guests are no members here
        assert person(getattr(cast, who)).ok("GET", "/organizations") == []
    assert names(person(cast.staff).ok("GET", "/organizations")) == ["Brandt & Keller"]


@pytest.mark.rule("ORGS-074")
def test_top_level_organizations_come_ten_at_a_time(me: Caller) -> None:
    made = [me.make(f"N{n:02}") for n in range(12)]
    me.make("Unten", parentID=made[0]["id"])
    page = me.ok("GET", "/organizations/paginated")
    assert (names(page["organizations"]), page["totalOrganizations"]) == ([f"N{n:02}" for n in range(10)], 12)
    assert names(me.ok("GET", "/organizations/paginated?limit=5&offset=10")["organizations"]) == ["N10", "N11"]
    for query in ("limit=0", "limit=51", "offset=-1", "all=vielleicht"):
        me.refused("GET", f"/organizations/paginated?{query}", 400)


@pytest.mark.rule("ORGS-075")
def test_the_highest_that_one_sees_is_top_level(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    middle = me.make("Mitte", parentID=top["id"])
    me.make("Blatt", parentID=middle["id"])
    add_member(user=cast.renter, organization=Organization.objects.get(pk=middle["id"]), role="owner")
    page = person(cast.renter).ok("GET", "/organizations/paginated")
    assert (names(page["organizations"]), page["totalOrganizations"]) == (["Mitte"], 1)


@pytest.mark.rule("ORGS-076")
def test_all_switches_paging_off(me: Caller) -> None:
    for n in range(12):
        me.make(f"N{n:02}")
    page = me.ok("GET", "/organizations/paginated?all=true&limit=2&offset=5")
    assert len(page["organizations"]) == page["totalOrganizations"] == 12


def test_owned_organizations_are_the_direct_ones(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    Membership.objects.filter(user=cast.owner, organization=below["id"]).update(role="staff")
    assert names(me.ok("GET", "/organizations/owner")) == ["Oben"]


@pytest.mark.parametrize("path", ["/organizations", "/organizations/paginated", "/organization/{id}/children"])
def test_lists_cost_the_same_for_one_and_three(me: Caller, top: dict[str, Any], path: str) -> None:
    path = path.format(**top)
    me.make("A", parentID=top["id"]), me.make("A2")
    one = me.cost(path)
    for name in ("B", "C"):
        me.make(name, parentID=top["id"]), me.make(f"{name}2")
    assert me.cost(path) == one


def test_a_company_that_is_closed_is_gone(cast: Cast) -> None:
    admin = person(cast.admin)
    admin.get(cast.tenant.pk)
    token = of_organization(cast.tenant)
    Organization.objects.filter(pk=cast.tenant.pk).update(closed_at=timezone.now())
    person(cast.operator).refused("GET", f"/organization/{cast.tenant.pk}", 404)
    admin.refused("GET", f"/organization/{cast.tenant.pk}", 404)
    token.refused("GET", "/organizations", 401)


@pytest.mark.rule("ORGS-036")
def test_data_of_a_tenant_keep_an_organization(cast: Cast) -> None:
    admin = person(cast.admin)
    branch = admin.make("Zweig", parentID=cast.tenant.pk)
    cast.house_b.organization = Organization.objects.get(pk=branch["id"])
    cast.house_b.save(update_fields=["organization"])
    admin.refused("DELETE", f"/organization/{branch['id']}", 409)
    ticket = TicketFactory(community=cast.house_b, created_by=cast.renter)
    case = ProcessFactory(
        unit=cast.unit_b1, account=cast.admin, created_by_party=cast.contact("neighbour"),
        contact=cast.contact("neighbour"),
    )  # fmt: skip
    admin.refused("DELETE", f"/organization/{branch['id']}", 409)
    for kept in (ticket, case):
        kept.refresh_from_db()
    cast.house_b.organization = cast.tenant
    cast.house_b.save(update_fields=["organization"])
    admin.ok("DELETE", f"/organization/{branch['id']}")
    admin.refused("DELETE", f"/organization/{cast.tenant.pk}", 409)
    assert OrganizationSettings.objects.filter(organization=cast.tenant).exists()


def test_deactivated_members_lose_access_at_once(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    add_member(user=cast.renter, organization=Organization.objects.get(pk=top["id"]), role="staff")
    renter = person(cast.renter)
    renter.get(top)
    moment = timezone.now() - datetime.timedelta(seconds=1)
    Membership.objects.filter(user=cast.renter, organization=top["id"]).update(deactivated_at=moment)
    renter.refused("GET", f"/organization/{top['id']}", 403)
