"""Documents in the back office: the tree, the upload page, who has read what, and who sees it why."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core import scope
from core.models import DestructionRecord, Upload
from docms.models import Document, Folder, Group
from docms.services import groups
from orgs.models import Membership
from tests.factories import folder, manual_group, pdf, publish
from tests.portal.pages import house_folder, paper, queries_of, sent, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

UPLOAD = "/admin/docms/document/upload/"


@pytest.fixture
def where(cast: Cast) -> Folder:
    return house_folder(cast, mail_after_upload_enable=True)


# --- Upload ---------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_dropped_papers_are_published_with_their_titles(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    first, second = (
        sent(client, cast.tenant.pk, "eins.pdf", pdf("eins")),
        sent(client, cast.tenant.pk, "zwei.pdf", pdf("zwei")),
    )
    values = {"folder": where.pk, "upload": [first, second], f"title-{first}": "Protokoll", "allow_download": "on"}
    response = client.post(UPLOAD, values)
    assert response["Location"] == f"/admin/docms/document/?folder__id__exact={where.pk}"
    assert set(Document.objects.values_list("title", "filename", "allow_download")) == {
        ("Protokoll", "eins.pdf", True),
        ("zwei.pdf", "zwei.pdf", True),
    }
    with scope.unit_of_work(door="test"):
        assert Document.objects.visible_to(cast.actor("renter")).count() == 2
    again = client.post(UPLOAD, values)
    assert again.context["form"].errors  # a handle works once
    assert Document.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_bytes_go_only_where_one_works(cast: Cast) -> None:
    client = signed_in(cast.admin)
    with pytest.raises(AssertionError, match="forbidden"):
        sent(client, cast.other_tenant.pk, "fremd.pdf", pdf())
    with pytest.raises(AssertionError, match="forbidden"):
        sent(signed_in(cast.renter), cast.tenant.pk, "fremd.pdf", pdf())
    assert not Upload.objects.exists()


def test_without_scripts_the_form_sends_the_files(cast: Cast, where: Folder) -> None:
    tomorrow = timezone.localtime() + datetime.timedelta(days=1)
    values: dict[str, Any] = {
        "folder": where.pk, "title": "Einladung", "files": SimpleUploadedFile("datei.pdf", pdf()),
        "active_from_0": f"{tomorrow:%Y-%m-%d}", "active_from_1": "08:00",
    }  # fmt: skip
    assert signed_in(cast.admin).post(UPLOAD, values).status_code == 302
    document = Document.objects.get()
    assert (document.title, document.allow_download) == ("Einladung", False)
    assert document.active_from is not None
    assert document.active_from.date() >= tomorrow.date() - datetime.timedelta(days=1)
    assert not Document.objects.visible_to(cast.actor("renter")).exists()


def test_one_sees_first_who_will_get_it(cast: Cast, where: Folder) -> None:
    page = signed_in(cast.admin).get(f"{UPLOAD}recipients/", {"folder": where.pk})
    assert page.context["readers"] == 3  # owner, renter, additional; B1 and the former renter do not
    assert page.context["mailed"] == 3
    names = {u.pk for u in page.context["people"]}
    assert names == {cast.owner.pk, cast.renter.pk, cast.additional.pk}
    assert signed_in(cast.stranger).get(f"{UPLOAD}recipients/", {"folder": where.pk}).status_code == 404


def test_an_empty_form_and_a_foreign_folder_are_refused(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    assert client.post(UPLOAD, {"folder": where.pk}).context["form"].non_field_errors()
    response = signed_in(cast.stranger).post(UPLOAD, {"folder": where.pk, "files": SimpleUploadedFile("a.pdf", pdf())})
    assert response.status_code == 200
    assert not Document.objects.exists()


def test_uploading_needs_the_flag(cast: Cast, where: Folder) -> None:
    Membership.objects.filter(user=cast.admin).update(upload_file_perm=False)
    assert signed_in(cast.admin).get(UPLOAD).context["folders"] == []


# --- The paper's page -----------------------------------------------------------------------------------


def test_readers_and_log_are_there_at_the_next_request(cast: Cast, where: Folder) -> None:
    document = paper(cast, where, "Hausordnung")
    client, url = signed_in(cast.admin), f"/admin/docms/document/{document.pk}/change/"

    def people(section: int) -> set[str]:
        return {str(row[0].text) for row in client.get(url).context["sections"][section].rows}

    assert people(1) == set()
    assert people(2) == {str(cast.owner), str(cast.renter), str(cast.additional)}
    list(signed_in(cast.renter).get(f"/app/documents/{document.pk}/download").streaming_content)
    assert people(1) == {str(cast.renter)}
    assert people(2) == {str(cast.owner), str(cast.additional)}
    log = client.get(url).context["sections"][3].rows
    assert [str(row[1].text) for row in log] == [str(cast.renter), str(cast.admin)]


def test_a_paper_is_changed_and_gets_a_new_version(cast: Cast, where: Folder) -> None:
    document = paper(cast, where, "Hausordnung")
    client, url = signed_in(cast.admin), f"/admin/docms/document/{document.pk}/change/"
    version = client.get(url).context["adminform"].form["expected_version"].value()
    values = {
        "title": "Hausordnung 2026", "folder": where.pk, "allow_download": "on", "expected_version": version,
        "new_file": SimpleUploadedFile("neu.pdf", pdf("neu")),
    }  # fmt: skip
    assert client.post(url, values).status_code == 302
    document.refresh_from_db()
    assert (document.title, document.filename, document.versions.count()) == ("Hausordnung 2026", "neu.pdf", 2)
    values["new_file"] = ""
    assert client.post(url, values).context["adminform"].form.non_field_errors()  # an older version of the form


def test_a_paper_is_deleted_unless_its_folder_protects_it(cast: Cast, where: Folder) -> None:
    document = paper(cast, where)
    Folder.objects.filter(pk=where.pk).update(allow_delete_files=timezone.now() + datetime.timedelta(days=1))
    client, url = signed_in(cast.admin), f"/admin/docms/document/{document.pk}/delete/"
    client.post(url, {"post": "yes"})
    assert Document.objects.exists()
    Folder.objects.filter(pk=where.pk).update(allow_delete_files=None)
    client.post(url, {"post": "yes"})
    assert not Document.objects.exists()
    assert DestructionRecord.objects.count() == 1


def test_papers_of_another_tenant_do_not_exist(cast: Cast, where: Folder) -> None:
    document = paper(cast, where, "Wirtschaftsplan")
    client = signed_in(cast.stranger)
    for url in (
        f"document/{document.pk}/change", f"document/{document.pk}/people", f"document/{document.pk}/person",
        f"document/{document.pk}/history", f"folder/{where.pk}/change", f"folder/{where.pk}/people",
        f"group/{Group.objects.get().pk}/change",
    ):  # fmt: skip
        assert client.get(f"/admin/docms/{url}/").status_code == 404, url
    for name in ("document", "folder", "group", "documentlog", "readmark"):
        page = client.get(f"/admin/docms/{name}/").content.decode()
        assert document.title not in page
        assert where.name not in page


def test_staff_outside_of_the_groups_find_nothing(cast: Cast, where: Folder) -> None:
    document = paper(cast, where)
    client = signed_in(cast.staff)
    assert client.get(f"/admin/docms/document/{document.pk}/change/").status_code == 404
    assert where.name not in client.get("/admin/docms/folder/").content.decode()
    with scope.unit_of_work(door="test"):
        folder(cast, "Intern", manual_group(cast, "Büro", "staff"))
    assert "Intern" in client.get("/admin/docms/folder/").content.decode()
    assert client.post("/admin/docms/folder/add/", {"name": "Eigenes"}).status_code == 403


# --- Who sees it ----------------------------------------------------------------------------------------


def test_who_can_see_it_and_why(cast: Cast, where: Folder) -> None:
    document = paper(cast, where)
    client, url = signed_in(cast.admin), f"/admin/docms/document/{document.pk}"
    people = client.get(f"{url}/people/").context["sections"][0].rows
    assert {str(row[0].text) for row in people} == {str(cast.owner), str(cast.renter), str(cast.additional)}
    page = client.get(f"{url}/person/", {"user": cast.former.pk}).context
    assert str(cast.former) in page["conclusion"]
    assert page["reasons"]
    assert client.get(f"{url}/person/", {"user": cast.stranger.pk}).status_code == 404
    found = client.get(f"{url}/person/", {"q": "renter"}).context["found"]
    assert [m.user for m in found] == [cast.renter]
    Membership.objects.filter(user=cast.admin).update(log_perm=False)
    assert client.get(f"{url}/people/").status_code == 200


# --- Folders and groups ---------------------------------------------------------------------------------


def test_folders_are_made_moved_and_deleted(cast: Cast) -> None:
    client = signed_in(cast.admin)
    with scope.unit_of_work(door="test"):
        circle = manual_group(cast, "Beirat", "owner")
    client.post("/admin/docms/folder/add/", {"name": "Oben", "groups": [circle.pk], "file_delete_files": "0"})
    top = Folder.objects.get(name="Oben")
    assert list(top.access.values_list("group", flat=True)) == [circle.pk]
    client.post("/admin/docms/folder/add/", {"name": "Unten", "parent": top.pk, "file_delete_files": "0"})
    below = Folder.objects.get(name="Unten")
    url = f"/admin/docms/folder/{below.pk}/change/"
    version = client.get(url).context["adminform"].form["expected_version"].value()
    values = {"name": "Umgezogen", "parent": "", "file_delete_files": "0", "expected_version": version}
    assert client.post(url, values).status_code == 302
    below.refresh_from_db()
    assert (below.full_path_name, below.parent_id) == ("Umgezogen", None)
    refused = client.post("/admin/docms/folder/add/", {"name": "oben", "file_delete_files": "0"})
    assert refused.context["adminform"].form.errors
    client.post(f"/admin/docms/folder/{top.pk}/delete/", {"post": "yes"})
    assert not Folder.objects.filter(pk=top.pk).exists()


def test_the_tree_names_groups_and_counts_papers(cast: Cast, where: Folder) -> None:
    paper(cast, where)
    lines = signed_in(cast.admin).get("/admin/docms/folder/").context["lines"]
    assert [(line.folder.pk, line.papers, [g.name for g in line.groups]) for line in lines] == [
        (where.pk, 1, ["Haus A"])
    ]


def test_a_place_is_addressed_by_a_derived_group(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    values = {"unit": cast.unit_a1.pk, "role": "owner", "folder": where.pk}
    response = client.post("/admin/docms/group/address/", values)
    made = Group.objects.get(unit=cast.unit_a1)
    assert response["Location"] == f"/admin/docms/group/{made.pk}/change/"
    assert groups.members_of(made) == {cast.owner.pk}
    assert where.access.count() == 2
    two = client.post("/admin/docms/group/address/", {"unit": cast.unit_a1.pk, "community": cast.house_a.pk})
    assert two.context["form"].non_field_errors()
    foreign = client.post("/admin/docms/group/address/", {"community": cast.foreign_house.pk})
    assert "community" in foreign.context["form"].errors


def test_a_group_by_hand(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    client.post(
        "/admin/docms/group/add/", {"name": "Beirat", "people": [cast.membership("owner").pk], "folders": [where.pk]}
    )
    group = Group.objects.get(name="Beirat")
    assert groups.members_of(group) == {cast.owner.pk}
    foreign = client.post(
        "/admin/docms/group/add/", {"name": "Fremde", "people": [cast.membership("stranger", cast.other_tenant).pk]}
    )
    assert "people" in foreign.context["adminform"].form.errors


# --- Cost -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["document", "folder", "group", "documentlog", "readmark"])
def test_a_list_costs_the_same_for_one_row_and_three(cast: Cast, where: Folder, name: str) -> None:
    def add(n: int) -> None:
        with scope.unit_of_work(door="test"):
            circle = manual_group(cast, f"G{n}", "owner", "renter")
            document = publish(cast, folder(cast, f"F{n}", circle), title=f"P{n}")
        list(signed_in(cast.renter).get(f"/app/documents/{document.pk}/read").streaming_content)

    client = signed_in(cast.admin)
    add(1)
    before = queries_of(client, f"/admin/docms/{name}/")
    add(2)
    add(3)
    assert queries_of(client, f"/admin/docms/{name}/") == before
    assert before <= 20


def test_the_form_says_in_words_what_the_virus_check_found(cast: Cast, where: Folder) -> None:
    document = paper(cast, where)
    text = signed_in(cast.admin).get(f"/admin/docms/document/{document.pk}/change/").content.decode()
    assert document.current is not None
    assert document.current.blob.scan == "skipped" and "nicht geprüft" in text
    assert "&#x27;skipped&#x27;" not in text
