"""A legal hold on a document, person, unit or community stops every way in which anything is deleted."""

from __future__ import annotations

import datetime
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from core import scope, tasks
from core.errors import Conflict, Denied, Invalid, NotFound
from core.models import AuditEntry, Blob, DestructionRecord
from core.services import sweeps
from core.storage import blob_name, storage
from docms.models import Document, DocumentHold, DocumentVersion, Folder
from docms.services import claims, delivery, destruction, documents, folders, holds, retention
from orgs.models import Hold
from orgs.services import holds as places
from tests.docms.door import signed_in as at_the_door
from tests.factories import folder, publish
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

DAY = datetime.timedelta(days=1)
ANCHORS = ("document", "contact", "unit", "community", "community of the unit")


def place_of(cast: Cast, anchor: str) -> dict[str, Any]:
    """Where the held folder lies."""
    return {
        "document": {},
        "contact": {"contact": cast.contact("renter")},
        "unit": {"unit": cast.unit_a2},
        "community": {"community": cast.house_a},
        "community of the unit": {"unit": cast.unit_a2},
    }[anchor]


def hold_on(cast: Cast, anchor: str, paper: Document) -> Hold:
    """A hold of that kind, through the services."""
    words: dict[str, Any] = {
        "actor": cast.actor("admin"), "tenant_id": cast.tenant.pk, "title": "Streit", "reason": "Klage",
    }  # fmt: skip
    if anchor == "document":
        return holds.place(**words, document_ids=[paper.pk]).hold
    on = {"community": cast.house_a} if anchor == "community of the unit" else place_of(cast, anchor)
    return places.place(**words, **on)


def on_papers(cast: Cast, *papers: Document, who: str = "admin") -> holds.Placed:
    """A hold on documents by name."""
    return holds.place(
        actor=cast.actor(who),
        tenant_id=cast.tenant.pk,
        document_ids=[paper.pk for paper in papers],
        title="Streit",
        reason="Klage",
    )


# --- Every way in which a document goes -------------------------------------------------------------------


def by_service(cast: Cast, paper: Document) -> None:
    documents.delete_document(actor=cast.actor("admin"), document=paper)


def by_api(cast: Cast, paper: Document) -> None:
    at_the_door(cast.admin, cast.tenant).call("DELETE", f"/files/{paper.pk}")


def by_folder_api(cast: Cast, paper: Document) -> None:
    at_the_door(cast.admin, cast.tenant).call("DELETE", f"/folders/{paper.folder_id}")


def by_office(cast: Cast, paper: Document) -> None:
    signed_in(cast.admin).post(f"/admin/docms/document/{paper.pk}/delete/", {"post": "yes"})


def by_folder_office(cast: Cast, paper: Document) -> None:
    signed_in(cast.admin).post(f"/admin/docms/folder/{paper.folder_id}/delete/", {"post": "yes"})


def by_folder_above(cast: Cast, paper: Document) -> None:
    above = folder(cast, f"Über {paper.folder_id}")
    Folder.objects.filter(pk=paper.folder_id).update(parent=above, ancestors=[above.pk])
    folders.delete_folder(actor=cast.actor("admin"), folder=above)


def by_date(cast: Cast, paper: Document) -> None:
    Folder.objects.filter(pk=paper.folder_id).update(auto_delete_files=True, allow_delete_files=timezone.now() - DAY)
    retention.delete_by_folder_date()


def by_first_access(cast: Cast, paper: Document) -> None:
    Folder.objects.filter(pk=paper.folder_id).update(file_delete_files=1)
    Document.objects.filter(pk=paper.pk).update(first_access=timezone.now() - 2 * DAY)
    retention.delete_after_first_access()


def by_size(cast: Cast, paper: Document) -> None:
    type(cast.tenant.settings).objects.filter(organization=cast.tenant).update(delete_big_file_after_hours=1)
    Document.objects.filter(pk=paper.pk).update(is_big=True, created_at=timezone.now() - DAY)
    DocumentVersion.objects.filter(document=paper).update(created_at=timezone.now() - DAY)
    retention.delete_big_files()


def by_download(cast: Cast, paper: Document) -> None:
    Document.objects.filter(pk=paper.pk).update(delete_after_next_download=True)
    delivery.open_for_download(document_id=paper.pk, actor=cast.actor("admin"))
    claims.finish_claimed(paper.pk)


def by_claims_sweep(cast: Cast, paper: Document) -> None:
    Document.objects.filter(pk=paper.pk).update(claimed_at=timezone.now())
    claims.delete_claimed()


WAYS = (
    by_service, by_api, by_folder_api, by_office, by_folder_office, by_folder_above, by_date, by_first_access, by_size,
    by_download, by_claims_sweep,
)  # fmt: skip


def attempt(way: Callable[[Cast, Document], None], cast: Cast, paper: Document) -> None:
    """A way, whose refusal is no failure of the test: what counts is whether the document is there."""
    with suppress(Conflict):
        way(cast, paper)


