"""Papers taken away together: what is in the ZIP, what is not and why, and what it leaves behind."""

from __future__ import annotations

import csv
import hashlib
import io
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from django.http import StreamingHttpResponse
from django.test import TestCase

from core import scope
from core.models import Blob
from core.services import sweeps
from core.storage import blob_name, storage
from docms.models import Document, DocumentLog, FolderPermission, ReadMark
from docms.services import documents, groups
from orgs.models import Membership
from tests.cast import Cast
from tests.factories import folder
from tests.portal.pages import documents_url, house_folder, paper, queries_of, signed_in

if TYPE_CHECKING:
    from docms.models import Folder

pytestmark = pytest.mark.django_db


@pytest.fixture
def where(cast: Cast) -> Folder:
    return house_folder(cast)


class Taken:
    """An archive as somebody unpacks it."""

    def __init__(self, response: Any) -> None:
        assert response.status_code == 200
        assert isinstance(response, StreamingHttpResponse)
        self.response = response
        self.zip = zipfile.ZipFile(io.BytesIO(b"".join(response)))
        assert self.zip.testzip() is None
        text = self.zip.read("manifest.csv").decode("utf-8-sig")
        self.rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
        self.head = list(self.rows[0]) if self.rows else []

    @property
    def papers(self) -> dict[str, bytes]:
        return {n: self.zip.read(n) for n in self.zip.namelist() if n not in ("manifest.csv", "SHA256SUMS")}

    @property
    def left_out(self) -> dict[str, str]:
        """Title and reason."""
        return {row["Title"]: row["Note"] for row in self.rows if not row["Path"]}


def take(cast: Cast, who: str = "renter", query: str = "", what: str = "all") -> Taken:
    return Taken(ask(cast, who, query, what))


def ask(cast: Cast, who: str = "renter", query: str = "", what: str = "all") -> Any:
    client = signed_in(getattr(cast, who))
    url = documents_url(cast, "/archive" + query)
    return client.post(url, {"what": what})


