"""Groups, and what they reach, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.services import rows
from docms.services.groups import derived_group
from tests.docms.door import Caller, make_folder, make_group, signed_in, soon

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(cast: Cast) -> Caller:
    """The administrator, who is in no group."""
    return signed_in(cast.admin, cast.tenant)


# --- Reach ----------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-061")
def test_folders_are_reached_through_any_group(cast: Cast, admin: Caller, renter: Caller) -> None:
    one, two = make_group(admin, "Eins", cast.renter.pk), make_group(admin, "Zwei", cast.renter.pk)
    other = make_group(admin, "Andere", cast.neighbour.pk)
    a, b, both = make_folder(admin, "A", one), make_folder(admin, "B", two), make_folder(admin, "Beide", one, two)
    c, nobody = make_folder(admin, "C", other), make_folder(admin, "Niemand")
    assert {f["folder_id"] for f in renter.ok("GET", "/folders")} == {a, b, both}
    for folder in (a, b, both):
        renter.ok("GET", f"/folders/{folder}/files")
    for folder in (c, nobody):
        renter.refused("GET", f"/folders/{folder}/files", 404)
        renter.refused("GET", f"/folders/{folder}", 404)
    admin.ok("PUT", f"/groups/{one}", {"user_ids": []})
    assert {f["folder_id"] for f in renter.ok("GET", "/folders")} == {b, both}


def test_derived_groups_follow_the_occupancy(cast: Cast, admin: Caller, renter: Caller) -> None:
    group = derived_group(tenant=cast.tenant, unit=cast.unit_a2)
    folder = make_folder(admin, "Wohnung", group.pk)
    renter.ok("GET", f"/folders/{folder}")
    signed_in(cast.owner, cast.tenant).refused("GET", f"/folders/{folder}", 404)
    signed_in(cast.former, cast.tenant).refused("GET", f"/folders/{folder}", 404)
    shown = admin.ok("GET", f"/groups/{group.pk}")
    assert shown["user_ids"] == [cast.renter.pk]
    admin.refused("PUT", f"/groups/{group.pk}", 400, {"user_ids": [cast.owner.pk]})
    assert group.pk in renter.ok("GET", f"/users/{cast.renter.pk}")["group_ids"]
    assert [g["group_id"] for g in renter.ok("GET", f"/users/{cast.renter.pk}/groups")] == [group.pk]
    everybody = {user["user_id"]: user["group_ids"] for user in admin.ok("GET", "/users")}
    assert everybody[cast.renter.pk] == [group.pk]
    assert everybody[cast.owner.pk] == []


# --- Groups ---------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-062")
def test_foreign_groups_are_refused_with_401(cast: Cast, admin: Caller, renter: Caller) -> None:
    mine, theirs = make_group(admin, "Meine", cast.renter.pk), make_group(admin, "Andere", cast.owner.pk)
    foreign = signed_in(cast.stranger, cast.other_tenant).ok("POST", "/groups", {"name": "Fremd"})["group_id"]
    renter.ok("GET", f"/groups/{mine}")
    admin.ok("GET", f"/groups/{theirs}")
    renter.refused("GET", f"/groups/{theirs}", 401)
    renter.refused("GET", "/groups/999999999", 404)
    renter.refused("GET", f"/groups/{foreign}", 404)


@pytest.mark.rule("DOCMS-063")
def test_lists_replace_and_omitted_ones_stay(cast: Cast, admin: Caller) -> None:
    a, b = make_folder(admin, "A"), make_folder(admin, "B")
    group = make_group(
        admin, "G", cast.renter.pk, cast.owner.pk, folder_ids=[a], groupadmin_ids=[cast.owner.pk], show_check_mark=True
    )
    changed = admin.ok("PUT", f"/groups/{group}", {"folder_ids": [b]})
    assert changed["folder_ids"] == [b]
    assert changed["user_ids"] == sorted([cast.renter.pk, cast.owner.pk])
    assert changed["groupadmin_ids"] == [cast.owner.pk]
    assert changed["show_check_mark"] is True
    changed = admin.ok("PUT", f"/groups/{group}", {"user_ids": [cast.owner.pk, cast.neighbour.pk]})
    assert changed["user_ids"] == sorted([cast.owner.pk, cast.neighbour.pk])
    assert changed["folder_ids"] == [b]
    assert admin.ok("PUT", f"/groups/{group}", {"groupadmin_ids": []})["groupadmin_ids"] == []


@pytest.mark.rule("DOCMS-064")
def test_administrators_of_a_group_are_members(cast: Cast, admin: Caller) -> None:
    body = {"name": "G", "user_ids": [cast.owner.pk], "groupadmin_ids": [cast.renter.pk]}
    admin.refused("POST", "/groups", 400, body)
    group = make_group(admin, "G", cast.owner.pk)
    admin.refused("PUT", f"/groups/{group}", 400, {"groupadmin_ids": [cast.renter.pk]})


@pytest.mark.rule("DOCMS-065")
def test_deleting_a_group_ends_its_access_only(cast: Cast, admin: Caller, renter: Caller) -> None:
    group = make_group(admin, "G", cast.renter.pk)
    folder = make_folder(admin, "F", group)
    file = admin.upload(folder)["file_id"]
    renter.ok("GET", f"/files/{file}")
    admin.ok("DELETE", f"/groups/{group}")
    renter.refused("GET", f"/files/{file}", 404)
    admin.ok("GET", f"/files/{file}")
    admin.ok("GET", f"/folders/{folder}")
    assert cast.renter.pk in {user["user_id"] for user in admin.ok("GET", "/users")}
    admin.refused("GET", f"/groups/{group}", 404)


@pytest.mark.rule("DOCMS-066")
def test_members_are_not_told_of_each_other(cast: Cast, admin: Caller, renter: Caller) -> None:
    group = make_group(admin, "G", cast.renter.pk, cast.owner.pk, groupadmin_ids=[cast.owner.pk])
    hidden = make_folder(admin, "F", group, inactive_at=soon(days=-1))
    shown = renter.ok("GET", f"/groups/{group}")
    assert shown["user_ids"] == []
    assert shown["folder_ids"] == []
    assert [g["user_ids"] for g in renter.ok("GET", "/groups")] == [[]]
    assert [g["user_ids"] for g in renter.ok("GET", f"/users/{cast.renter.pk}/groups")] == [[]]
    leader = signed_in(cast.owner, cast.tenant)
    assert leader.ok("GET", f"/groups/{group}")["user_ids"] == sorted([cast.renter.pk, cast.owner.pk])
    assert admin.ok("GET", f"/groups/{group}")["folder_ids"] == [hidden]


@pytest.mark.rule("DOCMS-184")
def test_groups_and_folders_are_for_administrators(cast: Cast, admin: Caller) -> None:
    group = make_group(admin, "G", cast.staff.pk, cast.owner.pk, groupadmin_ids=[cast.owner.pk])
    folder = make_folder(admin, "F", group)
    calls: list[tuple[str, str, dict[str, object] | None]] = [
        ("POST", "/groups", {"name": "Neu"}), ("PUT", f"/groups/{group}", {"name": "Anders"}),
        ("PUT", f"/groups/{group}", {"user_ids": [], "groupadmin_ids": []}), ("POST", "/folders", {"name": "Neu"}),
        ("POST", "/folders", {"name": "Neu", "parent_folder_id": folder}),
        ("PUT", f"/folders/{folder}", {"name": "Anders"}),
        ("PUT", f"/folders/{folder}", {"group_ids": []}), ("DELETE", f"/folders/{folder}", None),
        ("DELETE", f"/groups/{group}", None),
    ]  # fmt: skip
    before = admin.ok("GET", "/groups"), admin.ok("GET", "/folders?all=true&subfolders=true")
    for who in (cast.staff, cast.owner):  # every document flag; administrator of the group
        caller = signed_in(who, cast.tenant)
        for method, path, body in calls:
            caller.refused(method, path, 403, body)
    assert (admin.ok("GET", "/groups"), admin.ok("GET", "/folders?all=true&subfolders=true")) == before
    rows.change(cast.membership("staff"), {"admin_perm": True})
    plain_admin = signed_in(cast.staff, cast.tenant)
    for method, path, body in calls:
        plain_admin.ok(method, path, body)


def test_a_name_that_is_taken_is_a_conflict(admin: Caller) -> None:
    make_group(admin, "Eigentümer")
    assert admin.refused("POST", "/groups", 409, {"name": "EIGENTÜMER"})["message"] == "ALREADY_EXISTS"
