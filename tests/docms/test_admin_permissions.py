"""What one person may do in one folder, on a page of the back office."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core import scope
from core.services import rows
from docms import rules
from docms.models import Folder, FolderPermission
from docms.services import permissions
from tests.factories import folder, manual_group
from tests.portal.pages import house_folder, queries_of, signed_in

if TYPE_CHECKING:
    from orgs.models import User
    from tests.cast import Cast

FLAGS = ("read", "download", "upload", "edit", "edit_own", "mail", "log")


@pytest.fixture
def where(cast: Cast) -> Folder:
    """A folder that everybody of house A reaches."""
    return house_folder(cast)


def page(where: Folder, person: User) -> str:
    return f"/admin/docms/folder/{where.pk}/permissions/{person.pk}/"


def stored(where: Folder, person: User) -> dict[str, bool] | None:
    found = FolderPermission.objects.filter(folder=where, membership__user=person)
    return found.values("active", *FLAGS).first()


def test_an_administrator_gives_one_person_rights_in_a_folder(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    answer: Any = client.post(page(where, cast.renter), {"active": "on", "read": "on", "log": "on"})
    assert answer["Location"] == f"/admin/docms/folder/{where.pk}/person/?user={cast.renter.pk}"
    assert stored(where, cast.renter) == {"active": True, **{flag: flag in ("read", "log") for flag in FLAGS}}
    assert rules.effective(cast.actor("renter"), where) == rules.Flags(read=True, log=True)
    assert client.get(page(where, cast.renter)).context["form"].initial == stored(where, cast.renter)


def test_a_permission_is_switched_off_and_keeps_its_marks(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    before = rules.effective(cast.actor("renter"), where)
    client.post(page(where, cast.renter), {"active": "on", "upload": "on"})
    client.post(page(where, cast.renter), {"upload": "on"})
    found = stored(where, cast.renter)
    assert found is not None
    assert (found["active"], found["upload"], found["read"]) == (False, True, False)
    assert rules.effective(cast.actor("renter"), where) == before


def test_the_form_begins_with_what_the_person_may_do_everywhere(cast: Cast, where: Folder) -> None:
    form = signed_in(cast.admin).get(page(where, cast.renter)).context["form"]
    before = rules.effective(cast.actor("renter"), where)
    assert form.initial == {"active": False, **{flag: getattr(before, flag) for flag in FLAGS}}
    assert stored(where, cast.renter) is None


@pytest.mark.parametrize(
    ("who", "status"), [("staff", 404), ("owner", 403), ("renter", 403), ("stranger", 404), ("operator", 200)]
)
def test_it_is_for_administrators(cast: Cast, where: Folder, who: str, status: int) -> None:
    client = signed_in(getattr(cast, who))
    assert client.get(page(where, cast.renter)).status_code == status
    answer = client.post(page(where, cast.renter), {"active": "on", "read": "on"})
    assert answer.status_code == (302 if status == 200 else status)
    assert (stored(where, cast.renter) is None) == (status != 200)


def test_people_of_other_companies_are_not_known_here(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    assert client.get(page(where, cast.stranger)).status_code == 404
    assert client.post(page(where, cast.stranger), {"active": "on"}).status_code == 404


def test_while_permissions_are_locked_only_super_administrators_change_them(cast: Cast, where: Folder) -> None:
    with scope.unit_of_work(door="test"):
        rows.change(cast.tenant.settings, {"lock_folder_perm": True})
        member = cast.membership("staff")
        rows.change(member, {"admin_perm": True, "all_communities": True})
    plain, mighty = signed_in(cast.staff), signed_in(cast.admin)
    refused = plain.post(page(where, cast.renter), {"active": "on"})
    assert refused.status_code == 403
    assert "Das ist der Hauptadministration vorbehalten." in refused.content.decode()
    assert stored(where, cast.renter) is None
    assert page(where, cast.renter) not in plain.get(f"/admin/docms/folder/{where.pk}/people/").content.decode()
    assert mighty.post(page(where, cast.renter), {"active": "on"}).status_code == 302


def test_the_pages_of_a_folder_lead_there(cast: Cast, where: Folder) -> None:
    client, base = signed_in(cast.admin), f"/admin/docms/folder/{where.pk}"
    people = client.get(f"{base}/people/")
    (line,) = [row for row in people.context["sections"][0].rows if row[0].text == cast.renter]
    assert (str(line[4].text), line[4].link) == ("wie überall", page(where, cast.renter))
    assert page(where, cast.renter) in client.get(f"{base}/person/?user={cast.renter.pk}").content.decode()
    client.post(page(where, cast.renter), {"active": "on", "read": "on"})
    (line,) = [r for r in client.get(f"{base}/people/").context["sections"][0].rows if r[0].text == cast.renter]
    assert str(line[4].text) == "eigene Rechte hier"
    assert page(where, cast.renter) in client.get(f"{base}/change/").content.decode()


def test_the_list_of_people_costs_the_same_however_many_have_rights_of_their_own(cast: Cast, where: Folder) -> None:
    def give(person: User) -> None:
        with scope.unit_of_work(door="test"):
            permissions.set_permission(actor=cast.actor("admin"), folder=where, user_id=person.pk, flags={"read": True})

    client = signed_in(cast.admin)
    give(cast.renter)
    urls = (
        f"/admin/docms/folder/{where.pk}/people/",
        f"/admin/docms/folder/{where.pk}/change/",
        page(where, cast.renter),
    )
    for url in urls:
        client.get(url)
    before = [queries_of(client, url) for url in urls]
    give(cast.owner)
    give(cast.additional)
    assert [queries_of(client, url) for url in urls] == before


@pytest.mark.parametrize("kind", ["permissions", "uploads"])
def test_who_is_refused_learns_nothing_about_people(cast: Cast, kind: str) -> None:
    with scope.unit_of_work(door="test"):
        shown = folder(cast, "Für Mitarbeiter", manual_group(cast, "Team", "staff"))
    client, base = signed_in(cast.staff), f"/admin/docms/folder/{shown.pk}"
    assert client.get(f"{base}/change/").status_code == 200
    known, unknown = client.get(f"{base}/{kind}/{cast.renter.pk}/"), client.get(f"{base}/{kind}/987654/")
    assert (known.status_code, unknown.status_code) == (403, 403)
