"""Documents over HTTP: upload, change, deletion."""

from __future__ import annotations

import datetime
import errno
import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone

from core import storage
from core.services import rows
from docms.models import Document, Folder, FolderLabel, Group
from orgs.models import License, OrganizationSettings
from tests.docms.door import (
    OCTETS,
    PDF,
    Caller,
    b64,
    make_folder,
    make_group,
    multipart,
    permit,
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


# --- Upload and change ----------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-110")
def test_uploading_needs_the_flag_and_answers_when_stored(
    cast: Cast, admin: Caller, renter: Caller, folder: int
) -> None:
    body = {"folder_id": folder, "filename": "a.pdf", "file_data": b64(PDF)}
    renter.refused("POST", "/files", 403, body)
    permit(admin, folder, cast.renter.pk, upload=True, read=True)
    file = renter.ok("POST", "/files", body)["file_id"]
    assert renter.call("GET", f"/files/{file}/read", accept=OCTETS).raw == PDF
    assert row_of(renter, file)["is_creator"] is True


@pytest.mark.rule("DOCMS-111")
def test_changing_needs_upload_and_edit(cast: Cast, admin: Caller, renter: Caller, folder: int) -> None:
    permit(admin, folder, cast.renter.pk, upload=True)
    mine, theirs = renter.upload(folder)["file_id"], admin.upload(folder)["file_id"]
    target = make_folder(admin, "Ziel", Group.objects.get().pk)

    def allowed() -> tuple[bool, bool]:
        answers = [
            renter.call("PUT", f"/files/{file}", {"description": str(timezone.now())}) for file in (mine, theirs)
        ]
        assert {answer.status for answer in answers} <= {200, 403}
        return answers[0].status == 200, answers[1].status == 200

    assert allowed() == (False, False)
    permit(admin, folder, cast.renter.pk, upload=True, edit_own=True)
    assert allowed() == (True, False)
    permit(admin, folder, cast.renter.pk, upload=True, edit=True)
    assert allowed() == (False, True)
    permit(admin, folder, cast.renter.pk, edit=True, edit_own=True)
    assert allowed() == (False, False)
    permit(admin, folder, cast.renter.pk, upload=True, edit_own=True)
    renter.refused("PUT", f"/files/{mine}", 403, {"folder_id": target})
    permit(admin, target, cast.renter.pk, upload=True, edit_own=True)
    assert renter.ok("PUT", f"/files/{mine}", {"folder_id": target})["folder_id"] == target


@pytest.mark.rule("DOCMS-112", "DOCMS-113")
def test_content_makes_a_version(admin: Caller, folder: int) -> None:
    file = admin.upload(folder, title="Alt", version="1")["file_id"]
    admin.ok("PUT", f"/files/{file}", {"title": "Neu", "file_data": None})
    changed = admin.ok("PUT", f"/files/{file}", {"description": "Ein Satz"})
    assert (changed["title"], changed["description"], changed["version"]) == ("Neu", "Ein Satz", "1")
    assert [v["version_no"] for v in admin.ok("GET", f"/files/{file}/versions")] == [1]
    newer = PDF + b"% neu\n"
    admin.ok("PUT", f"/files/{file}", {"file_data": b64(newer), "version": "2"})
    versions = admin.ok("GET", f"/files/{file}/versions")
    assert [(v["version_no"], v["version"], v["current"]) for v in versions] == [(2, "2", True), (1, "1", False)]
    assert admin.call("GET", f"/files/{file}/download", accept=OCTETS).raw == newer
    assert admin.call("GET", f"/files/{file}/versions/1/download", accept=OCTETS).raw == PDF
    admin.refused("GET", f"/files/{file}/versions/3/download", 404)


def test_earlier_versions_are_for_editors(cast: Cast, admin: Caller, renter: Caller, folder: int) -> None:
    file = admin.upload(folder, delete_after_next_download=True)["file_id"]
    renter.refused("GET", f"/files/{file}/versions", 403)
    renter.refused("GET", f"/files/{file}/versions/1/download", 403)
    admin.ok("GET", f"/files/{file}/versions/1/download")
    assert row_of(admin, file)["access_counter"] == 1


@pytest.mark.rule("DOCMS-114", "DOCMS-132")
def test_deleting_is_for_administrators_and_leaves_a_trace(
    cast: Cast, admin: Caller, staff: Caller, folder: int
) -> None:
    file = admin.upload(folder, title="Weg damit")["file_id"]
    admin.ok("PUT", f"/files/{file}", {"file_data": b64(PDF + b"%2\n")})
    staff.refused("DELETE", f"/files/{file}", 403)
    admin.ok("DELETE", f"/files/{file}")
    admin.refused("GET", f"/files/{file}", 404)
    admin.refused("GET", f"/files/{file}/versions/1/download", 404)
    entry = admin.ok("GET", "/deleted-files?limit=1")[0]
    assert (entry["file_id"], entry["title"], entry["reason"]) == (file, "Weg damit", "manual")
    assert entry["user_id"] == cast.admin.pk
    assert "data" not in str(entry.keys())
    staff.refused("GET", "/deleted-files", 403)


@pytest.mark.rule("DOCMS-083")
def test_group_administrators_delete_where_the_tenant_lets_them(cast: Cast, admin: Caller, staff: Caller) -> None:
    group = make_group(admin, "G", cast.staff.pk, groupadmin_ids=[cast.staff.pk])
    mine, other = (
        make_folder(admin, "Meiner", group),
        make_folder(admin, "Anderer", make_group(admin, "H", cast.staff.pk)),
    )
    file, elsewhere = admin.upload(mine)["file_id"], admin.upload(other)["file_id"]
    chosen = OrganizationSettings.objects.filter(organization=cast.tenant)
    staff.refused("DELETE", f"/files/{file}", 403)
    chosen.update(groupadmin_delete_files=True)
    staff.refused("DELETE", f"/files/{file}", 403)
    chosen.update(groupadmin_active=True)
    staff.refused("DELETE", f"/files/{elsewhere}", 403)
    staff.ok("DELETE", f"/files/{file}")


@pytest.mark.rule("DOCMS-133")
def test_forms_of_base64(admin: Caller, folder: int) -> None:
    uri = f"data:application/pdf;base64,{b64(PDF)}"
    for data in (b64(PDF), uri):
        body = {"folder_id": folder, "filename": "a.pdf", "file_data": data}
        file = admin.ok("POST", "/files", body)["file_id"]
        assert admin.ok("GET", f"/files/{file}/download") == {"filename": "a.pdf", "data": b64(PDF)}
    for wrong in ("§§§", b64(PDF)[:-1], "data:application/pdf," + b64(PDF), "ab=c", b64(PDF) + "\n", "=" * 8):
        body = {"folder_id": folder, "filename": "a.pdf", "file_data": wrong}
        admin.refused("POST", "/files", 400, body)
    for empty in ("", None):
        admin.refused("POST", "/files", 400, {"folder_id": folder, "filename": "a.pdf", "file_data": empty})
    assert Document.objects.count() == 2


@pytest.mark.rule("DOCMS-134", "DOCMS-125")
def test_the_limit_itself_is_not_big_and_holds_for_new_content_too(admin: Caller, folder: int, settings: Any) -> None:
    assert settings.BASE64_LIMIT == 50 * 1024 * 1024
    settings.BASE64_LIMIT = len(PDF) + 10
    made = admin.upload(folder, PDF + b"%" * 10)
    assert made["is_on_fileserver"] is False
    path, big = f"/files/{made['file_id']}", PDF + b"%" * 11
    admin.ok("GET", f"{path}/download")
    admin.refused("PUT", path, 413, {"file_data": b64(big)})
    assert [version["version_no"] for version in admin.ok("GET", f"{path}/versions")] == [1]
    answer = multipart(admin, "PUT", path, {}, big)
    assert answer.status == 200, answer.raw
    assert answer.body["is_on_fileserver"] is True
    admin.refused("GET", f"{path}/versions/2/download", 413)
    assert admin.call("GET", f"{path}/versions/2/download", accept=OCTETS).raw == big


@pytest.mark.rule("DOCMS-134", "DOCMS-125")
def test_big_content_takes_other_ways(cast: Cast, admin: Caller, folder: int, settings: Any) -> None:
    settings.BASE64_LIMIT = len(PDF) + 10
    big = PDF + b"%" * 30
    body = {"folder_id": folder, "filename": "a.pdf", "file_data": b64(big)}
    admin.refused("POST", "/files", 413, body)
    answer = multipart(admin, "POST", "/files", {"folder_id": folder, "title": "Groß"}, big)
    assert answer.status == 200, answer.raw
    assert (answer.body["is_on_fileserver"], answer.body["filename"]) == (True, "plan.pdf")
    file = answer.body["file_id"]
    for how in ("read", "download"):
        admin.refused("GET", f"/files/{file}/{how}", 413)
        assert admin.call("GET", f"/files/{file}/{how}", accept=OCTETS).raw == big
    assert row_of(admin, file)["access_counter"] == 2
    assert admin.upload(folder)["is_on_fileserver"] is False
    licence = rows.create(License, organization=cast.tenant, features=[2])
    refusal = multipart(admin, "POST", "/files", {"folder_id": folder}, big + b"x")
    assert (refusal.status, refusal.body["message"]) == (403, "LICENSE_REQUIRED")
    rows.change(licence, {"features": [1]})
    assert multipart(admin, "POST", "/files", {"folder_id": folder}, big + b"x").status == 200
    settings.UPLOAD_LIMIT = 10
    assert multipart(admin, "POST", "/files", {"folder_id": folder}, big).status == 413


def test_changing_content_by_multipart(admin: Caller, folder: int) -> None:
    file = admin.upload(folder)["file_id"]
    answer = multipart(admin, "PUT", f"/files/{file}", {"title": "Neu"}, PDF + b"%2\n")
    assert (answer.status, answer.body["title"]) == (200, "Neu")
    assert len(admin.ok("GET", f"/files/{file}/versions")) == 2


def test_a_disk_that_fills_up_while_a_file_comes_keeps_no_half_of_it(
    admin: Caller, folder: int, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    """Gone with the answer, not when the garbage is collected some time."""
    settings.STORAGE_URL = f"file://{tmp_path}"
    plain = storage.TempObject.write

    def write(self: storage.TempObject, chunk: bytes) -> None:
        plain(self, chunk[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage.TempObject, "write", write)
    gc.disable()
    try:
        answer = multipart(admin, "POST", "/files", {"folder_id": folder}, PDF * 1000)
        assert answer.status == 507
        assert list((tmp_path / "tmp").iterdir()) == []
    finally:
        gc.enable()


def test_multipart_names_the_part_that_is_missing(admin: Caller, folder: int) -> None:
    file = admin.upload(folder)["file_id"]
    body = encode_multipart(BOUNDARY, {"metadata": "{}"})
    refusal = admin.call("PUT", f"/files/{file}", data=body, content_type=MULTIPART_CONTENT)
    assert refusal.status == 400 and refusal.body["message"].startswith("content: "), refusal.body


@pytest.mark.rule("DOCMS-186")
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {
            "title": "Protokoll", "description": "Zeile\nzwei", "version": "2", "label_name": "Wichtig", "identifier": "AZ 1",
            "allow_download": False, "active_date": "2026-01-02", "inactive_date": "2099-01-02T10:00:00+02:00",
            "delete_after_next_download": True, "internal_note": "nur für uns",
        },
    ],
)  # fmt: skip
@pytest.mark.parametrize("marks", [True, False])
def test_a_new_document_is_answered_as_it_is_read(
    cast: Cast, admin: Caller, folder: int, fields: dict[str, Any], marks: bool
) -> None:
    """It is put together from what was written, not read again."""
    OrganizationSettings.objects.filter(organization=cast.tenant).update(mark_read=marks)
    Folder.objects.filter(pk=folder).update(inactive_at=timezone.now() + datetime.timedelta(days=9))
    FolderLabel.objects.create(tenant=cast.tenant, folder_id=folder, name="Wichtig", color="#ff0000")
    made = admin.upload(folder, **fields)
    assert made == admin.ok("GET", f"/files/{made['file_id']}")
    assert (made["label_name"], made["internal_note"]) == (fields.get("label_name"), fields.get("internal_note"))


def test_text_comes_back_as_it_was_sent(admin: Caller) -> None:
    title = " Nebenkosten für Frau Żółć – 3. OG „links“ 🏠 "
    group = admin.ok("POST", "/groups", {"name": "Größe Ł 🐘"})
    assert admin.ok("GET", f"/groups/{group['group_id']}")["name"] == "Größe Ł 🐘"
    folder = make_folder(admin, "Straße Ś 🏡")
    made = admin.upload(folder, title=title, description="Zażółć\ngęślą", filename="Müll 🗑.pdf", identifier="ä/ö")
    row = row_of(admin, made["file_id"])
    assert (row["title"], row["description"]) == (title, "Zażółć\ngęślą")
    assert (row["filename"], row["identifier"]) == ("Müll 🗑.pdf", "ä/ö")


@pytest.mark.rule("DOCMS-196")
def test_days_are_the_start_of_the_day_in_utc(admin: Caller, folder: int) -> None:
    made = admin.upload(folder, active_date="2031-05-01", inactive_date="2031-06-01T12:00:00.5+02:00")
    document = Document.objects.get(pk=made["file_id"])
    assert document.active_from == datetime.datetime(2031, 5, 1, tzinfo=datetime.UTC)
    assert document.active_until == datetime.datetime(2031, 6, 1, 10, 0, 0, 500_000, tzinfo=datetime.UTC)
    again = admin.ok("PUT", f"/files/{document.pk}", {"inactive_date": "2031-12-01"})
    assert again["inactive_date"] == "2031-12-01T01:00:00.000+0100"
    assert made["active_date"] == "2031-05-01T02:00:00.000+0200"
    assert made["inactive_date"] == "2031-06-01T12:00:00.500+0200"
    for wrong in ("2031-13-01", "morgen", "2031-05-01T12:00:00", 5, "0001-01-01T00:00:00+14:00"):
        admin.refused("PUT", f"/files/{document.pk}", 400, {"active_date": wrong})
    admin.refused("PUT", f"/files/{document.pk}", 400, {"first_access": "2031-05-01"})


@pytest.mark.rule("DOCMS-197")
@pytest.mark.parametrize("title", ["   ", "\u200b", "\u00a0"])
def test_a_title_that_shows_nothing_is_none(admin: Caller, folder: int, title: str) -> None:
    file = admin.upload(folder, title=title, filename="brief.pdf")["file_id"]
    assert admin.ok("GET", f"/files/{file}")["title"] == "brief.pdf"
    admin.ok("PUT", f"/files/{file}", {"title": "Brief"})
    admin.ok("PUT", f"/files/{file}", {"title": title})
    assert str(Document.objects.get(pk=file)) == "brief.pdf"


def test_the_file_name_is_the_title_of_last_resort(admin: Caller, folder: int) -> None:
    assert admin.upload(folder, filename="plan 3.pdf")["title"] == "plan 3.pdf"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b.pdf", "x\u0000.pdf", "", "."])
def test_tricks_in_names_are_refused(admin: Caller, folder: int, name: str) -> None:
    admin.refused("POST", "/files", 400, {"folder_id": folder, "filename": name, "file_data": b64(PDF)})
    assert not Document.objects.exists()


def test_a_period_that_ends_before_it_begins_names_the_field(admin: Caller, folder: int) -> None:
    body = {"folder_id": folder, "filename": "a.pdf", "file_data": b64(PDF)}
    period = {"active_date": "2027-02-01", "inactive_date": "2027-01-01"}
    assert admin.refused("POST", "/files", 400, body | period)["message"].startswith("inactive_date: ")


def test_a_changed_period_that_ends_before_it_begins_names_the_field(admin: Caller, folder: int) -> None:
    file_id = admin.upload(folder, active_date="2027-02-01")["file_id"]
    refusal = admin.refused("PUT", f"/files/{file_id}", 400, {"inactive_date": "2027-01-01"})
    assert refusal["message"].startswith("inactive_date: ")


def test_empty_content_names_the_field(admin: Caller, folder: int) -> None:
    body = {"folder_id": folder, "filename": "a.pdf", "file_data": "data:text/plain;base64,"}
    assert admin.refused("POST", "/files", 400, body)["message"].startswith("file_data: ")


def test_a_colon_in_a_file_name_stays(admin: Caller, folder: int) -> None:
    assert admin.upload(folder, filename="a:b")["filename"] == "a:b"
