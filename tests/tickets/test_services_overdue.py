"""Missed targets are told once, and what stayed solved is closed."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.utils import timezone

from core import scope
from core.models import JobRun, SystemLog
from tests.factories import at_once
from tickets import tasks
from tickets.models import Ticket, TicketActivity
from tickets.services import comments, overdue
from tickets.services.changes import assign, set_status
from tickets.signals import ticket_overdue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cast import Cast
    from tests.tickets.material import File

HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def told() -> Iterator[list[tuple[int, str]]]:
    """What was announced."""
    heard: list[tuple[int, str]] = []

    def hear(ticket: Ticket, target: str, **_more: Any) -> None:
        heard.append((ticket.pk, target))

    ticket_overdue.connect(hear)
    yield heard
    ticket_overdue.disconnect(hear)


def late(ticket: Ticket, **columns: datetime.timedelta) -> None:
    """As if targets had gone by so long ago."""
    columns = columns or {"response_due_at": HOUR}
    Ticket.objects.filter(pk=ticket.pk).update(**{name: timezone.now() - past for name, past in columns.items()})


def test_a_ticket_without_a_first_response_is_told_of_once(cast: Cast, file: File, told: list[Any]) -> None:
    ticket, in_time = file(), file()
    late(ticket)
    assert overdue.tell_overdue() == {"told": 1, "failed": 0}
    assert told == [(ticket.pk, "response")]
    assert overdue.tell_overdue() == {"told": 0, "failed": 0}
    assert told == [(ticket.pk, "response")]
    in_time.refresh_from_db()
    assert in_time.reminded_at is None


def test_a_status_or_a_note_is_no_answer(cast: Cast, file: File, told: list[Any]) -> None:
    ticket = file()
    set_status(actor=cast.actor("staff"), ticket=ticket, status="in_progress", source="back_office")
    assign(actor=cast.actor("staff"), ticket=ticket, assignee=cast.membership("staff"), source="back_office")
    comments.add_note(actor=cast.actor("staff"), ticket=ticket, text="Schlüssel beim Hausmeister")
    comments.add_comment(actor=cast.actor("renter"), ticket=ticket, text="Hallo?", source="web")
    late(ticket)
    overdue.tell_overdue()
    assert told == [(ticket.pk, "response")]


@pytest.mark.parametrize("word", ["waiting", "solved", "closed"])
def test_what_waits_or_is_done_is_not_late(cast: Cast, file: File, told: list[Any], word: str) -> None:
    ticket = file()
    set_status(actor=cast.actor("staff"), ticket=ticket, status=word, source="back_office")
    late(ticket, response_due_at=HOUR, due_at=HOUR)
    overdue.tell_overdue()
    assert told == []


def test_what_was_answered_or_deleted_is_not_late(cast: Cast, file: File, told: list[Any]) -> None:
    answered, deleted = file(), file()
    comments.add_comment(actor=cast.actor("staff"), ticket=answered, text="Wir kommen.", source="back_office")
    Ticket.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    late(answered)
    late(deleted)
    overdue.tell_overdue()
    assert told == []


def test_a_target_for_the_solution_is_told_beside_the_other(cast: Cast, file: File, told: list[Any]) -> None:
    ticket = file()
    late(ticket, response_due_at=2 * HOUR, due_at=HOUR)
    assert overdue.tell_overdue() == {"told": 2, "failed": 0}
    assert told == [(ticket.pk, "response"), (ticket.pk, "resolution")]


def test_a_target_that_a_pause_moved_ahead_can_be_missed_again(cast: Cast, file: File, told: list[Any]) -> None:
    ticket = file()
    late(ticket, due_at=HOUR)
    overdue.tell_overdue()
    set_status(actor=cast.actor("staff"), ticket=ticket, status="waiting", source="back_office")
    Ticket.objects.filter(pk=ticket.pk).update(status_changed_at=timezone.now() - 3 * HOUR)
    set_status(actor=cast.actor("staff"), ticket=ticket, status="in_progress", source="back_office")
    overdue.tell_overdue()
    late(ticket, due_at=HOUR)
    overdue.tell_overdue()
    assert told == [(ticket.pk, "resolution")] * 2


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_tell_once(cast: Cast, file: File, told: list[Any]) -> None:
    ticket = file()
    late(ticket)

    def tell() -> int:
        with scope.all_tenants():
            return overdue._tell([ticket.pk])

    assert sorted(at_once(tell, tell)) == [0, 1]  # type: ignore[type-var]
    assert told == [(ticket.pk, "response")]


def test_one_that_cannot_be_told_holds_up_no_other(cast: Cast, file: File, told: list[Any]) -> None:
    bad, good = file(), file()
    late(bad)
    late(good)

    def fail(ticket: Ticket, **_more: Any) -> None:
        if ticket.pk == bad.pk:
            raise RuntimeError("no paper")

    ticket_overdue.connect(fail)
    assert overdue.tell_overdue() == {"told": 1, "failed": 1}
    ticket_overdue.disconnect(fail)
    assert (good.pk, "response") in told
    assert SystemLog.objects.get().category == "tickets.tell_overdue"
    bad.refresh_from_db()
    assert bad.reminded_at is None  # the next run tries again


def test_what_was_solved_a_month_ago_is_closed(cast: Cast, file: File) -> None:
    old, young, by_hand = file(), file(), file()
    for ticket, word, past in ((old, "solved", 30 * DAY), (young, "solved", 29 * DAY), (by_hand, "closed", 30 * DAY)):
        set_status(actor=cast.actor("staff"), ticket=ticket, status=word, source="back_office")
        Ticket.objects.filter(pk=ticket.pk).update(closed_at=timezone.now() - past)
    assert overdue.close_solved() == {"closed": 1, "failed": 0}
    for ticket, word in ((old, "closed"), (young, "solved"), (by_hand, "closed")):
        ticket.refresh_from_db()
        assert ticket.status == word
    entry = TicketActivity.objects.filter(ticket=old).latest("id")
    assert (entry.kind, entry.user, entry.data) == ("statusUpdated", None, {"status": "closed", "previous": "solved"})
    assert (
        old.closed_at is not None and old.closed_at < timezone.now() - 29 * DAY
    )  # when it was done, not when it was tidied


@pytest.mark.parametrize(
    ("task", "name"), [(tasks.tell_overdue, "tickets.tell_overdue"), (tasks.close_solved, "tickets.close_solved")]
)
def test_the_jobs_are_planned_and_leave_a_record(cast: Cast, task: Any, name: str) -> None:
    task()
    assert JobRun.objects.get(name=name).error == ""
    assert settings.CELERY_BEAT_SCHEDULE[name]["task"] == name
