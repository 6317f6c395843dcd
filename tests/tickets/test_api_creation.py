"""Tickets created through the support door; their people and numbers."""

from __future__ import annotations

import datetime
import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from core import scope
from orgs.models import Contact, Membership
from tests.factories import at_once
from tests.tickets.door import TICKETS, basic
from tickets.models import SupportType, Ticket

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File


@pytest.mark.rule("TICKETS-010", "TICKETS-011", "TICKETS-012")
def test_a_creation_answers_with_the_ticket_and_its_only_entry(cast: Cast) -> None:
    made = basic(cast, "renter").create(cast, "Die Heizung\nbleibt kalt.", type="temperatureAndVentilation")
    ticket, (entry,) = made["ticket"], made["activities"]
    assert (ticket["locationRef"], ticket["description"], ticket["type"]) == (
        str(cast.house_a.uuid), "Die Heizung\nbleibt kalt.", "temperatureAndVentilation",
    )  # fmt: skip
    assert (entry["type"], entry["ticketRef"]) == ("ticketCreated", ticket["id"])
    assert Ticket.objects.get().uuid == uuid.UUID(ticket["id"])


@pytest.mark.rule("TICKETS-017")
def test_a_new_ticket_is_new_and_nobodys(cast: Cast) -> None:
    ticket = basic(cast, "renter").create(cast)["ticket"]
    assert ticket["status"] == "new"
    assert ticket["userAssignee"] is None
    assert ticket.keys().isdisjoint(
        {"statusUpdateDate", "userRefAssignee", "membershipAssignee", "membershipRefAssignee"}
    )


@pytest.mark.rule("TICKETS-013")
@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u200b\u2060\u3164", " \n\t\u00a0\u200b", None, 7, [], {}, True])
def test_a_text_is_needed(cast: Cast, text: Any) -> None:
    values = {"locationRef": str(cast.house_a.uuid), "text": text}
    body = basic(cast).refused("POST", TICKETS, 400, {"ticket": values})
    assert body["issues"][0]["path"] == ["ticket", "text"]
    assert not Ticket.objects.exists()


def test_a_text_has_20000_characters_at_most(cast: Cast) -> None:
    caller = basic(cast)
    caller.create(cast, "x" * 20_000)
    values = {"locationRef": str(cast.house_a.uuid), "text": "x" * 20_001}
    caller.refused("POST", TICKETS, 400, {"ticket": values})
    assert Ticket.objects.count() == 1


@pytest.mark.rule("TICKETS-014")
def test_the_type_is_one_of_fourteen(cast: Cast) -> None:
    caller = basic(cast)
    assert len(SupportType.values) == 14
    for word in SupportType.values:
        assert caller.create(cast, type=word)["ticket"]["type"] == word
    for other in ("pizza", "", None, "Other", 7, ["other"]):
        values = {"locationRef": str(cast.house_a.uuid), "text": "x", "type": other}
        body = caller.refused("POST", TICKETS, 400, {"ticket": values})
        assert body["issues"][0]["path"] == ["ticket", "type"]
    assert Ticket.objects.count() == 14


@pytest.mark.parametrize("sent", [[1], "x", 7])
def test_what_is_no_object_is_named_by_its_place_and_in_words_of_people(cast: Cast, sent: Any) -> None:
    body = basic(cast).refused("POST", TICKETS, 400, {"ticket": sent})
    assert [issue["path"] for issue in body["issues"]] == [["ticket"]]
    assert "Objekt" in body["message"]
    assert "list" not in body["message"].lower() and "non_field" not in body["message"]


@pytest.mark.rule("TICKETS-015")
def test_without_type_it_is_other(cast: Cast) -> None:
    assert basic(cast).create(cast)["ticket"]["type"] == "other"
    assert Ticket.objects.get().support_type == "other"


@pytest.mark.rule("TICKETS-016")
def test_the_envelope_is_needed(cast: Cast) -> None:
    bare = {"locationRef": str(cast.house_a.uuid), "text": "x"}
    assert basic(cast).refused("POST", TICKETS, 400, bare)["issues"][0]["path"] == ["ticket"]
    assert not Ticket.objects.exists()


