"""What a company has switched off in a community is closed there, whichever address leads to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from core import scope
from docms.models import Document, DocumentLog, Folder, FolderMark, Group, ReadMark
from docms.services import groups
from orgs.models import Community
from tests.cast import Cast
from tests.factories import folder, manual_group
from tests.portal.pages import documents_url, house_folder, paper, signed_in, status_of

GETS = ["documents/{document}", "documents/{document}/read", "documents/{document}/download"]
POSTS = [
    ("documents/{document}/mark-read", {}),
    ("documents/{document}/done", {"done": "1"}),
    ("folders/{folder}/favourite", {"on": "1"}),
]


def of_the_house(cast: Cast) -> Folder:
    """A folder of house A."""
    return house_folder(cast, show_check_mark=True)


def of_a_flat(cast: Cast) -> Folder:
    """A folder of a flat in house A that does not name the house."""
    with scope.unit_of_work(door="test"):
        flat = groups.derived_group(tenant=cast.tenant, unit=cast.unit_a2)
        return folder(cast, "Wohnung A2", flat, unit=cast.unit_a2, show_check_mark=True)


def of_the_company(cast: Cast) -> Folder:
    """A folder of no house: the list shows it in each one of the company."""
    with scope.unit_of_work(door="test"):
        return folder(cast, "Aushänge", manual_group(cast, "Alle", "renter"), show_check_mark=True)


def switched_off(cast: Cast, where: Folder) -> tuple[Client, Document]:
    """The renter and a paper of that folder, in a house without documents."""
    document = paper(cast, where)
    Group.objects.update(show_check_mark=True)
    Community.objects.filter(pk=cast.house_a.pk).update(has_documents=False)
    return signed_in(cast.renter), document


def traces() -> int:
    """What reading, checking off and starring would have left."""
    marks = ReadMark.objects.count() + FolderMark.objects.count() + DocumentLog.objects.exclude(action="upload").count()
    return marks + Document.objects.exclude(access_counter=0, done=False).count()


def test_a_community_without_documents_has_no_door_to_them(cast: Cast) -> None:
    Community.objects.filter(pk=cast.house_a.pk).update(has_documents=False)
    client = signed_in(cast.renter)
    assert "/info/documents" not in client.get(f"/app/c/{cast.house_a.pk}/").content.decode()
    assert client.get(documents_url(cast)).status_code == 403


@pytest.mark.parametrize("place", [of_the_house, of_a_flat])
@pytest.mark.parametrize("page", [*GETS, "documents/{document}/preview"])
def test_no_address_of_a_paper_is_open_where_documents_are_switched_off(
    cast: Cast, place: Callable[[Cast], Folder], page: str
) -> None:
    client, document = switched_off(cast, place(cast))
    before = traces()
    assert client.get("/app/" + page.format(document=document.pk)).status_code == 403
    assert traces() == before


@pytest.mark.parametrize("place", [of_the_house, of_a_flat])
@pytest.mark.parametrize(("act", "data"), POSTS)
def test_nothing_is_done_where_documents_are_switched_off(
    cast: Cast, place: Callable[[Cast], Folder], act: str, data: dict[str, Any]
) -> None:
    client, document = switched_off(cast, place(cast))
    before = traces()
    url = "/app/" + act.format(document=document.pk, folder=document.folder_id)
    assert client.post(url, data).status_code == 403
    assert traces() == before


def test_what_is_out_of_reach_stays_unknown_where_documents_are_switched_off(cast: Cast) -> None:
    _client, document = switched_off(cast, of_the_house(cast))
    assert signed_in(cast.neighbour).get(f"/app/documents/{document.pk}/read").status_code == 404


def test_papers_of_the_whole_company_stay_in_use(cast: Cast) -> None:
    client, document = switched_off(cast, of_the_company(cast))
    values = {"document": document.pk, "folder": document.folder_id}
    assert [status_of(client, "/app/" + page.format(**values)) for page in GETS[1:]] == [200, 200]
    assert [client.post("/app/" + act.format(**values), data).status_code for act, data in POSTS] == [302, 302, 302]


@pytest.mark.parametrize("place", [of_the_house, of_a_flat])
def test_where_documents_are_switched_on_every_address_is_open(cast: Cast, place: Callable[[Cast], Folder]) -> None:
    document, client = paper(cast, place(cast)), signed_in(cast.renter)
    assert [status_of(client, "/app/" + page.format(document=document.pk)) for page in GETS] == [302, 200, 200]