@pytest.mark.parametrize("anchor", ANCHORS)
@pytest.mark.parametrize("way", WAYS)
def test_a_hold_stops_every_way_until_it_is_released(
    cast: Cast, anchor: str, way: Callable[[Cast, Document], None]
) -> None:
    paper = publish(cast, folder(cast, "Gehalten", **place_of(cast, anchor)))
    beside = publish(cast, folder(cast, "Frei"))
    hold = hold_on(cast, anchor, paper)
    attempt(way, cast, paper)
    assert Document.objects.filter(pk=paper.pk).exists()
    assert Folder.objects.filter(pk=paper.folder_id).exists()
    way(cast, beside)
    assert not Document.objects.filter(pk=beside.pk).exists()
    places.release(actor=cast.actor("admin"), hold=hold, reason="Vergleich")
    again: dict[Any, Any] = {
        by_download: by_claims_sweep,
        by_folder_above: by_folder_office,
    }  # what was begun, not begun once more
    again.get(way, way)(cast, paper)
    assert not Document.objects.filter(pk=paper.pk).exists()
    assert DestructionRecord.objects.filter(object_id=paper.pk).count() == 1


def test_the_sweep_of_bytes_keeps_those_of_a_held_document(cast: Cast) -> None:
    paper = publish(cast, folder(cast), content=b"gehalten")
    gone = publish(cast, folder(cast, "Frei"), content=b"frei")
    on_papers(cast, paper)
    documents.delete_document(actor=cast.actor("admin"), document=gone)
    attempt(by_service, cast, paper)
    Blob.objects.update(created_at=timezone.now() - 2 * DAY)
    kept = paper.current.blob_id if paper.current else 0
    assert sweeps.sweep_unreferenced() == {"blobs": 1}
    assert list(Blob.objects.values_list("pk", flat=True)) == [kept]


@pytest.mark.django_db(transaction=True)
def test_a_deletion_has_the_bytes_removed_that_nothing_else_refers_to(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[Any, ...]] = []
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        where = folder(cast)
        papers = [publish(cast, where, content=content) for content in (b"einzeln", b"geteilt", b"geteilt")]
    Blob.objects.update(created_at=timezone.now() - 2 * DAY)
    monkeypatch.setattr("core.services.destruction.wake", lambda *call: told.append(call))
    for paper in papers[:2]:
        with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
            by_service(cast, paper)
    blobs = [paper.current.blob for paper in papers if paper.current]
    assert told == [("docms.remove_content", blob.pk) for blob in blobs[:2]]
    names = [blob_name(blob.storage_key) for blob in blobs]
    for _task, *ids in told:
        tasks.remove_content(*ids)
    assert list(Blob.objects.values_list("pk", flat=True)) == sorted({blobs[1].pk, blobs[2].pk} - {blobs[0].pk})
    there = {name for name, _at in storage().names("blobs")}
    assert names[0] not in there
    assert names[2] in there


def test_moving_a_document_away_is_no_way_around_a_hold(cast: Cast) -> None:
    held = folder(cast, "Wohnung", unit=cast.unit_a2)
    free = folder(cast, "Frei")
    paper, other = publish(cast, held), publish(cast, free)
    hold = hold_on(cast, "unit", paper)
    for moved in (paper, other):
        documents.change_document(
            actor=cast.actor("admin"), document=moved, changes={"folder": folder(cast, f"Anderswo {moved.pk}")}
        )
    with pytest.raises(Conflict):
        by_service(cast, paper)
    by_service(cast, other)
    places.release(actor=cast.actor("admin"), hold=hold, reason="Vergleich")
    by_service(cast, paper)


@pytest.mark.parametrize("where", ["itself", "below"])
def test_taking_a_folder_off_its_place_is_no_way_around_a_hold(cast: Cast, where: str) -> None:
    top = folder(cast, "Wohnung", unit=cast.unit_a2)
    below = folder(cast, "Darunter", parent=top)
    paper = publish(cast, top if where == "itself" else below)
    hold_on(cast, "unit", paper)
    folders.change_folder(actor=cast.actor("admin"), folder=top, changes={"unit": cast.unit_a1})
    paper.refresh_from_db()
    assert paper.folder.unit == cast.unit_a1
    with pytest.raises(Conflict):
        by_service(cast, paper)
    assert DocumentHold.objects.get().document == paper


# --- Placing and releasing --------------------------------------------------------------------------------


def test_placing_on_many_documents_tells_which_are_gone(cast: Cast) -> None:
    where = folder(cast)
    kept, gone = publish(cast, where), publish(cast, where)
    by_service(cast, gone)
    placed = on_papers(cast, kept, gone)
    assert (placed.covered, placed.gone) == ([kept.pk], [gone.pk])
    with pytest.raises(NotFound) as refused:
        on_papers(cast, gone)
    assert refused.value.code == "gone"


def test_documents_of_another_tenant_are_not_held(cast: Cast) -> None:
    paper = publish(cast, folder(cast))
    with pytest.raises(NotFound):
        holds.place(
            actor=cast.actor("stranger"), tenant_id=cast.other_tenant.pk, document_ids=[paper.pk], title="x", reason="y"
        )


