"""What clerks of the help desk count on: that nothing of theirs or their colleagues' gets lost, that people and numbers are
found as people name them, and that mail of strangers is nobody else's."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from core.errors import Invalid
from orgs.models import Membership, Session
from orgs.services.erase import erase_account
from tests.portal.pages import signed_in
from tests.tickets.test_admin_desk import LIST, page_of
from tickets import rules
from tickets.models import Ticket, TicketActivity, TicketWatcher
from tickets.services import bulk, changes, comments, worklist

if TYPE_CHECKING:
    from django.test import Client

    from orgs.models import User
    from tests.cast import Cast
    from tests.tickets.material import File

pytestmark = pytest.mark.django_db
ADDRESS = "fremd@example.org"


def titles(client: Client, words: str) -> list[str]:
    """What the list finds by words."""
    return [line.ticket.title for line in client.get(LIST, {"q": words}).context["lines"]]


def field(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


# --- Signed out while writing --------------------------------------------------------------------------------


def late(user: User, ticket: Ticket, **values: Any) -> Any:
    """The page is drawn, the session ends, the reply is sent."""
    client = signed_in(user)
    url = page_of(ticket)
    writer = field(client.get(url).content.decode(), "writer")
    Session.objects.all().delete()
    sent = {"writer": writer, "mode": "note", "text": "Rohr ist bestellt.", "status": "in_progress", **values}
    return client.post(page_of(ticket, "reply"), sent, headers={"Referer": f"http://testserver{url}?list=view%3Dmine"})


def box_of(client: Client, ticket: Ticket) -> Any:
    return client.get(page_of(ticket)).context["box"]


def test_a_reply_sent_after_the_session_ended_is_in_the_box_after_signing_in(cast: Cast, file: File) -> None:
    cache.clear()
    ticket = file()
    answer = late(cast.staff, ticket)
    assert answer.url == f"/app/login?next={page_of(ticket)}%3Flist%3Dview%253Dmine"
    assert not TicketActivity.objects.exclude(kind="ticketCreated").exists()
    client = signed_in(cast.staff)
    box = box_of(client, ticket)
    assert (box.text, box.is_note, box.status) == ("Rohr ist bestellt.", True, "in_progress")
    assert box_of(client, ticket).text == ""  # once


def test_it_is_shown_to_nobody_else_and_at_no_other_ticket(cast: Cast, file: File) -> None:
    cache.clear()
    ticket, other = file(), file()
    late(cast.staff, ticket)
    assert box_of(signed_in(cast.admin), ticket).text == ""
    assert box_of(signed_in(cast.staff), other).text == ""
    assert box_of(signed_in(cast.staff), ticket).text


@pytest.mark.parametrize(
    "referer", ["", "https://boese.test/admin/", "http://testserver/app/", "http://[", "/admin/x/"]
)
def test_without_a_page_of_ours_that_it_came_from_one_begins_at_the_start(
    cast: Cast, file: File, client: Client, referer: str
) -> None:
    answer = client.post(page_of(file(), "reply"), {"text": "x"}, headers={"Referer": referer} if referer else {})
    assert (answer.status_code, answer.url) == (302, "/app/login?next=/admin/")


# --- Two people, one ticket ----------------------------------------------------------------------------------


def seen(ticket: Ticket, **chosen: Any) -> dict[str, Any]:
    """The controls as the page shows them, and what somebody chooses there."""
    stored: dict[str, Any] = {
        "status": ticket.status, "assignee": ticket.assignee_id or 0, "priority": ticket.priority,
        "support_type": ticket.support_type,
    }  # fmt: skip
    return {
        "expected": ticket.row_version,
        **{f"seen_{name}": value for name, value in stored.items()},
        **stored,
        **chosen,
    }


def test_what_a_colleague_set_meanwhile_stays_where_one_chose_something_else(cast: Cast, file: File) -> None:
    ticket = file()
    mine = seen(ticket, priority=4)
    changes.set_status(actor=cast.actor("admin"), ticket=ticket, status="in_progress", source="back_office")
    client = signed_in(cast.staff)
    told = client.post(page_of(ticket), mine)
    assert told.status_code == 409
    assert told.context["controls"]["status"] == "in_progress"  # theirs
    assert told.context["controls"]["priority"] == 4  # one's own
    page = told.content.decode()
    assert field(page, "seen_priority") == "2"
    ticket.refresh_from_db()
    again = client.post(page_of(ticket), seen(ticket, priority=4))
    assert again.status_code == 302
    ticket.refresh_from_db()
    assert (ticket.status, ticket.priority) == ("in_progress", 4)


# --- Found as people name them -------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["renter", "muster renter", "renter@quartier.test", "RENTER"])
def test_tickets_are_found_by_their_requester(cast: Cast, file: File, words: str) -> None:
    file(title="Meiner")
    file("owner", title="Anderer")
    assert titles(signed_in(cast.staff), words) == ["Meiner"]


def test_people_of_houses_one_does_not_look_after_are_not_found(cast: Cast, file: File) -> None:
    file("neighbour", community=cast.house_b, title="Fremdes Haus")
    file(title="Meiner")
    assert titles(signed_in(cast.staff), "neighbour") == []
    assert titles(signed_in(cast.admin), "neighbour") == ["Fremdes Haus"]


def test_tickets_are_found_by_the_number_that_is_titles(cast: Cast, file: File) -> None:
    wanted, other = file(title="Erster"), file(title="Zweiter")
    [line] = [one for one in signed_in(cast.staff).get(LIST).context["lines"] if one.ticket == wanted]
    assert "-" in line.number
    for written in (line.number, f"#{wanted.identifier}", line.number.lower()):
        assert titles(signed_in(cast.staff), written) == ["Erster"], written
    client = signed_in(cast.staff)
    client.post(page_of(other, "merge"), {"number": line.number})
    other.refresh_from_db()
    assert other.merged_into == wanted


def test_a_number_of_a_house_one_does_not_look_after_names_nothing(cast: Cast, file: File) -> None:
    mine, theirs = file(), file("neighbour", community=cast.house_b)
    code = cast.house_b.code or cast.house_b.identifier
    page = signed_in(cast.staff).post(page_of(mine, "merge"), {"number": f"{code}-{theirs.number}"})
    assert page.context["form"].errors
    mine.refresh_from_db()
    assert mine.merged_into is None


# --- Mail of strangers ---------------------------------------------------------------------------------------


@pytest.fixture
def strange(cast: Cast, file: File) -> Ticket:
    """A ticket that the administrator took in for somebody whom nobody knows."""
    return file("admin", title="Fremde Post", stranger=ADDRESS)


def test_a_strangers_ticket_is_the_strangers_in_list_page_and_export(cast: Cast, strange: Ticket) -> None:
    client = signed_in(cast.staff)
    [line] = client.get(LIST).context["lines"]
    assert line.requester == ADDRESS
    assert f'href="mailto:{ADDRESS}"' in client.get(page_of(strange)).content.decode()
    exported = b"".join(client.get(f"{LIST}export/?as=csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert ADDRESS in exported
    assert "Admin Muster" not in exported
    assert titles(client, ADDRESS) == ["Fremde Post"]


def test_it_is_not_one_of_whoever_took_it_in(cast: Cast, file: File, strange: Ticket) -> None:
    own = file("admin", title="Eigenes")
    actor = cast.actor("admin")
    assert list(Ticket.objects.of_requester(actor)) == [own]
    assert rules.is_requester(actor, own)
    assert not rules.is_requester(actor, strange)
    assert rules.may_rate(actor, own)
    assert not rules.may_rate(actor, strange)


def test_beside_it_stand_those_of_the_same_stranger_alone(cast: Cast, file: File, strange: Ticket) -> None:
    same = file("admin", stranger=ADDRESS)
    file("admin", stranger="andere@example.org")
    file("admin")
    assert [line.ticket for line in signed_in(cast.staff).get(page_of(strange)).context["others"]] == [same]


def test_the_page_says_that_a_reply_reaches_nobody(cast: Cast, file: File, strange: Ticket) -> None:
    client = signed_in(cast.staff)
    for ticket, is_said in ((strange, True), (file(), False)):
        assert (f"Bitte schreiben Sie selbst an {ADDRESS}" in client.get(page_of(ticket)).content.decode()) is is_said
        page = client.post(page_of(ticket, "reply"), {"mode": "reply", "text": "Danke."}, follow=True)
        told = [str(message) for message in page.context["messages"]]
        assert (told == ["Die Antwort wurde gesendet."]) is not is_said


def test_namesakes_are_told_apart_by_where_they_live(cast: Cast) -> None:
    query = {"app_label": "tickets", "model_name": "ticket", "field_name": "contact", "term": "renter"}
    [found] = signed_in(cast.staff).get("/admin/autocomplete/", query).json()["results"]
    assert f"{cast.house_a} {cast.unit_a2}" in found["text"]
    assert found["text"].endswith(cast.contact("renter").number)


@pytest.mark.rule("TICKETS-059")
def test_closing_is_no_first_response(cast: Cast, file: File) -> None:
    unread, late, answered = file(), file(), file()
    Ticket.objects.filter(pk=late.pk).update(response_due_at=timezone.now() - datetime.timedelta(hours=1))
    comments.add_comment(actor=cast.actor("staff"), ticket=answered, text="Kommt.", source="back_office")
    for ticket in (unread, late, answered):
        changes.set_status(actor=cast.actor("staff"), ticket=ticket, status="closed", source="back_office")
    actor = cast.actor("staff")
    found = {
        result: set(worklist.matching(actor, worklist.Wish(state="all", response=result)))
        for result in worklist.TARGETS
    }
    assert found == {"met": {answered}, "missed": {late}, "running": set()}


# --- Erased accounts -----------------------------------------------------------------------------------------


def test_an_erased_account_is_nobody_to_assign_or_to_watch(cast: Cast, file: File) -> None:
    ticket, client, place = file(), signed_in(cast.admin), cast.membership("staff")
    erase_account(user=cast.staff)
    for page in (
        client.post(page_of(ticket), {"assignee": str(place.pk), "seen_assignee": "0"}, follow=True),
        client.post(page_of(ticket, "watch"), {"membership": str(place.pk)}, follow=True),
    ):
        assert "Diese Person gibt es nicht." in page.content.decode()
    with pytest.raises(Invalid) as refused:
        bulk.wanted_of({"assignee": str(place.pk)}, cast.actor("admin"))
    assert refused.value.fields.keys() == {"assignee"}
    assert Ticket.objects.get(pk=ticket.pk).assignee is None
    assert not TicketWatcher.objects.exists()


def test_the_desk_names_a_former_user_without_address(cast: Cast, file: File) -> None:
    ticket, client = file(), signed_in(cast.admin)
    changes.assign(
        actor=cast.actor("admin"), ticket=ticket, assignee=Membership.objects.get(user=cast.staff), source="web"
    )
    erase_account(user=cast.staff)
    for url in (LIST, page_of(ticket), page_of(ticket, "history")):
        page = client.get(url).content.decode()
        assert "Ehemaliges Konto" in page, url
        assert "erased-" not in page, url
