"""By when a ticket shall be answered and solved, and what waiting does to it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from orgs.models import Community, OrganizationSettings
from tickets.models import Ticket, TicketType
from tickets.services import changes, comments, filing
from tickets.services.changes import set_status

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

HOUR = datetime.timedelta(hours=1)


def settings_of(cast: Cast, **values: Any) -> None:
    OrganizationSettings.objects.filter(organization=cast.tenant).update(**values)


def hours(ticket: Ticket) -> tuple[float | None, float | None]:
    """Hours of the clock from the filing to both targets."""
    ticket.refresh_from_db()
    return tuple(
        None if due is None else (due - ticket.created_at) / HOUR for due in (ticket.response_due_at, ticket.due_at)
    )  # type: ignore[return-value]


def status(cast: Cast, ticket: Ticket, word: str) -> None:
    set_status(actor=cast.actor("staff"), ticket=ticket, status=word, source="back_office")


def since(ticket: Ticket, past: datetime.timedelta) -> None:
    """As if the status had been set so long ago."""
    Ticket.objects.filter(pk=ticket.pk).update(status_changed_at=timezone.now() - past)


def test_a_first_response_is_due_after_a_day_unless_somebody_says_otherwise(cast: Cast, file: File) -> None:
    assert hours(file()) == (24, None)


def test_the_type_counts_before_the_community_and_this_before_the_company(cast: Cast, file: File) -> None:
    settings_of(cast, default_first_response_hours=10, default_resolution_hours=100)
    house = Community.objects.get(pk=cast.house_a.pk)
    assert hours(file(community=house)) == (10, 100)
    Community.objects.filter(pk=house.pk).update(first_response_hours=6)
    house = Community.objects.get(pk=house.pk)
    assert hours(file(community=house)) == (6, 100)
    urgent = TicketType.objects.create(
        tenant=cast.tenant, name="Rohrbruch", first_response_hours=1, resolution_hours=8, priority=4
    )
    ticket = file(community=house, ticket_type=urgent)
    assert (hours(ticket), ticket.priority) == ((1, 8), 4)


def test_no_hours_are_no_target(cast: Cast, file: File) -> None:
    settings_of(cast, default_first_response_hours=0)
    assert hours(file(community=Community.objects.get(pk=cast.house_a.pk))) == (None, None)


def test_targets_run_in_the_time_in_which_the_company_works(
    cast: Cast, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_of(cast, business_hours={"mon": [["08:00", "16:00"]]}, default_first_response_hours=8)
    monday = datetime.datetime(2026, 11, 30, 14, 0, tzinfo=datetime.UTC)  # 15:00 in Berlin
    monkeypatch.setattr(filing.timezone, "now", lambda: monday)
    ticket = file(community=Community.objects.get(pk=cast.house_a.pk))
    ticket.refresh_from_db()
    assert ticket.response_due_at == datetime.datetime(2026, 12, 7, 14, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("off", "due"),
    [
        ({}, "2026-06-04T07:00"),
        ({"holiday_region": "DE-HE"}, "2026-06-05T07:00"),  # Corpus Christi is one in Hesse
        ({"holiday_region": "DE-HH"}, "2026-06-04T07:00"),  # and none in Hamburg
        ({"extra_holidays": [datetime.date(2026, 6, 4), datetime.date(2026, 6, 5)]}, "2026-06-08T07:00"),
    ],
)
def test_no_target_runs_on_a_holiday_of_the_region_or_a_day_off_of_the_company(
    cast: Cast, file: File, monkeypatch: pytest.MonkeyPatch, off: dict[str, Any], due: str
) -> None:
    week = {day: [["08:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    settings_of(cast, business_hours=week, default_first_response_hours=2, default_resolution_hours=2, **off)
    wednesday = datetime.datetime(2026, 6, 3, 14, 0, tzinfo=datetime.UTC)  # 16:00 in Berlin
    monkeypatch.setattr(filing.timezone, "now", lambda: wednesday)
    ticket = file(community=Community.objects.get(pk=cast.house_a.pk))
    ticket.refresh_from_db()
    expected = datetime.datetime.fromisoformat(f"{due}+00:00")
    assert (ticket.response_due_at, ticket.due_at) == (expected, expected)


def test_a_holiday_is_no_pause(cast: Cast, file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_of(cast, holiday_region="DE", default_first_response_hours=48)
    christmas = datetime.datetime(2026, 12, 24, 22, 0, tzinfo=datetime.UTC)  # 23:00 in Berlin
    monkeypatch.setattr(filing.timezone, "now", lambda: christmas)
    ticket = file(community=Community.objects.get(pk=cast.house_a.pk))
    status(cast, ticket, "waiting")
    ticket.refresh_from_db()
    before = ticket.response_due_at
    monkeypatch.setattr(filing.timezone, "now", lambda: christmas + 49 * HOUR)  # midnight after Boxing Day
    status(cast, ticket, "in_progress")
    ticket.refresh_from_db()
    assert before is not None
    assert ticket.response_due_at is not None
    assert ticket.paused_seconds == 3600
    assert ticket.response_due_at - before == HOUR


@pytest.mark.parametrize("pausing", ["waiting", "solved", "closed"])
def test_what_a_ticket_waits_is_added_to_both_targets(cast: Cast, file: File, pausing: str) -> None:
    settings_of(cast, default_resolution_hours=48)
    ticket = file(community=Community.objects.get(pk=cast.house_a.pk))
    status(cast, ticket, pausing)
    since(ticket, 5 * HOUR)
    status(cast, ticket, "in_progress")
    response, resolution = hours(ticket)
    assert (round(response or 0, 2), round(resolution or 0, 2)) == (29, 53)
    assert round(ticket.paused_seconds / 3600, 2) == 5


def test_work_is_no_pause(cast: Cast, file: File) -> None:
    ticket = file()
    status(cast, ticket, "in_progress")
    since(ticket, 5 * HOUR)
    status(cast, ticket, "waiting")
    assert (hours(ticket), ticket.paused_seconds) == ((24, None), 0)


def test_two_pauses_in_a_row_add_up(cast: Cast, file: File) -> None:
    settings_of(cast, default_resolution_hours=48)
    ticket = file(community=Community.objects.get(pk=cast.house_a.pk))
    for word in ("waiting", "solved", "reopened"):
        status(cast, ticket, word)
        since(ticket, 2 * HOUR)
    assert round(hours(ticket)[1] or 0, 2) == 52


def test_nights_are_no_pause_where_nobody_works(cast: Cast, file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_of(
        cast, default_resolution_hours=10,
        business_hours={day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    )  # fmt: skip
    moment = [datetime.datetime(2026, 11, 30, 7, 0, tzinfo=datetime.UTC)]  # Monday, 8:00 in Berlin
    for module in (filing, changes):
        monkeypatch.setattr(module.timezone, "now", lambda: moment[0])
    ticket = file(community=Community.objects.get(pk=cast.house_a.pk))
    moment[0] += 9 * HOUR
    status(cast, ticket, "waiting")
    moment[0] += 15 * HOUR  # one hour of the evening and none of the night
    status(cast, ticket, "in_progress")
    ticket.refresh_from_db()
    assert (ticket.paused_seconds, ticket.due_at) == (3600, datetime.datetime(2026, 12, 1, 8, 0, tzinfo=datetime.UTC))


def test_what_was_answered_moves_no_more(cast: Cast, file: File) -> None:
    ticket = file()
    comments.add_comment(actor=cast.actor("staff"), ticket=ticket, text="Wir kommen.", source="back_office")
    status(cast, ticket, "waiting")
    since(ticket, 5 * HOUR)
    status(cast, ticket, "in_progress")
    assert hours(ticket) == (24, None)


def test_a_type_that_changes_moves_no_target_of_what_is_filed(cast: Cast, file: File) -> None:
    kind = TicketType.objects.create(tenant=cast.tenant, name="Rohrbruch", first_response_hours=1)
    ticket = file(ticket_type=kind)
    TicketType.objects.filter(pk=kind.pk).update(first_response_hours=99)
    status(cast, ticket, "waiting")
    since(ticket, HOUR)
    status(cast, ticket, "in_progress")
    assert round(hours(ticket)[0] or 0, 2) == 2
