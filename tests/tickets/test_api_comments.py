"""Comments and their files through the support door."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import http
from core.models import Blob, Upload
from core.services import uploads as upload_service
from core.tasks import expire_uploads
from tests.core import material
from tests.tickets.door import ATTACHMENTS, TICKETS, basic
from tests.tickets.material import upload
from tickets.api import attachments as door
from tickets.models import Ticket, TicketActivity, TicketAttachment
from tickets.services import changes

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

COMMENT = f"{TICKETS}/comment"


def close(cast: Cast, ticket: Ticket, status: str) -> None:
    changes.set_status(actor=cast.actor("staff"), ticket=ticket, status=status, source="web")


@pytest.mark.rule("TICKETS-046")
def test_a_comment_is_recorded_without_former_values(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast, "renter")
    entry = caller.comment(ticket, "Wann kommen Sie?")
    assert (entry["type"], entry["data"], entry["ticketRef"]) == (
        "comment", {"text": "Wann kommen Sie?"}, str(ticket.uuid),
    )  # fmt: skip
    assert entry["membership"]["id"] == str(cast.membership("renter").uuid)
    assert "lemAI" not in entry


@pytest.mark.rule("TICKETS-047")
def test_a_comment_has_text_or_one_file_or_both(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast, "renter")
    keys = [{"key": caller.upload(cast, content)["key"]} for content in (b"eins", b"zwei", b"drei")]
    ref = {"ticketRef": str(ticket.uuid)}
    for bad in (
        {}, {"text": ""}, {"text": " \n"}, {"attachments": []}, {"text": "x", "attachments": keys[:2]},
        {"attachments": keys}, {"text": None}, {"attachments": [{}]}, {"attachments": "x"},
    ):  # fmt: skip
        caller.refused("POST", COMMENT, 400, {"activity": {**ref, **bad}})
    assert not TicketActivity.objects.filter(kind="comment").exists()
    both = caller.comment(ticket, "Siehe Bild", attachments=keys[:1])
    alone = caller.ok("POST", COMMENT, {"activity": {**ref, "attachments": keys[1:2]}}, status=201)["activity"]
    assert (both["data"]["text"], len(both["data"]["attachments"])) == ("Siehe Bild", 1)
    assert alone["data"].keys() == {"attachments"}
    caller.comment(ticket, "Nur Text")


@pytest.mark.rule("TICKETS-048")
def test_requester_assignee_and_administrators_comment_and_others_get_404(cast: Cast, file: File) -> None:
    ticket = file("staff", requester=cast.contact("renter"))
    changes.assign(actor=cast.actor("admin"), ticket=ticket, assignee=cast.membership("staff"), source="web")
    for who in ("renter", "staff", "admin"):
        basic(cast, who).comment(ticket)
    body = {"activity": {"ticketRef": str(ticket.uuid), "text": "x"}}
    unknown = {"activity": {"ticketRef": str(uuid.uuid4()), "text": "x"}}
    for who in ("owner", "neighbour", "stranger"):
        caller = basic(cast, who)
        assert caller.refused("POST", COMMENT, 404, body) == caller.refused("POST", COMMENT, 404, unknown)
    assert TicketActivity.objects.filter(kind="comment").count() == 3


@pytest.mark.rule("TICKETS-055")
@pytest.mark.parametrize(("before", "after"), [("solved", "inProgress"), ("closed", "closed")])
def test_the_requesters_comment_reopens_a_solved_ticket_and_no_closed_one(
    cast: Cast, file: File, before: str, after: str
) -> None:
    ticket, caller = file(), basic(cast, "renter")
    close(cast, ticket, before)
    caller.comment(ticket)
    read = caller.read(ticket)
    assert read["ticket"]["status"] == after
    types = [entry["type"] for entry in read["activities"]]
    assert types == ["ticketCreated", "statusUpdated", "comment", *(["statusUpdated"] if after != before else [])]
    if after != before:
        assert read["activities"][-1]["data"] == {"status": "inProgress", "previousAttributes": {"status": "solved"}}


def test_an_administrators_comment_reopens_nothing(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast, "staff")
    close(cast, ticket, "solved")
    caller.comment(ticket)
    assert caller.read(ticket)["ticket"]["status"] == "solved"


@pytest.mark.rule("TICKETS-053")
def test_a_deleted_comment_leaves_the_stream_and_other_entries_stay(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast)
    said = caller.comment(ticket)
    close(cast, ticket, "solved")
    answer = caller.ask("DELETE", f"{COMMENT}/{said['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    left = caller.read(ticket)["activities"]
    assert [entry["type"] for entry in left] == ["ticketCreated", "statusUpdated"]
    for entry in left:
        assert caller.refused("DELETE", f"{COMMENT}/{entry['id']}", 400)["type"] == "not_a_comment"
    caller.refused("DELETE", f"{COMMENT}/{said['id']}", 404)
    caller.refused("DELETE", f"{COMMENT}/{uuid.uuid4()}", 404)
    caller.refused("DELETE", f"{COMMENT}/x", 400)


@pytest.mark.rule("TICKETS-054")
def test_author_and_administrators_delete_a_comment_with_its_file(cast: Cast, file: File) -> None:
    ticket, renter, admin = file(), basic(cast, "renter"), basic(cast)
    for deleter in (renter, admin):
        said = renter.comment(ticket, attachments=[{"key": renter.upload(cast)["key"]}])
        url = said["data"]["attachments"][0]["url"].partition("/support/")[2]
        assert b"".join(renter.ask("GET", f"/support/{url}").streaming_content) == b"Notiz"
        deleter.ok("DELETE", f"{COMMENT}/{said['id']}", status=204)
        renter.refused("GET", f"/support/{url}", 404)
    theirs = admin.comment(ticket)
    renter.refused("DELETE", f"{COMMENT}/{theirs['id']}", 403)
    basic(cast, "owner").refused("DELETE", f"{COMMENT}/{theirs['id']}", 404)
    assert not TicketAttachment.objects.exists()


# --- Files -------------------------------------------------------------------------------------------------


@pytest.mark.rule("TICKETS-049")
def test_a_file_says_what_it_is_and_a_picture_how_large(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast, "renter")
    note = caller.comment(ticket, attachments=[{"key": caller.upload(cast, b"Hallo", "notiz.txt")["key"]}])
    picture = caller.upload(cast, material.picture(size=(40, 30)), "bild.png")
    shown = caller.comment(ticket, attachments=[{"key": picture["key"]}])
    (text,), (image,) = note["data"]["attachments"], shown["data"]["attachments"]
    assert (text["mime"], text["name"], text["size"]) == ("text/plain", "notiz.txt", 5)
    assert text.keys() == {"key", "mime", "name", "size", "url"}
    assert (image["mime"], image["width"], image["height"]) == ("image/png", 40, 30)
    assert image["url"].endswith(f"/support/attachments/v1/{image['key']}")
    assert image == picture


@pytest.mark.rule("TICKETS-050")
@pytest.mark.parametrize("case", ["unknown", "used", "of others", "another door"])
def test_a_key_that_is_none_of_the_callers_is_400(cast: Cast, file: File, case: str) -> None:
    ticket, caller = file(), basic(cast, "renter")
    if case == "used":
        key = caller.upload(cast)["key"]
        caller.comment(ticket, attachments=[{"key": key}])
    else:
        key = {
            "unknown": lambda: "x" * 40,
            "of others": lambda: basic(cast, "staff").upload(cast)["key"],
            "another door": lambda: upload(cast, "renter"),
        }[case]()
    before = TicketActivity.objects.count()
    body = {"activity": {"ticketRef": str(ticket.uuid), "text": "x", "attachments": [{"key": key}]}}
    refused = caller.refused("POST", COMMENT, 400, body)
    assert (refused["type"], refused["issues"][0]["path"]) == ("invalid_upload", ["activity", "attachments", 0, "key"])
    assert TicketActivity.objects.count() == before


@pytest.mark.rule("TICKETS-051")
def test_a_file_is_for_those_who_read_the_ticket(cast: Cast, file: File) -> None:
    ticket, renter = file(), basic(cast, "renter")
    said = renter.comment(ticket, attachments=[{"key": renter.upload(cast, b"geheim")["key"]}])
    path = f"{ATTACHMENTS}/{said['data']['attachments'][0]['key']}"
    for who in ("renter", "staff", "admin"):
        answer = basic(cast, who).ask("GET", path)
        assert b"".join(answer.streaming_content) == b"geheim"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for who in ("owner", "neighbour", "stranger"):
        caller = basic(cast, who)
        assert caller.refused("GET", path, 404) == caller.refused("GET", f"{ATTACHMENTS}/{'x' * 40}", 404)


@pytest.mark.rule("TICKETS-052")
def test_an_upload_that_no_comment_uses_goes_after_a_day(cast: Cast, file: File) -> None:
    caller = basic(cast, "renter")
    key = caller.upload(cast)["key"]
    assert datetime.timedelta(hours=24) == upload_service.LIFETIME
    expire_uploads()
    assert Upload.objects.count() == 1
    Upload.objects.update(expires_at=timezone.now())
    body = {"activity": {"ticketRef": str(file().uuid), "attachments": [{"key": key}]}}
    caller.refused("POST", COMMENT, 400, body)
    expire_uploads()
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"<!doctype html><script>1</script>", "a.html"), (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.png"),
     (b"MZ" + b"\0" * 200, "a.pdf"), (b"\x7fELF" + b"\0" * 200, "a.txt"), (b"PK\x03\x04" + b"\0" * 60, "a.zip")],
)  # fmt: skip
def test_kinds_that_are_not_taken_are_415_and_leave_nothing(cast: Cast, content: bytes, name: str) -> None:
    answer = basic(cast).send(cast, content, name)
    assert (answer.status_code, answer.body["type"]) == (415, "unsupported_media_type")
    assert not Upload.objects.exists()
    assert not Blob.objects.exists()


def test_a_file_has_25_mebibytes_at_most(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    assert door.LIMIT == 25 * 1024 * 1024
    monkeypatch.setattr(door, "LIMIT", 1000)
    caller = basic(cast)
    assert caller.send(cast, b"x" * 1000).status_code == 201
    assert caller.send(cast, b"x" * 1001).status_code == 413
    monkeypatch.setattr(http, "AROUND", 10)
    monkeypatch.setattr(door.Attachments, "file_limit", 1000)
    assert caller.send(cast, b"x" * 1000).status_code == 413
    assert Upload.objects.count() == 1


def test_an_upload_names_a_location_and_a_file(cast: Cast) -> None:
    caller = basic(cast, "renter")
    assert caller.send(cast, b"x", location=cast.foreign_house.uuid).status_code == 404
    assert caller.send(cast, b"x", location=cast.house_b.uuid).status_code == 404
    assert caller.send(cast, b"x", location="x").status_code == 400
    assert caller.send(cast, b"").status_code == 400
    caller.refused("POST", ATTACHMENTS, 400, raw=b"--x--\r\n", kind="multipart/form-data; boundary=x")
    caller.refused("POST", ATTACHMENTS, 415, {"file": "x"})
    assert not Upload.objects.exists()


def test_what_was_filed_with_files_shows_them_at_its_first_entry(cast: Cast, file: File) -> None:
    from tickets.services.attachments import Files

    ticket = file(files=Files([upload(cast, "renter")], "web"))
    (entry,) = basic(cast).read(ticket)["activities"]
    assert [shown["name"] for shown in entry["data"]["attachments"]] == ["notiz.txt"]


def test_people_of_a_company_are_told_apart(cast: Cast, file: File) -> None:
    ticket: Any = file("stranger", community=cast.foreign_house)
    said = basic(cast, "stranger").comment(ticket)
    basic(cast).refused("DELETE", f"{COMMENT}/{said['id']}", 404)
