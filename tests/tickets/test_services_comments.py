"""Comments, internal notes, and comments taken back."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.errors import Conflict, Denied, Invalid, NotFound
from core.models import Blob
from orgs import audience
from orgs.models import Hold
from tests.tickets.material import upload
from tickets.models import Ticket, TicketActivity, TicketAttachment
from tickets.services import attachments, changes, comments, merging
from tickets.signals import ticket_commented

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

DAY = datetime.timedelta(days=1)


def say(cast: Cast, ticket: Ticket, who: str, text: str = "Und jetzt?", **values: Any) -> comments.Commented:
    return comments.add_comment(actor=cast.actor(who), ticket=ticket, text=text, source="web", **values)


def close(cast: Cast, ticket: Ticket, status: str, ago: datetime.timedelta = DAY) -> Ticket:
    """Done that long ago."""
    changed = changes.set_status(actor=cast.actor("staff"), ticket=ticket, status=status, source="web").ticket
    Ticket.objects.filter(pk=ticket.pk).update(closed_at=timezone.now() - ago)
    return changed


def test_a_comment_is_an_entry_and_moves_the_date_of_the_ticket(cast: Cast, file: File) -> None:
    said = say(cast, file(), "renter", "  Wann kommen Sie?  ")
    entry, ticket = said.activity, said.ticket
    ticket.refresh_from_db()
    assert (entry.kind, entry.text, entry.user, entry.from_staff) == ("comment", "Wann kommen Sie?", cast.renter, False)
    assert ticket.updated_at == entry.created_at
    assert ticket.status == "new"


@pytest.mark.parametrize(("who", "from_staff"), [("renter", False), ("staff", True), ("admin", True)])
def test_it_is_fixed_whether_it_came_from_the_management(cast: Cast, file: File, who: str, from_staff: bool) -> None:
    assert say(cast, file(), who).activity.from_staff is from_staff


@pytest.mark.parametrize("who", ["owner", "neighbour", "former", "guest", "stranger", "foreigner"])
def test_only_those_who_take_part_comment(cast: Cast, file: File, who: str) -> None:
    ticket = file()
    with pytest.raises(Denied):
        say(cast, ticket, who)
    assert not TicketActivity.objects.filter(kind="comment").exists()


def test_a_reader_by_sharing_does_not_comment(cast: Cast, file: File) -> None:
    ticket = file()
    Ticket.objects.filter(pk=ticket.pk).update(
        shared_with=[audience.community(cast.house_a.pk)], shared_at=timezone.now()
    )
    assert Ticket.objects.visible_to(cast.actor("owner")).filter(pk=ticket.pk).exists()
    with pytest.raises(Denied):
        say(cast, ticket, "owner")


def test_the_contact_of_a_ticket_filed_by_staff_comments(cast: Cast, file: File) -> None:
    ticket = file("staff", requester=cast.contact("renter"))
    assert say(cast, ticket, "renter").activity.user == cast.renter


@pytest.mark.parametrize("text", ["", "  \n", "\u200b\u2060\u3164"])
def test_a_comment_says_something_or_has_a_file(cast: Cast, file: File, text: str) -> None:
    ticket = file()
    with pytest.raises(Invalid):
        say(cast, ticket, "renter", text)
    with_file = say(cast, ticket, "renter", text, files=attachments.Files([upload(cast, "renter")], "web"))
    assert TicketAttachment.objects.get(ticket=ticket).activity == with_file.activity
    assert with_file.activity.text == ""


def test_a_text_too_long_is_refused(cast: Cast, file: File) -> None:
    with pytest.raises(Invalid):
        say(cast, file(), "renter", "x" * 20_001)


@pytest.mark.rule("TICKETS-059")
def test_the_first_comment_of_a_manager_is_the_first_response(cast: Cast, file: File) -> None:
    ticket = file()
    changes.set_status(actor=cast.actor("staff"), ticket=ticket, status="in_progress", source="web")
    comments.add_note(actor=cast.actor("staff"), ticket=ticket, text="Handwerker anrufen")
    say(cast, ticket, "renter")
    ticket.refresh_from_db()
    assert ticket.first_response_at is None
    first = say(cast, ticket, "staff").activity
    say(cast, ticket, "admin")
    ticket.refresh_from_db()
    assert ticket.first_response_at == first.created_at


@pytest.mark.parametrize("who", ["renter", "filer"])
@pytest.mark.parametrize("status", ["solved", "closed"])
def test_the_requesters_word_reopens_a_ticket_that_was_done(cast: Cast, file: File, status: str, who: str) -> None:
    ticket = file("renter") if who == "renter" else file("staff", requester=cast.contact("renter"))
    close(cast, ticket, status, 30 * DAY - datetime.timedelta(minutes=1))
    said = say(cast, ticket, "renter")
    assert said.reopened is not None
    assert (said.reopened.kind, said.reopened.data) == ("statusUpdated", {"status": "reopened", "previous": status})
    said.ticket.refresh_from_db()
    assert (said.ticket.status, said.ticket.closed_at) == ("reopened", None)
    stream = TicketActivity.objects.filter(ticket=ticket).order_by("created_at", "id")
    assert list(stream.values_list("pk", flat=True))[-2:] == [said.activity.pk, said.reopened.pk]


@pytest.mark.parametrize("who", ["staff", "admin"])
def test_a_managers_last_word_reopens_nothing(cast: Cast, file: File, who: str) -> None:
    ticket = close(cast, file(), "solved")
    assert say(cast, ticket, who).reopened is None
    ticket.refresh_from_db()
    assert ticket.status == "solved"


@pytest.mark.parametrize("status", ["solved", "closed"])
def test_a_ticket_done_long_ago_takes_no_comment_of_its_requester(cast: Cast, file: File, status: str) -> None:
    ticket = close(cast, file(), status, 30 * DAY + datetime.timedelta(minutes=1))
    with pytest.raises(Conflict) as refused:
        say(cast, ticket, "renter")
    assert refused.value.code == "ticket_closed"
    assert not TicketActivity.objects.filter(kind="comment").exists()
    assert say(cast, ticket, "staff").reopened is None


@pytest.mark.parametrize(("status", "after"), [("solved", "reopened"), ("closed", "closed")])
@pytest.mark.parametrize("ago", [DAY, 40 * DAY])
def test_where_closed_tickets_stay_closed_only_a_solved_one_reopens(
    cast: Cast, file: File, status: str, after: str, ago: datetime.timedelta
) -> None:
    ticket = close(cast, file(), status, ago)
    say(cast, ticket, "renter", reopens_closed=False)
    ticket.refresh_from_db()
    assert ticket.status == after


def test_notes_are_for_managers_only(cast: Cast, file: File) -> None:
    ticket = file()
    comments.add_note(actor=cast.actor("staff"), ticket=ticket, text="Zahlt nie")
    comments.add_comment(actor=cast.actor("staff"), ticket=ticket, text="Wir kommen.", source="web")
    for who, seen in (("staff", ["Zahlt nie", "Wir kommen."]), ("renter", ["Wir kommen."])):
        found = TicketActivity.objects.visible_to(cast.actor(who)).exclude(kind="ticketCreated").order_by("id")
        assert list(found.values_list("text", flat=True)) == seen
    assert not Ticket.objects.search(cast.actor("staff"), "zahlt").exists()
    for who in ("renter", "owner", "stranger"):
        with pytest.raises(Denied):
            comments.add_note(actor=cast.actor(who), ticket=ticket, text="Doch")


@pytest.mark.parametrize("text", ["", "  \n", "\u200b\u2060\u3164"])
def test_a_note_says_something(cast: Cast, file: File, text: str) -> None:
    ticket = file()
    with pytest.raises(Invalid):
        comments.add_note(actor=cast.actor("staff"), ticket=ticket, text=text)
    assert not TicketActivity.objects.filter(ticket=ticket, kind="note").exists()


def test_what_was_said_is_found(cast: Cast, file: File) -> None:
    ticket = file()
    said = say(cast, ticket, "renter", "Der Klempner war nicht da.")
    assert list(Ticket.objects.search(cast.actor("staff"), "Klempner")) == [ticket]
    comments.delete_comment(actor=cast.actor("renter"), comment=said.activity)
    assert not Ticket.objects.search(cast.actor("staff"), "Klempner").exists()


@pytest.mark.parametrize("who", ["renter", "staff", "admin"])
def test_author_and_managers_take_a_comment_back_with_its_files(cast: Cast, file: File, who: str) -> None:
    ticket = file()
    said = say(cast, ticket, "renter", files=attachments.Files([upload(cast, "renter")], "web")).activity
    kept = say(
        cast, ticket, "renter", "Bleibt", files=attachments.Files([upload(cast, "renter", b"mehr")], "web")
    ).activity
    comments.delete_comment(actor=cast.actor(who), comment=said)
    said.refresh_from_db()
    assert (said.text, said.deleted_at is not None) == ("", True)
    assert list(TicketActivity.objects.visible_to(cast.actor("admin")).filter(kind="comment")) == [kept]
    assert [file.activity for file in TicketAttachment.objects.all()] == [kept]
    assert Blob.objects.count() == 2
    with pytest.raises(NotFound):
        comments.delete_comment(actor=cast.actor(who), comment=said)


@pytest.mark.parametrize("who", ["renter", "owner", "neighbour", "stranger"])
def test_nobody_else_takes_a_comment_back(cast: Cast, file: File, who: str) -> None:
    said = say(cast, file(), "staff").activity
    with pytest.raises(Denied):
        comments.delete_comment(actor=cast.actor(who), comment=said)
    said.refresh_from_db()
    assert said.text


def test_other_entries_are_not_taken_back(cast: Cast, file: File) -> None:
    ticket = file()
    changed = changes.set_status(actor=cast.actor("staff"), ticket=ticket, status="solved", source="web").activity
    note = comments.add_note(actor=cast.actor("staff"), ticket=ticket, text="Intern")
    for entry in (TicketActivity.objects.get(kind="ticketCreated"), changed, note):
        assert entry is not None
        with pytest.raises(Invalid) as refused:
            comments.delete_comment(actor=cast.actor("admin"), comment=entry)
        assert refused.value.code == "not_a_comment"


def test_under_a_hold_nothing_is_taken_back(cast: Cast, file: File) -> None:
    ticket = file(unit=cast.unit_a2)
    said = say(cast, ticket, "renter").activity
    Hold.objects.create(tenant=cast.tenant, title="Klage", reason="Gericht", placed_by=cast.admin, unit=cast.unit_a2)
    with pytest.raises(Conflict):
        comments.delete_comment(actor=cast.actor("renter"), comment=said)
    said.refresh_from_db()
    assert said.text


def test_it_is_announced(cast: Cast, file: File) -> None:
    told: list[str] = []

    def listen(**values: Any) -> None:
        told.append(values["activity"].text)

    ticket_commented.connect(listen)
    try:
        ticket = file()
        say(cast, ticket, "renter", "Hallo?")
        comments.add_note(actor=cast.actor("staff"), ticket=ticket, text="Intern")
    finally:
        ticket_commented.disconnect(listen)
    assert told == ["Hallo?"]


def test_a_mail_is_taken_once(cast: Cast, file: File) -> None:
    ticket = file()
    say(cast, ticket, "renter", message_id="<1@mail.test>")
    with pytest.raises(Exception) as refused:  # noqa: PT011 - `rows.Taken`, a ValidationError
        say(cast, ticket, "renter", message_id="<1@mail.test>")
    assert type(refused.value).__name__ == "Taken"
    assert TicketActivity.objects.filter(kind="comment").count() == 1


# --- Waiting for the requester ----------------------------------------------------------------------------------


def test_what_the_requester_says_ends_the_waiting_and_the_targets_run_again(cast: Cast, file: File) -> None:
    ticket = file()
    changes.set_status(actor=cast.actor("staff"), ticket=ticket, status="waiting", source="back_office")
    began = timezone.now() - datetime.timedelta(hours=3)
    Ticket.objects.filter(pk=ticket.pk).update(status_changed_at=began)
    due = Ticket.objects.get(pk=ticket.pk).response_due_at
    say(cast, ticket, "renter", "Dienstag passt.")
    ticket.refresh_from_db()
    assert ticket.status == "in_progress"
    assert ticket.paused_seconds >= 3 * 3600
    assert ticket.response_due_at != due
    told = TicketActivity.objects.filter(ticket=ticket, kind="statusUpdated").latest("id")
    assert (told.data["previous"], told.data["status"]) == ("waiting", "in_progress")


@pytest.mark.parametrize("who", ["staff", "admin"])
def test_what_staff_say_meanwhile_leaves_it_waiting(cast: Cast, file: File, who: str) -> None:
    ticket = file()
    changes.set_status(actor=cast.actor("staff"), ticket=ticket, status="waiting", source="back_office")
    say(cast, ticket, who, "Wir warten.")
    ticket.refresh_from_db()
    assert ticket.status == "waiting"


def test_what_the_requester_of_a_merged_ticket_says_ends_the_waiting_of_where_it_leads(cast: Cast, file: File) -> None:
    merged, target = file(), file("owner")
    merging.merge(actor=cast.actor("staff"), ticket=merged, into=target)
    changes.set_status(actor=cast.actor("staff"), ticket=target, status="waiting", source="back_office")
    merged.refresh_from_db()
    say(cast, merged, "renter", "Noch etwas.")
    target.refresh_from_db()
    assert target.status == "in_progress"
