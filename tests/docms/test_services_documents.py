"""Documents: upload, change, versions, move, deletion."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.errors import Changed, Conflict, Denied, Invalid, NotFound
from core.models import AuditEntry, Blob, DestructionRecord
from core.services import blobs, rows, sweeps
from core.storage import blob_name, storage
from docms.models import (
    Document,
    DocumentHold,
    DocumentIndex,
    DocumentLog,
    DocumentVersion,
    Folder,
    FolderLabel,
    ReadMark,
)
from docms.services import delivery, documents, folders, indexing, marks, permissions
from orgs.models import Hold
from tests.factories import at_once, folder, manual_group, pdf, publish, stored

if TYPE_CHECKING:
    from tests.cast import Cast

HOUR = datetime.timedelta(hours=1)


def change(cast: Cast, paper: Document, who: str = "admin", **values: Any) -> Document:
    blob, filename = values.pop("blob", None), values.pop("new_name", None)
    return documents.change_document(
        actor=cast.actor(who),
        document=paper,
        changes=values,
        blob=blob,
        filename=filename,
    )


def found(cast: Cast, who: str, words: str) -> list[int]:
    return sorted(Document.objects.search(cast.actor(who), words).values_list("pk", flat=True))


def label(where: Folder, name: str, color: str = "#ff0000") -> FolderLabel:
    return FolderLabel.objects.create(tenant=where.tenant, folder=where, name=name, color=color)


# --- Upload ---------------------------------------------------------------------------------------------


def test_an_upload_makes_document_version_index_log_and_history(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    paper = publish(cast, where, title="Hausordnung", version_label="1.0", identifier="HO-7")
    version = DocumentVersion.objects.get()
    assert (paper.current, version.number, version.label, version.filename) == (version, 1, "1.0", "hausordnung.pdf")
    assert (paper.size_bytes, paper.mime, paper.is_big) == (version.blob.size, "application/pdf", False)
    assert list(DocumentLog.objects.values_list("document_id", "user", "action")) == [
        (paper.pk, cast.admin.pk, "create")
    ]
    assert found(cast, "renter", "hausordnung ho 7") == [paper.pk]
    assert found(cast, "owner", "hausordnung") == []
    assert AuditEntry.objects.filter(object_type="docms.document", object_id=str(paper.pk), verb="created").exists()


@pytest.mark.rule("DOCMS-197")
def test_without_title_a_document_takes_its_file_name(cast: Cast) -> None:
    where = folder(cast)
    assert publish(cast, where, filename="Müll & Co.pdf").title == "Müll & Co.pdf"
    assert publish(cast, where, filename="x" * 300 + ".pdf").title.startswith("xxx")
    assert publish(cast, where, filename="a.pdf", title="Aushang").title == "Aushang"


def test_uploading_needs_the_flag_in_the_folder(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter", "staff"))
    with pytest.raises(Denied):
        publish(cast, where, who="renter")
    permissions.set_permission(actor=cast.actor("admin"), folder=where, user_id=cast.staff.pk, flags={"read": True})
    with pytest.raises(Denied):
        publish(cast, where, who="staff")
    permissions.set_permission(actor=cast.actor("admin"), folder=where, user_id=cast.renter.pk, flags={"upload": True})
    assert publish(cast, where, who="renter").uploaded_by == cast.renter
    assert Document.objects.count() == 1


def test_names_lose_their_folders_and_nul_is_refused(cast: Cast) -> None:
    where = folder(cast)
    assert publish(cast, where, filename="../../etc/passwd.pdf").filename == "passwd.pdf"
    wrong: tuple[dict[str, Any], ...] = ({"filename": "a\x00.pdf"}, {"title": "a\x00b"}, {"description": "\ud800"})
    for values in wrong:
        with pytest.raises(Invalid):
            publish(cast, where, **values)
    assert Document.objects.count() == 1


@pytest.mark.parametrize(
    "values",
    [
        {"title": "x" * 251},
        {"description": "x" * 4001},
        {"identifier": "x" * 251},
        {"active_from": timezone.now(), "active_until": timezone.now() - HOUR},
    ],
)
def test_wrong_values_are_refused_and_leave_nothing(cast: Cast, values: dict[str, Any]) -> None:
    with pytest.raises((Invalid, ValidationError)):
        publish(cast, folder(cast), **values)
    assert not Document.objects.exists()
    assert not DocumentVersion.objects.exists()


def test_bytes_of_another_tenant_are_not_attached(cast: Cast) -> None:
    with pytest.raises(NotFound):
        documents.publish(
            actor=cast.actor("admin"), folder=folder(cast), blob=stored(cast.other_tenant), filename="a.pdf"
        )


@pytest.mark.django_db(transaction=True)
def test_an_upload_into_a_folder_that_is_deleted_meanwhile_fails_cleanly(cast: Cast) -> None:
    where = folder(cast)
    outcomes = at_once(
        lambda: publish(cast, where).pk,
        lambda: folders.delete_folder(actor=cast.actor("admin"), folder=where),
    )
    assert not Folder.objects.exists()
    assert not Document.objects.exists()
    assert {type(o) for o in outcomes} <= {NotFound, type(None), int}
    assert None in outcomes


@pytest.mark.rule("DOCMS-139")
def test_a_label_is_one_of_the_folders_and_brings_its_colour(cast: Cast) -> None:
    where, other = folder(cast), folder(cast, "Andere")
    label(where, "Eilig", "#ff0000")
    label(other, "Ablage", "#00ff00")
    paper = publish(cast, where, label_name="Eilig")
    assert paper.label is not None
    assert paper.label.color == "#ff0000"
    with pytest.raises(Invalid) as refused:
        publish(cast, where, label_name="Ablage")
    assert "label_name" in refused.value.fields
    with pytest.raises(Invalid):
        change(cast, paper, label_name="Ablage")
    assert change(cast, paper, label_name=None).label is None
    assert list(DocumentLog.objects.filter(document_id=paper.pk, action="label").values_list("label", flat=True)) == [
        "Eilig",
        "",
    ]


# --- Change ---------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-112")
def test_a_change_of_data_keeps_content_and_version(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    paper = publish(cast, where, title="Alt")
    indexing.index_content(paper.pk)
    version = paper.current
    before = paper.changed_at
    fresh = change(cast, paper, title="Neu", description="ausführlich", new_name="neu.pdf")
    assert (fresh.title, fresh.description, fresh.filename) == ("Neu", "ausführlich", "neu.pdf")
    assert fresh.current == version
    assert DocumentVersion.objects.count() == 1
    assert version is not None
    assert version.filename == "hausordnung.pdf"
    assert fresh.changed_at > before
    assert found(cast, "renter", "neu ausführlich Hausordnung") == [paper.pk]  # the content stays in the index
    assert found(cast, "renter", "alt") == []


@pytest.mark.rule("DOCMS-113")
def test_new_content_keeps_the_old_as_earlier_version(cast: Cast) -> None:
    where = folder(cast)
    content = pdf()
    paper = publish(cast, where, version_label="A", content=content)
    old = paper.current
    fresh = change(cast, paper, blob=stored(cast.tenant, b"Neuer Text"), new_name="neu.txt", version_label="B")
    assert old is not None
    assert fresh.current is not None
    assert [(v.number, v.label, v.filename) for v in documents.versions(paper)] == [
        (1, "A", "hausordnung.pdf"), (2, "B", "neu.txt"),
    ]  # fmt: skip
    assert fresh.current.number == 2
    assert (fresh.mime, fresh.size_bytes) == ("text/plain", 10)
    with blobs.open_blob(old.blob) as file:
        assert file.read() == content
    assert change(cast, fresh, blob=stored(cast.tenant, b"Dritter")).current.number == 3  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_two_new_versions_at_once_get_two_numbers(cast: Cast) -> None:
    paper = publish(cast, folder(cast))
    one, two = stored(cast.tenant, b"eins"), stored(cast.tenant, b"zwei")
    at_once(lambda: change(cast, paper, blob=one).pk, lambda: change(cast, paper, blob=two).pk)
    assert list(documents.versions(paper).values_list("number", flat=True)) == [1, 2, 3]


@pytest.mark.rule("DOCMS-127")
def test_a_new_version_is_unread_for_everybody_but_its_uploader_and_keeps_the_rest(cast: Cast) -> None:
    switched = manual_group(cast, "Alle", "renter", "owner", show_check_mark=True)
    where = folder(cast, group=switched, show_check_mark=True)
    paper = publish(cast, where)
    for who in ("admin", "renter"):
        delivery.open_for_read(document_id=paper.pk, actor=cast.actor(who))
    marks.set_done(document_id=paper.pk, actor=cast.actor("renter"), done=True)
    paper.refresh_from_db()
    kept = (paper.done, paper.done_at, paper.done_by_id, paper.first_access, paper.access_counter)

    def read_by(who: str) -> bool:
        return not Document.objects.unread_by(cast.membership(who).pk).filter(pk=paper.pk).exists()

    assert (read_by("admin"), read_by("renter"), read_by("owner")) == (True, True, False)
    change(cast, paper, blob=stored(cast.tenant, b"Neuer Text"))
    assert (read_by("admin"), read_by("renter"), read_by("owner")) == (True, False, False)
    paper.refresh_from_db()
    assert kept == (paper.done, paper.done_at, paper.done_by_id, paper.first_access, paper.access_counter)
    assert kept[0] is True
    assert kept[4] == 2


def test_first_access_is_set_by_administrators_only(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "staff"))
    paper = publish(cast, where)
    moment = timezone.now() - HOUR
    assert change(cast, paper, "staff", first_access=moment, title="x").first_access is None
    assert change(cast, paper, first_access=moment).first_access == moment
    assert change(cast, paper, first_access=None).first_access is None


def test_a_move_takes_index_and_label_along(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    target = folder(cast, "Ziel", manual_group(cast, "Andere", "owner"))
    label(where, "Eilig"), label(where, "Nur hier"), label(target, "eilig", "#0000ff")
    paper, other = publish(cast, where, label_name="Eilig"), publish(cast, where, label_name="Nur hier")
    assert change(cast, paper, folder=target).label.color == "#0000ff"  # type: ignore[union-attr]
    assert change(cast, other, folder=target).label is None
    assert DocumentIndex.objects.get(document=paper).folder_id == target.pk
    assert found(cast, "owner", "hausordnung") == [paper.pk, other.pk]
    assert found(cast, "renter", "hausordnung") == []


def test_a_change_is_refused_when_somebody_else_was_faster(cast: Cast) -> None:
    paper = publish(cast, folder(cast))
    change(cast, paper, title="Eins")
    with pytest.raises(Changed):
        documents.change_document(actor=cast.actor("admin"), document=paper, changes={"title": "Zwei"}, expected=1)
    paper.refresh_from_db()
    assert paper.title == "Eins"


@pytest.mark.parametrize("title", ["Zeile\r\nBcc: wer@example.org", "a\tb", "\x1b[31m"])
def test_a_title_has_one_line(cast: Cast, title: str) -> None:
    where = folder(cast)
    with pytest.raises(Invalid) as refusal:
        publish(cast, where, title=title)
    assert list(refusal.value.fields) == ["title"]
    assert publish(cast, where, description="Zwei\nZeilen").description == "Zwei\nZeilen"


def test_nothing_changed_is_written_nowhere(cast: Cast) -> None:
    paper = publish(cast, folder(cast), title="Gleich")
    before = AuditEntry.objects.count()
    fresh = change(cast, paper, title="Gleich")
    assert (fresh.changed_at, fresh.row_version) == (paper.changed_at, paper.row_version)
    assert AuditEntry.objects.count() == before
    assert not DocumentLog.objects.filter(action="edit").exists()


# --- Deletion -------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-105")
def test_a_folders_date_protects_its_documents_also_from_administrators(cast: Cast) -> None:
    where = folder(cast, allow_delete_files=timezone.now() + HOUR)
    paper = publish(cast, where)
    with pytest.raises(Conflict) as refused:
        documents.delete_document(actor=cast.actor("admin"), document=paper)
    assert refused.value.code == "deletion_locked"
    assert documents.deletable_problem(paper)
    assert Document.objects.filter(pk=paper.pk).exists()
    rows.change(where, {"allow_delete_files": timezone.now() - HOUR})
    documents.delete_document(actor=cast.actor("admin"), document=paper)
    assert not Document.objects.exists()


@pytest.mark.rule("DOCMS-114")
def test_the_content_of_a_deleted_document_goes_unless_it_is_needed(
    cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    where = folder(cast)
    paper = publish(cast, where, content=b"Fassung eins")
    change(cast, paper, blob=stored(cast.tenant, b"Fassung zwei"))
    publish(cast, where, content=b"bleibt")
    with django_capture_on_commit_callbacks(execute=True):
        documents.delete_document(actor=cast.actor("admin"), document=paper)
        Blob.objects.update(created_at=timezone.now() - datetime.timedelta(days=2))
        names = {blob.pk: blob_name(blob.storage_key) for blob in Blob.objects.all()}
        sweeps.sweep_unreferenced()
    [kept] = Blob.objects.all()
    assert kept.size == len(b"bleibt")
    assert {pk: storage().exists(name) for pk, name in names.items()} == {pk: pk == kept.pk for pk in names}


@pytest.mark.rule("DOCMS-114", "DOCMS-132")
def test_administrators_delete_a_document_with_all_versions_and_a_record_stays(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "staff", "renter"))
    paper = publish(cast, where, who="staff", title="Vertraulich", content=b"Inhalt eins")
    change(cast, paper, blob=stored(cast.tenant, b"Inhalt zwei"))
    delivery.open_for_download(document_id=paper.pk, actor=cast.actor("renter"))
    paper_id = paper.pk
    for who in ("staff", "renter"):
        with pytest.raises(Denied):
            documents.delete_document(actor=cast.actor(who), document=paper)
    documents.delete_document(actor=cast.actor("admin"), document=paper)
    for table in (Document, DocumentVersion, DocumentIndex, ReadMark):
        assert not table.objects.exists()
    record = DestructionRecord.objects.get()
    assert (record.object_id, record.title, record.filename) == (paper_id, "Vertraulich", "hausordnung.pdf")
    assert (record.folder_id, record.user, record.reason) == (where.pk, cast.admin, "manual")
    assert {f.name for f in DestructionRecord._meta.concrete_fields} & {"text", "content", "blob"} == set()
    assert DocumentLog.objects.filter(document_id=paper_id, action="delete", user=cast.admin).count() == 1
    with pytest.raises(NotFound):
        documents.delete_document(actor=cast.actor("admin"), document=paper)


@pytest.mark.rule("DOCMS-132")
def test_an_automatic_deletion_leaves_a_record_without_person(cast: Cast) -> None:
    paper = publish(cast, folder(cast))
    documents.delete_document(actor=None, document=paper, reason="folder_date", rule={"days": 3})
    record = DestructionRecord.objects.get()
    assert (record.user, record.reason, record.rule) == (None, "folder_date", {"days": 3})


def test_held_documents_are_not_deleted(cast: Cast) -> None:
    where = folder(cast)
    paper = publish(cast, where)
    hold = Hold.objects.create(tenant=cast.tenant, title="Streit", reason="Klage", placed_by=cast.admin)
    DocumentHold.objects.create(tenant=cast.tenant, hold=hold, document=paper)
    for actor in (cast.actor("admin"), None):
        with pytest.raises(Conflict) as refused:
            documents.delete_document(actor=actor, document=paper)
        assert refused.value.code == "held"
    rows.change(hold, {"released_at": timezone.now()})
    documents.delete_document(actor=cast.actor("admin"), document=paper)
    assert not DocumentHold.objects.exists()


# --- Index ----------------------------------------------------------------------------------------------


def test_the_text_of_a_pdf_is_found_and_a_late_result_is_discarded(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    paper = publish(cast, where, content=pdf("Heizkostenabrechnung"))
    assert found(cast, "renter", "heizkostenabrechnung") == []
    assert indexing.index_content(paper.pk)
    assert found(cast, "renter", "heizkostenabrechnung") == [paper.pk]
    assert found(cast, "owner", "heizkostenabrechnung") == []

    def slow(blob: Blob) -> str:
        change(cast, paper, blob=stored(cast.tenant, b"Wasser"))
        return "Gasrechnung"

    monkeypatch.setattr(indexing, "text_of", slow)
    assert not indexing.index_content(paper.pk)
    assert found(cast, "renter", "gasrechnung") == []
    assert not indexing.index_content(987654)


@pytest.mark.parametrize("content", [b"%PDF-1.4 kaputt", pdf()[:200]])
def test_a_damaged_pdf_stays_searchable_by_its_data(cast: Cast, content: bytes) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    paper = publish(cast, where, content=content, title="Beschädigt")
    indexing.index_content(paper.pk)
    assert found(cast, "renter", "beschädigt") == [paper.pk]


def test_a_text_that_nobody_was_told_to_read_is_found_and_read_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = folder(cast)
    read, forgotten, fresh = (publish(cast, where, content=pdf(word)) for word in ("Eins", "Zwei", "Drei"))
    publish(cast, where, content=b"GIF89a", filename="bild.gif")  # holds no text
    told: list[int] = []
    monkeypatch.setattr(indexing, "wake", lambda task, pk: told.append(pk) or True)
    assert indexing.index_content(read.pk)
    Document.objects.exclude(pk=fresh.pk).update(changed_at=timezone.now() - indexing.FORGOTTEN - HOUR)
    assert indexing.catch_up() == {"texts": 1}
    assert told == [forgotten.pk]
    assert indexing.index_unread(forgotten.pk)
    assert not indexing.index_unread(forgotten.pk)
    assert indexing.catch_up() == {"texts": 0}


def test_a_new_version_is_to_be_read_again_a_new_title_is_not(cast: Cast) -> None:
    paper = publish(cast, folder(cast), content=pdf("Eins"))
    indexing.index_content(paper.pk)
    change(cast, paper, title="Neu")
    assert not indexing.index_unread(paper.pk)
    change(cast, paper, blob=stored(cast.tenant, pdf("Zwei")))
    assert indexing.index_unread(paper.pk)
