"""The tree of organizations: made, changed, moved and deleted, by whom, and what goes along."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from core import scope
from core.errors import Conflict, Denied, DomainError, Invalid
from orgs.models import (
    AvailabilitySample,
    Contact,
    Membership,
    Organization,
    OrganizationSettings,
    QuickAction,
    Trial,
    User,
)
from orgs.services import avatars, tree
from orgs.services.tenants import add_member
from tests.cast import load
from tests.core.material import picture
from tests.factories import manual_group

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def node(cast: Cast, name: str, parent: Organization | None = None, who: str = "owner", **values: Any) -> Organization:
    """An organization that a persona makes and so owns; without parent outside of every tenant."""
    return tree.create(actor=cast.actor(who), parent=parent, values={"name": name, **values})


def owners(organization: Organization) -> set[int]:
    return set(Membership.objects.filter(organization=organization, role="owner").values_list("user_id", flat=True))


def fresh(organization: Organization) -> Organization:
    return Organization.objects.get(pk=organization.pk)


# --- Made -----------------------------------------------------------------------------------------------


def test_whoever_makes_an_organization_owns_it(cast: Cast) -> None:
    top = node(cast, "  Gruppe  ")
    below = node(cast, "Nord", top)
    assert (top.name, top.ancestors, top.tenant_id) == ("Gruppe", [], None)
    assert (below.parent_id, below.ancestors) == (top.pk, [top.pk])
    assert owners(top) == owners(below) == {cast.owner.pk}


def test_language_and_zone_come_from_the_parent(cast: Cast) -> None:
    top = node(cast, "Oben", language="en-GB", timezone="Europe/London")
    below = node(cast, "Unten", top)
    plain = node(cast, "Allein")
    assert (below.language, below.timezone) == ("en-GB", "Europe/London")
    assert (plain.language, plain.timezone) == ("de", "Europe/Berlin")


def test_below_a_tenant_the_maker_gets_a_place_on_its_node(cast: Cast) -> None:
    top = node(cast, "Holding")
    tree.change(actor=cast.actor("operator"), organization=cast.tenant, values={"parent": top})
    branch = node(cast, "Zweig", fresh(cast.tenant))
    assert branch.tenant_id == cast.tenant.pk
    at_home = Membership.objects.get(user=cast.owner, organization=cast.tenant)
    assert at_home.role == "resident"  # had a place already: it stays what it is
    stranger = tree.create(actor=cast.actor("admin"), parent=fresh(cast.tenant), values={"name": "Zweig 2"})
    assert owners(stranger) == {cast.admin.pk}


def test_only_owners_add_below(cast: Cast) -> None:
    top = node(cast, "Oben")
    with pytest.raises(Denied):
        node(cast, "Unten", top, who="renter")
    assert not Organization.objects.filter(parent=top).exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "), ("language", "en_GB"), ("language", "d"), ("language", "de-"), ("language", "deutsch-DE"),
        ("language", "ｄｅ"), ("timezone", "Europe/Bonn"), ("timezone", "localtime"), ("timezone", "../etc/passwd"),
        ("timezone", "europe/berlin"), ("retention_months", -1), ("retention_months", 1201),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_by_field(cast: Cast, field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        node(cast, "X", **{field: value}) if field != "name" else node(cast, value)
    assert set(refused.value.fields) == {field}


@pytest.mark.parametrize("tag", ["de", "en-GB", "zh-Hant-TW", "sl-rozaj-biske", "es-419", "DE-at", "gsw-CH"])
def test_well_formed_tags_are_stored_as_sent(cast: Cast, tag: str) -> None:
    assert fresh(node(cast, "X", language=tag)).language == tag


@pytest.mark.parametrize(
    ("latitude", "longitude", "field"),
    [
        (91.0, 0.0, "latitude"), (0.0, -180.5, "longitude"), (50.0, None, "longitude"), (None, 7.0, "latitude"),
        (float("nan"), 7.0, "latitude"), (float("inf"), 7.0, "latitude"),
    ],
)  # fmt: skip
def test_places_lie_on_the_earth(cast: Cast, latitude: float | None, longitude: float | None, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        node(cast, "X", latitude=latitude, longitude=longitude)
    assert set(refused.value.fields) == {field}


def test_what_is_made_during_a_trial_shares_it(cast: Cast) -> None:
    started = timezone.now() - tree.TRIAL / 2
    Trial.objects.create(user=cast.owner, started_at=started)
    mine = node(cast, "Probe")
    assert (mine.state, mine.trial_ends_at) == ("trial", started + tree.TRIAL)
    Trial.objects.update(started_at=timezone.now() - tree.TRIAL)
    assert node(cast, "Danach").trial_ends_at is None


# --- Changed --------------------------------------------------------------------------------------------


def test_what_is_left_out_stays(cast: Cast) -> None:
    mine = node(cast, "Alt", description="Text", retention_months=3)
    tree.change(actor=cast.actor("owner"), organization=mine, values={"name": "Neu"})
    now = fresh(mine)
    assert (now.name, now.description, now.retention_months, now.row_version) == ("Neu", "Text", 3, 2)


def test_sending_what_is_stored_changes_nothing(cast: Cast) -> None:
    mine = node(cast, "Gleich", node(cast, "Oben"))
    values = {"name": mine.name, "language": mine.language, "parent": fresh(mine).parent}
    tree.change(actor=cast.actor("owner"), organization=mine, values=values)
    assert fresh(mine).row_version == 1


def test_tags_are_the_operators(cast: Cast) -> None:
    mine = node(cast, "X", tags=["meins"])
    assert mine.tags == []
    tree.change(actor=cast.actor("owner"), organization=mine, values={"tags": ["meins"]})
    assert fresh(mine).tags == []
    tree.change(actor=cast.actor("operator"), organization=mine, values={"tags": ["intern"]})
    assert fresh(mine).tags == ["intern"]


def test_owners_above_and_administrators_change_and_members_do_not(cast: Cast) -> None:
    top = node(cast, "Oben")
    below = node(cast, "Unten", top)
    add_member(user=cast.renter, organization=below, role="staff")
    add_member(user=cast.guest, organization=below, role="staff", admin_perm=True)
    tree.change(actor=cast.actor("owner"), organization=below, values={"description": "1"})
    tree.change(actor=cast.actor("guest"), organization=below, values={"description": "2"})
    with pytest.raises(Denied):
        tree.change(actor=cast.actor("renter"), organization=below, values={"description": "3"})
    with pytest.raises(Denied):  # an administrator of what lies below is none of what lies above
        tree.change(actor=cast.actor("guest"), organization=top, values={"description": "4"})
    assert fresh(below).description == "2"


# --- Moved ----------------------------------------------------------------------------------------------


def test_a_move_takes_everything_below_along(cast: Cast) -> None:
    one, two = node(cast, "Eins"), node(cast, "Zwei")
    middle = node(cast, "Mitte", one)
    leaf = node(cast, "Blatt", middle)
    tree.change(actor=cast.actor("owner"), organization=middle, values={"parent": two})
    assert fresh(middle).ancestors == [two.pk]
    assert fresh(leaf).ancestors == [two.pk, middle.pk]
    tree.change(actor=cast.actor("owner"), organization=middle, values={"parent": None})
    assert (fresh(middle).parent_id, fresh(middle).ancestors, fresh(leaf).ancestors) == (None, [], [middle.pk])


@pytest.mark.parametrize("where", ["itself", "child", "grandchild"])
def test_nothing_is_moved_below_itself(cast: Cast, where: str) -> None:
    top = node(cast, "Oben")
    child = node(cast, "Kind", top)
    places = {"itself": top, "child": child, "grandchild": node(cast, "Enkel", child)}
    with pytest.raises(Conflict) as refused:
        tree.change(actor=cast.actor("owner"), organization=top, values={"parent": places[where], "name": "Neu"})
    assert refused.value.code == "cycle"
    assert fresh(top).ancestors == []


def test_moving_needs_owner_rights_on_both_sides(cast: Cast) -> None:
    mine, other = node(cast, "Meins"), node(cast, "Fremd", who="renter")
    with pytest.raises(Denied):
        tree.change(actor=cast.actor("owner"), organization=mine, values={"parent": other})
    add_member(user=cast.owner, organization=other, role="staff", admin_perm=True)
    for organization, parent in ((mine, other), (other, mine)):  # an administrator changes, and does not move
        with pytest.raises(Denied):
            tree.change(actor=cast.actor("owner"), organization=organization, values={"parent": parent})
    assert fresh(mine).parent_id is None
    assert fresh(other).parent_id is None


def test_people_below_follow_into_a_tenant_and_out_of_it(cast: Cast) -> None:
    team = node(cast, "Team", who="former")
    helper = User.objects.get(pk=cast.guest.pk)
    add_member(user=helper, organization=team, role="staff")
    add_member(user=cast.foreigner, organization=team, role="staff")
    operator = cast.actor("operator")
    tree.change(actor=operator, organization=team, values={"parent": cast.tenant})
    assert fresh(team).tenant_id == cast.tenant.pk
    assert set(Membership.objects.filter(organization=team).values_list("tenant_id", flat=True)) == {cast.tenant.pk}
    at_home = Membership.objects.get(user=cast.foreigner, organization=cast.tenant)
    assert (at_home.role, at_home.is_deactivated) == ("affiliate", False)
    tree.change(actor=operator, organization=team, values={"parent": None})
    assert set(Membership.objects.filter(organization=team).values_list("tenant_id", flat=True)) == {None}
    at_home.refresh_from_db()
    assert at_home.is_deactivated
    assert not Membership.objects.get(user=cast.former, organization=cast.tenant).is_deactivated  # a resident stays


def test_what_belongs_to_a_tenant_is_not_moved_out_of_it(cast: Cast) -> None:
    branch = node(cast, "Zweig", cast.tenant, who="admin")
    cast.house_b.organization = branch
    cast.house_b.save(update_fields=["organization"])
    with pytest.raises(Conflict) as refused:
        tree.change(actor=cast.actor("operator"), organization=branch, values={"parent": None})
    assert refused.value.code == "tenant_bound"
    assert fresh(branch).tenant_id == cast.tenant.pk


@pytest.mark.rule("ORGS-032")
@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_close_no_cycle() -> None:
    cast = load()
    for round_ in range(4):
        one, two = node(cast, f"A{round_}"), node(cast, f"B{round_}")
        results = at_once(
            lambda one=one, two=two: tree.change(actor=cast.actor("owner"), organization=one, values={"parent": two}),
            lambda one=one, two=two: tree.change(actor=cast.actor("owner"), organization=two, values={"parent": one}),
        )
        assert sorted(results) == ["Conflict", "done"]
        assert not Organization.objects.filter(ancestors__contains=[F("id")]).exists()


def at_once(*works: Callable[[], Any]) -> list[str]:
    """Run these in threads that start together; "done" or the name of the refusal of each."""
    barrier, results = threading.Barrier(len(works)), []

    def run(work: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            with scope.unit_of_work(door="test"), scope.all_tenants():
                work()
            results.append("done")
        except DomainError as error:
            results.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# --- Deleted --------------------------------------------------------------------------------------------


def test_deleting_takes_the_parts_and_leaves_the_people(cast: Cast) -> None:
    mine = node(cast, "Weg")
    QuickAction.objects.create(organization=mine, position=0, name="X", resource="ticket-type", resource_id=1)
    zeros = dict.fromkeys(
        ("root_available", "root_in_event", "root_not_available", "total_available", "total_in_event",
         "total_not_available"), 0,
    )  # fmt: skip
    AvailabilitySample.objects.create(organization=mine, sampled_at=timezone.now(), **zeros)
    tree.delete(actor=cast.actor("owner"), organization=mine)
    assert not Organization.objects.filter(pk=mine.pk).exists()
    assert not QuickAction.objects.exists()
    assert not AvailabilitySample.objects.exists()
    assert User.objects.filter(pk=cast.owner.pk).exists()


def test_what_has_something_below_or_on_it_stays(cast: Cast) -> None:
    top = node(cast, "Oben")
    node(cast, "Unten", top)
    branch = node(cast, "Zweig", cast.tenant, who="admin")
    cast.house_b.organization = branch
    cast.house_b.save(update_fields=["organization"])
    operator = cast.actor("operator")
    for organization, code in ((top, "has_children"), (branch, "has_data"), (cast.other_tenant, "has_data")):
        with pytest.raises(Conflict) as refused:
            tree.delete(actor=operator, organization=organization)
        assert refused.value.code == code
        assert Organization.objects.filter(pk=organization.pk).exists()


def test_only_owners_delete(cast: Cast) -> None:
    mine = node(cast, "Meins")
    add_member(user=cast.guest, organization=mine, role="staff", admin_perm=True)
    with pytest.raises(Denied):
        tree.delete(actor=cast.actor("guest"), organization=mine)
    assert Organization.objects.filter(pk=mine.pk).exists()


# --- What a branch takes along and leaves behind ---------------------------------------------------------


@pytest.fixture
def branch(cast: Cast) -> Organization:
    """A branch of the company in which `foreigner` works, who stands nowhere else in it."""
    made = node(cast, "Zweig", cast.tenant, who="admin")
    add_member(user=cast.foreigner, organization=made, role="owner")
    tree.join_tenant(cast.foreigner, cast.tenant.pk)
    return made


def at_home(cast: Cast) -> Membership:
    return cast.membership("foreigner", cast.tenant)


def test_who_left_with_a_branch_comes_back_with_it(cast: Cast, branch: Organization) -> None:
    operator = cast.actor("operator")
    tree.change(actor=operator, organization=branch, values={"parent": None})
    assert at_home(cast).is_deactivated
    tree.change(actor=operator, organization=branch, values={"parent": cast.tenant})
    assert not at_home(cast).is_deactivated
    assert cast.actor("foreigner").owned_organizations == {branch.pk}


@pytest.mark.parametrize("flag", ["admin_perm", "support_perm", "all_communities", "read_perm"])
def test_a_branch_does_not_leave_with_somebody_who_holds_a_right(cast: Cast, branch: Organization, flag: str) -> None:
    Membership.objects.filter(pk=at_home(cast).pk).update(**{flag: True})
    for attempt in (
        lambda: tree.change(actor=cast.actor("foreigner"), organization=branch, values={"parent": None}),
        lambda: tree.delete(actor=cast.actor("foreigner"), organization=branch),
    ):
        with pytest.raises(Conflict):
            attempt()
    assert not at_home(cast).is_deactivated
    assert fresh(branch).tenant_id == cast.tenant.pk


def test_a_branch_does_not_leave_with_somebody_who_is_in_a_group(cast: Cast, branch: Organization) -> None:
    manual_group(cast, "Beirat", "foreigner")
    with pytest.raises(Conflict):
        tree.change(actor=cast.actor("foreigner"), organization=branch, values={"parent": None})
    assert not at_home(cast).is_deactivated


def test_deleting_a_branch_ends_the_places_that_were_for_it(cast: Cast, branch: Organization) -> None:
    add_member(user=cast.staff, organization=branch, role="staff")
    tree.delete(actor=cast.actor("admin"), organization=branch)
    assert at_home(cast).is_deactivated
    assert not cast.membership("staff").is_deactivated  # works at the company itself


def test_locked_settings_hold_here_too(cast: Cast) -> None:
    Membership.objects.filter(user=cast.staff, organization=cast.tenant).update(admin_perm=True)
    OrganizationSettings.objects.filter(organization=cast.tenant).update(lock_settings=True)
    with pytest.raises(Denied):
        tree.change(actor=cast.actor("staff"), organization=cast.tenant, values={"enforces_second_factor": False})
    tree.change(actor=cast.actor("admin"), organization=cast.tenant, values={"description": "Neu"})
    OrganizationSettings.objects.filter(organization=cast.tenant).update(lock_settings=False)
    tree.change(actor=cast.actor("staff"), organization=cast.tenant, values={"description": "Neuer"})


def test_a_renamed_company_renames_its_own_party(cast: Cast) -> None:
    tree.change(actor=cast.actor("admin"), organization=cast.tenant, values={"name": "Brandt & Partner"})
    assert Contact.objects.get(tenant=cast.tenant, kind="self").company == "Brandt & Partner"


def test_a_picture_moves_with_its_organization(cast: Cast) -> None:
    top = node(cast, "Team")
    avatars.store(actor=cast.actor("owner"), organization=top, file=io.BytesIO(picture()))
    tree.change(actor=cast.actor("operator"), organization=top, values={"parent": cast.tenant})
    moved = fresh(top)
    assert moved.avatar is not None
    assert moved.avatar.tenant_id == cast.tenant.pk