@pytest.mark.parametrize("who", ["staff", "renter", "stranger"])
def test_only_administrators_of_the_tenant_place_and_release(cast: Cast, who: str) -> None:
    paper = publish(cast, folder(cast))
    with pytest.raises(Denied):
        on_papers(cast, paper, who=who)
    words: dict[str, Any] = {"tenant_id": cast.tenant.pk, "title": "Streit", "reason": "Klage", "unit": cast.unit_a2}
    with pytest.raises(Denied):
        places.place(actor=cast.actor(who), **words)
    hold = places.place(actor=cast.actor("admin"), **words)
    with pytest.raises(Denied):
        places.release(actor=cast.actor(who), hold=hold, reason="Vergleich")
    hold.refresh_from_db()
    assert hold.released_at is None


def test_placing_and_releasing_are_audited_with_their_reasons(cast: Cast) -> None:
    paper = publish(cast, folder(cast))
    hold = on_papers(cast, paper).hold
    places.release(actor=cast.actor("admin"), hold=hold, reason="Vergleich")
    placed, released = AuditEntry.objects.filter(object_type="orgs.hold").order_by("id")
    assert (placed.verb, released.verb) == ("placed", "hold_released")
    assert (placed.changes or {})["reason"] == [None, "Klage"]
    assert (released.changes or {})["release_reason"] == ["", "Vergleich"]
    held = AuditEntry.objects.get(object_type="docms.document", verb="held")
    assert (held.object_id, held.changes) == (str(paper.pk), {"hold": [None, hold.pk]})


# --- At the same moment -----------------------------------------------------------------------------------


def race(cast: Cast, paper: Document, monkeypatch: pytest.MonkeyPatch, delete: Callable[[], object]) -> list[object]:
    """Delete, and place a hold in the middle of it: after the deletion has asked, before it has deleted."""
    outcomes: list[object] = []
    asked, plain = threading.Event(), destruction._record

    def slow(*args: Any) -> None:
        plain(*args)
        asked.set()
        placing.join(1)  # it would be through by then if nothing kept it
        assert placing.is_alive()

    def place() -> None:
        asked.wait(10)
        try:
            with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
                outcomes.append(on_papers(cast, paper))
        except NotFound as gone:
            outcomes.append(gone.code)
        finally:
            connection.close()

    placing = threading.Thread(target=place)
    monkeypatch.setattr(destruction, "_record", slow)
    placing.start()
    delete()
    placing.join(20)
    return outcomes


@pytest.mark.parametrize("way", [by_service, by_date, by_folder_api, by_claims_sweep])
@pytest.mark.django_db(transaction=True)
def test_a_hold_that_comes_while_a_deletion_runs_finds_the_document_gone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, way: Callable[[Cast, Document], None]
) -> None:
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        paper = publish(cast, folder(cast))

    def delete() -> None:
        if way is by_service:
            with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
                way(cast, paper)
        else:
            way(cast, paper)

    assert race(cast, paper, monkeypatch, delete) == ["gone"]
    assert not Document.objects.exists()
    assert not Hold.objects.exists()


@pytest.mark.parametrize("anchor", ANCHORS)
@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_comes_while_a_hold_is_placed_finds_it_in_force(cast: Cast, anchor: str) -> None:
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        paper = publish(cast, folder(cast, **place_of(cast, anchor)))
    deletions: list[object] = []

    def delete() -> None:
        try:
            with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
                by_service(cast, paper)
            deletions.append("gone")
        except Conflict as refused:
            deletions.append(refused.code)
        finally:
            connection.close()

    deleting = threading.Thread(target=delete)
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        hold_on(cast, anchor, paper)
        deleting.start()
        deleting.join(1)
        assert deletions == []
    deleting.join(20)
    assert deletions == ["held"]
    assert Document.objects.get() == paper


# --- What the parameters of the services refuse -------------------------------------------------------------


def test_a_hold_needs_a_title_a_reason_and_something_to_cover(cast: Cast) -> None:
    words: dict[str, Any] = {"actor": cast.actor("admin"), "tenant_id": cast.tenant.pk}
    for title, reason in (("", "Klage"), ("Streit", " ")):
        with pytest.raises(ValidationError):
            places.place(**words, title=title, reason=reason, unit=cast.unit_a2)
    with pytest.raises(Invalid):
        places.place(**words, title="Streit", reason="Klage")
    with pytest.raises(NotFound):
        places.place(**words, title="Streit", reason="Klage", unit=cast.foreign_unit)
    hold = places.place(**words, title="Streit", reason="Klage", unit=cast.unit_a2)
    with pytest.raises(Invalid):
        places.release(actor=cast.actor("admin"), hold=hold, reason="  ")
    places.release(actor=cast.actor("admin"), hold=hold, reason="Vergleich")
    with pytest.raises(Conflict):
        places.release(actor=cast.actor("admin"), hold=hold, reason="noch einmal")
