"""Reading and downloading: rights, proof, counters, and documents that go with their next download."""

from __future__ import annotations

import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from core.errors import Conflict, Denied, NotFound, TooLarge, WrongType
from core.models import Blob, DestructionRecord
from core.services import blobs, rows
from docms.models import Document, DocumentLog, ReadMark
from docms.services import claims, delivery, documents, marks, permissions
from tests.docms.door import PDF, b64, signed_in, soon
from tests.factories import at_once, folder, manual_group, pdf, publish, stored

if TYPE_CHECKING:
    from tests.cast import Cast

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def paper(cast: Cast) -> Document:
    """A PDF in a folder of renter and owner."""
    return publish(cast, folder(cast, group=manual_group(cast, "Alle", "renter", "owner", "staff")))


def read(cast: Cast, paper: Document, who: str = "renter", **more: Any) -> Any:
    return delivery.open_for_read(document_id=paper.pk, actor=cast.actor(who), **more)


def download(cast: Cast, paper: Document, who: str = "renter", **more: Any) -> Any:
    return delivery.open_for_download(document_id=paper.pk, actor=cast.actor(who), **more)


def log(paper: Document) -> list[tuple[int, str]]:
    found = DocumentLog.objects.filter(document_id=paper.pk).exclude(action="create").order_by("id")
    return list(found.values_list("user_id", "action"))


def traces() -> tuple[int, int, int]:
    opened = DocumentLog.objects.filter(action__in=["read", "download"]).count()
    return opened, ReadMark.objects.count(), sum(Document.objects.values_list("access_counter", flat=True))


@pytest.mark.rule("DOCMS-116")
def test_reading_and_downloading_need_their_flag_and_are_logged(cast: Cast, paper: Document) -> None:
    def allow(**flags: bool) -> None:
        permissions.set_permission(
            actor=cast.actor("admin"), folder=paper.folder, user_id=cast.renter.pk, flags=flags
        )  # fmt: skip

    allow(download=True)
    with pytest.raises(Denied):
        read(cast, paper)
    download(cast, paper)
    allow(read=True)
    with pytest.raises(Denied):
        download(cast, paper)
    read(cast, paper)
    assert log(paper) == [(cast.renter.pk, "download"), (cast.renter.pk, "read")]
    assert traces() == (2, 1, 2)


@pytest.mark.parametrize("who", ["neighbour", "former", "guest", "stranger", "operator"])
def test_what_somebody_does_not_see_does_not_exist_for_them(cast: Cast, paper: Document, who: str) -> None:
    for call in (read, download):
        with pytest.raises(NotFound):
            call(cast, paper, who)
    for service in (marks.mark_read, lambda **kw: marks.set_done(done=True, **kw)):
        with pytest.raises(NotFound):
            service(document_id=paper.pk, actor=cast.actor(who))
    assert traces() == (0, 0, 0)


@pytest.mark.rule("DOCMS-117")
@pytest.mark.parametrize(
    ("content", "filename", "shown"),
    [
        (pdf(), "a.pdf", True),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "a.png", True),
        (b"Text", "a.txt", True),
        (b"<html><script>alert(1)</script></html>", "a.html", False),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.svg", False),
        (b"PK\x03\x04" + b"\0" * 60, "a.zip", False),
        (b"<html>", "schein.pdf", False),
    ],
)
def test_the_viewer_shows_only_its_types(cast: Cast, content: bytes, filename: str, shown: bool) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    paper = publish(cast, where, content=content, filename=filename)
    if shown:
        read(cast, paper)
    else:
        with pytest.raises(WrongType) as refused:
            read(cast, paper)
        assert refused.value.status == 415
        assert traces() == (0, 0, 0)
    download(cast, paper)


@pytest.mark.rule("DOCMS-118")
def test_a_locked_document_is_read_but_downloaded_by_nobody(cast: Cast, paper: Document) -> None:
    documents.change_document(actor=cast.actor("admin"), document=paper, changes={"allow_download": False})
    for who in ("renter", "admin"):
        with pytest.raises(Denied) as refused:
            download(cast, paper, who)
        assert (refused.value.status, refused.value.code) == (403, "download_locked")
        read(cast, paper, who)


def test_what_succeeds_is_opened_and_proven_in_one_statement(
    cast: Cast, paper: Document, django_assert_num_queries: Any
) -> None:
    actor = cast.actor("renter")
    with django_assert_num_queries(1):
        document, version, blob = delivery.open_for_download(document_id=paper.pk, actor=actor)
    assert paper.current is not None
    assert (document, version, blob) == (paper, paper.current, paper.current.blob)
    assert (document.access_counter, blob.size) == (1, paper.current.blob.size)
    assert document.title == paper.title  # comes when somebody asks for it
    assert traces() == (1, 1, 1)


