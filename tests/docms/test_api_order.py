"""In which order documents come: by title as people sort, ä as a, without case; equal ones by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from docms.api import file_rows
from docms.models import Document
from tests.docms.door import Caller, make_folder, make_group, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db

UPLOADED = ("Zaun", "Äpfel", "Übersicht", "apfel", "Banane", "Straße", "Öl", "strasse 2")
SORTED = ["Äpfel", "apfel", "Banane", "Öl", "Straße", "strasse 2", "Übersicht", "Zaun"]


@pytest.fixture
def admin(cast: Cast) -> Caller:
    return signed_in(cast.admin, cast.tenant)


@pytest.fixture
def renter(cast: Cast) -> Caller:
    return signed_in(cast.renter, cast.tenant)


@pytest.fixture
def folder(cast: Cast, admin: Caller) -> int:
    """A folder that the renter reaches."""
    return make_folder(admin, "Papiere", make_group(admin, "Alle", cast.renter.pk))


@pytest.fixture
def ids(admin: Caller, folder: int) -> dict[str, int]:
    return {title: admin.upload(folder, title=title)["file_id"] for title in UPLOADED}


def titles(found: Any) -> list[str]:
    return [file["title"] for file in found]


@pytest.mark.parametrize("path", ["/files", "/files/unread", "/folders/{folder}/files"])
def test_lists_are_sorted_as_people_sort(renter: Caller, folder: int, ids: dict[str, int], path: str) -> None:
    assert titles(renter.ok("GET", path.format(folder=folder))) == SORTED


def test_all_documents_are_sorted_as_people_sort(admin: Caller, ids: dict[str, int]) -> None:
    assert titles(admin.ok("GET", "/files?all=true")) == SORTED


def test_pieces_are_sorted_as_the_whole(renter: Caller, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_rows, "PIECE", 3)
    assert titles(renter.ok("GET", "/files")) == SORTED


@pytest.mark.rule("DOCMS-137")
@pytest.mark.parametrize("wish", [{}, {"sortColumn": "title"}, {"sortColumn": "title", "sortDirection": "ASC"}])
def test_pages_are_sorted_as_the_lists(renter: Caller, ids: dict[str, int], wish: dict[str, str]) -> None:
    assert titles(renter.ok("POST", "/files/paging", {"ids": list(ids.values()), **wish})) == SORTED


@pytest.mark.rule("DOCMS-137", "DOCMS-138")
def test_downwards_equal_titles_stay_in_the_order_of_their_ids(renter: Caller, ids: dict[str, int]) -> None:
    wish = {"ids": list(ids.values()), "sortColumn": "title", "sortDirection": "DESC"}
    downwards = [*SORTED[:1:-1], "Äpfel", "apfel"]
    assert titles(renter.ok("POST", "/files/paging", wish)) == downwards


@pytest.mark.rule("DOCMS-138")
def test_titles_that_sort_alike_stand_once_on_consecutive_pages(admin: Caller, renter: Caller, folder: int) -> None:
    same = [admin.upload(folder, title=title)["file_id"] for title in ("Öl", "ol", "OL", "öl")]
    for direction in ("ASC", "DESC"):
        wish = {"ids": same[::-1], "sortColumn": "title", "sortDirection": direction, "limit": 1}
        pages = [renter.ok("POST", "/files/paging", {**wish, "offset": offset}) for offset in range(4)]
        assert [file["file_id"] for page in pages for file in page] == same


def test_hits_are_sorted_as_the_lists(admin: Caller, renter: Caller, folder: int) -> None:
    made = {title: admin.upload(folder, title=title, description="Heizung")["file_id"] for title in UPLOADED}
    assert renter.ok("POST", "/files/search", {"search": "heizung"}) == [made[title] for title in SORTED]


def test_a_changed_title_moves_the_document(admin: Caller, renter: Caller, folder: int, ids: dict[str, int]) -> None:
    admin.ok("PUT", f"/files/{ids['Zaun']}", {"title": "Ähre"})
    assert titles(renter.ok("GET", f"/folders/{folder}/files"))[:2] == ["Ähre", "Äpfel"]


def test_another_change_leaves_the_place(admin: Caller, renter: Caller, folder: int, ids: dict[str, int]) -> None:
    admin.ok("PUT", f"/files/{ids['Öl']}", {"description": "Aaa"})
    assert titles(renter.ok("GET", f"/folders/{folder}/files")) == SORTED


def test_without_title_the_file_name_gives_the_place(
    admin: Caller, renter: Caller, folder: int, ids: dict[str, int]
) -> None:
    admin.upload(folder, filename="Ärger.pdf")
    listed = titles(renter.ok("GET", f"/folders/{folder}/files"))
    assert listed[:3] == ["Äpfel", "apfel", "Ärger.pdf"]


def test_the_longest_title_is_taken(admin: Caller, folder: int) -> None:
    """Also where letters become two in the key."""
    made = admin.upload(folder, title="ß" * 250)
    assert made["title"] == "ß" * 250
    assert Document.objects.get(pk=made["file_id"]).sort_key == "s" * 200
