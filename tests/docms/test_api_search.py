"""Search, pages and labels."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.services import rows
from docms.models import Document, FolderLabel
from tests.docms.door import (
    PDF,
    Caller,
    b64,
    cost_of,
    make_folder,
    make_group,
    row_of,
    signed_in,
)

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(cast: Cast) -> Caller:
    """The administrator with all document flags."""
    return signed_in(cast.admin, cast.tenant)


@pytest.fixture
def renter(cast: Cast) -> Caller:
    """A resident who may read and download."""
    return signed_in(cast.renter, cast.tenant)


@pytest.fixture
def staff(cast: Cast) -> Caller:
    """Staff with all document flags, no administrator."""
    return signed_in(cast.staff, cast.tenant)


@pytest.fixture
def folder(cast: Cast, admin: Caller) -> int:
    """A folder that the renter, the owner and staff reach."""
    group = make_group(admin, "Alle", cast.renter.pk, cast.owner.pk, cast.staff.pk, show_check_mark=True)
    return make_folder(admin, "Papiere", group, show_check_mark=True)


# --- Search and pages -----------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-135", "DOCMS-136")
def test_search(cast: Cast, admin: Caller, renter: Caller, folder: int) -> None:
    rows.create(FolderLabel, tenant=cast.tenant, folder_id=folder, name="Wichtig", color="#FF0000")
    titled = admin.upload(folder, title="Abrechnung Straße")["file_id"]
    described = admin.upload(folder, description="abrechnung für 2024")["file_id"]
    named = admin.upload(folder, filename="Abrechnung_2024.pdf", title="x")["file_id"]
    identified = admin.upload(folder, identifier="ABRECHNUNG-7")["file_id"]
    labelled = admin.upload(folder, label_name="Wichtig")["file_id"]
    elsewhere = admin.upload(make_folder(admin, "Andere"), title="Abrechnung")["file_id"]

    def found(search: str, ids: Any = None, caller: Caller = renter) -> set[int]:
        return set(caller.ok("POST", "/files/search", {"search": search, "preFilteredIds": ids}))

    every = {titled, described, named, identified}
    assert found("abrechnung") == every
    assert found("ABRECHNUNG 2024") == {described, named}
    assert found("wichtig") == {labelled}
    assert found("abrechnung", caller=admin) == every | {elsewhere}
    assert found("abrechnung", [titled, labelled, elsewhere]) == {titled}
    assert found("abrechnung", []) == set()
    assert found("   ") == set()
    assert set(renter.ok("POST", "/files/search", {"search": "abrechnung"})) == every
    renter.refused("POST", "/files/search", 400, {"search": "x" * 201})


@pytest.mark.rule("DOCMS-137", "DOCMS-138")
def test_pages(cast: Cast, admin: Caller, renter: Caller, folder: int) -> None:
    ids = [admin.upload(folder, title=title)["file_id"] for title in ("b", "A", "b", "c", "b")]
    foreign = admin.upload(make_folder(admin, "Andere"))["file_id"]

    def page(**wish: Any) -> list[int]:
        body = {"ids": [*ids, foreign, 999999999], **wish}
        return [f["file_id"] for f in renter.ok("POST", "/files/paging", body)]

    same = [ids[0], ids[2], ids[4]]
    assert page() == [ids[1], *same, ids[3]]
    assert page(sortDirection="DESC") == [ids[3], *same, ids[1]]
    walked = [file for offset in range(5) for file in page(offset=offset, limit=1)]
    assert walked == page()
    for _three in range(3):
        renter.ok("GET", f"/files/{ids[3]}/read")
    renter.ok("PUT", f"/files/{ids[4]}/done/true")
    assert page(sortColumn="accessCounter", sortDirection="DESC", limit=1) == [ids[3]]
    assert page(sortColumn="donestate", sortDirection="DESC", limit=1) == [ids[4]]
    for column in ("labelName", "identifier", "latestChange", "filename"):
        assert sorted(page(sortColumn=column)) == sorted(ids)
    assert page(offset=99) == []
    renter.refused("POST", "/files/paging", 400, {"ids": ids, "limit": 501})
    renter.refused("POST", "/files/paging", 400, {"ids": ids, "sortColumn": "password"})


# Four documents, by number, in the order of each column.
ORDERS = {
    "title": (1, 0, 3, 2), "filename": (2, 1, 0, 3), "identifier": (3, 1, 2, 0), "labelName": (0, 2, 3, 1),
    "latestChange": (1, 3, 0, 2), "accessCounter": (2, 0, 3, 1),
}  # fmt: skip


@pytest.mark.rule("DOCMS-137")
@pytest.mark.parametrize("column", ORDERS)
def test_each_column_sorts(admin: Caller, renter: Caller, folder: int, column: str) -> None:
    def place(number: int, name: str) -> int:
        return ORDERS[name].index(number)

    for letter in "abcd":
        admin.ok("POST", f"/folders/{folder}/labels", {"name": letter, "color": "#000000"})
    ids = []
    for number in range(4):
        made = admin.upload(
            folder, title="abcd"[place(number, "title")], filename=f"{'abcd'[place(number, 'filename')]}.pdf",
            identifier="abcd"[place(number, "identifier")], label_name="abcd"[place(number, "labelName")],
        )  # fmt: skip
        ids.append(made["file_id"])
        Document.objects.filter(pk=made["file_id"]).update(
            access_counter=place(number, "accessCounter"),
            changed_at=timezone.now() - datetime.timedelta(days=4 - place(number, "latestChange")),
        )
    expected = [ids[number] for number in ORDERS[column]]

    def page(**wish: Any) -> list[int]:
        body = {"ids": ids, "sortColumn": column, **wish}
        return [f["file_id"] for f in renter.ok("POST", "/files/paging", body)]

    assert page() == page(sortDirection="ASC") == expected
    assert page(sortDirection="DESC") == expected[::-1]
    assert page(sortDirection="DESC", offset=1, limit=2) == expected[2:0:-1]


@pytest.mark.rule("DOCMS-138")
@pytest.mark.parametrize("column", [*ORDERS, "donestate"])
def test_equal_values_come_in_the_order_of_their_ids(admin: Caller, renter: Caller, folder: int, column: str) -> None:
    ids = [admin.upload(folder, title="gleich")["file_id"] for _number in range(5)]
    now = timezone.now()
    for file in reversed(ids):  # so that the table has the last one first
        Document.objects.filter(pk=file).update(changed_at=now)
    for direction in ("ASC", "DESC"):
        wish = {"ids": ids, "sortColumn": column, "sortDirection": direction, "limit": 2}
        pages = [renter.ok("POST", "/files/paging", wish | {"offset": offset}) for offset in (0, 2, 4)]
        assert [f["file_id"] for page in pages for f in page] == ids


@pytest.mark.rule("DOCMS-139", "DOCMS-140", "DOCMS-191")
def test_labels_carry_over(admin: Caller, renter: Caller, folder: int) -> None:
    labels = f"/folders/{folder}/labels"
    admin.ok("POST", labels, {"name": "Größe/Maß 1", "color": "#00ff00"})
    admin.refused(
        "POST", labels, 409, {"name": "GRÖSSE/MASS 1".replace("GRÖSSE/MASS", "Größe/Maß"), "color": "#000000"}
    )
    renter.refused("POST", labels, 403, {"name": "x", "color": "#000000"})
    assert renter.ok("GET", labels) == [{"name": "Größe/Maß 1", "color": "#00ff00"}]
    admin.refused("POST", labels, 400, {"name": "x", "color": "rot"})
    refused = {"folder_id": folder, "filename": "a.pdf", "file_data": b64(PDF), "label_name": "Fremd"}
    admin.refused("POST", "/files", 400, refused)
    made = admin.upload(folder, label_name="Größe/Maß 1", label_color="#123456")
    assert (made["label_name"], made["label_color"]) == ("Größe/Maß 1", "#00ff00")
    admin.ok("PUT", f"{labels}/Gr%C3%B6%C3%9Fe%2FMa%C3%9F%201", {"name": "Neu", "color": "#0000ff"})
    row = row_of(renter, made["file_id"])
    assert (row["label_name"], row["label_color"]) == ("Neu", "#0000ff")
    assert renter.ok("POST", "/files/search", {"search": "neu"}) == [made["file_id"]]
    admin.ok("DELETE", f"{labels}/Neu")
    assert row_of(renter, made["file_id"])["label_name"] is None
    admin.refused("DELETE", f"{labels}/Neu", 404)


# --- Cost -----------------------------------------------------------------------------------------------


def test_lists_about_documents_cost_the_same_for_one_and_three(admin: Caller, folder: int) -> None:
    ids = [admin.upload(folder)["file_id"]]
    file = ids[0]

    def costs() -> dict[str, int]:
        found = {
            path: cost_of(admin, path)
            for path in (
                f"/files/{file}/versions", f"/files/{file}/logs", "/deleted-files", f"/folders/{folder}/labels",
                "/files?all=true",
            )
        }  # fmt: skip
        found["paging"] = cost_of(admin, "/files/paging", "POST", {"ids": ids})
        found["search"] = cost_of(admin, "/files/search", "POST", {"search": "brief"})
        return found

    def more() -> None:
        admin.ok("PUT", f"/files/{file}", {"file_data": b64(PDF + str(timezone.now()).encode())})
        admin.ok("DELETE", f"/files/{admin.upload(folder)['file_id']}")
        admin.ok("POST", f"/folders/{folder}/labels", {"name": f"L{len(ids)}", "color": "#000000"})
        ids.append(admin.upload(folder)["file_id"])

    more()
    one = costs()
    more(), more()
    assert costs() == one