@pytest.mark.rule("DOCMS-119")
@pytest.mark.django_db(transaction=True)
def test_each_access_counts_once_also_at_the_same_time(cast: Cast) -> None:
    paper = publish(cast, folder(cast, group=manual_group(cast, "Alle", "renter", "owner")))
    calls = [
        lambda who=who, call=call: call(cast, paper, who)[0].pk
        for who in ("renter", "owner")
        for call in (read, download)
    ]
    assert at_once(*calls, *calls) == [paper.pk] * 8
    read(cast, paper)
    paper.refresh_from_db()
    assert paper.access_counter == 9
    assert len(log(paper)) == 9
    assert ReadMark.objects.count() == 2


@pytest.mark.rule("DOCMS-120")
def test_the_first_access_is_kept_and_clients_cannot_set_it(cast: Cast, paper: Document) -> None:
    assert paper.first_access is None
    first = read(cast, paper)[0].first_access
    download(cast, paper, "owner")
    paper.refresh_from_db()
    assert paper.first_access == first
    other = timezone.now() - HOUR
    for who, expected in (("staff", first), ("admin", other)):
        documents.change_document(actor=cast.actor(who), document=paper, changes={"first_access": other, "title": who})
        paper.refresh_from_db()
        assert paper.first_access == expected
    documents.change_document(actor=cast.actor("admin"), document=paper, changes={"first_access": None})
    paper.refresh_from_db()
    assert paper.first_access is None


@pytest.mark.rule("DOCMS-120")
def test_a_first_access_cannot_be_brought_along_at_an_upload(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "staff"))
    for who in ("staff", "admin"):
        body = {"folder_id": where.pk, "filename": f"{who}.pdf", "file_data": b64(PDF)}
        signed_in(getattr(cast, who), cast.tenant).ok("POST", "/files", body | {"first_access": soon(days=-9)})
    assert set(Document.objects.values_list("first_access", flat=True)) == {None}