@pytest.mark.rule("TICKETS-018")
def test_a_location_elsewhere_or_nowhere_is_not_found(cast: Cast) -> None:
    caller = basic(cast)
    answers = [
        caller.refused("POST", TICKETS, 404, {"ticket": {"locationRef": str(ref), "text": "x"}})
        for ref in (cast.foreign_house.uuid, uuid.uuid4())
    ]
    assert answers[0] == answers[1]
    basic(cast, "neighbour").refused(
        "POST", TICKETS, 404, {"ticket": {"locationRef": str(cast.house_a.uuid), "text": "x"}}
    )
    assert not Ticket.objects.exists()


@pytest.mark.rule("TICKETS-019", "TICKETS-020")
@pytest.mark.parametrize("who", ["renter", "staff"])
def test_the_owner_of_the_credentials_is_the_requester(cast: Cast, who: str) -> None:
    made = basic(cast, who).create(cast)
    user, member = getattr(cast, who), cast.membership(who)
    assert made["ticket"]["userRequester"]["id"] == str(user.uuid)
    assert made["ticket"]["membershipRefRequester"] == made["ticket"]["membershipRequester"]["id"] == str(member.uuid)
    assert made["activities"][0]["membership"]["id"] == str(member.uuid)


@pytest.mark.rule("TICKETS-021")
def test_only_administrators_name_somebody_else(cast: Cast) -> None:
    values = {"locationRef": str(cast.house_a.uuid), "text": "x", "userRefRequester": str(cast.owner.uuid)}
    basic(cast, "renter").refused("POST", TICKETS, 403, {"ticket": values})
    assert not Ticket.objects.exists()
    own = {**values, "userRefRequester": str(cast.renter.uuid)}
    basic(cast, "renter").ok("POST", TICKETS, {"ticket": own}, status=201)


@pytest.mark.rule("TICKETS-022")
@pytest.mark.parametrize("who", ["neighbour", "former", "guest", "stranger", "nobody"])
def test_a_requester_has_a_place_in_the_location(cast: Cast, who: str) -> None:
    ref = str(getattr(cast, who).uuid if who != "nobody" else uuid.uuid4())
    values = {"locationRef": str(cast.house_a.uuid), "text": "x", "userRefRequester": ref}
    body = basic(cast).refused("POST", TICKETS, 400, {"ticket": values})
    assert body["issues"][0]["path"] == ["ticket", "userRefRequester"]
    assert not Ticket.objects.exists()


@pytest.mark.rule("TICKETS-023", "TICKETS-066")
def test_filed_for_a_member_it_is_the_members_and_the_entry_the_administrators(cast: Cast) -> None:
    made = basic(cast, "staff").create(cast, userRefRequester=str(cast.renter.uuid))
    renter, staff = cast.membership("renter"), cast.membership("staff")
    assert made["ticket"]["userRequester"]["id"] == str(cast.renter.uuid)
    assert made["ticket"]["membershipRequester"]["id"] == str(renter.uuid)
    assert made["activities"][0]["membership"]["id"] == str(staff.uuid)
    assert Ticket.objects.get().contact == cast.contact("renter")


def test_roles_and_kinds_of_people_are_told(cast: Cast) -> None:
    admin = basic(cast)
    for who, role, kind in (("renter", "member", "member"), ("staff", "admin", "member"), ("admin", "owner", "member")):
        member = basic(cast, who).create(cast)["ticket"]["membershipRequester"]
        assert (member["roleType"], member["type"], member["user"]["blocked"]) == (role, kind, False)
    ticket = basic(cast, "renter").create(cast)["ticket"]
    from orgs.models import Occupancy

    Occupancy.objects.filter(contact__user=cast.renter).delete()
    assert admin.read(ticket["id"])["ticket"]["membershipRequester"]["type"] == "nonmember"


