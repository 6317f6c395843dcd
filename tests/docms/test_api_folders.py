"""The tree of folders over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from docms.models import Document, Folder
from docms.services.groups import derived_group
from orgs.models import OrganizationSettings
from tests.docms.door import Caller, cost_of, make_folder, make_group, names, signed_in, soon

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(cast: Cast) -> Caller:
    """The administrator, who is in no group."""
    return signed_in(cast.admin, cast.tenant)


# --- The tree -------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-095")
def test_the_tree_comes_when_asked_for(cast: Cast, admin: Caller, renter: Caller) -> None:
    group = make_group(admin, "G", cast.renter.pk)
    top = make_folder(admin, "Haus", group)
    below = make_folder(admin, "Keller", group, parent_folder_id=top)
    make_folder(admin, "Regal", group, parent_folder_id=below)
    assert names(renter.ok("GET", "/folders")) == ["Haus"]
    make_folder(admin, "Garten", group)
    assert names(renter.ok("GET", "/folders?subfolders=false")) == ["Garten", "Haus"]
    assert names(renter.ok("GET", "/folders?subfolders=true")) == ["Garten", ("Haus", [("Keller", ["Regal"])])]
    assert names(renter.ok("GET", f"/folders/{top}")["subfolders"]) == ["Keller"]
    renter.refused("GET", "/folders?subfolders=maybe", 400)


@pytest.mark.rule("DOCMS-096")
def test_all_is_for_administrators(cast: Cast, admin: Caller, renter: Caller) -> None:
    group = make_group(admin, "G", cast.renter.pk)
    make_folder(admin, "Seiner", group)
    make_folder(admin, "Keiner")
    signed_in(cast.stranger, cast.other_tenant).ok("POST", "/folders", {"name": "Fremd"})
    assert names(admin.ok("GET", "/folders")) == []
    assert names(admin.ok("GET", "/folders?all=true")) == ["Keiner", "Seiner"]
    assert names(renter.ok("GET", "/folders?all=true")) == names(renter.ok("GET", "/folders")) == ["Seiner"]


@pytest.mark.rule("DOCMS-187")
def test_all_gives_every_document_and_every_child(cast: Cast, admin: Caller, renter: Caller) -> None:
    group = make_group(admin, "G", cast.renter.pk)
    top = make_folder(admin, "Haus", group)
    make_folder(admin, "Offen", group, parent_folder_id=top)
    hidden = make_folder(admin, "Verwaltung", parent_folder_id=top)
    files = {admin.upload(top)["file_id"], admin.upload(hidden)["file_id"]}
    assert {f["file_id"] for f in admin.ok("GET", "/files?all=true")} == files
    assert admin.ok("GET", "/files") == []
    assert names(admin.ok("GET", f"/folders/{top}?all=true")["subfolders"]) == ["Offen", "Verwaltung"]
    assert names(admin.ok("GET", f"/folders/{top}")["subfolders"]) == []
    assert renter.ok("GET", "/files?all=true") == renter.ok("GET", "/files")
    assert len(renter.ok("GET", "/files")) == 1
    assert names(renter.ok("GET", f"/folders/{top}?all=true")["subfolders"]) == ["Offen"]


@pytest.mark.rule("DOCMS-097")
def test_the_way_to_a_folder_is_shown_by_name_only(cast: Cast, admin: Caller, renter: Caller) -> None:
    group = make_group(admin, "G", cast.renter.pk)
    top = make_folder(admin, "Haus", mail_after_upload_enable=True, file_delete_files=7)
    below = make_folder(admin, "Wohnung", group, parent_folder_id=top)
    make_folder(admin, "Nachbar", parent_folder_id=top)
    secret, mine = admin.upload(top)["file_id"], admin.upload(below)["file_id"]
    assert names(renter.ok("GET", "/folders?subfolders=true")) == [("Haus", ["Wohnung"])]
    shown = renter.ok("GET", "/folders")[0]
    assert (shown["name"], shown["mail_after_upload_enable"], shown["file_delete_files"]) == ("Haus", False, 0)
    assert names(renter.ok("GET", f"/folders/{top}")["subfolders"]) == ["Wohnung"]
    renter.refused("GET", f"/folders/{top}/files", 404)
    renter.refused("GET", f"/files/{secret}", 404)
    assert [f["file_id"] for f in renter.ok("GET", "/files")] == [mine]


@pytest.mark.rule("DOCMS-098")
def test_paths_are_derived(admin: Caller) -> None:
    top = make_folder(admin, "Haus")
    below = admin.ok("POST", "/folders", {"name": "Keller", "parent_folder_id": top, "full_path_name": "Unsinn"})
    assert below["full_path_name"] == "Haus/Keller"
    admin.ok("PUT", f"/folders/{top}", {"name": "Ahornstraße", "full_path_name": "x/y"})
    assert admin.ok("GET", f"/folders/{below['folder_id']}")["full_path_name"] == "Ahornstraße/Keller"


@pytest.mark.rule("DOCMS-099")
def test_no_cycles_and_no_twins(admin: Caller) -> None:
    top = make_folder(admin, "Haus")
    below = make_folder(admin, "Keller", parent_folder_id=top)
    deep = make_folder(admin, "Regal", parent_folder_id=below)
    for target in (top, below, deep):
        admin.refused("PUT", f"/folders/{top}", 409, {"parent_folder_id": target})
    admin.refused("POST", "/folders", 409, {"name": "KELLER", "parent_folder_id": top})
    admin.refused("POST", "/folders", 409, {"name": "haus"})
    admin.refused("PUT", f"/folders/{deep}", 409, {"name": "Haus", "parent_folder_id": None})
    admin.ok("PUT", f"/folders/{deep}", {"name": "Haus"})


@pytest.mark.rule("DOCMS-100")
def test_access_is_given_per_folder(cast: Cast, admin: Caller, renter: Caller) -> None:
    group = make_group(admin, "G", cast.renter.pk)
    top = make_folder(admin, "Haus", group)
    below = make_folder(admin, "Keller", parent_folder_id=top)
    renter.ok("GET", f"/folders/{top}")
    renter.refused("GET", f"/folders/{below}", 404)
    admin.ok("PUT", f"/folders/{below}", {"group_ids": [group]})
    renter.ok("GET", f"/folders/{below}")


@pytest.mark.rule("DOCMS-101")
def test_new_top_folders_get_their_children(cast: Cast, admin: Caller, renter: Caller) -> None:
    group, managers = make_group(admin, "G", cast.renter.pk), make_group(admin, "M", cast.staff.pk)
    chosen = OrganizationSettings.objects.filter(organization=cast.tenant)
    chosen.update(
        additional_child_folders=[{"name": "Verträge", "group_ids": [managers]}], additional_child_folders_group=False
    )
    first = make_folder(admin, "Eins", group)
    assert names(admin.ok("GET", f"/folders/{first}?all=true")["subfolders"]) == ["Verträge"]
    assert names(renter.ok("GET", f"/folders/{first}")["subfolders"]) == []
    assert names(signed_in(cast.staff, cast.tenant).ok("GET", f"/folders/{first}")["subfolders"]) == ["Verträge"]
    chosen.update(additional_child_folders_group=True)
    second = make_folder(admin, "Zwei", group)
    assert names(renter.ok("GET", f"/folders/{second}")["subfolders"]) == ["Verträge"]
    third = make_folder(admin, "Drei", parent_folder_id=second)
    assert admin.ok("GET", f"/folders/{third}?all=true")["subfolders"] == []


@pytest.mark.rule("DOCMS-103", "DOCMS-104")
def test_inactive_folders_are_hidden_with_what_is_below(cast: Cast, admin: Caller, renter: Caller) -> None:
    group = make_group(admin, "G", cast.renter.pk)
    top = make_folder(admin, "Haus", group)
    below = make_folder(admin, "Keller", group, parent_folder_id=top)
    file = admin.upload(below)["file_id"]
    admin.ok("PUT", f"/folders/{top}", {"inactive_at": soon(minutes=5)})
    renter.ok("GET", f"/files/{file}")
    admin.ok("PUT", f"/folders/{top}", {"inactive_at": soon(seconds=-2)})
    for path in (f"/folders/{top}", f"/folders/{below}", f"/folders/{below}/files", f"/files/{file}"):
        renter.refused("GET", path, 404)
        admin.ok("GET", path)
    assert renter.ok("GET", "/folders?subfolders=true") == []
    assert renter.ok("GET", "/files") == []
    admin.ok("PUT", f"/folders/{top}", {"inactive_at": None})
    renter.ok("GET", f"/files/{file}")


@pytest.mark.rule("DOCMS-105")
def test_protected_documents_stay(cast: Cast, admin: Caller) -> None:
    folder = make_folder(admin, "F", allow_delete_files=soon(days=1))
    file = admin.upload(folder)["file_id"]
    assert admin.refused("DELETE", f"/files/{file}", 409)["message"] == "DELETION_LOCKED"
    admin.ok("PUT", f"/folders/{folder}", {"allow_delete_files": soon(seconds=-2)})
    admin.ok("DELETE", f"/files/{file}")


@pytest.mark.rule("DOCMS-109")
def test_folders_go_as_a_whole_or_not_at_all(admin: Caller) -> None:
    top = make_folder(admin, "Haus")
    below = make_folder(admin, "Keller", parent_folder_id=top)
    free, held = admin.upload(top)["file_id"], admin.upload(below)["file_id"]
    admin.ok("PUT", f"/folders/{below}", {"allow_delete_files": soon(days=1)})
    assert admin.refused("DELETE", f"/folders/{top}", 409)["message"] == "DELETION_LOCKED"
    for file in (free, held):
        admin.ok("GET", f"/files/{file}")
    admin.ok("PUT", f"/folders/{below}", {"allow_delete_files": None})
    admin.ok("DELETE", f"/folders/{top}")
    assert not Folder.objects.filter(pk__in=[top, below]).exists()
    assert not Document.objects.filter(pk__in=[free, held]).exists()
    gone = admin.ok("GET", "/deleted-files")
    assert {row["file_id"]: row["reason"] for row in gone} == dict.fromkeys((free, held), "folder_deleted")


@pytest.mark.rule("DOCMS-060")
def test_the_last_folder_is_remembered(cast: Cast, admin: Caller, renter: Caller) -> None:
    group = make_group(admin, "G", cast.renter.pk)
    a, b = make_folder(admin, "A", group), make_folder(admin, "B", group)
    me = f"/users/{cast.renter.pk}"
    assert renter.ok("GET", me)["last_folder_id"] is None
    for folder in (a, b, a):
        renter.ok("GET", f"/folders/{folder}")
        admin.ok("GET", f"/folders/{b}")
        assert renter.ok("GET", me)["last_folder_id"] == folder
    assert admin.ok("GET", f"/users/{cast.admin.pk}")["last_folder_id"] == b
    renter.ok("GET", f"/folders/{b}/files")  # its documents are not the folder
    renter.refused("GET", f"/folders/{make_folder(admin, 'C')}", 404)
    assert renter.ok("GET", me)["last_folder_id"] == a


@pytest.mark.rule("DOCMS-141")
def test_favourites(cast: Cast, admin: Caller, renter: Caller) -> None:
    group = make_group(admin, "G", cast.renter.pk, cast.owner.pk)
    a, b = make_folder(admin, "A", group), make_folder(admin, "B", group)
    file = admin.upload(a)["file_id"]
    for _twice in range(2):
        renter.ok("POST", f"/favorites/{a}")
    renter.ok("POST", f"/favorites/{b}")
    assert names(renter.ok("GET", "/favorites")) == ["A", "B"]
    assert [f["file_id"] for f in renter.ok("GET", "/favorites/files")] == [file]
    assert signed_in(cast.owner, cast.tenant).ok("GET", "/favorites") == []
    renter.ok("DELETE", f"/favorites/{b}")
    assert names(renter.ok("GET", "/favorites")) == ["A"]
    admin.ok("PUT", f"/groups/{group}", {"user_ids": []})
    assert renter.ok("GET", "/favorites") == []
    assert renter.ok("GET", "/favorites/files") == []
    renter.refused("POST", f"/favorites/{b}", 404)


# --- Cost -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["admin", "renter"])
def test_lists_cost_the_same_for_one_and_three(cast: Cast, admin: Caller, who: str) -> None:
    user = getattr(cast, who)
    caller = signed_in(user, cast.tenant)
    household = derived_group(tenant=cast.tenant, unit=cast.unit_a2)
    paths = [
        "/folders", "/folders?subfolders=true", "/folders?subfolders=true&all=true", "/groups", "/favorites",
        "/favorites/files", "/files", "/files/unread", f"/users/{user.pk}/groups", f"/users/{user.pk}/permissions",
    ]  # fmt: skip
    folders: list[int] = []

    def more() -> None:
        number = len(folders)
        group = make_group(admin, f"G{number}", user.pk, cast.staff.pk)
        folder = make_folder(admin, f"F{number}", group, household.pk, mail_after_upload_users=[cast.staff.pk])
        folders.append(folder)
        make_folder(admin, f"Unter{number}", group, parent_folder_id=folder)
        admin.upload(folder)
        caller.ok("POST", f"/favorites/{folder}")
        flags = dict.fromkeys(("active", "read", "download", "upload", "edit", "edit_own", "mail", "log"), True)
        admin.ok("PUT", f"/folders/{folder}/permissions/{user.pk}", flags)
        admin.ok("PUT", f"/folders/{folders[0]}/permissions/{[cast.owner, cast.staff, cast.guest][number].pk}", flags)
        admin.upload(folders[0])

    more()
    per_folder = [f"/folders/{folders[0]}", f"/folders/{folders[0]}/files"]
    if who == "admin":
        per_folder += [f"/folders/{folders[0]}/permissions"]
    one = {path: cost_of(caller, path) for path in [*paths, *per_folder]}
    more(), more()
    three = {path: cost_of(caller, path) for path in [*paths, *per_folder]}
    assert three == one
    assert max(one.values()) < 30


def test_direction_characters_of_a_name_are_left_out(admin: Caller) -> None:
    made = make_folder(admin, "\u202eabc\u2066d\u2069")
    assert admin.ok("GET", f"/folders/{made}")["name"] == "abcd"