@pytest.fixture(autouse=True)
def _english_and_unlimited(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    type(cast.renter).objects.update(language="en")
    monkeypatch.setattr("portal.web.archive.PER_MINUTE", 0)


def test_the_papers_of_a_folder_are_sorted_as_people_sort(cast: Cast, where: Folder) -> None:
    for title in ("Zaun", "Äpfel", "apfel", "Übersicht"):
        paper(cast, where, title)
    assert [row["Title"] for row in take(cast).rows] == ["Äpfel", "apfel", "Übersicht", "Zaun"]


def test_all_papers_come_in_their_folders_with_a_manifest(cast: Cast, where: Folder) -> None:
    below = house_folder(cast, "2025", parent=where)
    first = paper(cast, where, "Einladung", content=b"eins", filename="einladung.txt")
    paper(cast, below, "Protokoll", content=b"zwei", filename="protokoll.txt")
    taken = take(cast)
    assert taken.papers == {
        "Versammlungen/einladung.txt": b"eins",
        "Versammlungen/2025/protokoll.txt": b"zwei",
    }
    row = next(row for row in taken.rows if row["Title"] == "Einladung")
    provided = first.created_at.astimezone(cast.tenant.zone).isoformat(timespec="seconds")
    assert row == {
        "Path": "Versammlungen/einladung.txt", "Title": "Einladung", "Folder": "Versammlungen", "Provided": provided,
        "Size in bytes": "4", "SHA-256": hashlib.sha256(b"eins").hexdigest(), "Note": "",
    }  # fmt: skip
    sums = dict(reversed(line.split("  ", 1)) for line in taken.zip.read("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in taken.papers.items()}
    assert taken.response["Content-Type"] == "application/zip"
    assert taken.response["Content-Disposition"].startswith("attachment")


def test_each_paper_is_proven_as_a_download_of_its_own(cast: Cast, where: Folder) -> None:
    both = [paper(cast, where, f"Papier {n}", content=b"%d" % n, filename=f"{n}.txt") for n in range(2)]
    take(cast)
    for document in both:
        document.refresh_from_db()
        assert document.access_counter == 1
        assert document.first_access is not None
    logged = DocumentLog.objects.filter(user=cast.renter, action="download").values_list("document_id", flat=True)
    assert sorted(logged) == sorted(document.pk for document in both)
    assert ReadMark.objects.filter(membership=cast.membership("renter")).count() == 2


def test_only_what_the_person_sees_comes_along(cast: Cast, where: Folder) -> None:
    with scope.unit_of_work(door="test"):
        flat = groups.derived_group(tenant=cast.tenant, unit=cast.unit_a2)
        mine = folder(cast, "Wohnung A2", flat, community=cast.house_a, unit=cast.unit_a2)
    paper(cast, where, "Für alle", content=b"alle", filename="alle.txt")
    paper(cast, mine, "Nebenkosten", content=b"privat", filename="privat.txt")
    later = paper(cast, where, "Später", content=b"spaeter", filename="spaeter.txt")
    claimed = paper(cast, where, "Vergeben", content=b"weg", filename="weg.txt")
    Document.objects.filter(pk=later.pk).update(active_from="2999-01-01T00:00Z")
    Document.objects.filter(pk=claimed.pk).update(claimed_at="2020-01-01T00:00Z", delete_after_next_download=True)
    assert set(take(cast, "renter").papers) == {"Versammlungen/alle.txt", "Wohnung A2/privat.txt"}
    taken = take(cast, "additional")
    assert set(taken.papers) == {"Versammlungen/alle.txt"}
    assert "Nebenkosten" not in str(taken.rows) and "Später" not in str(taken.rows)


def test_a_locked_paper_is_left_out_and_named(cast: Cast, where: Folder) -> None:
    locked = paper(cast, where, "Gesperrt", content=b"nein", filename="nein.txt", allow_download=False)
    taken = take(cast)
    assert taken.papers == {}
    assert taken.left_out == {"Gesperrt": "Not included: This document may only be read, not downloaded."}
    locked.refresh_from_db()
    assert locked.access_counter == 0
    assert not DocumentLog.objects.filter(document_id=locked.pk, action="download").exists()


def test_without_download_in_a_folder_its_papers_are_left_out(cast: Cast, where: Folder) -> None:
    paper(cast, where, "Nur lesen", content=b"nein", filename="nein.txt")
    FolderPermission.objects.create(tenant=cast.tenant, membership=cast.membership("renter"), folder=where, read=True)
    taken = take(cast)
    assert taken.papers == {}
    assert taken.left_out == {"Nur lesen": "Not included: You may not download documents from this folder."}


@pytest.mark.parametrize("state", ["pending", "infected"])
def test_what_the_scanner_holds_is_left_out(cast: Cast, where: Folder, state: str) -> None:
    held = paper(cast, where, "Verdacht", content=b"boese", filename="boese.txt")
    Blob.objects.filter(pk=held.current.blob_id).update(scan=state)
    taken = take(cast)
    assert taken.papers == {}
    assert list(taken.left_out) == ["Verdacht"]


def test_a_paper_that_goes_with_its_next_download_stays(cast: Cast, where: Folder) -> None:
    once = paper(cast, where, "Einmal", content=b"einmal", filename="einmal.txt", delete_after_next_download=True)
    taken = take(cast)
    assert taken.papers == {}
    assert list(taken.left_out) == ["Einmal"]
    once.refresh_from_db()
    assert once.claimed_at is None


def test_lost_bytes_are_a_note_and_no_download(cast: Cast, where: Folder) -> None:
    lost = paper(cast, where, "Verloren", content=b"verloren", filename="verloren.txt")
    paper(cast, where, "Da", content=b"da", filename="da.txt")
    storage().delete(blob_name(lost.current.blob.storage_key))
    taken = take(cast)
    assert set(taken.papers) == {"Versammlungen/da.txt"}
    assert list(taken.left_out) == ["Verloren"]
    lost.refresh_from_db()
    assert lost.access_counter == 0


def test_damaged_bytes_are_told(cast: Cast, where: Folder) -> None:
    damaged = paper(cast, where, "Kaputt", content=b"heil", filename="kaputt.txt")
    storage().local_path(blob_name(damaged.current.blob.storage_key)).write_bytes(b"leid")
    taken = take(cast)
    assert taken.rows[0]["Note"].startswith("The content broke off or is damaged")
    assert "kaputt.txt" not in taken.zip.read("SHA256SUMS").decode()


def test_a_paper_deleted_and_swept_while_the_archive_is_sent_is_a_note(cast: Cast, where: Folder) -> None:
    both = [paper(cast, where, f"{n}", content=b"Inhalt %d" % n * 40_000, filename=f"{n}.txt") for n in range(2)]
    response = ask(cast)
    pieces = iter(response)
    begun = next(pieces)  # the first one is on its way
    for document in both:
        gone(document)
    archive = zipfile.ZipFile(io.BytesIO(begun + b"".join(pieces)))
    assert archive.testzip() is None
    assert archive.read("Versammlungen/0.txt") == b"Inhalt 0" * 40_000
    assert "Versammlungen/1.txt" not in archive.namelist()
    assert "1;Versammlungen;" in archive.read("manifest.csv").decode()


def gone(document: Document) -> None:
    """Delete a document, and its content with the next sweep."""
    with scope.unit_of_work(door="test"), scope.all_tenants():
        blob = document.current.blob
        documents.delete_document(actor=None, document=document)
        Blob.objects.filter(pk=blob.pk).update(created_at="2020-01-01T00:00Z")
    with TestCase.captureOnCommitCallbacks(execute=True):
        sweeps.sweep_unreferenced()
    assert not storage().exists(blob_name(blob.storage_key))


def test_a_single_download_that_has_begun_arrives_whole(cast: Cast, where: Folder) -> None:
    content = b"Ein ganzes Haus. " * 100_000
    document = paper(cast, where, content=content, filename="haus.txt")
    pieces = iter(signed_in(cast.renter).get(f"/app/documents/{document.pk}/download"))
    begun = next(pieces)
    assert len(begun) < len(content)
    gone(document)
    assert begun + b"".join(pieces) == content


def test_a_right_taken_away_meanwhile_counts(cast: Cast, where: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docms.services.archive.BATCH", 1)
    for n in range(2):
        paper(cast, where, f"{n}", content=b"Inhalt %d" % n, filename=f"{n}.txt")
    pieces = iter(ask(cast))
    begun = next(pieces)
    Membership.objects.filter(pk=cast.membership("renter").pk).update(deactivated_at="2020-01-01T00:00Z")
    archive = zipfile.ZipFile(io.BytesIO(begun + b"".join(pieces)))
    assert [name for name in archive.namelist() if name.endswith(".txt")] == ["Versammlungen/0.txt"]


def test_equal_and_strange_names_become_unique_and_safe(cast: Cast, where: Folder) -> None:
    for n, name in enumerate(("plan.txt", "Plan.txt", "plan.txt", "con.txt", "ab:c?.txt", "...x.txt")):
        paper(cast, where, f"T{n}", content=b"%d" % n, filename=name)
    first, second = house_folder(cast, "A:B"), house_folder(cast, "A*B")
    reserved = house_folder(cast, "manifest.csv")
    for place in (first, second, reserved):
        paper(cast, place, "x", content=b"x", filename="x.txt")
    names = set(take(cast).papers)
    assert names == {
        "Versammlungen/plan.txt", "Versammlungen/Plan (2).txt", "Versammlungen/plan (3).txt", "Versammlungen/_con.txt",
        "Versammlungen/ab_c_.txt", "Versammlungen/...x.txt", "A_B/x.txt", "A_B (2)/x.txt", "manifest (2).csv/x.txt",
    }  # fmt: skip
    assert len({name.casefold() for name in names}) == len(names)


def test_a_title_that_looks_like_a_formula_is_text(cast: Cast, where: Folder) -> None:
    paper(cast, where, "=1+1", content=b"x", filename="x.txt")
    assert take(cast).rows[0]["Title"] == "'=1+1"


def test_a_folder_comes_with_what_lies_below_and_nothing_beside(cast: Cast, where: Folder) -> None:
    below, beside = house_folder(cast, "2025", parent=where), house_folder(cast, "Technik")
    for n, place in enumerate((where, below, beside)):
        paper(cast, place, f"{n}", content=b"%d" % n, filename=f"{n}.txt")
    taken = take(cast, query=f"?folder={where.pk}", what="folder")
    assert set(taken.papers) == {"Versammlungen/0.txt", "Versammlungen/2025/1.txt"}
    assert "Versammlungen" in taken.response["Content-Disposition"]


def test_the_selection_is_what_the_list_shows(cast: Cast, where: Folder) -> None:
    read, unread = (paper(cast, where, t, content=t.encode(), filename=f"{t}.txt") for t in ("alt", "neu"))
    signed_in(cast.renter).post(f"/app/documents/{read.pk}/mark-read")
    assert set(take(cast, query="?only=unread", what="selection").papers) == {"Versammlungen/neu.txt"}
    assert unread.filename == "neu.txt"


def test_the_page_offers_each_heap_with_its_size(cast: Cast, where: Folder) -> None:
    paper(cast, where, "a", content=b"x" * 1500, filename="a.txt")
    paper(cast, where, "b", content=b"y", filename="b.txt", allow_download=False)
    page = signed_in(cast.renter).get(documents_url(cast, f"/archive?folder={where.pk}&only=unread"))
    heaps = {heap.what: (heap.takeable, heap.left_out, heap.size) for heap in page.context["heaps"]}
    assert heaps == {"selection": (1, 1, 1500), "folder": (1, 1, 1500), "all": (1, 1, 1500)}


def test_the_page_costs_the_same_for_one_paper_and_three(cast: Cast, where: Folder) -> None:
    paper(cast, where)
    client, url = signed_in(cast.renter), documents_url(cast, f"/archive?folder={where.pk}")
    one = queries_of(client, url)
    for n in range(2):
        paper(cast, where, f"{n}")
        paper(cast, house_folder(cast, f"O{n}"), f"{n}")
    assert queries_of(client, url) == one


def test_the_archive_is_not_for_where_documents_are_off(cast: Cast, where: Folder) -> None:
    paper(cast, where)
    type(cast.house_a).objects.filter(pk=cast.house_a.pk).update(has_documents=False)
    assert ask(cast).status_code == 403


def test_too_many_archives_a_minute_are_refused(cast: Cast, where: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.web.archive.PER_MINUTE", 1)
    monkeypatch.setattr("core.services.rate.now", lambda: 60.0 * cast.renter.pk)
    take(cast)
    assert ask(cast).status_code == 429


def test_memory_stays_flat_however_large_the_papers(cast: Cast, where: Folder) -> None:
    def peak() -> int:
        response = ask(cast)
        tracemalloc.start()
        for _piece in response:
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    paper(cast, where, "klein", content=b"k" * 1000, filename="klein.txt")
    peak()  # what is loaded once
    small = peak()
    paper(cast, where, "groß", content=b"g" * 40_000_000, filename="gross.txt")
    assert peak() < small + 4_000_000
