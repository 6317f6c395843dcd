"""The events of the tickets contract on our own bus: one for each change, whichever door, once it is committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction

from tests.portal.pages import signed_in
from tests.portal.test_web_tickets import tickets_url
from tests.tickets.door import TICKETS, basic
from tests.tickets.post import address, plain, take
from tickets.models import Mailbox, Ticket, TicketActivity, TicketStatus
from tickets.services import changes, comments
from tickets.services.events import SupportEvent
from tickets.signals import support_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cast import Cast
    from tests.tickets.material import File

CREATED, UPDATED, COMMENTED = (f"support.ticket.{word}" for word in ("created", "updated", "commented"))


@pytest.fixture
def heard() -> Iterator[list[SupportEvent]]:
    """What a receiver is told."""
    events: list[SupportEvent] = []

    def hear(sender: Any, *, event: SupportEvent, **_: Any) -> None:
        events.append(event)

    support_event.connect(hear)
    yield events
    support_event.disconnect(hear)


@pytest.fixture
def commit(heard: list[SupportEvent], django_capture_on_commit_callbacks: Any) -> Callable[..., list[str]]:
    """Do something and commit it; returns the names of what was told by then, and nothing before."""

    def done(work: Callable[[], Any]) -> list[str]:
        heard.clear()
        with django_capture_on_commit_callbacks(execute=True):
            work()
            assert heard == []
        return [event.name for event in heard]

    return done


# Each is a change through a door, in words, with what is told of it.
def _portal(cast: Cast, ticket: Ticket) -> Any:
    return signed_in(cast.renter).post(f"/app/tickets/{ticket.uuid}/comment", {"text": "Und?"})


def _api(cast: Cast, ticket: Ticket) -> Any:
    return basic(cast).comment(ticket)


def _mail(cast: Cast, ticket: Ticket) -> Any:
    mailbox = Mailbox.objects.create(tenant=cast.tenant, address="hilfe@haus.test")
    return take(mailbox, plain(address(mailbox, ticket, cast.renter), cast.renter.email))


def _office(cast: Cast, ticket: Ticket) -> Any:
    form = {"text": "Ja.", "mode": "reply", "do": "send"}
    return signed_in(cast.staff).post(f"/admin/tickets/ticket/{ticket.pk}/reply/", form)


def _status(cast: Cast, ticket: Ticket) -> Any:
    return basic(cast).ok("PUT", f"{TICKETS}/{ticket.uuid}/status", {"ticket": {"status": "closed"}})


def _type(cast: Cast, ticket: Ticket) -> Any:
    return basic(cast).ok("PATCH", f"{TICKETS}/{ticket.uuid}/type", {"ticket": {"type": "cleaning"}}, status=204)


def _assign(cast: Cast, ticket: Ticket) -> Any:
    form = {
        "assignee": cast.membership("staff").pk,
        "priority": ticket.priority,
        "status": ticket.status,
        "expected": ticket.row_version,
    }
    return signed_in(cast.staff).post(f"/admin/tickets/ticket/{ticket.pk}/change/", form)


def _delete(cast: Cast, ticket: Ticket) -> Any:
    return basic(cast).ok("DELETE", f"{TICKETS}/{ticket.uuid}", status=204)


def _note(cast: Cast, ticket: Ticket) -> Any:
    return comments.add_note(actor=cast.actor("staff"), ticket=ticket, text="Intern")


def _again(cast: Cast, ticket: Ticket) -> Any:
    return changes.set_status(actor=cast.actor("staff"), ticket=ticket, status=ticket.status, source="web")


DOORS = {
    "comment in the portal": (_portal, [COMMENTED]),
    "comment of an integration": (_api, [COMMENTED]),
    "comment by mail": (_mail, [COMMENTED]),
    "answer of the office": (_office, [COMMENTED]),
    "status by an integration": (_status, [UPDATED]),
    "type by an integration": (_type, [UPDATED]),
    "assignee in the office": (_assign, [UPDATED]),
    "deletion": (_delete, [UPDATED]),
    "internal note": (_note, []),
    "the present status": (_again, []),
}


@pytest.mark.parametrize("what", DOORS)
def test_each_change_is_told_once_after_the_commit(
    cast: Cast, file: File, commit: Callable[..., list[str]], what: str
) -> None:
    work, told = DOORS[what]
    ticket = file("renter")
    assert commit(lambda: work(cast, ticket)) == told


@pytest.mark.parametrize("door", ["portal", "api", "office"])
def test_a_new_ticket_is_told_once(
    cast: Cast, commit: Callable[..., list[str]], heard: list[SupportEvent], door: str
) -> None:
    def portal() -> None:
        signed_in(cast.renter).post(tickets_url(cast, "/new/other"), {"text": "Es tropft."})

    def office() -> None:
        form = {"community": cast.house_a.pk, "text": "Anruf", "title": "Anruf"}
        signed_in(cast.staff).post("/admin/tickets/ticket/add/", form)

    works = {"portal": portal, "api": lambda: basic(cast).create(cast), "office": office}
    assert commit(works[door]) == [CREATED]
    ticket, entry = Ticket.objects.get(), TicketActivity.objects.get()
    assert heard == [SupportEvent(CREATED, cast.tenant.pk, ticket.pk, ticket.uuid, entry.pk, entry.created_at)]


def test_a_comment_that_opens_a_ticket_again_is_two_changes(
    cast: Cast, file: File, commit: Callable[..., list[str]], heard: list[SupportEvent]
) -> None:
    ticket = file("renter")
    changes.set_status(actor=cast.actor("staff"), ticket=ticket, status=TicketStatus.CLOSED, source="web")
    assert commit(lambda: _portal(cast, ticket)) == [COMMENTED, UPDATED]
    assert [event.activity_id for event in heard] == list(
        TicketActivity.objects.order_by("pk").values_list("pk", flat=True)
    )[-2:]


def test_a_comment_that_is_taken_back_is_told(cast: Cast, file: File, commit: Callable[..., list[str]]) -> None:
    ticket = file("renter")
    said = comments.add_comment(actor=cast.actor("renter"), ticket=ticket, text="Weg", source="web").activity
    assert commit(lambda: comments.delete_comment(actor=cast.actor("renter"), comment=said)) == [UPDATED]


def test_what_is_rolled_back_was_never_told(cast: Cast, file: File, commit: Callable[..., list[str]]) -> None:
    ticket = file("renter")

    def fail() -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            comments.add_comment(actor=cast.actor("renter"), ticket=ticket, text="Weg", source="web")
            changes.set_status(actor=cast.actor("staff"), ticket=ticket, status="closed", source="web")
            raise RuntimeError
        changes.assign(actor=cast.actor("admin"), ticket=ticket, assignee=cast.membership("staff"), source="web")

    assert commit(fail) == [UPDATED]  # of the assignment alone


def test_a_receiver_that_fails_stops_nobody_else(cast: Cast, file: File, commit: Callable[..., list[str]]) -> None:
    def fail(sender: Any, **_: Any) -> None:
        raise RuntimeError

    support_event.connect(fail, dispatch_uid="first")
    try:
        assert commit(lambda: file("renter")) == [CREATED]
    finally:
        support_event.disconnect(fail, dispatch_uid="first")
