"""Who gets a new ticket."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.utils import timezone

from core.models import JobRun
from orgs.models import Membership
from tests.tickets.material import File
from tickets import tasks
from tickets.models import AssignmentRule, Ticket, TicketActivity, TicketType
from tickets.services import assignment
from tickets.services.changes import assign, set_status

if TYPE_CHECKING:
    from tests.cast import Cast


@pytest.fixture
def rule(cast: Cast) -> Any:
    """Make a rule of Brandt & Keller: `rule(assignee=…, position=2)`."""
    number = iter(range(100))

    def made(**values: Any) -> AssignmentRule:
        return AssignmentRule.objects.create(**({"tenant": cast.tenant, "position": next(number)} | values))

    return made


def given(ticket: Ticket) -> Membership | None:
    """Who has it after a worker looked."""
    tasks.assign(ticket.pk)
    ticket.refresh_from_db()
    return ticket.assignee


def absent(person: Membership) -> None:
    Membership.objects.filter(pk=person.pk).update(is_available=False)


def test_without_rules_nobody_gets_it(file: File) -> None:
    assert given(file()) is None


def test_whom_the_rule_names_gets_it_with_an_automatic_entry(cast: Cast, file: File, rule: Any) -> None:
    rule(assignee=cast.membership("staff"))
    ticket = file()
    assert given(ticket) == cast.membership("staff")
    entry = TicketActivity.objects.get(ticket=ticket, kind="assigneeUpdated")
    assert (entry.user, entry.data) == (None, {"assignee": cast.membership("staff").pk, "previous": None})


def test_the_first_rule_that_fits_decides(cast: Cast, file: File, rule: Any) -> None:
    heating = TicketType.objects.create(tenant=cast.tenant, name="Heizung")
    rule(assignee=cast.membership("staff"), community=cast.house_b)
    rule(assignee=cast.membership("admin"), ticket_type=heating)
    rule(assignee=cast.membership("staff"))
    rule(assignee=cast.membership("admin"))
    assert given(file()) == cast.membership("staff")
    assert given(file(ticket_type=heating)) == cast.membership("admin")


def test_the_rules_of_another_company_and_those_switched_off_count_nothing(cast: Cast, file: File, rule: Any) -> None:
    rule(assignee=cast.membership("staff"), is_active=False)
    rule(tenant=cast.other_tenant, assignee=cast.membership("stranger", cast.other_tenant))
    assert given(file()) is None


def test_who_is_not_available_is_passed_over_where_the_rule_says_so(cast: Cast, file: File, rule: Any) -> None:
    absent(cast.membership("staff"))
    rule(assignee=cast.membership("staff"))
    rule(assignee=cast.membership("admin"))
    assert given(file()) == cast.membership("admin")
    AssignmentRule.objects.update(only_available=False)
    assert given(file()) == cast.membership("staff")


def test_who_does_not_look_after_the_community_is_passed_over(cast: Cast, file: File, rule: Any) -> None:
    """Staff of the cast has house A only (TICKETS-042)."""
    rule(assignee=cast.membership("staff"))
    assert given(file("admin", community=cast.house_b)) is None


def test_who_left_is_passed_over(cast: Cast, file: File, rule: Any) -> None:
    rule(assignee=cast.membership("staff"))
    Membership.objects.filter(pk=cast.membership("staff").pk).update(deactivated_at=timezone.now())
    assert given(file()) is None


def test_without_a_name_whoever_is_free_and_has_least_to_do_gets_it(cast: Cast, file: File, rule: Any) -> None:
    rule()
    first, second, third = file(), file(), file()
    people = {given(first), given(second)}
    assert people == {cast.membership("staff"), cast.membership("admin")}
    done = first.assignee
    set_status(actor=cast.actor("admin"), ticket=first, status="solved", source="back_office")
    assert given(third) == done


def test_nobody_free_leaves_it_until_somebody_is(cast: Cast, file: File, rule: Any) -> None:
    rule()
    for name in ("staff", "admin"):
        absent(cast.membership(name))
    ticket = file()
    assert given(ticket) is None
    Membership.objects.filter(pk=cast.membership("staff").pk).update(is_available=True)
    assert assignment.assign_new() == {"assigned": 1, "failed": 0}
    ticket.refresh_from_db()
    assert ticket.assignee == cast.membership("staff")


def test_what_people_have_touched_is_left_alone(cast: Cast, file: File, rule: Any) -> None:
    taken, begun, old = file(), file(), file()
    rule(assignee=cast.membership("staff"))
    admin = cast.actor("admin")
    assign(actor=admin, ticket=taken, assignee=cast.membership("admin"), source="back_office")
    assign(actor=admin, ticket=taken, assignee=None, source="back_office")
    set_status(actor=admin, ticket=begun, status="in_progress", source="back_office")
    Ticket.objects.filter(pk=old.pk).update(created_at=timezone.now() - datetime.timedelta(days=1, minutes=1))
    assert assignment.assign_new() == {"assigned": 0, "failed": 0}
    assert [given(ticket) for ticket in (taken, begun, old)] == [None, None, None]


def test_a_ticket_that_is_gone_is_no_error(file: File, rule: Any) -> None:
    rule()
    ticket = file()
    Ticket.objects.filter(pk=ticket.pk).update(deleted_at=timezone.now())
    tasks.assign(ticket.pk)
    tasks.assign(999_999_999)


@pytest.mark.parametrize("has_rule", [True, False])
def test_a_worker_is_told_only_where_there_are_rules(
    file: File, rule: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any, has_rule: bool
) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr("tickets.services.filing.wake", lambda *args: told.append(args))
    if has_rule:
        rule()
    with django_capture_on_commit_callbacks(execute=True):
        ticket = file()
    assert told == ([("tickets.assign", ticket.pk)] if has_rule else [])


def test_finding_somebody_takes_three_questions_however_many_rules(
    cast: Cast, file: File, rule: Any, django_assert_num_queries: Any
) -> None:
    for name in ("staff", "admin", "staff"):
        rule(assignee=cast.membership(name), community=cast.house_b)
    rule()
    ticket = Ticket.objects.select_related("community__tenant").get(pk=file().pk)
    with django_assert_num_queries(3):
        assert assignment.person_for(ticket) is not None


def test_the_job_is_planned_and_leaves_a_record() -> None:
    tasks.assign_new()
    assert JobRun.objects.get(name="tickets.assign_new").error == ""
    assert settings.CELERY_BEAT_SCHEDULE["tickets.assign_new"]["task"] == "tickets.assign_new"