@pytest.mark.rule("TICKETS-024")
def test_how_to_reach_people_is_for_those_who_may_know(cast: Cast) -> None:
    for who in ("renter", "staff"):
        type(cast.renter).objects.filter(pk=getattr(cast, who).pk).update(
            mobile="+49170", email=f"{who}@reach.test", username=who
        )
    renter = basic(cast, "renter")
    ticket = renter.create(cast)["ticket"]["id"]
    basic(cast).ok("PUT", f"{TICKETS}/{ticket}/assignee", {"ticket": {"userRefAssignee": str(cast.staff.uuid)}})
    mine = renter.read(ticket)["ticket"]
    assert (mine["userRequester"]["email"], mine["userRequester"]["phoneNumber"]) == ("renter@reach.test", "+49170")
    assert mine["userAssignee"].keys().isdisjoint({"email", "phoneNumber"})
    assert "staff@reach.test" not in str(renter.read(ticket))
    theirs = basic(cast).read(ticket)["ticket"]
    assert (theirs["userRequester"]["email"], theirs["userAssignee"]["email"]) == (
        "renter@reach.test",
        "staff@reach.test",
    )


def test_an_erased_requester_is_null(cast: Cast) -> None:
    ticket = basic(cast, "renter").create(cast)["ticket"]["id"]
    type(cast.renter).objects.filter(pk=cast.renter.pk).update(
        erased_at="2026-01-01T00:00Z", first_name="", last_name=""
    )
    found = basic(cast).read(ticket)["ticket"]
    assert found["userRequester"] is None
    assert "membershipRequester" not in found


@pytest.mark.rule("TICKETS-025")
def test_numbers_begin_at_one_in_each_location(cast: Cast) -> None:
    caller = basic(cast)
    numbers = [caller.create(cast)["ticket"]["number"] for _number in range(3)]
    elsewhere = caller.create(cast, locationRef=str(cast.house_b.uuid))["ticket"]["number"]
    assert (numbers, elsewhere, caller.create(cast)["ticket"]["number"]) == ([1, 2, 3], 1, 4)


@pytest.mark.rule("TICKETS-026")
@pytest.mark.django_db(transaction=True)
def test_simultaneous_creations_share_no_number(cast: Cast) -> None:
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        callers = [basic(cast, who) for who in ("renter", "owner", "staff", "admin")]
    made = at_once(*[lambda caller=caller: caller.create(cast)["ticket"]["number"] for caller in callers * 3])  # type: ignore[misc]
    assert sorted(made) == list(range(1, 13))  # type: ignore[type-var]


@pytest.mark.rule("TICKETS-027")
def test_a_deleted_number_is_used_up_and_a_failed_one_is_not(cast: Cast) -> None:
    caller = basic(cast)
    first = caller.create(cast)["ticket"]
    caller.ok("DELETE", f"{TICKETS}/{first['id']}", status=204)
    bad = {"locationRef": str(cast.house_a.uuid), "text": "x", "userRefRequester": str(uuid.uuid4())}
    caller.refused("POST", TICKETS, 400, {"ticket": bad})
    caller.refused("POST", TICKETS, 400, {"ticket": {**bad, "text": "x" * 20_001}})
    assert caller.create(cast)["ticket"]["number"] == 2


@pytest.mark.rule("TICKETS-067")
def test_ids_are_uuids_and_dates_in_utc(cast: Cast) -> None:
    caller = basic(cast)
    ticket = caller.create(cast)["ticket"]["id"]
    caller.ok("PUT", f"{TICKETS}/{ticket}/status", {"ticket": {"status": "solved"}})
    caller.ok("PUT", f"{TICKETS}/{ticket}/assignee", {"ticket": {"userRefAssignee": str(cast.staff.uuid)}})
    found: dict[str, set[str]] = {"dates": set(), "ids": set()}

    def walk(node: Any) -> None:
        for name, value in node.items() if isinstance(node, dict) else ():
            if name.endswith("Date"):
                found["dates"].add(value)
            elif name == "id" or "Ref" in name:
                found["ids"].add(value)
            walk(value)
        for value in node if isinstance(node, list) else ():
            walk(value)

    walk(caller.read(ticket))
    assert len(found["dates"]) >= 3 and len(found["ids"]) >= 6
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", date) for date in found["dates"])
    assert all(datetime.datetime.fromisoformat(date) for date in found["dates"])
    assert all(str(uuid.UUID(value)) == value for value in found["ids"])


def test_staff_who_file_enter_the_register_once(cast: Cast, file: File) -> None:
    caller = basic(cast, "staff")
    for _number in range(2):
        caller.create(cast)
    assert Contact.objects.filter(user=cast.staff).count() == 1
    assert Membership.objects.filter(user=cast.staff).count() == 1
