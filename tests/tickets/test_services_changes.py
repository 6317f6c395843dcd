"""Status, assignee, type and deletion of tickets."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.errors import Conflict, Denied, Invalid, NotFound
from core.models import AuditEntry
from orgs.models import Hold
from orgs.services import members
from tests.factories import at_once
from tickets.models import Ticket, TicketActivity
from tickets.services import changes
from tickets.signals import ticket_assigned, ticket_deleted, ticket_status_changed

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

OTHERS = ("renter", "owner", "neighbour", "guest", "stranger")


def set_status(cast: Cast, ticket: Ticket, status: str, who: str = "staff", **values: Any) -> changes.Changed:
    return changes.set_status(actor=cast.actor(who), ticket=ticket, status=status, source="web", **values)


def assign(cast: Cast, ticket: Ticket, to: str | None, who: str = "staff") -> changes.Changed:
    membership = cast.membership(to) if to else None
    return changes.assign(actor=cast.actor(who), ticket=ticket, assignee=membership, source="web")


def kinds(ticket: Ticket) -> list[str]:
    return list(
        TicketActivity.objects.filter(ticket=ticket).order_by("created_at", "id").values_list("kind", flat=True)
    )


def test_a_change_of_status_is_told_with_both_values_and_moves_both_dates(cast: Cast, file: File) -> None:
    changed = set_status(cast, file(), "in_progress")
    entry, ticket = changed.activity, changed.ticket
    ticket.refresh_from_db()
    assert entry is not None
    assert (entry.kind, entry.data, entry.user, entry.from_staff) == (
        "statusUpdated", {"status": "in_progress", "previous": "new"}, cast.staff, True,
    )  # fmt: skip
    assert ticket.status_changed_at == ticket.updated_at == entry.created_at


@pytest.mark.parametrize("first", ["new", "reopened", "in_progress", "waiting", "solved", "closed"])
@pytest.mark.parametrize("then", ["new", "reopened", "in_progress", "waiting", "solved", "closed"])
def test_every_status_may_follow_every_other(cast: Cast, file: File, first: str, then: str) -> None:
    ticket = file()
    set_status(cast, ticket, first)
    set_status(cast, ticket, then)
    ticket.refresh_from_db()
    assert ticket.status == then
    assert (ticket.closed_at is not None) == (then in ("solved", "closed"))


def test_the_present_status_changes_nothing(cast: Cast, file: File) -> None:
    ticket = set_status(cast, file(), "waiting").ticket
    before = (ticket.updated_at, ticket.row_version)
    assert set_status(cast, ticket, "waiting").activity is None
    assert set_status(cast, ticket, "in_progress", same={"waiting", "reopened"}).activity is None
    ticket.refresh_from_db()
    assert (ticket.status, ticket.updated_at, ticket.row_version) == ("waiting", *before)
    assert kinds(ticket) == ["ticketCreated", "statusUpdated"]


def test_the_first_closing_counts_and_reopening_forgets_it_with_the_rating(cast: Cast, file: File) -> None:
    ticket = set_status(cast, file(), "solved").ticket
    closed_at = ticket.closed_at
    assert set_status(cast, ticket, "closed").ticket.closed_at == closed_at
    Ticket.objects.filter(pk=ticket.pk).update(rating=2, rating_comment="Na ja", rated_at=timezone.now())
    reopened = set_status(cast, ticket, "in_progress").ticket
    reopened.refresh_from_db()
    assert (reopened.closed_at, reopened.rating, reopened.rating_comment, reopened.rated_at) == (None, None, "", None)


def test_an_unknown_status_is_refused(cast: Cast, file: File) -> None:
    with pytest.raises(Invalid) as refused:
        set_status(cast, file(), "inProgress")
    assert "status" in refused.value.fields


@pytest.mark.parametrize("who", OTHERS)
def test_only_managers_change_a_ticket(cast: Cast, file: File, who: str) -> None:
    ticket = file()
    actor = cast.actor(who)
    for attempt in (
        lambda: set_status(cast, ticket, "solved", who),
        lambda: assign(cast, ticket, "staff", who),
        lambda: changes.set_type(actor=actor, ticket=ticket, support_type="noiseAndAcoustics"),
        lambda: changes.delete(actor=actor, ticket=ticket),
    ):
        with pytest.raises(Denied):
            attempt()
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee, ticket.support_type, ticket.deleted_at) == ("new", None, "other", None)


def test_managers_of_other_houses_change_nothing(cast: Cast, file: File) -> None:
    ticket = file("admin", community=cast.house_b)
    with pytest.raises(Denied):
        set_status(cast, ticket, "solved", "staff")


def test_an_assignment_is_told_with_the_former_one(cast: Cast, file: File) -> None:
    ticket = file()
    first = assign(cast, ticket, "staff").activity
    second = assign(cast, ticket, "admin")
    third = assign(cast, ticket, None)
    staff, admin = cast.membership("staff").pk, cast.membership("admin").pk
    entries = [first, second.activity, third.activity]
    assert [entry.data for entry in entries if entry] == [
        {"assignee": staff, "previous": None},
        {"assignee": admin, "previous": staff},
        {"assignee": None, "previous": admin},
    ]
    assert third.activity is not None
    assert third.ticket.updated_at == third.activity.created_at
    ticket.refresh_from_db()
    assert ticket.assignee is None


def test_whoever_has_it_gets_it_without_a_word(cast: Cast, file: File) -> None:
    ticket = assign(cast, file(), "staff").ticket
    before = ticket.updated_at
    assert assign(cast, ticket, "staff").activity is None
    ticket.refresh_from_db()
    assert ticket.updated_at == before
    assert assign(cast, assign(cast, ticket, None).ticket, None).activity is None


@pytest.mark.parametrize("who", ["renter", "guest", "former staff", "elsewhere"])
def test_nobody_is_assigned_who_does_not_look_after_the_house(cast: Cast, file: File, who: str) -> None:
    if who == "former staff":
        members.change(membership=cast.membership("staff"), changes={"deactivated_at": timezone.now()})
    house = cast.house_b if who == "elsewhere" else cast.house_a
    ticket = file("admin", community=house)
    with pytest.raises(Invalid) as refused:
        assign(cast, ticket, who if who in ("renter", "guest") else "staff", "admin")
    assert refused.value.code == "not_assignable"
    ticket.refresh_from_db()
    assert ticket.assignee is None


def test_another_type_is_not_told(cast: Cast, file: File) -> None:
    ticket = file()
    changes.set_type(actor=cast.actor("staff"), ticket=ticket, support_type="cleaning")
    ticket.refresh_from_db()
    assert ticket.support_type == "cleaning"
    assert kinds(ticket) == ["ticketCreated"]
    with pytest.raises(Invalid):
        changes.set_type(actor=cast.actor("staff"), ticket=ticket, support_type="pizza")


def test_a_deleted_ticket_is_gone_for_everybody_and_keeps_its_number(cast: Cast, file: File) -> None:
    ticket = file()
    changes.delete(actor=cast.actor("staff"), ticket=ticket)
    for who in ("renter", "staff", "admin", "operator"):
        assert not Ticket.objects.visible_to(cast.actor(who)).exists()
        assert not TicketActivity.objects.visible_to(cast.actor(who)).exists()
    with pytest.raises(NotFound):
        changes.delete(actor=cast.actor("staff"), ticket=ticket)
    with pytest.raises(NotFound):
        set_status(cast, ticket, "solved")
    assert file().number == 2
    assert AuditEntry.objects.filter(verb="deleted", object_type="tickets.ticket", object_id=ticket.pk).exists()


def test_a_held_ticket_is_not_deleted(cast: Cast, file: File) -> None:
    ticket = file()
    Hold.objects.create(
        tenant=cast.tenant, title="Klage", reason="Gericht", placed_by=cast.admin, contact=cast.contact("renter")
    )
    with pytest.raises(Conflict) as refused:
        changes.delete(actor=cast.actor("staff"), ticket=ticket)
    assert refused.value.code == "held"
    ticket.refresh_from_db()
    assert ticket.deleted_at is None


def test_changes_are_announced(cast: Cast, file: File) -> None:
    told: list[str] = []
    receivers = {
        ticket_status_changed: lambda **values: told.append(values["activity"].kind),
        ticket_assigned: lambda **values: told.append(values["activity"].kind),
        ticket_deleted: lambda **_values: told.append("deleted"),
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver)
    try:
        ticket = file()
        set_status(cast, ticket, "solved")
        set_status(cast, ticket, "solved")
        assign(cast, ticket, "admin")
        changes.delete(actor=cast.actor("staff"), ticket=ticket)
    finally:
        for signal, receiver in receivers.items():
            signal.disconnect(receiver)
    assert told == ["statusUpdated", "assigneeUpdated", "deleted"]


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_tell_one_story(cast: Cast, file: File) -> None:
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        ticket = file()

    def one(status: str) -> changes.Changed:
        scope.enter_tenants([cast.tenant.pk])
        return set_status(cast, ticket, status)

    at_once(*[lambda status=status: one(status) for status in ("in_progress", "waiting", "solved", "closed")])  # type: ignore[misc]
    entries = list(TicketActivity.objects.filter(ticket=ticket, kind="statusUpdated").order_by("created_at", "id"))
    assert len(entries) == 4
    values = ["new", *(entry.data["status"] for entry in entries)]
    assert [entry.data["previous"] for entry in entries] == values[:-1]
    ticket.refresh_from_db()
    assert ticket.status == values[-1]


def test_the_stream_is_in_order_when_the_clock_stands(cast: Cast, file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now() + datetime.timedelta(hours=1)
    monkeypatch.setattr(changes.timezone, "now", lambda: now)
    ticket = file()
    for status in ("in_progress", "waiting", "solved"):
        set_status(cast, ticket, status)
    stream = TicketActivity.objects.filter(ticket=ticket).order_by("created_at", "id")
    assert [entry.data.get("status") for entry in stream] == [None, "in_progress", "waiting", "solved"]