@pytest.mark.rule("DOCMS-121")
def test_outside_of_its_period_a_document_is_for_uploader_and_administrators(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter", "staff", "owner"))
    now = timezone.now()
    before = publish(cast, where, who="staff", active_from=now + HOUR)
    after = publish(cast, where, who="staff", active_from=now - 2 * HOUR, active_until=now - HOUR)
    within = publish(cast, where, who="staff", active_from=now - HOUR, active_until=now + HOUR)
    for who, seen in (
        ("renter", {within}),
        ("owner", {within}),
        ("staff", {before, after, within}),
        ("admin", {before, after, within}),
    ):
        assert set(Document.objects.visible_to(cast.actor(who), all=True)) == seen, who
        assert set(Document.objects.in_folder(where.pk, cast.actor(who))) == seen, who
    with pytest.raises(NotFound):
        read(cast, before)
    read(cast, before, "staff")


@pytest.mark.rule("DOCMS-122")
def test_a_document_goes_with_its_next_download_and_not_with_reading(cast: Cast, paper: Document) -> None:
    documents.change_document(actor=cast.actor("admin"), document=paper, changes={"delete_after_next_download": True})
    read(cast, paper)
    assert not claims.finish_claimed(paper.pk)
    _document, _version, blob = download(cast, paper)
    with blobs.open_blob(blob) as file:
        assert file.read(4) == b"%PDF"
    for who in ("renter", "admin", "owner"):
        with pytest.raises(NotFound):
            read(cast, paper, who)
    assert not Document.objects.visible_to(cast.actor("admin"), all=True).exists()
    assert claims.finish_claimed(paper.pk)
    assert not claims.finish_claimed(paper.pk)
    assert not Document.objects.exists()
    record = DestructionRecord.objects.get()
    assert (record.reason, record.user) == ("next_download", None)
    assert record.rule["claimed_by"] == cast.renter.pk


def test_a_claimed_document_stays_hidden_while_its_folder_protects_it(cast: Cast, paper: Document) -> None:
    documents.change_document(actor=cast.actor("admin"), document=paper, changes={"delete_after_next_download": True})
    rows.change(paper.folder, {"allow_delete_files": timezone.now() + HOUR})
    download(cast, paper)
    assert claims.delete_claimed() == {"deleted": 0, "waiting": 1}
    assert not Document.objects.visible_to(cast.actor("admin"), all=True).exists()
    rows.change(paper.folder, {"allow_delete_files": timezone.now() - HOUR})
    assert claims.delete_claimed() == {"deleted": 1, "waiting": 0}
    assert claims.delete_claimed() == {"deleted": 0, "waiting": 0}


@pytest.mark.rule("DOCMS-123")
@pytest.mark.django_db(transaction=True)
def test_of_two_downloads_at_once_exactly_one_succeeds(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter", "owner"))
    for number in range(3):
        paper = publish(cast, where, delete_after_next_download=True, title=f"Runde {number}")
        calls = [partial(download, cast, paper, who) for who in ("renter", "owner", "admin")]
        outcomes = at_once(*calls)
        assert sorted(type(o).__name__ for o in outcomes) == ["NotFound", "NotFound", "tuple"]
        assert [action for _user, action in log(paper)] == ["download"]


@pytest.mark.rule("DOCMS-126")
def test_reading_or_downloading_the_current_version_marks_it_read(cast: Cast, paper: Document) -> None:
    def read_by(who: str) -> bool:
        return not Document.objects.unread_by(cast.membership(who).pk).filter(pk=paper.pk).exists()

    assert cast.tenant.settings.mark_read is True
    read(cast, paper, "renter")
    download(cast, paper, "owner")
    assert (read_by("renter"), read_by("owner"), read_by("staff")) == (True, True, False)
    mark = ReadMark.objects.get(membership=cast.membership("owner"))
    assert mark.downloaded_at is not None
    assert ReadMark.objects.get(membership=cast.membership("renter")).downloaded_at is None


@pytest.mark.rule("DOCMS-128")
def test_unread_is_what_is_visible_and_not_read_in_its_current_version(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    one, two, three = (publish(cast, where, title=t) for t in ("Eins", "Zwei", "Drei"))
    hidden = publish(cast, folder(cast, "Andere", manual_group(cast, "Andere", "owner")))
    publish(cast, where, active_from=timezone.now() + HOUR)

    def unread(who: str) -> set[Document]:
        return set(Document.objects.visible_to(cast.actor(who)).unread_by(cast.membership(who).pk))

    assert unread("renter") == {one, two, three}
    assert unread("owner") == {hidden}
    read(cast, one)
    marks.mark_read(document_id=two.pk, actor=cast.actor("renter"))
    marks.mark_read(document_id=two.pk, actor=cast.actor("renter"))
    assert unread("renter") == {three}
    two.refresh_from_db()
    assert (two.access_counter, two.first_access, log(two)) == (0, None, [])
    documents.change_document(
        actor=cast.actor("admin"), document=two, changes={}, blob=stored(cast.tenant, b"Neuer Inhalt")
    )
    assert unread("renter") == {two, three}


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"scan": Blob.Scan.PENDING}, Conflict),
        ({"scan": Blob.Scan.INFECTED}, Conflict),
        ({"missing_since": timezone.now()}, NotFound),
    ],
)
def test_bytes_that_may_not_leave_are_refused_and_not_counted(
    cast: Cast, paper: Document, values: dict[str, Any], error: type[Exception]
) -> None:
    assert paper.current is not None
    rows.change(paper.current.blob, values)
    for call in (read, download):
        with pytest.raises(error):
            call(cast, paper)
    assert traces() == (0, 0, 0)


def test_a_limit_is_asked_before_anything_is_counted(cast: Cast, paper: Document) -> None:
    documents.change_document(actor=cast.actor("admin"), document=paper, changes={"delete_after_next_download": True})
    with pytest.raises(TooLarge):
        download(cast, paper, max_bytes=10)
    assert traces() == (0, 0, 0)
    assert Document.objects.get().claimed_at is None


def test_the_parts_of_one_transfer_count_once_but_never_unseen(cast: Cast, paper: Document) -> None:
    later = RequestFactory().get("/", headers={"Range": "bytes=100-"})
    read(cast, paper, request=later)  # nothing was opened before: this is an access
    assert traces() == (1, 1, 1)
    read(cast, paper, request=later)
    assert traces() == (1, 1, 1)
    read(cast, paper, request=RequestFactory().get("/", headers={"Range": "bytes=0-99"}))
    assert traces() == (2, 1, 2)
    read(cast, paper, "owner", request=later)
    assert traces() == (3, 2, 3)
    read(cast, paper, "staff", request=RequestFactory().head("/"))
    assert traces() == (3, 2, 3)


def test_the_answer_carries_the_bytes(cast: Cast, paper: Document) -> None:
    request = RequestFactory().get("/")
    shown = delivery.read(document_id=paper.pk, actor=cast.actor("renter"), request=request)
    assert b"".join(shown).startswith(b"%PDF")
    assert shown["Content-Disposition"].startswith("inline")
    saved = delivery.download(document_id=paper.pk, actor=cast.actor("renter"), request=request)
    assert saved["Content-Disposition"] == 'attachment; filename="hausordnung.pdf"'
    as_json = delivery.read(document_id=paper.pk, actor=cast.actor("renter"), request=request, as_json=True)
    assert b'"filename": "hausordnung.pdf"' in as_json.content  # type: ignore[attr-defined]
    for response in (shown, saved):
        response.close()


