"""Documents over HTTP: upload, lists, reading, downloading, marks, search, versions, logs."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone

from core.services import rows
from docms.models import Document, DocumentLog, FolderLabel, Group
from orgs.models import License, OrganizationSettings
from tests.cast import Cast
from tests.docms.door import PDF, Answer, Caller, b64, cost_of, signed_in
from tests.docms.test_api_folders import make_folder, make_group, soon

pytestmark = pytest.mark.django_db
OCTETS = "application/octet-stream"
NO_FLAGS = dict.fromkeys(("read", "download", "upload", "edit", "edit_own", "mail", "log"), False)


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


def permit(admin: Caller, folder: int, user_id: int, **flags: bool) -> None:
    """Replace the global flags of one user in a folder."""
    admin.ok("PUT", f"/folders/{folder}/permissions/{user_id}", {"active": True, **NO_FLAGS, **flags})


def multipart(caller: Caller, method: str, path: str, fields: Any, content: bytes, name: str = "plan.pdf") -> Answer:
    """A request whose content is a part of its own."""
    data = {"metadata": json.dumps(fields), "content": SimpleUploadedFile(name, content, "application/pdf")}
    return caller.call(method, path, data=encode_multipart(BOUNDARY, data), content_type=MULTIPART_CONTENT)


def row_of(caller: Caller, file: int) -> dict[str, Any]:
    """One document."""
    found: dict[str, Any] = caller.ok("GET", f"/files/{file}")
    return found


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


@pytest.mark.rule("DOCMS-186")
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
    assert made["active_date"] == "2031-05-01T02:00:00.000+0200"
    assert made["inactive_date"] == "2031-06-01T12:00:00.500+0200"
    for wrong in ("2031-13-01", "morgen", "2031-05-01T12:00:00", 5, "0001-01-01T00:00:00+14:00"):
        admin.refused("PUT", f"/files/{document.pk}", 400, {"active_date": wrong})
    admin.refused("PUT", f"/files/{document.pk}", 400, {"first_access": "2031-05-01"})


@pytest.mark.rule("DOCMS-197")
def test_the_file_name_is_the_title_of_last_resort(admin: Caller, folder: int) -> None:
    assert admin.upload(folder, filename="plan 3.pdf")["title"] == "plan 3.pdf"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b.pdf", "x\u0000.pdf", "", "."])
def test_tricks_in_names_are_refused(admin: Caller, folder: int, name: str) -> None:
    admin.refused("POST", "/files", 400, {"folder_id": folder, "filename": name, "file_data": b64(PDF)})
    assert not Document.objects.exists()


# --- What lists say -------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-115")
def test_no_list_carries_content(admin: Caller, folder: int) -> None:
    file = admin.upload(folder)["file_id"]
    for method, path, body in (
        ("GET", "/files?all=true", None), ("GET", f"/folders/{folder}/files", None), ("GET", f"/files/{file}", None),
        ("POST", "/files/paging", {"ids": [file]}), ("PUT", f"/files/{file}", {"title": "x"}),
        ("GET", f"/files/{file}/versions", None),
    ):  # fmt: skip
        answer = admin.call(method, path, body)
        assert answer.status == 200
        assert b64(PDF)[:40].encode() not in answer.raw
        assert b"file_data" not in answer.raw


@pytest.mark.rule("DOCMS-121")
def test_documents_have_a_period(cast: Cast, admin: Caller, renter: Caller, staff: Caller, folder: int) -> None:
    early = staff.upload(folder, active_date=soon(days=1))["file_id"]
    late = staff.upload(folder, inactive_date=soon(seconds=-2))["file_id"]
    now = staff.upload(folder, active_date=soon(days=-1), inactive_date=soon(days=1))["file_id"]
    assert [f["file_id"] for f in renter.ok("GET", f"/folders/{folder}/files")] == [now]
    assert [f["file_id"] for f in renter.ok("GET", "/files")] == [now]
    for file in (early, late):
        renter.refused("GET", f"/files/{file}", 404)
        renter.refused("GET", f"/files/{file}/download", 404)
        row_of(staff, file)
        row_of(admin, file)
    assert {f["file_id"] for f in staff.ok("GET", f"/folders/{folder}/files")} == {early, late, now}


@pytest.mark.rule("DOCMS-126", "DOCMS-127")
def test_read_marks_follow_the_version(cast: Cast, admin: Caller, renter: Caller, folder: int) -> None:
    file = admin.upload(folder)["file_id"]
    assert row_of(renter, file)["read_by_user"] is False
    renter.ok("GET", f"/files/{file}/read")
    assert row_of(renter, file)["read_by_user"] is True
    assert row_of(signed_in(cast.owner, cast.tenant), file)["read_by_user"] is False
    chosen = OrganizationSettings.objects.filter(organization=cast.tenant)
    chosen.update(mark_read=False)
    assert row_of(renter, file)["read_by_user"] is False
    chosen.update(mark_read=True)
    admin.ok("GET", f"/files/{file}/download")
    renter.ok("PUT", f"/files/{file}/done/true")
    before = row_of(admin, file)
    after = admin.ok("PUT", f"/files/{file}", {"file_data": b64(PDF + b"%2\n")})
    for name in ("done_state", "first_access", "access_counter", "read_by_user"):
        assert after[name] == before[name], name
    assert row_of(renter, file)["read_by_user"] is False


@pytest.mark.rule("DOCMS-128")
def test_unread(cast: Cast, admin: Caller, renter: Caller, folder: int) -> None:
    read, unread, hidden = (admin.upload(folder)["file_id"] for _three in range(3))
    admin.ok("PUT", f"/files/{hidden}", {"active_date": soon(days=1)})
    renter.ok("GET", f"/files/{read}/read")
    assert [f["file_id"] for f in renter.ok("GET", "/files/unread")] == [unread]
    renter.ok("PUT", f"/files/{unread}/mark-read")
    assert renter.ok("GET", "/files/unread") == []
    assert row_of(renter, unread)["access_counter"] == 0
    assert not DocumentLog.objects.filter(document_id=unread, user=cast.renter).exists()
    permit(admin, folder, cast.renter.pk)
    renter.refused("PUT", f"/files/{unread}/mark-read", 403)


@pytest.mark.rule("DOCMS-129", "DOCMS-130", "DOCMS-094")
def test_checking_off_is_shared(cast: Cast, admin: Caller, renter: Caller, folder: int) -> None:
    file = admin.upload(folder)["file_id"]
    assert row_of(renter, file)["done_state"] == {"done": False, "date": None, "user_id": None, "user_name": None}
    renter.ok("PUT", f"/files/{file}/done/true")
    owner = signed_in(cast.owner, cast.tenant)
    first = row_of(owner, file)["done_state"]
    assert (first["done"], first["user_id"], first["user_name"]) == (True, cast.renter.pk, "Muster, Renter")
    owner.ok("PUT", f"/files/{file}/done/true")
    assert row_of(renter, file)["done_state"] == first
    owner.ok("PUT", f"/files/{file}/done/false")
    assert row_of(renter, file)["done_state"]["user_id"] == cast.owner.pk
    actions = [log["action"] for log in admin.ok("GET", f"/files/{file}/logs")]
    assert actions == ["create", "check", "uncheck"]
    renter.refused("PUT", f"/files/{file}/done/maybe", 400)
    effective = f"/folders/{folder}/permissions/{cast.renter.pk}/effective"
    group = Group.objects.get().pk
    assert renter.ok("GET", effective)["show_checkmark"] is True
    for path, body in ((f"/folders/{folder}", "show_check_mark"), (f"/groups/{group}", "show_check_mark")):
        admin.ok("PUT", path, {body: False})
        assert renter.ok("GET", effective)["show_checkmark"] is False
        renter.refused("PUT", f"/files/{file}/done/true", 403)
        admin.ok("PUT", path, {body: True})


@pytest.mark.rule("DOCMS-131")
def test_the_internal_note_is_for_editors(
    cast: Cast, admin: Caller, renter: Caller, staff: Caller, folder: int
) -> None:
    file = admin.upload(folder, internal_note="Nur für uns")["file_id"]
    assert row_of(staff, file)["internal_note"] == "Nur für uns"
    assert row_of(renter, file)["internal_note"] is None
    assert renter.ok("GET", "/files")[0]["internal_note"] is None


# --- Reading and downloading ----------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-116", "DOCMS-090")
def test_reading_and_downloading_need_their_flags(cast: Cast, admin: Caller, renter: Caller, folder: int) -> None:
    file = admin.upload(folder)["file_id"]
    permit(admin, folder, cast.renter.pk, read=True)
    renter.ok("GET", f"/files/{file}/read")
    renter.refused("GET", f"/files/{file}/download", 403)
    permit(admin, folder, cast.renter.pk, download=True)
    renter.refused("GET", f"/files/{file}/read", 403)
    renter.ok("GET", f"/files/{file}/download")
    permit(admin, folder, cast.admin.pk)
    admin.refused("GET", f"/files/{file}/download", 403)
    permit(admin, folder, cast.admin.pk, log=True)
    entries = [(log["user_id"], log["action"]) for log in admin.ok("GET", f"/files/{file}/logs")]
    renter_id = cast.renter.pk
    assert entries == [(cast.admin.pk, "create"), (renter_id, "read"), (renter_id, "download")]


@pytest.mark.rule("DOCMS-117")
def test_only_what_the_viewer_shows_is_read(admin: Caller, folder: int) -> None:
    made = admin.upload(folder, b"PK\x03\x04" + b"\x00" * 60, filename="archiv.zip")
    admin.refused("GET", f"/files/{made['file_id']}/read", 415)
    admin.refused("GET", f"/files/{made['file_id']}/read", 415, accept=OCTETS)
    admin.ok("GET", f"/files/{made['file_id']}/download")


@pytest.mark.rule("DOCMS-118")
def test_locked_documents_are_read_only(admin: Caller, folder: int) -> None:
    file = admin.upload(folder, allow_download=False)["file_id"]
    assert admin.refused("GET", f"/files/{file}/download", 403)["message"] == "DOWNLOAD_LOCKED"
    admin.refused("GET", f"/files/{file}/versions/1/download", 403)
    admin.ok("GET", f"/files/{file}/read")


@pytest.mark.rule("DOCMS-120")
def test_the_first_access_stays(admin: Caller, renter: Caller, staff: Caller, folder: int) -> None:
    file = staff.upload(folder, first_access=soon(days=-9))["file_id"]
    assert row_of(admin, file)["first_access"] is None
    renter.ok("GET", f"/files/{file}/read")
    first = row_of(admin, file)["first_access"]
    assert first is not None
    renter.ok("GET", f"/files/{file}/download")
    staff.ok("PUT", f"/files/{file}", {"first_access": None})
    assert row_of(admin, file)["first_access"] == first
    admin.ok("PUT", f"/files/{file}", {"first_access": None})
    assert row_of(admin, file)["first_access"] is None


def test_a_document_for_one_download_is_gone_afterwards(admin: Caller, renter: Caller, folder: int) -> None:
    file = admin.upload(folder, delete_after_next_download=True)["file_id"]
    renter.ok("GET", f"/files/{file}/read")
    renter.ok("GET", f"/files/{file}")
    assert renter.call("GET", f"/files/{file}/download", accept=OCTETS).raw == PDF
    for caller in (renter, admin):
        caller.refused("GET", f"/files/{file}", 404)
        caller.refused("GET", f"/files/{file}/download", 404)


def test_raw_bytes_are_never_run_as_a_page(admin: Caller, folder: int) -> None:
    file = admin.upload(folder)["file_id"]
    answer = admin.call("GET", f"/files/{file}/download", accept=OCTETS)
    assert answer["Content-Type"] == OCTETS
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_json_is_streamed_with_its_length(admin: Caller, folder: int) -> None:
    content = PDF + bytes(range(256)) * 5000
    file = admin.upload(folder, content)["file_id"]
    answer = admin.call("GET", f"/files/{file}/download")
    assert answer.response.streaming
    assert int(answer["Content-Length"]) == len(answer.raw)
    assert answer.body["data"] == b64(content)


# --- Logs -----------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-163")
def test_logs_need_the_flag_but_for_the_uploader(cast: Cast, admin: Caller, renter: Caller, folder: int) -> None:
    permit(admin, folder, cast.renter.pk, upload=True)
    mine, theirs = renter.upload(folder)["file_id"], admin.upload(folder)["file_id"]
    renter.ok("GET", f"/files/{mine}/logs")
    renter.refused("GET", f"/files/{theirs}/logs", 403)
    permit(admin, folder, cast.renter.pk, log=True)
    renter.ok("GET", f"/files/{theirs}/logs")
    permit(admin, folder, cast.admin.pk)
    admin.refused("GET", f"/files/{mine}/logs", 403)


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
