"""What is said of documents, and reading and downloading them."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from docms.models import DocumentLog, Group
from orgs.models import OrganizationSettings
from tests.docms.door import (
    OCTETS,
    PDF,
    Caller,
    b64,
    make_folder,
    make_group,
    permit,
    row_of,
    signed_in,
    soon,
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


# --- What lists say -------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-115")
def test_no_list_carries_content(cast: Cast, admin: Caller, folder: int) -> None:
    admin.ok("PUT", f"/users/{cast.admin.pk}", {"group_ids": [Group.objects.get().pk]})
    admin.ok("POST", f"/favorites/{folder}")
    admin.ok("DELETE", f"/files/{admin.upload(folder)['file_id']}")
    file = admin.upload(folder)["file_id"]
    for method, path, body in (
        ("GET", "/files?all=true", None), ("GET", f"/folders/{folder}/files", None), ("GET", f"/files/{file}", None),
        ("POST", "/files/paging", {"ids": [file]}), ("PUT", f"/files/{file}", {"title": "x"}),
        ("GET", f"/files/{file}/versions", None), ("GET", "/files/unread", None), ("GET", "/favorites/files", None),
        ("POST", "/files", {"folder_id": folder, "filename": "b.pdf", "file_data": b64(PDF)}),
        ("GET", f"/files/{file}/logs", None), ("POST", "/files/search", {"search": "brief"}),
        ("GET", "/deleted-files", None),
    ):  # fmt: skip
        answer = admin.call(method, path, body)
        assert answer.status == 200
        assert answer.body
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
    admin.ok("PUT", f"/users/{cast.admin.pk}", {"group_ids": [Group.objects.get().pk]})
    for caller in (staff, admin):
        for path in (f"/folders/{folder}/files", "/files", "/files/unread"):
            assert {f["file_id"] for f in caller.ok("GET", path)} == {early, late, now}
    owner = signed_in(cast.owner, cast.tenant)  # who sees the folder as the renter does
    assert owner.ok("POST", "/files/search", {"search": "brief"}) == [now]
    assert [f["file_id"] for f in owner.ok("POST", "/files/paging", {"ids": [early, late, now]})] == [now]


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
    moment = datetime.datetime.fromisoformat(first["date"])
    assert abs((timezone.now() - moment).total_seconds()) < 60
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


@pytest.mark.rule("DOCMS-131")
@pytest.mark.parametrize(
    ("flags", "own", "others"),
    [
        ({"upload": True, "edit_own": True}, True, False),
        ({"upload": True, "edit": True}, False, True),
        ({"upload": True, "edit": True, "edit_own": True}, True, True),
        ({"read": True, "download": True, "edit": True, "edit_own": True, "mail": True, "log": True}, False, False),
    ],
)
def test_the_internal_note_shows_where_a_change_would_be_taken(
    cast: Cast, admin: Caller, renter: Caller, folder: int, flags: dict[str, bool], own: bool, others: bool
) -> None:
    permit(admin, folder, cast.renter.pk, upload=True)
    mine = renter.upload(folder, internal_note="Von mir")["file_id"]
    theirs = admin.upload(folder, internal_note="Von uns")["file_id"]
    permit(admin, folder, cast.renter.pk, **flags)
    expected = {mine: "Von mir" if own else None, theirs: "Von uns" if others else None}
    assert {file: row_of(renter, file)["internal_note"] for file in expected} == expected
    for rows in (
        renter.ok("GET", f"/folders/{folder}/files"),
        renter.ok("POST", "/files/paging", {"ids": [*expected]}),
    ):
        assert {row["file_id"]: row["internal_note"] for row in rows} == expected
    for file, note in expected.items():
        assert renter.call("PUT", f"/files/{file}", {"description": "x"}).status == (200 if note else 403)


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


@pytest.mark.rule("DOCMS-090")
def test_an_administrator_without_flags_administers_documents_and_uses_none(
    cast: Cast, admin: Caller, renter: Caller, folder: int
) -> None:
    permit(admin, folder, cast.renter.pk, upload=True)
    file = renter.upload(folder)["file_id"]
    permit(admin, folder, cast.admin.pk)
    new = {"folder_id": folder, "filename": "a.pdf", "file_data": b64(PDF)}
    calls: list[tuple[str, str, Any]] = [
        ("GET", f"/files/{file}/read", None), ("GET", f"/files/{file}/download", None), ("POST", "/files", new),
        ("PUT", f"/files/{file}", {"title": "x"}), ("GET", f"/files/{file}/logs", None),
        ("POST", "/notifications", {"file_id": file, "user_ids": [cast.renter.pk]}),
    ]  # fmt: skip
    for method, path, body in calls:
        admin.refused(method, path, 403, body)
    assert row_of(admin, file)["access_counter"] == 0
    admin.ok("DELETE", f"/files/{file}")


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


@pytest.mark.rule("DOCMS-180")
@pytest.mark.parametrize("path", ["download", "read"])
def test_a_range_outside_is_refused_in_the_dialect(admin: Caller, folder: int, path: str) -> None:
    file_id = admin.upload(folder)["file_id"]
    answer = admin.call("GET", f"/files/{file_id}/{path}", accept=OCTETS, HTTP_RANGE="bytes=9999-")
    assert (answer.status, answer["Content-Range"]) == (416, f"bytes */{len(PDF)}")
    assert answer.body["status"] == 416
