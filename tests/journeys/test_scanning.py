"""A file and the virus scanner, through every door: waiting, clean, infected, and a scanner that is down."""

from __future__ import annotations

import datetime
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core import scope, tasks
from core.models import AuditEntry, Blob, SystemLog
from core.services import scanning, wake
from docms.models import Document, DocumentIndex, DocumentLog, Folder
from docms.services import notify
from docms.tasks import index_document
from messaging.models import Message
from orgs.models import ImportRun, OrganizationSettings, User
from orgs.services.register import runs
from script.embedded.clamd import EICAR
from tests.core.material import picture
from tests.docms.door import OCTETS, Answer, b64
from tests.docms.door import signed_in as called_by
from tests.factories import pdf, stored
from tests.portal.pages import documents_url, house_folder, paper, signed_in
from tests.servers import MailSink, eventually

if TYPE_CHECKING:
    from script.embedded import Clamd
    from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)

MALWARE = b"%PDF-1.4\n" + EICAR
REGISTER = b"community_ref;unit_ref;contact_ref;last_name;role\nQ;1;K1;Quast;renter\n"
MAILS = Counter(dict.fromkeys((f"{who}@quartier.test" for who in ("owner", "renter", "additional")), 1))
CHECKED = {"de": "wird noch geprüft", "en": "still being checked"}


@pytest.fixture(autouse=True)
def awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process believes in its broker, whatever tests before have done to it."""
    monkeypatch.setattr(wake._broker, "silent_until", 0.0)


@pytest.fixture
def where(cast: Cast) -> Folder:
    """A folder whose people are told of new papers."""
    return house_folder(cast, mail_after_upload_enable=True)


def scan(document: Document) -> str:
    assert document.current is not None
    tasks.scan_document(document.current.blob_id)
    return Blob.objects.get(pk=document.current.blob_id).scan


def at_the_doors(cast: Cast, document: Document) -> dict[str, Any]:
    """What each way of getting at the bytes answers to somebody who may: status, and body."""
    portal, office = signed_in(cast.renter), signed_in(cast.admin)
    api, admin = called_by(cast.renter, cast.tenant), called_by(cast.admin, cast.tenant)
    found: dict[str, Any] = {}
    for how in ("download", "read", "preview"):
        for who, client in (("portal", portal), ("office", office)):
            found[f"{who} {how}"] = Answer(client.get(f"/app/documents/{document.pk}/{how}"))
    for how in ("download", "read", "versions/1/download"):
        for kind in ("application/json", OCTETS):
            caller = admin if "versions" in how else api
            found[f"api {how} {kind}"] = caller.call("GET", f"/files/{document.pk}/{how}", accept=kind)
    found["range"] = Answer(portal.get(f"/app/documents/{document.pk}/download", headers={"Range": "bytes=0-9"}))
    return found


def run_job() -> None:
    """The scheduler's minute is over."""
    Blob.objects.update(updated_at=timezone.now() - datetime.timedelta(minutes=2))
    assert wake.wake("core.catch_up_scans")


# --- Doors ------------------------------------------------------------------------------------------------


def test_a_clean_paper_leaves_by_every_door(cast: Cast, where: Folder, clamd: Clamd) -> None:
    """Or the refusals below would tell nothing."""
    content = pdf()
    document = paper(cast, where, content=content)
    assert scan(document) == "clean"
    tasks.make_preview(document.current.blob_id)  # type: ignore[union-attr]
    for door, answer in at_the_doors(cast, document).items():
        assert answer.status == (206 if door == "range" else 200), door
        if answer.is_json:
            assert answer.body["data"] == b64(content), door
        elif "preview" not in door:
            assert answer.raw == (content[:10] if door == "range" else content), door