def test_text_is_read_as_text_and_never_run(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    content = "Größe <script>alert(1)</script>".encode()
    paper = publish(cast, where, content=content, filename="notiz.html")
    shown = delivery.read(document_id=paper.pk, actor=cast.actor("renter"), request=RequestFactory().get("/"))
    assert b"".join(shown) == content
    assert shown["Content-Type"] == "text/plain; charset=utf-8"
    assert shown["Content-Disposition"].startswith("inline")
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    shown.close()


def test_the_preview_needs_a_right_and_counts_nothing(cast: Cast, paper: Document) -> None:
    request = RequestFactory().get("/")
    permissions.set_permission(
        actor=cast.actor("admin"), folder=paper.folder, user_id=cast.renter.pk, flags={"log": True}
    )
    with pytest.raises(Denied):
        delivery.preview(document_id=paper.pk, actor=cast.actor("renter"), request=request)
    with pytest.raises(NotFound):  # there is none yet
        delivery.preview(document_id=paper.pk, actor=cast.actor("owner"), request=request)
    assert traces() == (0, 0, 0)


def test_an_earlier_version_is_logged_and_claims_nothing(cast: Cast, paper: Document) -> None:
    documents.change_document(
        actor=cast.actor("admin"), document=paper, changes={"delete_after_next_download": True},
        blob=stored(cast.tenant, b"Neuer Inhalt"), filename="neu.txt",
    )  # fmt: skip
    _document, version, _blob = delivery.open_version(document_id=paper.pk, number=1, actor=cast.actor("renter"))
    assert version.filename == "hausordnung.pdf"
    assert Document.objects.get().claimed_at is None
    assert [action for _user, action in log(paper)][-1] == "download"
    unread = Document.objects.unread_by(cast.membership("renter").pk)
    assert unread.get() == paper
    with pytest.raises(NotFound):
        delivery.open_version(document_id=paper.pk, number=7, actor=cast.actor("renter"))


@pytest.mark.parametrize("people", [1, 3])
def test_opening_costs_one_statement_however_many_have_rights_there(
    cast: Cast, paper: Document, people: int, django_assert_num_queries: Any
) -> None:
    for person in (cast.renter, cast.owner, cast.staff)[:people]:
        permissions.set_permission(
            actor=cast.actor("admin"), folder=paper.folder, user_id=person.pk, flags={"read": True, "download": True}
        )
        delivery.open_for_read(document_id=paper.pk, actor=cast.actor(person))
    actor = cast.actor("renter")
    for opened in (delivery.open_for_download, delivery.open_for_read):
        with django_assert_num_queries(1):
            _document, version, blob = opened(document_id=paper.pk, actor=actor)
            assert (version.number, blob.mime, version.filename) == (1, "application/pdf", "hausordnung.pdf")


def test_what_was_opened_knows_its_new_count(cast: Cast, paper: Document) -> None:
    document, _version, _blob = read(cast, paper)
    assert document.access_counter == 1
    first = document.first_access
    document, _version, _blob = download(cast, paper)
    assert (document.access_counter, document.first_access) == (2, first)
    assert document.title == "hausordnung.pdf"  # the rest of the row comes when it is asked for


def test_a_mark_that_says_it_already_is_not_written_again(cast: Cast, paper: Document) -> None:
    def place() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ctid::text FROM docms_readmark WHERE document_id = %s", [paper.pk])
            found: str = cursor.fetchone()[0]
            return found

    read(cast, paper)
    before, read_once = place(), ReadMark.objects.get(document=paper)
    read(cast, paper)
    assert place() == before
    download(cast, paper)
    taken = ReadMark.objects.get(document=paper)
    assert (taken.first_at, taken.downloaded_at is not None) == (read_once.first_at, True)
    moved = place()
    download(cast, paper)
    read(cast, paper)
    assert place() == moved
    assert ReadMark.objects.get(document=paper).downloaded_at == taken.downloaded_at


def test_a_document_deleted_since_it_was_looked_up_leaves_no_trace_of_opening(cast: Cast, paper: Document) -> None:
    actor = cast.actor("renter")
    seen, _flags = delivery._seen_with(paper.pk, actor, "download")
    assert seen.current is not None
    documents.delete_document(actor=cast.actor("admin"), document=paper)
    with pytest.raises(NotFound):
        delivery._prove(seen, seen.current, actor, delivery.DOWNLOAD, None)
    assert traces() == (0, 0, 0)
