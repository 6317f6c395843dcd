"""Tickets read, changed and deleted through the support door; repeated requests."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.services import rows
from orgs.services.erase import erase_account
from tests.core import material
from tests.factories import at_once, stored
from tests.tickets.door import TICKETS, Caller, basic
from tickets import tasks
from tickets.models import IdempotencyRecord, Ticket, TicketActivity
from tickets.services import changes, comments, filing

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File


def status(caller: Caller, ticket: Ticket, word: str) -> dict[str, Any]:
    done: dict[str, Any] = caller.ok("PUT", f"{TICKETS}/{ticket.uuid}/status", {"ticket": {"status": word}})
    return done


def assign(caller: Caller, ticket: Ticket, **values: Any) -> dict[str, Any]:
    done: dict[str, Any] = caller.ok("PUT", f"{TICKETS}/{ticket.uuid}/assignee", {"ticket": values})
    return done


@pytest.mark.rule("TICKETS-035")
def test_a_ticket_is_read_with_its_whole_stream_oldest_first(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast, "staff")
    status(caller, ticket, "inProgress")
    assign(caller, ticket, userRefAssignee=str(cast.staff.uuid))
    for number in range(30):
        caller.comment(ticket, f"Nr. {number}")
    read = basic(cast, "renter").read(ticket)
    assert [entry["type"] for entry in read["activities"]] == [
        "ticketCreated", "statusUpdated", "assigneeUpdated", *["comment"] * 30,
    ]  # fmt: skip
    assert [entry["data"]["text"] for entry in read["activities"][3:]] == [f"Nr. {number}" for number in range(30)]
    dates = [entry["createDate"] for entry in read["activities"]]
    assert dates == sorted(dates)


def test_internal_notes_are_shown_to_nobody_here(cast: Cast, file: File) -> None:
    ticket = file()
    note = comments.add_note(actor=cast.actor("staff"), ticket=ticket, text="Zahlt nie")
    for who in ("staff", "admin", "renter"):
        caller = basic(cast, who)
        assert "Zahlt nie" not in str(caller.read(ticket))
        caller.refused("DELETE", f"{TICKETS}/comment/{note.uuid}", 404)


def test_a_thread_costs_the_same_for_one_entry_and_many(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast)
    caller.comment(ticket, attachments=[{"key": caller.upload(cast)["key"]}])
    assign(caller, ticket, userRefAssignee=str(cast.staff.uuid))
    few = caller.cost(f"{TICKETS}/{ticket.uuid}")
    for who in ("renter", "staff", "admin"):
        other = basic(cast, who)
        other.comment(ticket, attachments=[{"key": other.upload(cast)["key"]}])
    assign(caller, ticket, userRefAssignee=str(cast.admin.uuid))
    assert caller.cost(f"{TICKETS}/{ticket.uuid}") == few


@pytest.mark.rule("TICKETS-064")
@pytest.mark.parametrize("has_logo", [True, False])
def test_an_automatic_answer_names_the_responder_and_no_member(cast: Cast, file: File, has_logo: bool) -> None:
    ticket, caller = file(), basic(cast)
    if has_logo:
        rows.change(cast.tenant.settings, {"logo": stored(cast.tenant, material.picture())})
    caller.comment(ticket, "Von mir")
    filing.write(
        ticket, kind="comment", actor=None, source="support", at=timezone.now(), text="Von selbst",
        automatic_name="Antworter",
    )  # fmt: skip
    created, mine, automatic = caller.read(ticket)["activities"]
    assert automatic["lemAI"]["name"] == "Antworter"
    path = f"/app/brand/{cast.tenant.pk}/logo" if has_logo else "/static/img/favicon.svg"
    assert automatic["lemAI"]["photoUrl"].endswith(path)
    assert "membership" not in automatic
    for entry in (created, mine):
        assert "lemAI" not in entry
        assert entry["membership"]


@pytest.mark.rule("TICKETS-036", "TICKETS-037", "TICKETS-046")
def test_a_change_of_status_answers_with_old_and_new_value(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast)
    done = status(caller, ticket, "solved")
    entry = done["activity"]
    assert entry["type"] == "statusUpdated"
    assert entry["data"] == {"status": "solved", "previousAttributes": {"status": "new"}}
    assert done["ticket"]["status"] == "solved"
    assert done["ticket"]["statusUpdateDate"] == done["ticket"]["updateDate"] == entry["createDate"]
    assert caller.read(ticket)["activities"][-1] == entry


@pytest.mark.rule("TICKETS-038")
def test_every_status_may_follow_every_other(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast)
    words = ("new", "inProgress", "solved", "closed")
    for first in words:
        for then in words:
            status(caller, ticket, first)
            assert status(caller, ticket, then)["ticket"]["status"] == then
    caller.refused("PUT", f"{TICKETS}/{ticket.uuid}/status", 400, {"ticket": {"status": "open"}})


@pytest.mark.rule("TICKETS-039")
def test_the_present_value_changes_nothing(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast)
    before = assign(caller, ticket, userRefAssignee=str(cast.staff.uuid))["ticket"]
    changes.set_status(actor=cast.actor("staff"), ticket=ticket, status="waiting", source="web")
    before = caller.read(ticket)
    for done in (
        status(caller, ticket, "inProgress"),
        assign(caller, ticket, userRefAssignee=str(cast.staff.uuid)),
        assign(caller, ticket, membershipRefAssignee=str(cast.membership("staff").uuid)),
    ):
        assert "activity" not in done
        assert done["ticket"] == before["ticket"]
    assert caller.read(ticket) == before
    assert Ticket.objects.get().status == "waiting"


def test_a_change_that_says_nothing_here_is_left_out(cast: Cast, file: File) -> None:
    ticket = file()
    for word in ("in_progress", "waiting", "solved"):
        changes.set_status(actor=cast.actor("staff"), ticket=ticket, status=word, source="web")
    told = [entry["data"]["status"] for entry in basic(cast).read(ticket)["activities"][1:]]
    assert told == ["inProgress", "solved"]


@pytest.mark.rule("TICKETS-040", "TICKETS-046")
def test_an_assignment_answers_with_new_and_former_assignee(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast)
    first = assign(caller, ticket, userRefAssignee=str(cast.staff.uuid))["activity"]
    assert first["type"] == "assigneeUpdated"
    assert first["data"]["userAssignee"]["id"] == first["data"]["userRefAssignee"] == str(cast.staff.uuid)
    assert first["data"]["membershipAssignee"]["id"] == str(cast.membership("staff").uuid)
    assert "previousAttributes" not in first["data"]
    second = assign(caller, ticket, membershipRefAssignee=str(cast.membership("admin").uuid))
    before = second["activity"]["data"]["previousAttributes"]
    assert before["userAssignee"]["id"] == before["userRefAssignee"] == str(cast.staff.uuid)
    assert "status" not in before
    assert second["ticket"]["userAssignee"]["id"] == second["ticket"]["userRefAssignee"] == str(cast.admin.uuid)
    assert second["ticket"]["membershipRefAssignee"] == str(cast.membership("admin").uuid)


@pytest.mark.rule("TICKETS-041")
@pytest.mark.parametrize("name", ["userRefAssignee", "membershipRefAssignee"])
def test_null_unassigns(cast: Cast, file: File, name: str) -> None:
    ticket, caller = file(), basic(cast)
    assign(caller, ticket, userRefAssignee=str(cast.staff.uuid))
    done = assign(caller, ticket, **{name: None})
    assert done["ticket"]["userAssignee"] is None
    assert done["ticket"].keys().isdisjoint({"userRefAssignee", "membershipRefAssignee", "membershipAssignee"})
    assert done["activity"]["data"]["previousAttributes"]["userRefAssignee"] == str(cast.staff.uuid)


@pytest.mark.rule("TICKETS-042")
@pytest.mark.parametrize("who", ["renter", "owner", "guest", "stranger", "nobody"])
def test_only_administrators_of_the_location_are_assigned(cast: Cast, file: File, who: str) -> None:
    ticket, caller = file(), basic(cast)
    ref = str(getattr(cast, who).uuid if who != "nobody" else uuid.uuid4())
    body = caller.refused("PUT", f"{TICKETS}/{ticket.uuid}/assignee", 400, {"ticket": {"userRefAssignee": ref}})
    assert body["issues"][0]["path"] == ["ticket", "userRefAssignee"]
    other = file("admin", community=cast.house_b)
    staff = {"ticket": {"userRefAssignee": str(cast.staff.uuid)}}
    caller.refused("PUT", f"{TICKETS}/{other.uuid}/assignee", 400, staff)
    assert not Ticket.objects.exclude(assignee=None).exists()


@pytest.mark.rule("TICKETS-043")
def test_both_references_name_the_same_person(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast)
    staff, admin = cast.membership("staff"), cast.membership("admin")
    for both in (
        {"userRefAssignee": str(cast.staff.uuid), "membershipRefAssignee": str(admin.uuid)},
        {"userRefAssignee": str(cast.staff.uuid), "membershipRefAssignee": None},
    ):
        caller.refused("PUT", f"{TICKETS}/{ticket.uuid}/assignee", 400, {"ticket": both})
    assert Ticket.objects.get().assignee is None
    same = {"userRefAssignee": str(cast.staff.uuid), "membershipRefAssignee": str(staff.uuid)}
    assert assign(caller, ticket, **same)["ticket"]["userRefAssignee"] == str(cast.staff.uuid)
    caller.refused("PUT", f"{TICKETS}/{ticket.uuid}/assignee", 400, {"ticket": {}})


@pytest.mark.rule("TICKETS-044")
def test_members_change_and_delete_nothing(cast: Cast, file: File) -> None:
    ticket, caller = file("renter"), basic(cast, "renter")
    for method, path, body in (
        ("PUT", "/status", {"ticket": {"status": "solved"}}),
        ("PUT", "/assignee", {"ticket": {"userRefAssignee": str(cast.staff.uuid)}}),
        ("PATCH", "/type", {"ticket": {"type": "cleaning"}}),
        ("DELETE", "", None),
    ):
        caller.refused(method, f"{TICKETS}/{ticket.uuid}{path}", 403, body)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee, ticket.support_type, ticket.deleted_at) == ("new", None, "other", None)


@pytest.mark.rule("TICKETS-045")
def test_another_type_is_204_and_no_entry(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast)
    answer = caller.ask("PATCH", f"{TICKETS}/{ticket.uuid}/type", {"ticket": {"type": "cleaning"}})
    assert (answer.status_code, answer.content) == (204, b"")
    read = caller.read(ticket)
    assert read["ticket"]["type"] == "cleaning"
    assert [entry["type"] for entry in read["activities"]] == ["ticketCreated"]
    caller.refused("PATCH", f"{TICKETS}/{ticket.uuid}/type", 400, {"ticket": {"type": "pizza"}})


def test_a_deleted_ticket_is_gone_at_once(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast)
    said = caller.comment(ticket)
    answer = caller.ask("DELETE", f"{TICKETS}/{ticket.uuid}")
    assert (answer.status_code, answer.content) == (204, b"")
    caller.refused("GET", f"{TICKETS}/{ticket.uuid}", 404)
    caller.refused("DELETE", f"{TICKETS}/{ticket.uuid}", 404)
    caller.refused("DELETE", f"{TICKETS}/comment/{said['id']}", 404)
    assert caller.page(cast)["tickets"] == []


# --- Repeated requests ------------------------------------------------------------------------------------


def repeated(caller: Caller, cast: Cast, key: str, text: str = "Es tropft.") -> Any:
    body = {"ticket": {"locationRef": str(cast.house_a.uuid), "text": text}}
    return caller.ask("POST", TICKETS, body, **{"Idempotency-Key": key})


@pytest.mark.rule("TICKETS-056")
def test_a_repeated_creation_or_comment_gets_the_first_answer(cast: Cast, file: File) -> None:
    caller = basic(cast)
    first, second = repeated(caller, cast, "a"), repeated(caller, cast, "a")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.body == second.body
    assert Ticket.objects.count() == 1
    ticket = first.body["ticket"]["id"]
    body = {"activity": {"ticketRef": ticket, "text": "Und?"}}
    said = [caller.ok("POST", f"{TICKETS}/comment", body, status=201, **{"Idempotency-Key": "b"}) for _turn in range(2)]
    assert said[0] == said[1]
    assert TicketActivity.objects.filter(kind="comment").count() == 1


@pytest.mark.rule("TICKETS-056")
def test_after_24_hours_a_key_is_new(cast: Cast) -> None:
    caller = basic(cast)
    repeated(caller, cast, "a")
    IdempotencyRecord.objects.update(created_at=timezone.now() - datetime.timedelta(hours=24))
    assert repeated(caller, cast, "a").body["ticket"]["number"] == 2
    assert repeated(caller, cast, "a").body["ticket"]["number"] == 2


def test_a_key_belongs_to_its_credentials(cast: Cast) -> None:
    repeated(basic(cast), cast, "a")
    assert repeated(basic(cast), cast, "a").body["ticket"]["number"] == 2


@pytest.mark.rule("TICKETS-057")
def test_the_same_key_with_another_body_is_409(cast: Cast) -> None:
    caller = basic(cast)
    repeated(caller, cast, "a")
    answer = repeated(caller, cast, "a", "Etwas anderes.")
    assert (answer.status_code, answer.body["type"]) == (409, "idempotency_conflict")
    assert Ticket.objects.count() == 1


def test_what_failed_is_not_remembered(cast: Cast) -> None:
    caller = basic(cast)
    bad = {"ticket": {"locationRef": str(cast.foreign_house.uuid), "text": "x"}}
    caller.refused("POST", TICKETS, 404, bad, **{"Idempotency-Key": "a"})
    assert repeated(caller, cast, "a").status_code == 201
    for key in ("", "x" * 256):
        assert repeated(caller, cast, key).status_code == 400


@pytest.mark.rule("TICKETS-056")
@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_repetitions_one_is_stored(cast: Cast) -> None:
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        caller = basic(cast)
    answers: list[Any] = at_once(*[lambda: repeated(caller, cast, "a").body for _turn in range(6)])
    assert all(answer == answers[0] for answer in answers)
    assert Ticket.objects.count() == 1


def test_old_answers_are_forgotten_by_a_job(cast: Cast) -> None:
    caller = basic(cast)
    for key in ("alt", "jung"):
        repeated(caller, cast, key)
    IdempotencyRecord.objects.filter(key="alt").update(created_at=timezone.now() - datetime.timedelta(hours=25))
    tasks.forget_answers()
    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["jung"]


@pytest.mark.parametrize("name", ["userRefAssignee", "membershipRefAssignee"])
def test_an_erased_account_is_not_assigned(cast: Cast, file: File, name: str) -> None:
    ticket, caller = file(), basic(cast)
    ref = cast.staff.uuid if name.startswith("user") else cast.membership("staff").uuid
    erase_account(user=cast.staff)
    caller.refused("PUT", f"{TICKETS}/{ticket.uuid}/assignee", 400, {"ticket": {name: str(ref)}})


def test_an_erased_account_has_no_name_and_no_address(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast)
    assign(caller, ticket, userRefAssignee=str(cast.staff.uuid))
    basic(cast, "staff").comment(ticket, "Ich komme.")
    erase_account(user=cast.staff)
    read = caller.read(ticket)
    *_others, assignment, comment = read["activities"]
    for user in (assignment["data"]["userAssignee"], comment["membership"]["user"]):
        assert (user["name"], user["surname"]) == ("Ehemaliges Konto", "")
        assert (user["email"], user["phoneNumber"]) == (None, None)
    assert "erased-" not in str(read)