@pytest.mark.parametrize(
    ("content", "state", "code"),
    [(pdf(), "pending", "BEING_CHECKED"), (MALWARE, "infected", "INFECTED"), (bytes(2000), "too_large", "UNCHECKED")],
    ids=["pending", "infected", "too large"],
)
def test_what_is_held_leaves_by_no_door(
    cast: Cast, where: Folder, clamd: Clamd, settings: Any, content: bytes, state: str, code: str
) -> None:
    settings.CLAMAV_LIMIT = 1999 if state == "too_large" else settings.CLAMAV_LIMIT
    name = "zahlen.bin" if state == "too_large" else "brief.pdf"
    document = paper(cast, where, content=content, filename=name)
    if state != "pending":
        assert scan(document) == state
    tasks.make_preview(document.current.blob_id)  # type: ignore[union-attr]
    for door, answer in at_the_doors(cast, document).items():
        assert content[-60:] not in answer.raw, door
        if "preview" in door:
            assert answer.status == 404, door
        else:
            assert answer.status == 409, door
        if door.startswith("api"):
            assert answer.body["message"] == code, door
            assert answer.response.headers.get("Retry-After") == ("30" if state == "pending" else None), door
    assert not DocumentLog.objects.filter(action__in=("read", "download")).exists()
    document.refresh_from_db()
    assert (document.access_counter, document.first_access) == (0, None)


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_page_says_that_a_paper_is_being_checked(cast: Cast, where: Folder, clamd: Clamd, language: str) -> None:
    document = paper(cast, where, "Einladung")
    User.objects.filter(pk=cast.renter.pk).update(language=language)
    client = signed_in(cast.renter)
    shown = client.get(documents_url(cast, f"?doc={document.pk}")).content.decode()
    assert CHECKED[language] in shown
    assert f"/app/documents/{document.pk}/download" not in shown
    assert f"/app/documents/{document.pk}/read" not in shown
    refused = client.get(f"/app/documents/{document.pk}/download")
    assert CHECKED[language] in refused.content.decode()
    assert refused["Retry-After"] == "30"
    scan(document)
    shown = client.get(documents_url(cast, f"?doc={document.pk}")).content.decode()
    assert CHECKED[language] not in shown
    assert f"/app/documents/{document.pk}/download" in shown


def test_the_page_says_that_a_paper_is_blocked(cast: Cast, where: Folder, clamd: Clamd) -> None:
    document = paper(cast, where, content=MALWARE)
    scan(document)
    shown = signed_in(cast.renter).get(documents_url(cast, f"?doc={document.pk}")).content.decode()
    assert "Schadsoftware" in shown
    assert f"/app/documents/{document.pk}/download" not in shown


def test_the_back_office_shows_what_was_found(cast: Cast, where: Folder, clamd: Clamd) -> None:
    bad, good = paper(cast, where, "Mahnung", content=MALWARE), paper(cast, where, "Rundbrief")
    assert (scan(bad), scan(good)) == ("infected", "clean")
    office = signed_in(cast.admin)
    listed = office.get("/admin/docms/document/?current__blob__scan__exact=infected").content.decode()
    assert "Mahnung" in listed
    assert "Rundbrief" not in listed
    assert str(Blob.Scan.INFECTED.label) in listed
    form = office.get(f"/admin/docms/document/{bad.pk}/change/").content.decode()
    assert "Schadsoftware" in form
    entry = AuditEntry.objects.get(verb="malware_found")
    assert entry.tenant_id == cast.tenant.pk
    assert SystemLog.objects.get().tenant_id == cast.tenant.pk


def test_nobody_searches_the_text_of_what_is_held(cast: Cast, where: Folder, clamd: Clamd) -> None:
    document = paper(cast, where, content=pdf("Hochwasserschutz"))
    index_document(document.pk)
    assert DocumentIndex.objects.get(document=document).text == ""
    scan(document)
    index_document(document.pk)
    assert "Hochwasserschutz" in DocumentIndex.objects.get(document=document).text


def test_a_logo_is_shown_once_it_is_clean(cast: Cast, clamd: Clamd) -> None:
    with scope.unit_of_work(door="test"), scope.all_tenants():
        logo = stored(cast.tenant, picture())
        OrganizationSettings.objects.filter(organization=cast.tenant).update(logo=logo)
    client, url = signed_in(cast.renter), f"/app/brand/{cast.tenant.pk}/logo"
    api = called_by(cast.admin, cast.tenant)
    assert client.get(url).status_code == 404
    assert api.ok("GET", "/tenants/current/public")["logo"] is None
    tasks.scan_document(logo.pk)
    assert Answer(client.get(url)).raw == picture()
    assert api.ok("GET", "/tenants/current/public")["logo"] == b64(picture())


