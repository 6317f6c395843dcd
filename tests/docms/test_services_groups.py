"""Groups: by hand and derived, who is in, and what a group opens."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.errors import Conflict, Denied, Invalid, NotFound
from core.services import rows
from docms.models import Document, Folder, FolderAccess, Group, GroupMember
from docms.services import folders, groups
from orgs.models import Responsibility, User
from orgs.services import occupancies
from tests.factories import folder, manual_group, publish

if TYPE_CHECKING:
    from tests.cast import Cast


def names(cast: Cast, ids: set[int]) -> set[str]:
    return {u.email.partition("@")[0] for u in User.objects.filter(pk__in=ids)}


@pytest.mark.rule("DOCMS-063")
def test_given_lists_replace_and_lists_left_out_stay(cast: Cast) -> None:
    one, two = folder(cast, "Eins"), folder(cast, "Zwei")
    group = manual_group(
        cast, "Beirat", "owner", "renter", folder_ids=[one.pk], groupadmin_ids=[cast.owner.pk]
    )  # fmt: skip

    def stored() -> tuple[set[str], set[int], set[str]]:
        admins = set(
            GroupMember.objects.filter(group=group, is_admin=True).values_list("membership__user_id", flat=True)
        )
        reached = set(FolderAccess.objects.filter(group=group).values_list("folder_id", flat=True))
        return names(cast, groups.members_of(group)), reached, names(cast, admins)

    def change(**lists: Any) -> None:
        groups.change_group(actor=cast.actor("admin"), group=group, **lists)

    assert stored() == ({"owner", "renter"}, {one.pk}, {"owner"})
    change(user_ids=[cast.owner.pk, cast.guest.pk])
    assert stored() == ({"owner", "guest"}, {one.pk}, {"owner"})
    change(folder_ids=[two.pk])
    assert stored() == ({"owner", "guest"}, {two.pk}, {"owner"})
    change(groupadmin_ids=[cast.guest.pk])
    assert stored() == ({"owner", "guest"}, {two.pk}, {"guest"})
    change(user_ids=[], groupadmin_ids=[], folder_ids=[])
    assert stored() == (set(), set(), set())


@pytest.mark.rule("DOCMS-064")
def test_whoever_administers_a_group_is_a_member(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        manual_group(cast, "Beirat", "owner", groupadmin_ids=[cast.renter.pk])
    assert "groupadmin_ids" in refused.value.fields
    group = manual_group(cast, "Beirat", "owner", groupadmin_ids=[cast.owner.pk])
    with pytest.raises(Invalid):
        groups.change_group(actor=cast.actor("admin"), group=group, groupadmin_ids=[cast.renter.pk])
    with pytest.raises(Invalid):  # the administrator stays in the list that was left out
        groups.change_group(actor=cast.actor("admin"), group=group, user_ids=[cast.renter.pk])
    assert groups.members_of(group) == {cast.owner.pk}


@pytest.mark.rule("DOCMS-065")
def test_deleting_a_group_ends_the_access_and_deletes_nothing_else(cast: Cast) -> None:
    group = manual_group(cast, "Alle", "renter")
    where = folder(cast, group=group)
    paper = publish(cast, where)
    rows.change(
        cast.tenant.settings,
        {
            "additional_groups": [group.pk],
            "additional_child_folders": [{"name": "X", "group_ids": [group.pk]}, {"name": "Y"}],
        },
    )
    assert Document.objects.visible_to(cast.actor("renter")).count() == 1
    groups.delete_group(actor=cast.actor("admin"), group=group)
    assert not Folder.objects.visible_to(cast.actor("renter")).exists()
    assert not Document.objects.visible_to(cast.actor("renter"), all=True).exists()
    assert User.objects.filter(pk=cast.renter.pk).exists()
    assert Folder.objects.filter(pk=where.pk).exists()
    assert Document.objects.filter(pk=paper.pk).exists()
    cast.tenant.settings.refresh_from_db()
    assert cast.tenant.settings.additional_groups == []
    assert cast.tenant.settings.additional_child_folders == [{"name": "X", "group_ids": []}, {"name": "Y"}]
    with pytest.raises(NotFound):
        groups.delete_group(actor=cast.actor("admin"), group=group)


def test_names_are_unique_in_the_tenant_without_regard_to_case(cast: Cast) -> None:
    group = manual_group(cast, "Ämter")
    for twin in ("Ämter", "ämter"):
        with pytest.raises(Conflict) as refused:
            manual_group(cast, twin)
        assert refused.value.code == "exists"
    groups.change_group(actor=cast.actor("admin"), group=group, changes={"name": "ÄMTER", "show_check_mark": True})
    group.refresh_from_db()
    assert (group.name, group.show_check_mark) == ("ÄMTER", True)
    groups.create_group(actor=cast.actor("stranger"), tenant=cast.other_tenant, name="Ämter")


@pytest.mark.parametrize("who", ["staff", "owner", "stranger"])
def test_groups_are_made_by_administrators_only(cast: Cast, who: str) -> None:
    group = manual_group(cast, "Alle", "staff", "owner")
    actor = cast.actor(who)
    for call in (
        lambda: groups.create_group(actor=actor, tenant=cast.tenant, name="Neu"),
        lambda: groups.change_group(actor=actor, group=group, user_ids=[]),
        lambda: groups.delete_group(actor=actor, group=group),
    ):
        with pytest.raises(Denied):
            call()


def test_people_and_folders_of_another_tenant_are_refused(cast: Cast) -> None:
    foreign = folders.create_folder(actor=cast.actor("stranger"), tenant=cast.other_tenant, name="Fremd")
    group = manual_group(cast, "Alle", "owner")
    wrong: tuple[dict[str, Any], ...] = (
        {"user_ids": [cast.stranger.pk]},
        {"folder_ids": [foreign.pk]},
        {"groupadmin_ids": [cast.stranger.pk]},
    )
    for lists in wrong:
        with pytest.raises(Invalid):
            groups.change_group(actor=cast.actor("admin"), group=group, **lists)


# --- Derived --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("anchor", "role", "people"),
    [
        ("community", "", {"owner", "renter", "additional"}),
        ("community", "owner", {"owner"}),
        ("community", "additional", {"additional"}),
        ("building", "", {"renter"}),
        ("unit", "", {"renter"}),
        ("unit", "owner", set()),
        ("contact", "", {"renter"}),
    ],
)
def test_a_derived_group_is_whoever_lives_there_today(cast: Cast, anchor: str, role: str, people: set[str]) -> None:
    places: dict[str, Any] = {
        "community": cast.house_a, "building": cast.entrance_2, "unit": cast.unit_a2, "contact": cast.contact("renter"),
    }  # fmt: skip
    group = groups.derived_group(tenant=cast.tenant, role=role, **{anchor: places[anchor]})
    assert names(cast, groups.members_of(group)) == people
    where = folder(cast, group=group)
    everybody = ("owner", "renter", "additional", "former", "neighbour", "guest", "foreigner", "staff")
    assert {w for w in everybody if Folder.objects.visible_to(cast.actor(w)).filter(pk=where.pk).exists()} == people
    assert names(cast, groups.people_of_folder(where)) == people


def test_the_board_is_who_has_a_valid_seat(cast: Cast) -> None:
    group = groups.derived_group(tenant=cast.tenant, community=cast.house_a, role="board")
    assert groups.members_of(group) == set()
    rows.create(
        Responsibility, tenant=cast.tenant, community=cast.house_a, contact=cast.contact("owner"),
        type="ADVISORY_BOARD", period=occupancies.period(datetime.date(2021, 1, 1), None),
    )  # fmt: skip
    assert names(cast, groups.members_of(group)) == {"owner"}


def test_a_derived_group_is_made_once_under_a_name_of_its_own(cast: Cast) -> None:
    taken = manual_group(cast, "Haus A")
    first = groups.derived_group(tenant=cast.tenant, community=cast.house_a)
    assert groups.derived_group(tenant=cast.tenant, community=cast.house_a) == first
    assert (taken.name, first.name) == ("Haus A", "Haus A (2)")
    owners = groups.derived_group(tenant=cast.tenant, community=cast.house_a, role="owner")
    assert owners != first
    assert owners.name.startswith("Haus A: ")
    assert Group.objects.filter(kind="derived").count() == 2


def test_nobody_is_put_into_a_derived_group(cast: Cast) -> None:
    group = groups.derived_group(tenant=cast.tenant, unit=cast.unit_a2)
    actor = cast.actor("admin")
    with pytest.raises(Invalid) as refused:
        groups.change_group(actor=actor, group=group, user_ids=[cast.renter.pk, cast.guest.pk])
    assert "user_ids" in refused.value.fields
    with pytest.raises(Invalid):
        groups.change_group(actor=actor, group=group, user_ids=[])
    groups.change_group(actor=actor, group=group, user_ids=[cast.renter.pk], groupadmin_ids=[cast.renter.pk])
    assert GroupMember.objects.filter(group=group).count() == 1
    # The row says who administers the group; it grants nothing once the person has moved out.
    where = folder(cast, group=group)
    occupancies.revoke(cast.occupancy("renter"))
    assert groups.members_of(group) == set()
    assert groups.people_of_folder(where) == set()
    assert not Folder.objects.visible_to(cast.actor("renter")).exists()
    groups.change_group(actor=actor, group=group, changes={"show_check_mark": True}, user_ids=[])


@pytest.mark.parametrize("how", ["last day", "revoked"])
def test_moving_out_ends_the_access_without_touching_a_row_here(cast: Cast, how: str) -> None:
    group = groups.derived_group(tenant=cast.tenant, unit=cast.unit_a2)
    where = folder(cast, group=group)
    paper = publish(cast, where)
    assert Document.objects.visible_to(cast.actor("renter")).filter(pk=paper.pk).exists()
    occupancy = cast.occupancy("renter")
    if how == "revoked":
        occupancies.revoke(occupancy)
    else:
        occupancies.end(occupancy, last=cast.tenant.today())
        assert Document.objects.visible_to(cast.actor("renter")).filter(pk=paper.pk).exists()  # the last day counts
        occupancies.end(occupancy, last=cast.tenant.today() - datetime.timedelta(days=1))
    assert not Document.objects.visible_to(cast.actor("renter"), all=True).filter(pk=paper.pk).exists()
    assert not Folder.objects.with_ancestors(cast.actor("renter"), all=True).filter(pk=where.pk).exists()
    assert groups.people_of_folder(where) == set()


def test_people_of_a_folder_cost_three_queries_and_leave_out_the_deactivated(cast: Cast) -> None:
    where = folder(
        cast,
        group=[
            manual_group(cast, "Beirat", "guest", "admin"),
            manual_group(cast, "Gäste", "guest", "staff"),
            groups.derived_group(tenant=cast.tenant, community=cast.house_a),
            groups.derived_group(tenant=cast.tenant, unit=cast.unit_b1),
        ],
    )
    rows.change(cast.membership("staff"), {"deactivated_at": timezone.now()})
    rows.change(cast.membership("owner"), {"deactivated_at": timezone.now()})
    where = Folder.objects.select_related("tenant").get(pk=where.pk)
    with CaptureQueriesContext(connection) as queries:
        people = groups.people_of_folder(where)
    assert names(cast, people) == {"guest", "admin", "renter", "additional", "neighbour"}
    assert len(queries) == 3
