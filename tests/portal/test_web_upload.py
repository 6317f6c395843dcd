"""Putting papers into a folder through the portal: who may, how they arrive, what is refused."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core.models import Upload
from docms.models import Document, DocumentLog, FolderPermission
from tests.cast import Cast
from tests.portal.pages import documents_url, house_folder, paper, queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from docms.models import Folder

pytestmark = pytest.mark.django_db
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def where(cast: Cast) -> Folder:
    return house_folder(cast)


@pytest.fixture
def uploader(cast: Cast, where: Folder) -> Client:
    """The renter, who may upload into this folder."""
    allow(cast, where)
    return signed_in(cast.renter)


def allow(cast: Cast, where: Folder, who: str = "renter") -> None:
    FolderPermission.objects.create(
        tenant=cast.tenant, membership=cast.membership(who), folder=where, read=True, upload=True
    )


def page_of(cast: Cast, where: Folder) -> str:
    return documents_url(cast, f"/upload?folder={where.pk}")


def announce(client: Client, where: Folder, size: int = 5, name: str = "plan.txt") -> Any:
    values = {"filename": name, "folder": str(where.pk)}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())
    headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata}
    return client.post("/app/uploads/", headers=headers, content_type="text/plain")


def send(client: Client, url: str, content: bytes, offset: int = 0) -> Any:
    headers = TUS | {"Upload-Offset": str(offset)}
    return client.patch(url, content, headers=headers, content_type="application/offset+octet-stream")


def test_an_own_paper_is_unread_for_others_alone(cast: Cast, where: Folder, uploader: Client) -> None:
    files = [SimpleUploadedFile(name, b"Inhalt") for name in ("eins.txt", "zwei.txt")]
    assert uploader.post(page_of(cast, where), {"files": files}).status_code == 302
    unread = documents_url(cast, "?only=unread")
    assert len(uploader.get(documents_url(cast)).context["papers"]) == 2
    assert len(uploader.get(unread).context["papers"]) == 0
    assert len(signed_in(cast.owner).get(unread).context["papers"]) == 2


def test_a_file_that_arrived_in_two_pieces_becomes_a_paper(cast: Cast, where: Folder, uploader: Client) -> None:
    url = announce(uploader, where)["Location"]
    assert send(uploader, url, b"Pl").status_code == 204
    assert uploader.head(url, headers=TUS)["Upload-Offset"] == "2"
    assert send(uploader, url, b"an!", 2).status_code == 204
    handle = url.rsplit("/", 1)[1]
    done = uploader.post(page_of(cast, where), {"upload": handle, f"title-{handle}": "Der Plan"})
    assert done.url == documents_url(cast, f"?folder={where.pk}")
    made = Document.objects.get(folder=where)
    assert (made.title, made.filename, made.uploaded_by) == ("Der Plan", "plan.txt", cast.renter)
    assert b"".join(uploader.get(f"/app/documents/{made.pk}/read")) == b"Plan!"
    assert DocumentLog.objects.filter(document_id=made.pk, action="create", user=cast.renter).exists()


def test_without_scripts_files_come_with_the_form(cast: Cast, where: Folder, uploader: Client) -> None:
    files = [SimpleUploadedFile(f"{n}.txt", b"%d" % n) for n in range(2)]
    assert uploader.post(page_of(cast, where), {"files": files, "title": "Einer"}).status_code == 302
    assert set(Document.objects.filter(folder=where).values_list("title", flat=True)) == {"0.txt", "1.txt"}
    uploader.post(page_of(cast, where), {"files": SimpleUploadedFile("2.txt", b"2"), "title": "Allein"})
    assert Document.objects.filter(folder=where, title="Allein").exists()


@pytest.mark.rule("DOCMS-110")
def test_without_the_right_nothing_arrives(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.renter)
    assert client.get(page_of(cast, where)).status_code == 403
    assert announce(client, where).status_code == 403
    file = SimpleUploadedFile("x.txt", b"x")
    assert client.post(page_of(cast, where), {"files": file}).status_code == 403
    assert not Upload.objects.exists() and not Document.objects.exists()


def test_into_a_folder_out_of_reach_nothing_arrives(cast: Cast, where: Folder) -> None:
    from core import scope
    from tests.factories import folder, manual_group

    with scope.unit_of_work(door="test"):
        other = folder(cast, "Fremd", manual_group(cast, "Andere", "neighbour"), community=cast.house_a)
    allow(cast, other)
    client = signed_in(cast.renter)
    assert client.get(page_of(cast, other)).status_code == 404
    assert announce(client, other).status_code == 404
    assert not Upload.objects.exists()


def test_where_documents_are_off_nothing_arrives(cast: Cast, where: Folder, uploader: Client) -> None:
    type(cast.house_a).objects.filter(pk=cast.house_a.pk).update(has_documents=False)
    assert uploader.get(page_of(cast, where)).status_code == 403
    assert announce(uploader, where).status_code == 403


def test_a_handle_of_the_back_office_does_not_fit(cast: Cast, where: Folder, uploader: Client) -> None:
    url = announce(uploader, where)["Location"]
    send(uploader, url, b"Plan!")
    Upload.objects.update(door="back_office")
    answer = uploader.post(page_of(cast, where), {"upload": url.rsplit("/", 1)[1]})
    assert answer.status_code == 422
    assert not Document.objects.exists()


def test_of_two_handles_with_one_wrong_neither_is_used(cast: Cast, where: Folder, uploader: Client) -> None:
    url = announce(uploader, where)["Location"]
    send(uploader, url, b"Plan!")
    good = url.rsplit("/", 1)[1]
    assert uploader.post(page_of(cast, where), {"upload": [good, "falsch"]}).status_code == 422
    assert not Document.objects.exists()
    assert uploader.post(page_of(cast, where), {"upload": good}).status_code == 302


def test_an_empty_form_says_what_is_missing(cast: Cast, where: Folder, uploader: Client) -> None:
    answer = uploader.post(page_of(cast, where))
    assert answer.status_code == 422 and answer.context["problem"]


def test_only_who_may_sees_the_button(cast: Cast, where: Folder, uploader: Client) -> None:
    url = documents_url(cast, f"?folder={where.pk}")
    assert 'id="upload"' in uploader.get(url).content.decode()
    assert 'id="upload"' not in signed_in(cast.additional).get(url).content.decode()
    assert 'id="upload"' not in uploader.get(documents_url(cast)).content.decode()


def test_the_page_costs_the_same_for_one_folder_and_three(cast: Cast, where: Folder, uploader: Client) -> None:
    one = queries_of(uploader, page_of(cast, where))
    for n in range(2):
        paper(cast, house_folder(cast, f"O{n}"))
    assert queries_of(uploader, page_of(cast, where)) == one


def test_without_a_folder_one_is_sent_to_choose(cast: Cast, where: Folder, uploader: Client) -> None:
    assert uploader.get(documents_url(cast, "/upload")).url == documents_url(cast)