def test_a_register_is_read_once_it_is_clean(cast: Cast, clamd: Clamd) -> None:
    signed_in(cast.admin).post("/admin/orgs/importrun/add/", {"file": SimpleUploadedFile("register.csv", REGISTER)})
    run = ImportRun.objects.get()
    assert not runs.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("waiting", 0)
    assert run.file is not None
    tasks.scan_document(run.file.pk)
    assert runs.catch_up() == {"runs": 1}
    run.refresh_from_db()
    assert run.state == "done"


def test_a_register_with_malware_fails_and_says_why(cast: Cast, clamd: Clamd) -> None:
    file = SimpleUploadedFile("register.csv", REGISTER + EICAR)
    signed_in(cast.admin).post("/admin/orgs/importrun/add/", {"file": file})
    run = ImportRun.objects.get()
    assert run.file is not None
    tasks.scan_document(run.file.pk)
    assert runs.catch_up() == {"runs": 1}
    run.refresh_from_db()
    assert (run.state, run.failure) == ("failed", "blocked")


# --- Mails, with a real worker ----------------------------------------------------------------------------


def arrived(smtp: MailSink) -> Counter[str]:
    return Counter(address for envelope in smtp.envelopes for address in envelope.rcpt_tos)


@pytest.fixture
def scanned(clamd: Clamd, monkeypatch: pytest.MonkeyPatch) -> Clamd:
    """A scanner that the worker, too, will know."""
    monkeypatch.setenv("CLAMAV_URL", clamd.url)
    return clamd


def test_people_are_told_when_a_paper_is_clean_and_never_of_malware(
    cast: Cast, where: Folder, scanned: Clamd, worker: None, smtp: MailSink
) -> None:
    api = called_by(cast.admin, cast.tenant)
    bad = Document.objects.get(pk=api.upload(where.pk, MALWARE, filename="mahnung.pdf")["file_id"])
    good = Document.objects.get(pk=api.upload(where.pk, pdf("Heizkosten"), filename="einladung.pdf")["file_id"])
    assert eventually(lambda: arrived(smtp) == MAILS), arrived(smtp)
    assert eventually(lambda: Blob.objects.get(pk=bad.current.blob_id).scan == "infected")  # type: ignore[union-attr]
    assert eventually(lambda: DocumentIndex.objects.filter(document=good, text__contains="Heizkosten").exists())
    assert eventually(lambda: Blob.objects.get(pk=good.current.blob_id).preview_state == "ready")  # type: ignore[union-attr]
    with scope.unit_of_work(door="test"), scope.all_tenants():
        assert notify.announce(bad.pk) == 0
    notify.release_documents()
    assert set(Message.objects.values_list("recipients__document_id", flat=True)) == {good.pk}
    assert arrived(smtp) == MAILS
    bad.refresh_from_db()
    assert bad.notified_at is None


def test_while_the_scanner_is_down_papers_and_mails_wait(
    cast: Cast, where: Folder, scanned: Clamd, worker: None, smtp: MailSink
) -> None:
    scanned.stop()
    document = paper(cast, where, content=pdf("Heizkosten"))
    run_job()
    assert eventually(lambda: SystemLog.objects.filter(category=scanning.TASK, action="held").exists())
    notify.release_documents()
    assert not Message.objects.exists()
    assert signed_in(cast.renter).get(f"/app/documents/{document.pk}/download").status_code == 409

    scanned.start()
    run_job()
    assert eventually(lambda: arrived(smtp) == MAILS), arrived(smtp)
    assert Answer(signed_in(cast.renter).get(f"/app/documents/{document.pk}/download")).status == 200
    run_job()
    notify.release_documents()
    assert wake.wake("messaging.sweep")
    assert not eventually(lambda: arrived(smtp) != MAILS, seconds=2)  # once
